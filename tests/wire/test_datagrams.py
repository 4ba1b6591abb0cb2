"""The header of a datagram: eight bytes, read back as written, and nothing but WireError for the rest."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.wire.datagrams import MAX_DATAGRAM, MAX_PACKET, DatagramHeader, DatagramType, parse_header

HEADERS = st.builds(
    DatagramHeader, st.sampled_from(DatagramType), st.integers(0, (1 << 24) - 1), st.integers(0, (1 << 31) - 1)
)
BODIES = st.binary(min_size=8, max_size=100)


@given(HEADERS, BODIES)
def test_what_was_built_is_read_back(header: DatagramHeader, body: bytes) -> None:
    assert len(header.build()) == 8
    read = parse_header(header.build() + body)
    assert read == header
    assert isinstance(read.type, DatagramType)


@given(st.binary(max_size=1500))
def test_garbage_is_a_value_or_a_wire_error(datagram: bytes) -> None:
    with contextlib.suppress(WireError):
        assert parse_header(datagram).build() == datagram[:8]


@given(st.sampled_from([0x10, 0x11, 0x12, 0x13]), st.binary(min_size=15, max_size=60))
def test_garbage_behind_a_right_first_byte_is_a_value_or_a_wire_error(first: int, rest: bytes) -> None:
    datagram = bytes([first]) + rest
    with contextlib.suppress(WireError):
        assert parse_header(datagram).build() == datagram[:8]


def test_the_layout_is_the_documented_one() -> None:
    header = DatagramHeader(DatagramType.KEEPALIVE, 0xABCDEF, 0x01020304)
    assert header.build() == bytes.fromhex("13 abcdef 01020304")
    assert [int(kind) for kind in DatagramType] == [0, 1, 2, 3]


@given(HEADERS, BODIES)
def test_every_truncation_below_header_and_tag_is_refused(header: DatagramHeader, body: bytes) -> None:
    datagram = header.build() + body
    for length in range(16):
        with pytest.raises(WireError):
            parse_header(datagram[:length])


def test_other_versions_and_types_are_refused() -> None:
    for first in set(range(256)) - {0x10, 0x11, 0x12, 0x13}:
        with pytest.raises(WireError):
            parse_header(bytes([first]) + bytes(30))


def test_the_longest_datagram_fits_and_one_byte_more_does_not() -> None:
    header = DatagramHeader(DatagramType.MEDIA, 1, 1).build()
    assert parse_header(header + bytes(MAX_PACKET + 8)).counter == 1
    assert len(header) + MAX_PACKET + 8 == MAX_DATAGRAM
    with pytest.raises(WireError):
        parse_header(header + bytes(MAX_PACKET + 9))


def test_a_counter_with_its_highest_bit_set_is_refused() -> None:
    with pytest.raises(WireError):
        parse_header(bytes.fromhex("10 000001 80000000") + bytes(20))


@pytest.mark.parametrize(("connection", "counter"), [(-1, 0), (1 << 24, 0), (0, -1), (0, 1 << 31)])
def test_numbers_out_of_range_cannot_be_built(connection: int, counter: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        DatagramHeader(DatagramType.MEDIA, connection, counter).build()
