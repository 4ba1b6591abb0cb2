"""The messages of a WebSocket: what another library sends is read, and nothing grows with what a hostile one does."""

import contextlib
import os
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from voicechat.carriage.http import Exchange
from voicechat.carriage.websocket import OTHERS_A_SECOND, OTHERS_BURST, Closed, Messages
from voicechat.errors import WireError

LONGEST = 256


class Pair:
    """A client of the package `websockets`, and the server's end."""

    def __init__(self) -> None:
        self.now = 50.0
        self.client = ClientProtocol(parse_uri("ws://x/"), max_size=None)
        self.client.send_request(self.client.connect())
        request = Exchange().received(b"".join(self.client.data_to_send()))
        assert request is not None
        self.server = Messages(request, lambda: LONGEST, self.now)
        self.answer()
        assert self.client.state is State.OPEN

    def answer(self) -> list[Frame]:
        """Give the client what the server sent; its frames."""
        data, self.server.outgoing = self.server.outgoing, b""
        if data:
            self.client.receive_data(data)
        return [event for event in self.client.events_received() if isinstance(event, Frame)]

    def come(self, data: bytes = b"") -> list[bytes]:
        """What the server reads of what the client sent."""
        return list(self.server.received(data or b"".join(self.client.data_to_send()), self.now))


@given(st.lists(st.binary(max_size=LONGEST), max_size=8), st.data())
def test_messages_come_whole_in_whatever_pieces(messages: list[bytes], data: st.DataObject) -> None:
    pair, came = Pair(), list[bytes]()
    for message in messages:
        pair.client.send_binary(message)
    stream = b"".join(pair.client.data_to_send())
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        came += pair.server.received(stream[:size], pair.now)
        stream = stream[size:]
    assert came == messages


@given(st.binary(min_size=1, max_size=LONGEST), st.lists(st.integers(0, LONGEST), max_size=10))
def test_a_message_in_parts_is_one(message: bytes, cuts: list[int]) -> None:
    pair = Pair()
    ends = [0, *sorted(min(cut, len(message)) for cut in cuts), len(message)]
    parts = [message[start:end] for start, end in pairwise(ends)]
    for number, part in enumerate(parts):
        send = pair.client.send_continuation if number else pair.client.send_binary
        send(part, number == len(parts) - 1)
    assert pair.come() == [message]


@given(st.binary(max_size=70_000))
def test_what_is_sent_is_understood(message: bytes) -> None:
    pair = Pair()
    pair.server.outgoing = pair.server.framed(message)
    assert [(frame.opcode, frame.data) for frame in pair.answer()] == [(Opcode.BINARY, message)]


@given(st.binary(max_size=300))
def test_any_bytes_are_messages_or_an_end(data: bytes) -> None:
    pair = Pair()
    with contextlib.suppress(WireError, Closed):
        assert all(len(message) <= LONGEST for message in pair.come(data))


def test_the_longest_is_taken_and_one_byte_more_is_not() -> None:
    pair = Pair()
    pair.client.send_binary(bytes(LONGEST))
    assert pair.come() == [bytes(LONGEST)]
    pair.client.send_binary(bytes(LONGEST + 1))
    with pytest.raises(WireError, match="too long"):
        pair.come()


def ends_within(pair: Pair, piece: bytes, most: int) -> tuple[int, str]:
    """How many of these pieces are taken, and how that ends."""
    for number in range(most):
        try:
            pair.come(piece)
        except WireError as error:
            return number, str(error)
    raise AssertionError("it is taken for ever")


@pytest.mark.parametrize(
    ("head", "piece"),
    [(b"\x02\xff\x7f" + b"\xff" * 7 + bytes(4), bytes(100)), (b"\x02\x81" + bytes(5), b"\x00\xe4" + bytes(104))],
)
def test_a_message_without_end_is_given_up_and_not_kept(head: bytes, piece: bytes) -> None:
    """In one frame that announces eight exabytes, and in parts."""
    pair = Pair()
    assert pair.come(head) == []
    tracemalloc.start()
    taken, why = ends_within(pair, piece, 1000)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert (taken, why) == (LONGEST // 100, "a message too long")
    assert kept < 20_000


@pytest.mark.parametrize("frame", [b"\x89\x80", b"\x8a\x80", b"\x00\x80"])
def test_pings_pongs_and_empty_parts_are_counted(frame: bytes) -> None:
    pair = Pair()
    if not frame[0]:
        pair.come(b"\x02\x80" + bytes(4))
    taken, why = ends_within(pair, frame + os.urandom(4), 1000)
    assert taken == OTHERS_BURST - (not frame[0])
    assert "without a message" in why


def test_a_few_pings_are_answered_for_ever() -> None:
    pair = Pair()
    for number in range(1000):
        pair.now += 1 / OTHERS_A_SECOND
        pair.client.send_ping(str(number).encode())
        assert pair.come() == []
        assert [(frame.opcode, frame.data) for frame in pair.answer()] == [(Opcode.PONG, str(number).encode())]


def test_text_is_refused() -> None:
    pair = Pair()
    pair.client.send_text(b"hello")
    with pytest.raises(WireError, match="text"):
        pair.come()


def test_a_frame_without_a_mask_is_refused() -> None:
    with pytest.raises(WireError, match="none of a WebSocket"):
        Pair().come(b"\x82\x01x")


def test_closing_is_answered_and_nothing_behind_it_is_read() -> None:
    pair = Pair()
    pair.client.send_close(1000)
    with pytest.raises(Closed):
        pair.come(b"".join(pair.client.data_to_send()) + b"\x82\x81" + bytes(5))
    assert [frame.opcode for frame in pair.answer()] == [Opcode.CLOSE]
    assert pair.client.close_rcvd is not None
    assert pair.client.close_rcvd.code == 1000
    assert pair.server.framed(b"late") == pair.server.closing() == b""


def test_we_close_it_once() -> None:
    pair = Pair()
    pair.server.outgoing = pair.server.closing()
    assert [frame.opcode for frame in pair.answer()] == [Opcode.CLOSE]
    assert pair.server.closing() == b""


@pytest.mark.parametrize(
    "change",
    [
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12"),
        ("Sec-WebSocket-Key", "X"),
        ("Connection: Upgrade", "A: b"),
    ],
)
def test_a_request_for_another_websocket_is_refused(change: tuple[str, str]) -> None:
    client = ClientProtocol(parse_uri("ws://x/"))
    client.send_request(client.connect())
    head = b"".join(client.data_to_send())
    assert change[0].encode() in head
    request = Exchange().received(head.replace(change[0].encode(), change[1].encode()))
    assert request is not None
    with pytest.raises(WireError):
        Messages(request, lambda: LONGEST, 0.0)


def test_neither_a_subprotocol_nor_deflate_is_taken() -> None:
    client = ClientProtocol(parse_uri("ws://x/"))
    request = client.connect()
    request.headers["Sec-WebSocket-Extensions"] = "permessage-deflate"
    request.headers["Sec-WebSocket-Protocol"] = "chat"
    client.send_request(request)
    asked = Exchange().received(b"".join(client.data_to_send()))
    assert asked is not None
    answer = Messages(asked, lambda: LONGEST, 0.0).outgoing.lower()
    assert answer.startswith(b"http/1.1 101")
    assert b"sec-websocket-extensions" not in answer
    assert b"sec-websocket-protocol" not in answer
