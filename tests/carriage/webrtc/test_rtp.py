"""RTP: what browsers send is frames or an error; what they hear is one stream whose time runs with the clock."""

import struct
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.carriage.webrtc import rtp
from voicechat.carriage.webrtc.rtp import Downward, RtpPacket, Upward
from voicechat.errors import WireError
from voicechat.format import TICK_SECONDS
from voicechat.media.packet import ME, MIX, MediaPacket

FRAME = b"\x48abc"


def packed(payload: bytes, *, first: int = 0x80, more: bytes = b"", padding: bytes = b"") -> bytes:
    return struct.pack("!BBHII", first, 111, 7, 960, 5) + more + payload + padding


@pytest.mark.parametrize(
    "packet",
    [
        packed(FRAME),
        packed(FRAME, first=0x82, more=bytes(8)),
        packed(FRAME, first=0x90, more=b"\xbe\xde\x00\x01\x10\xff\x00\x00"),
        packed(FRAME, first=0x91, more=bytes(4) + b"\xbe\xde\x00\x00"),
        packed(FRAME, first=0xA0, padding=b"\x00\x00\x03"),
    ],
)
def test_extensions_sources_and_padding_are_passed_over(packet: bytes) -> None:
    assert rtp.parse(packet) == RtpPacket(111, 7, 960, FRAME)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        packed(b"")[:11],
        packed(FRAME, first=0x40),
        packed(b"", first=0x8F),
        packed(b"", first=0x90),
        packed(b"", first=0x90, more=b"\xbe\xde\xff\xff"),
        packed(FRAME, first=0xA0, padding=b"\x00"),
        packed(b"", first=0xA0, padding=b"\xff"),
    ],
)
def test_what_is_cut_off_is_an_error(packet: bytes) -> None:
    with pytest.raises(WireError):
        rtp.parse(packet)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_packet_or_an_error(data: bytes) -> None:
    try:
        read = rtp.parse(data)
    except WireError:
        return
    assert len(read.payload) <= len(data) - 12


def test_mono_frames_of_20_ms_are_ours_and_no_others() -> None:
    """Of RFC 6716, table 2: 20 ms are SILK's 1, 5 and 9, the hybrid's 13 and 15, and CELT's 19, 23, 27 and 31."""
    ours = {config << 3 for config in (1, 5, 9, 13, 15, 19, 23, 27, 31)}
    assert {first for first in range(256) if rtp.is_frame(bytes([first, 1]))} == ours
    assert not rtp.is_frame(b"")
    assert not rtp.is_frame(FRAME[:1] + bytes(400))


# -- upwards -----------------------------------------------------------------------------


def sent(ticks: Iterable[int], start: int = 0, payload: bytes = FRAME) -> list[RtpPacket]:
    return [RtpPacket(111, n % 65536, (start + 960 * tick) % (1 << 32), payload) for n, tick in enumerate(ticks)]


@given(st.integers(0, (1 << 32) - 1))
def test_time_stamps_are_ticks_wherever_they_begin(start: int) -> None:
    up = Upward(111)
    ticks = [up.taken(packet) for packet in sent(range(300), start)]
    assert [packet.tick for packet in ticks if packet] == list(range(300))
    assert [packet.marker for packet in ticks if packet] == [True] + [False] * 299
    assert all(packet is not None and packet.source == ME and packet.payload == FRAME for packet in ticks)


def test_silence_ends_a_spurt_once_and_sound_begins_another() -> None:
    up = Upward(111)
    assert up.taken(RtpPacket(111, 0, 0, b"\x48")) is None
    (first,) = [up.taken(packet) for packet in sent([5])]
    assert first is not None
    assert first.marker
    end = up.taken(RtpPacket(111, 1, 6 * 960, b"\x48\x00"))
    assert end == MediaPacket(ME, 6, b"", end=True)
    assert up.taken(RtpPacket(111, 2, 26 * 960, b"\x48")) is None
    late = up.taken(RtpPacket(111, 3, 4 * 960, FRAME))
    assert late is not None
    assert not late.marker, "one that was overtaken by the end begins nothing"
    again = up.taken(RtpPacket(111, 4, 40 * 960, FRAME))
    assert again is not None
    assert (again.tick, again.marker) == (40, True)


def test_a_pause_without_a_word_begins_a_spurt() -> None:
    up = Upward(111)
    markers = [packet.marker for packet in map(up.taken, sent([0, 1, 2, 60, 61])) if packet]
    assert markers == [True, False, False, True, False]


@pytest.mark.parametrize(
    "packet", [RtpPacket(8, 0, 0, FRAME), RtpPacket(111, 0, 0, b"\x4cabc"), RtpPacket(111, 0, 0, FRAME + bytes(400))]
)
def test_what_is_no_frame_of_ours_is_an_error(packet: RtpPacket) -> None:
    with pytest.raises(WireError):
        Upward(111).taken(packet)


def test_numbers_are_counted_without_end_and_in_any_order() -> None:
    up = Upward(111)
    numbers = [up.counter(RtpPacket(111, sequence, 0, b"")) for sequence in (65534, 65535, 1, 0, 2)]
    assert [number - numbers[0] for number in numbers] == [0, 1, 3, 2, 4]


# -- downwards ---------------------------------------------------------------------------


