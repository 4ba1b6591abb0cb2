"""The filter in the kernel: run here by a small machine of our own, and by the kernel itself."""

import socket
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicechat.carriage.filter import (
    JUMP_ABOVE,
    JUMP_AT_LEAST,
    LOAD_BYTE,
    LOAD_LENGTH,
    PASS,
    RETURN,
    UDP_HEADER,
    attach,
    program,
)
from voicechat.errors import WireError
from voicechat.wire.datagrams import SHAPES, DatagramHeader, DatagramType, Shape, parse_header

OTHERS = (Shape(0, 3, 20, 548), *SHAPES, Shape(20, 63, 13, 1200), Shape(128, 191, 12, 1200))
"""Ours, and what may once come to the same port: STUN, DTLS, SRTP."""


def has_shape(datagram: bytes, shapes: Sequence[Shape]) -> bool:
    """What the program is to say, in Python."""
    return any(
        datagram and shape.first <= datagram[0] <= shape.last and shape.shortest <= len(datagram) <= shape.longest
        for shape in shapes
    )


def passes(datagram: bytes, shapes: Sequence[Shape]) -> bool:
    """What the program says, run as the kernel runs it."""
    packet, instructions = bytes(UDP_HEADER) + datagram, program(shapes)
    at = accumulator = 0
    while True:
        code, yes, no, k = instructions[at]
        at += 1
        if code == LOAD_BYTE:
            if k >= len(packet):
                return False
            accumulator = packet[k]
        elif code == LOAD_LENGTH:
            accumulator = len(packet)
        elif code in (JUMP_AT_LEAST, JUMP_ABOVE):
            at += yes if (accumulator >= k if code == JUMP_AT_LEAST else accumulator > k) else no
        else:
            assert code == RETURN
            assert k in (0, PASS)
            return bool(k)


def made(first: int, size: int) -> bytes:
    """A datagram by its first byte and its length."""
    return (bytes([first & 0xFF]) + bytes(1500))[:size]


def edges(shape: Shape) -> st.SearchStrategy[bytes]:
    """What just has the shape, and what just has not."""
    first = st.sampled_from([shape.first - 1, shape.first, shape.last, shape.last + 1])
    size = st.sampled_from([0, shape.shortest - 1, shape.shortest, shape.longest, shape.longest + 1])
    return st.builds(made, first, size)


def datagrams() -> st.SearchStrategy[bytes]:
    """At the edges of all shapes, and any."""
    return st.one_of(st.builds(made, st.integers(0, 255), st.integers(0, 1500)), *map(edges, OTHERS))


@given(datagrams(), st.sampled_from([SHAPES, OTHERS, OTHERS[:1], ()]))
def test_it_passes_what_has_one_of_the_shapes_and_nothing_else(datagram: bytes, shapes: Sequence[Shape]) -> None:
    assert passes(datagram, shapes) == has_shape(datagram, shapes)


@given(
    st.sampled_from(DatagramType),
    st.integers(0, (1 << 24) - 1),
    st.integers(0, (1 << 31) - 1),
    st.integers(0, 1200),
)
def test_nothing_that_a_parser_takes_is_refused(kind: DatagramType, connection: int, counter: int, size: int) -> None:
    datagram = DatagramHeader(kind, connection, counter).build() + bytes(size)
    try:
        parse_header(datagram)
    except WireError:
        return
    assert passes(datagram, SHAPES)


def test_the_shapes_are_told_apart_by_their_first_byte() -> None:
    for shapes in (SHAPES, OTHERS):
        assert all(lower.last < higher.first for lower, higher in pairwise(shapes))
        assert all(shape.first <= shape.last and shape.shortest <= shape.longest for shape in shapes)


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Who sends, and who reads by a filter; of IPv4 and IPv6."""
    home = "127.0.0.1" if request.param == socket.AF_INET else "::1"
    with (
        socket.socket(request.param, socket.SOCK_DGRAM) as reader,
        socket.socket(request.param, socket.SOCK_DGRAM) as it,
    ):
        assert attach(reader, OTHERS)
        reader.bind((home, 0))
        reader.setblocking(False)
        it.connect(reader.getsockname())
        yield it, reader


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(datagrams(), max_size=20))
def test_the_kernel_says_the_same(ends: tuple[socket.socket, socket.socket], sent: list[bytes]) -> None:
    """What is read is what has a shape: nothing else wakes whoever reads."""
    it, reader = ends
    for datagram in sent:
        it.send(datagram)
    read = []
    while True:
        try:
            read.append(reader.recv(2048))
        except BlockingIOError:
            break
    assert read == [datagram for datagram in sent if has_shape(datagram, OTHERS)]


def test_where_there_is_none_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        monkeypatch.setattr("sys.platform", "win32")
        assert not attach(sock)
    monkeypatch.undo()
    assert not attach(sock), "as where the kernel has none: it is an OSError"
