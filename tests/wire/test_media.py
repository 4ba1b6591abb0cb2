"""Media packets: what was built is read back, and any bytes are a packet or a WireError."""

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.media.packet import LAST_SOURCE, ME, MIX, MOST_PAYLOAD, MediaPacket
from voicechat.wire import media

SOURCES = st.integers(0, LAST_SOURCE) | st.just(ME)
TICKS = st.integers(0, 0xFFFF) | st.integers(0xFFF0, 0xFFFF)
PAYLOADS = st.binary(min_size=1, max_size=MOST_PAYLOAD)
COPIES = st.tuples(st.integers(1, 3), st.binary(min_size=1, max_size=255)) | st.just((0, b""))


@st.composite
def packets(draw: st.DrawFn) -> MediaPacket:
    """Any packet that a program of this version can make."""
    end = draw(st.booleans())
    payload = draw(PAYLOADS | st.just(b"")) if end else draw(PAYLOADS)
    offset, redundant = draw(COPIES)
    return MediaPacket(draw(SOURCES), draw(TICKS), payload, draw(st.booleans()), end, offset, redundant)


@given(packets())
def test_what_was_encoded_is_read_back(packet: MediaPacket) -> None:
    data = media.encode(packet)
    assert data[0] < media.FIRST_CONTROL
    assert media.decode(data) == packet


@given(st.binary(max_size=700))
@example(b"")
@example(bytes(4))
@example(b"\x03\x01\x00\x00\x00")
def test_garbage_is_a_value_or_a_wire_error(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert media.encode(media.decode(data)) == data


@given(packets(), st.data())
def test_every_truncation_is_another_packet_or_refused(packet: MediaPacket, data: st.DataObject) -> None:
    whole = media.encode(packet)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with contextlib.suppress(WireError):
        assert media.decode(cut) != packet


# The normative bytes; they are never changed, only added to.
EXAMPLES = {
    "first frame of a spurt, from a client": ("40 ff 0001 c0ffee", MediaPacket(ME, 1, b"\xc0\xff\xee", marker=True)),
    "a frame of friend 7": ("00 07 ffff 01", MediaPacket(7, 0xFFFF, b"\x01")),
    "the mix": ("00 00 1234 aabb", MediaPacket(MIX, 0x1234, b"\xaa\xbb")),
    "end of a spurt": ("20 07 0100", MediaPacket(7, 0x100, b"", end=True)),
    "the only frame of a spurt": ("60 07 0100 55", MediaPacket(7, 0x100, b"U", marker=True, end=True)),
    "the one before again": (
        "01 07 0100 02 a1a2 b1",
        MediaPacket(7, 0x100, b"\xb1", offset=1, redundant=b"\xa1\xa2"),
    ),
    "three ticks back again": ("03 07 0100 01 a1 b1", MediaPacket(7, 0x100, b"\xb1", offset=3, redundant=b"\xa1")),
    "two frames": (
        "51 07 0100 02 a1 a2 b1",
        MediaPacket(7, 0x100, b"\xb1", marker=True, offset=1, redundant=b"\xa1\xa2", pair=True),
    ),
    "the last frame and the end": (
        "31 07 0100 01 a1",
        MediaPacket(7, 0x100, b"", end=True, offset=1, redundant=b"\xa1", pair=True),
    ),
    "an end saves the last": ("21 07 0100 01 a1", MediaPacket(7, 0x100, b"", end=True, offset=1, redundant=b"\xa1")),
}


@pytest.mark.parametrize(("data", "packet"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_the_layout_is_the_documented_one(data: str, packet: MediaPacket) -> None:
    assert media.encode(packet) == bytes.fromhex(data)
    assert media.decode(bytes.fromhex(data)) == packet


@pytest.mark.parametrize("flags", [flags for flags in range(256) if flags & 0x8C or (flags & 0x10 and flags & 3 != 1)])
def test_flags_without_a_meaning_are_refused(flags: int) -> None:
    with pytest.raises(WireError):
        media.decode(bytes([flags, 1, 0, 0, 1, 1, 1]))


@pytest.mark.parametrize("source", range(LAST_SOURCE + 1, ME))
def test_numbers_kept_for_later_are_refused(source: int) -> None:
    with pytest.raises(WireError):
        media.decode(bytes([0, source, 0, 0, 1]))


def test_the_longest_payload_passes_and_one_byte_more_does_not() -> None:
    longest = MediaPacket(ME, 0, bytes(MOST_PAYLOAD))
    assert media.decode(media.encode(longest)) == longest
    with pytest.raises(WireError):
        media.decode(media.encode(longest) + b"\0")


def test_a_frame_without_a_payload_is_refused_unless_it_is_the_end() -> None:
    with pytest.raises(WireError):
        media.decode(bytes.fromhex("40 01 0000"))
    assert media.decode(bytes.fromhex("20 01 0000")).end


@pytest.mark.parametrize(
    "data", ["01 01 0000", "01 01 0000 00 b1", "01 01 0000 02 a1", "21 01 0000 ff", "01 01 0000 02 a1a2"]
)
def test_a_copy_that_is_cut_off_or_empty_is_refused(data: str) -> None:
    with pytest.raises(WireError):
        media.decode(bytes.fromhex(data))


def test_redundancy_too_long_for_its_length_is_left_out() -> None:
    packet = MediaPacket(ME, 9, b"now", offset=2, redundant=bytes(256))
    assert media.decode(media.encode(packet)) == MediaPacket(ME, 9, b"now")


@given(packets())
def test_a_client_sends_its_own_voice_and_a_server_anybody_elses(packet: MediaPacket) -> None:
    own = packet.source == ME
    for judge, allowed in ((media.upward, own), (media.downward, not own)):
        if allowed:
            assert judge(packet) is packet
        else:
            with pytest.raises(WireError):
                judge(packet)
