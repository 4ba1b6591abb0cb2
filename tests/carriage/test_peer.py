"""The connection without a carriage, a clock or Twisted: two ends that a test feeds by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.carriage.channel import Address
from voicechat.carriage.events import Asked, Confirmed, Lifeless, PeerEvent, ReceivedOver, SentOver, Wrong
from voicechat.carriage.heartbeat import ANSWER_WITHIN, PING_EVERY
from voicechat.carriage.peer import Peer
from voicechat.errors import WireError
from voicechat.media.packet import ME, MediaPacket
from voicechat.security.keys import Side, resume_keys
from voicechat.security.secret import Secret
from voicechat.session.base import Session
from voicechat.session.client import ClientSession
from voicechat.session.server import ServerSession
from voicechat.session.states import SessionState
from voicechat.wire import control, media, messages
from voicechat.wire.datagrams import parse_header

CLIENT: Address = ("192.0.2.1", 50_000)
SERVER: Address = ("198.51.100.1", 1234)


def in_room(session: Session, side: Side) -> Session:
    """A session past its handshake."""
    session._keys, session._state = resume_keys(side, bytes(32), b"transcript"), SessionState.IN_ROOM
    return session


class Ends:
    """A client's peer and a server's, and what is between them. Time is a number."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now
        secret = Secret("correct horse")
        self.client = Peer(in_room(ClientSession(secret, messages.Request("Ann")), Side.CLIENT))
        self.server = Peer(in_room(ServerSession(secret), Side.SERVER))
        self.happened: dict[Peer, list[PeerEvent]] = {self.client: [], self.server: []}
        self.deaf = False
        """Nothing gets from the client to the server."""
        for peer in (self.client, self.server):
            peer.enter(now)

    def open_channels(self) -> None:
        """Have datagrams, too."""
        self.server.open_channel(7, self.now, resting=True)
        self.client.open_channel(7, self.now, SERVER)
        self.settle()

    def settle(self) -> None:
        """Deliver until nothing is on its way."""
        for _ in range(100):
            if not self._deliver(self.client, self.server, CLIENT) + self._deliver(self.server, self.client, SERVER):
                return
        raise AssertionError("they never cease to talk")

    def _deliver(self, sender: Peer, receiver: Peer, source: Address) -> int:
        count, lost = 0, self.deaf and sender is self.client
        while (string := sender.next_string(self.now)) is not None:
            count += 1
            if not lost:
                receiver.string_received(string, self.now)
        while sender.outgoing:
            datagram, _ = sender.outgoing.popleft()
            count += 1
            if not lost and receiver.channel is not None:
                receiver.datagram_received(parse_header(datagram), datagram, source, self.now)
        self.happened[sender] += sender.events
        sender.events.clear()
        return count

    def pass_seconds(self, seconds: float) -> None:
        """Go from deadline to deadline."""
        end = self.now + seconds
        while (at := min(self.client.deadline, self.server.deadline)) <= end:
            self.now = max(self.now, at)
            for peer in (self.client, self.server):
                if peer.deadline <= self.now:
                    peer.poll(self.now)
                    assert peer.deadline > self.now, "and not at once again"
            self.settle()
        self.now = end


def test_two_ends_talk_by_strings_and_then_by_datagrams() -> None:
    ends = Ends()
    up, down = MediaPacket(ME, 1, b"up"), MediaPacket(3, 1, b"down")
    ends.client.send_media(media.encode(up), ends.now)
    ends.server.send_media(media.encode(down), ends.now)
    ends.settle()
    assert ends.happened[ends.server] == [Confirmed(), up]
    assert ends.happened[ends.client] == [Confirmed(), down]
    ends.open_channels()
    ends.pass_seconds(0.5)
    strings = ends.server.packets_out
    ends.client.send_media(media.encode(up), ends.now)
    ends.server.send_media(media.encode(down), ends.now)
    ends.settle()
    assert ends.happened[ends.server][-1] == up
    assert ends.happened[ends.client][-1] == down
    assert ends.server.packets_out == strings, "no string carried it"
    for peer in (ends.client, ends.server):
        ways = [event for event in ends.happened[peer] if isinstance(event, SentOver | ReceivedOver)]
        assert ways == [SentOver(True), ReceivedOver(True)]


def test_deadlines_are_all_that_it_needs_of_time() -> None:
    ends = Ends()
    ends.open_channels()
    ends.pass_seconds(60)
    assert ends.client.heartbeat.round_trip == 0.0
    assert sum(isinstance(event, Asked) for event in ends.happened[ends.client]) == 60 // PING_EVERY
    assert ends.client.channel is not None
    assert ends.client.channel.up


def test_an_end_that_answers_nothing_is_lifeless() -> None:
    ends = Ends()
    ends.deaf = True
    ends.pass_seconds(PING_EVERY + ANSWER_WITHIN - 0.1)
    assert not any(isinstance(event, Lifeless) for event in ends.happened[ends.server])
    ends.pass_seconds(0.2)
    assert any(isinstance(event, Lifeless) for event in ends.happened[ends.server])


@given(st.binary(max_size=400))
def test_whatever_string_comes_is_an_event_or_wrong(string: bytes) -> None:
    ends = Ends()
    ends.server.string_received(string, ends.now)
    (event,) = ends.server.events
    assert isinstance(event, Wrong)


@given(st.binary(min_size=8, max_size=100), st.booleans())
def test_whatever_datagram_comes_does_nothing_unless_it_opens(rest: bytes, media_type: bool) -> None:
    ends = Ends()
    ends.open_channels()
    happened = len(ends.server.events)
    datagram = bytes([0x10 + (not media_type)]) + (7).to_bytes(3, "big") + rest
    with pytest.raises(WireError):
        ends.server.datagram_received(parse_header(datagram), datagram, CLIENT, ends.now)
    assert len(ends.server.events) == happened
    assert not ends.server.outgoing


def test_what_is_not_taken_waits_and_is_sealed_when_it_is_taken() -> None:
    ends = Ends()
    ends.client.paused(True)
    ends.client.send(messages.Text("hello"), ends.now)
    assert ends.client.next_string(ends.now) is None
    ends.client.paused(False)
    string = ends.client.next_string(ends.now)
    assert string is not None
    ends.server.string_received(string, ends.now)
    assert list(ends.server.events) == [Confirmed(), messages.Text("hello")]


def test_after_the_end_nothing_is_taken_and_nothing_leaves() -> None:
    ends = Ends()
    ends.open_channels()
    string = ends.client.session.seal(control.encode(messages.Text("late")))
    ends.server.close()
    ends.server.string_received(string, ends.now)
    ends.server.send(messages.Text("late"), ends.now)
    ends.server.send_media(b"late", ends.now)
    assert not ends.server.events
    assert not ends.server.outgoing
    assert ends.server.next_string(ends.now) is None
    assert ends.server.deadline == float("inf")