class Heard:
    """The stream of one listener, and a clock."""

    def __init__(self) -> None:
        self.now = 500.0
        self.down = Downward(9, 111, self.now, 65530, (1 << 32) - 960)
        self.packets: list[tuple[int, int, bool, int | None, bytes]] = []
        """Sequence, tick, marker, talker and payload, from the first on."""

    def put(self, packet: MediaPacket) -> int:
        count = 0
        for made in self.down.put(packet, self.now):
            first, second, sequence, stamp, ssrc = struct.unpack_from("!BBHII", made)
            assert (first & 0xF0, second & 127, ssrc) == (0x80, 111, 9)
            source = int.from_bytes(made[12:16], "big") if first & 15 else None
            payload = made[12 + 4 * (first & 15) :]
            place = ((stamp - (1 << 32) + 960) % (1 << 32)) // 960
            self.packets.append(((sequence - 65530) % 65536, place, bool(second & 128), source, payload))
            count += 1
        return count

    def spurt(self, source: int, ticks: Iterable[int], *, marker: bool = True, end: bool = True) -> None:
        for tick in ticks:
            self.put(MediaPacket(source, tick, FRAME, marker=marker))
            marker = False
            self.now += TICK_SECONDS
        if end:
            self.put(MediaPacket(source, tick + 1, b"", end=True))

    @property
    def sequences(self) -> list[int]:
        return [packet[0] for packet in self.packets]

    @property
    def places(self) -> list[int]:
        return [packet[1] for packet in self.packets]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 60), st.floats(0.1, 30)), min_size=1, max_size=8))
def test_the_stream_goes_on_by_one_and_its_time_with_the_clock(spurts: list[tuple[int, int, float]]) -> None:
    """Whoever talks, however long and after whatever pause."""
    heard, begun = Heard(), []
    for number, (source, length, pause) in enumerate(spurts):
        begun.append((len(heard.packets), heard.now))
        heard.spurt(source, range(1000 * number, 1000 * number + length))
        heard.now += pause
    assert heard.sequences == list(range(len(heard.packets)))
    assert all(later > earlier for earlier, later in zip(heard.places, heard.places[1:], strict=False))
    for at, now in begun:
        assert heard.packets[at][1] == pytest.approx((now - 500.0) / TICK_SECONDS, abs=1.5)
        assert heard.packets[at][2], "each spurt has its marker"
    assert [packet[-1] for packet in heard.packets].count(b"\x48") == len(spurts)


def test_what_is_missing_leaves_a_gap_and_what_is_late_fills_it() -> None:
    heard = Heard()
    for tick in (0, 1, 3, 2, 6):
        heard.put(MediaPacket(4, tick, FRAME, marker=not tick))
    assert heard.sequences == heard.places == [0, 1, 3, 2, 6]


def test_what_is_older_than_the_spurt_is_left_out() -> None:
    heard = Heard()
    heard.spurt(4, [10, 11, 12], end=False)
    assert heard.put(MediaPacket(4, 9, FRAME)) == 0


def test_an_end_that_comes_twice_is_one_and_alone_nothing() -> None:
    heard = Heard()
    assert heard.put(MediaPacket(4, 9, b"", end=True)) == 0
    heard.spurt(4, range(3))
    assert heard.put(MediaPacket(4, 3, b"", end=True)) == 0
    assert len(heard.packets) == 4


def test_another_talker_takes_over_in_mid_word() -> None:
    heard = Heard()
    heard.spurt(4, range(5), end=False)
    heard.spurt(5, range(70, 75), marker=False)
    assert heard.sequences == heard.places == list(range(11))
    assert [packet[3] for packet in heard.packets] == [4] * 5 + [5] * 6


def test_at_a_change_to_a_mix_its_past_is_left_out_and_no_frame_is_lost_or_doubled() -> None:
    """As a room does it: the past of the mix at once, and the talker goes on for some ticks."""
    heard = Heard()
    heard.spurt(4, range(20), end=False)
    for ago in range(5, 0, -1):
        heard.put(MediaPacket(MIX, 900 - ago, FRAME, marker=ago == 5))
    heard.put(MediaPacket(MIX, 900, FRAME))
    heard.put(MediaPacket(4, 20, FRAME))
    for tick in range(1, 10):
        heard.now += TICK_SECONDS
        heard.put(MediaPacket(MIX, 900 + tick, FRAME))
        if tick < 4:
            heard.put(MediaPacket(4, 20 + tick, FRAME))
    assert heard.sequences == heard.places == list(range(30))
    assert [packet[3] for packet in heard.packets] == [4] * 21 + [None] * 9


def test_back_from_a_mix_the_talker_follows_when_it_has_ended() -> None:
    heard = Heard()
    heard.spurt(MIX, range(900, 910), end=False)
    for tick in range(3):
        heard.put(MediaPacket(4, tick, FRAME))
        heard.put(MediaPacket(MIX, 910 + tick, FRAME))
        heard.now += TICK_SECONDS
    heard.put(MediaPacket(MIX, 913, b"", end=True))
    heard.spurt(4, range(3, 6), marker=False)
    assert [packet[3] for packet in heard.packets] == [None] * 14 + [4] * 4
    assert heard.sequences == list(range(18))


def test_a_mix_that_fell_silent_without_a_word_holds_up_nobody() -> None:
    heard = Heard()
    heard.spurt(MIX, range(900, 903), end=False)
    heard.now += rtp.MIX_ENDED
    heard.spurt(4, range(3))
    assert [packet[3] for packet in heard.packets] == [None] * 3 + [4] * 4
