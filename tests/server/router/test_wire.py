"""The bytes of PCP and NAT-PMP: as the RFCs have them, and whatever else comes."""

import contextlib
import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.server.router import wire
from voicechat.server.router.wire import AskAddress, AskMap, AskPort, Carried, Given, Outer, Refusal, Result

OURS = IPv4Address("192.168.1.20")
NONCE = bytes(range(12))
MAP = AskMap(Carried.UDP, 1234, 4000, 3600, OURS, NONCE)
PORT = AskPort(Carried.TCP, 1234, 4000, 3600)


def pmp_port(opcode: int = 130, result: int = 0, inner: int = 1234, outer: int = 4000, seconds: int = 3600) -> bytes:
    return struct.pack("!BBHIHHI", 0, opcode, result, 77, inner, outer, seconds)


def pcp_map(
    result: int = 0, seconds: int = 3600, nonce: bytes = NONCE, inner: int = 1234, outer: int = 4000, carried: int = 17
) -> bytes:
    head = struct.pack("!BBBBII12x", 2, 0x81, 0, result, seconds, 77)
    address = IPv6Address("::ffff:8.9.10.11").packed
    return head + struct.pack("!12sB3xHH16s", nonce, carried, inner, outer, address)


def test_requests_are_what_the_rfcs_show() -> None:
    assert AskAddress().build() == b"\0\0"
    assert PORT.build() == bytes.fromhex("0002 0000 04d2 0fa0 00000e10")
    assert PORT._replace(seconds=0).build() == bytes.fromhex("0002 0000 04d2 0000 00000000")
    assert MAP.build() == bytes.fromhex(
        "02 01 0000 00000e10 00000000000000000000ffffc0a80114"
        "000102030405060708090a0b 11 000000 04d2 0fa0 00000000000000000000ffff00000000"
    )
    six = IPv6Address("2a00::5")
    assert MAP._replace(ours=six).build().count(six.packed) == 2, "a hole in a firewall is asked for our own address"


def test_answers_are_numbers() -> None:
    assert AskAddress().answered(bytes.fromhex("0080 0000 0000004d 08090a0b")) == Outer(IPv4Address("8.9.10.11"))
    assert PORT.answered(pmp_port(outer=4001)) == Given(4001, 3600)
    assert MAP.answered(pcp_map(outer=4002)) == Given(4002, 3600, IPv4Address("8.9.10.11"))


@pytest.mark.parametrize(("seconds", "taken"), [(1, 120), (600, 600), (0xFFFFFFFF, 86_400)])
def test_a_lease_is_believed_within_bounds(seconds: int, taken: int) -> None:
    for answer in (PORT.answered(pmp_port(seconds=seconds)), MAP.answered(pcp_map(seconds=seconds))):
        assert isinstance(answer, Given)
        assert answer.seconds == taken


@pytest.mark.parametrize(
    "data",
    [
        pmp_port(opcode=129),
        pmp_port(inner=1235),
        pmp_port(outer=0),
        pmp_port(seconds=0),
        pmp_port()[:-1],
        pmp_port() + b"\0",
        b"\x01" + pmp_port()[1:],
        b"",
    ],
)
def test_of_nat_pmp_only_an_answer_to_what_was_asked_counts(data: bytes) -> None:
    with pytest.raises(WireError):
        PORT.answered(data)


@pytest.mark.parametrize(
    "data",
    [
        pcp_map(nonce=bytes(12)),
        pcp_map(inner=1235),
        pcp_map(carried=6),
        pcp_map(outer=0),
        pcp_map(seconds=0),
        pcp_map()[:-4],
        pcp_map() + bytes(1044),
        MAP.build(),
        b"",
    ],
)
def test_of_pcp_only_an_answer_with_our_nonce_counts(data: bytes) -> None:
    """So nobody who does not see what we send can answer for the router."""
    with pytest.raises(WireError):
        MAP.answered(data)


def test_each_no_has_its_words() -> None:
    assert PORT.answered(pmp_port(result=2)) == Refusal(Result.FORBIDS)
    assert PORT.answered(pmp_port(result=4)) == Refusal(Result.NO_ROOM)
    assert PORT.answered(pmp_port(result=999)) == Refusal(Result.UNABLE)
    assert MAP.answered(pcp_map(result=2)) == Refusal(Result.FORBIDS)
    assert MAP.answered(pcp_map(result=12)) == Refusal(Result.BEHIND_ANOTHER)
    assert MAP.answered(pcp_map(result=200)) == Refusal(Result.UNABLE)


def test_a_router_of_nat_pmp_alone_says_so_to_pcp() -> None:
    """RFC 6886 section 3.5."""
    assert MAP.answered(bytes.fromhex("0080 0001 0000004d")) == Refusal(Result.OTHER_VERSION)
    with pytest.raises(WireError):
        MAP.answered(bytes.fromhex("0080 0000 0000004d"))


@given(st.binary(max_size=1200), st.sampled_from([AskAddress(), PORT, PORT._replace(seconds=0), MAP]))
def test_whatever_comes_is_numbers_in_their_range_or_a_wire_error(data: bytes, request: wire.Request) -> None:
    with contextlib.suppress(WireError):
        answer = request.answered(data)
        if isinstance(answer, Given):
            assert 0 <= answer.port < 65_536
            assert bool(answer.port) == bool(answer.seconds) == bool(getattr(request, "seconds", 0))
    wire.announces(data)


@given(st.integers(0, 59), st.integers(0, 7))
def test_one_bit_of_what_names_the_request_makes_it_another_answer(byte: int, bit: int) -> None:
    data = bytearray(pcp_map())
    data[byte] ^= 1 << bit
    if byte in (1, *range(24, 37), 40, 41):  # opcode, nonce, protocol, inner port
        with pytest.raises(WireError):
            MAP.answered(bytes(data))


def test_routers_tell_that_they_begin_anew() -> None:
    assert wire.announces(bytes.fromhex("0080 0000 00000000 08090a0b"))
    assert wire.announces(bytes.fromhex("02 80 00 00 00000000 00000000") + bytes(12))
    assert not wire.announces(pmp_port())
    assert not wire.announces(pcp_map())
