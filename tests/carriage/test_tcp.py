"""One TCP connection, whichever end: sealing in order, the outbox, heartbeats, ends."""

import socket
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from voicechat.carriage.connection import LINGER, Connection
from voicechat.carriage.events import Clear, Confirmed, Lifeless, PeerEvent, Wrong
from voicechat.carriage.heartbeat import ANSWER_WITHIN, PING_EVERY
from voicechat.carriage.tcp import StringProtocol
from voicechat.media.packet import MediaPacket
from voicechat.security.keys import SessionKeys, Side, resume_keys
from voicechat.session.base import Session
from voicechat.session.outbox import MOST_CONTROL, MOST_MEDIA
from voicechat.session.reachability import MEASURE_EVERY
from voicechat.session.round_trips import KEPT
from voicechat.session.states import SERVER, SessionState
from voicechat.testing import VoiceTransport
from voicechat.wire import control, media, messages
from voicechat.wire.handshake import MAX_CLEAR, MAX_WELCOME


def keys(side: Side) -> SessionKeys:
    return resume_keys(side, bytes(32), b"a transcript")


class Bare(Session):
    """A session that is past its handshake, or before it."""

    def __init__(self, side: Side, state: SessionState = SessionState.IN_ROOM) -> None:
        super().__init__(SERVER, lambda packet: packet)
        self._state = state
        self._keys = keys(side)


class Listener:
    """Remembers what it was told, and ends what went wrong."""

    def __init__(self) -> None:
        self.connection: Connection
        self.events: list[PeerEvent] = []
        self.ends = 0

    def connected(self) -> None:
        """There is nothing to do."""

    def happened(self, event: PeerEvent) -> None:
        """Something."""
        self.events.append(event)
        if isinstance(event, Wrong | Lifeless):
            self.connection.abort()

    def fault(self) -> None:
        """A fault of ours."""
        raise AssertionError("there should be none")

    def disconnected(self) -> None:
        """Over."""
        self.ends += 1

    @property
    def strings(self) -> list[bytes]:
        """Those of the handshake."""
        return [event.string for event in self.events if isinstance(event, Clear)]

    @property
    def errors(self) -> list[PeerEvent]:
        """What was wrong."""
        return [event for event in self.events if isinstance(event, Wrong)]


def made(
    clock: Clock, transport: VoiceTransport, state: SessionState = SessionState.IN_ROOM
) -> tuple[StringProtocol, Listener]:
    """A connection over TCP that stands, and who listens to it."""
    listener = Listener()
    listener.connection = Connection(clock, Bare(Side.SERVER, state), listener)
    protocol = StringProtocol(listener.connection)
    protocol.makeConnection(transport)
    return protocol, listener


class ConnectionTests(SynchronousTestCase):
    """A connection between a transport in memory and keys of the other side."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(50.0)
        self.transport = VoiceTransport()
        self.protocol, self.listener = made(self.clock, self.transport)
        self.connection = self.protocol.connection
        self.opener, self.seal = keys(Side.CLIENT).opener, keys(Side.CLIENT).seal

    def say(self, message: messages.Message) -> None:
        """The other side says something."""
        string = self.seal.seal(control.encode(message))
        self.protocol.dataReceived(len(string).to_bytes(4, "big") + string)

    def sent(self) -> list[Any]:
        """What the other side gets, opened and understood; in the order of its sealing, or it would not open."""
        data, values = self.transport.take(), []
        while data:
            end = 4 + int.from_bytes(data[:4], "big")
            plain = self.opener.open(data[4:end])
            values.append(control.decode(plain) if plain[0] & 0x80 else media.decode(plain).tick)
            data = data[end:]
        return values

    def lose(self) -> None:
        """The line is gone."""
        from twisted.internet.error import ConnectionDone
        from twisted.python.failure import Failure

        self.protocol.connectionLost(Failure(ConnectionDone()))

    @staticmethod
    def packet(tick: int) -> bytes:
        """A media packet."""
        return media.encode(MediaPacket(0xFF, tick, b"payload"))

    def test_the_fake_transport_is_one(self) -> None:
        verifyObject(ITCPTransport, self.transport)

    def test_it_asks_for_low_delay_and_early_back_pressure(self) -> None:
        assert self.transport.no_delay
        assert self.transport.keep_alive
        assert self.transport.producer is self.protocol
        assert self.transport.bufferSize <= 1024  # type: ignore[attr-defined]

    def test_a_real_socket_gets_its_options(self) -> None:
        with socket.socket() as sock:
            transport = VoiceTransport()
            transport.getHandle = lambda: sock  # type: ignore[attr-defined]
            made(self.clock, transport)
            timeout = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            unsent = sock.getsockopt(socket.IPPROTO_TCP, 25)
            congestion = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
        assert timeout == 10_000
        assert unsent == 512
        assert congestion.rstrip(b"\0") == b"reno"

    def test_what_stands_before_the_socket_hides_no_option(self) -> None:
        """As TLS and the PROXY protocol do: Twisted wraps their transports."""
        with socket.socket() as sock:
            transport = VoiceTransport()
            transport.getHandle = lambda: sock  # type: ignore[attr-defined]
            wrapper = ProtocolWrapper(WrappingFactory(Factory()), StringProtocol(self.connection))
            wrapper.getHandle = lambda: None  # type: ignore[attr-defined]  # as TLS, whose handle is no socket
            wrapper.makeConnection(transport)
            unsent = sock.getsockopt(socket.IPPROTO_TCP, 25)
        assert unsent == 512
        assert transport.bufferSize <= 1024  # type: ignore[attr-defined]
        assert transport.no_delay

    def test_a_free_line_gets_everything_at_once_and_in_order(self) -> None:
        self.connection.send_media(self.packet(1))
        self.connection.send(messages.Ping(7))
        self.connection.send_media(self.packet(2))
        assert self.sent() == [1, messages.Ping(7), 2]
        assert self.connection.peer.packets_out == 3

    def test_a_blocked_line_keeps_control_before_media_and_drops_the_oldest(self) -> None:
        self.transport.block()
        for tick in range(1, 8):
            self.connection.send_media(self.packet(tick))
        self.connection.send(messages.Ping(7))
        assert not self.sent()
        self.transport.unblock()
        assert self.sent() == [messages.Ping(7), 3, 4, 5, 6, 7]
        assert self.connection.peer.outbox.dropped == 7 - MOST_MEDIA

    def test_old_words_are_not_sent_when_the_line_is_free_again(self) -> None:
        self.transport.block()
        self.connection.send_media(self.packet(1))
        self.clock.advance(0.5)
        self.connection.send_media(self.packet(2))
        self.transport.unblock()
        assert self.sent() == [2]

    def test_a_line_that_blocks_again_while_it_is_emptied_keeps_the_rest(self) -> None:
        self.transport.block()
        for tick in range(4):
            self.connection.send_media(self.packet(tick))
        write = self.transport.write

        def full(data: bytes) -> None:
            write(data)
            self.transport.block()

        self.transport.write = full  # type: ignore[method-assign]
        self.transport.unblock()
        assert self.sent() == [0]
        assert len(self.connection.peer.outbox) == 3
        self.transport.unblock()
        assert self.sent() == [1]

    def test_control_beyond_the_limit_aborts(self) -> None:
        self.transport.block()
        for number in range(MOST_CONTROL):
            self.connection.send(messages.Ping(number))
        assert not self.transport.over
        self.connection.send(messages.Ping(0))
        assert self.transport.aborted

    def test_nothing_is_sent_after_the_end_and_nothing_raises(self) -> None:
        self.lose()
        self.connection.send(messages.Ping(1))
        self.connection.send_media(self.packet(1))
        self.connection.close()
        self.connection.farewell(messages.Bye())
        self.protocol.resumeProducing()
        self.protocol.stopProducing()
        assert not self.transport.value()
        assert self.listener.ends == 1
        assert not self.connection.stands

    def test_last_words_leave_before_the_end(self) -> None:
        self.connection.farewell(messages.Bye("leaving"))
        assert self.transport.over
        assert not self.transport.aborted
        assert self.sent() == [messages.Bye("leaving")]

    def test_last_words_leave_behind_whatever_waits_on_a_line_that_is_full(self) -> None:
        """Who is told that their seat is taken must not come back for it: a second of patience begins at the close."""
        self.transport.block()
        self.connection.send(messages.Ping(7))
        writes = self.transport.write

        def full(data: bytes) -> None:  # as Twisted's does: it asks to pause in the midst of each write
            writes(data)
            self.transport.block()

        self.transport.write = full  # type: ignore[method-assign]
        self.connection.farewell(messages.Bye("replaced"))
        assert self.sent() == [messages.Ping(7), messages.Bye("replaced")]
        assert self.transport.over

    def test_an_end_that_comes_at_once_leaves_no_timer(self) -> None:
        """Of a carriage that is closed as soon as it is asked."""
        self.transport.loseConnection = self.lose  # type: ignore[method-assign]
        self.connection.close()
        assert self.listener.ends == 1
        assert not self.clock.getDelayedCalls()

    def test_nothing_is_told_after_the_end(self) -> None:
        """What came with the event at which the listener ends it is of no interest any more."""
        happened = self.listener.happened

        def once(event: PeerEvent) -> None:
            happened(event)
            self.connection.abort()

        self.listener.happened = once  # type: ignore[method-assign]
        self.say(messages.Gain(1, 0.1))  # the first that opens: it brings two events
        assert self.listener.events == [Confirmed()]

    def test_a_fault_that_the_listener_hands_on_ends_the_connection_too(self) -> None:
        def faulty(event: PeerEvent) -> None:
            raise KeyError(event)

        def hands_on() -> None:
            raise  # noqa: PLE0704  the one at hand

        self.listener.happened, self.listener.fault = faulty, hands_on  # type: ignore[method-assign]
        with pytest.raises(KeyError):
            self.say(messages.Gain(1, 0.1))
        assert self.transport.aborted

    def test_an_end_that_hangs_is_aborted(self) -> None:
        self.connection.farewell(messages.Bye())
        self.clock.advance(LINGER)
        assert self.transport.aborted
        self.lose()
        assert not self.clock.getDelayedCalls()

    def test_strings_behind_the_end_are_not_listened_to(self) -> None:
        protocol, listener = made(self.clock, VoiceTransport(), SessionState.NEW)
        happened = listener.happened

        def once(event: PeerEvent) -> None:
            happened(event)
            listener.connection.close()

        listener.happened = once  # type: ignore[method-assign]
        protocol.dataReceived(3 * b"\0\0\0\2hi")
        assert listener.strings == [b"hi"]

    def test_a_string_too_long_is_refused_by_its_length_alone(self) -> None:
        self.protocol.dataReceived((MAX_CLEAR + 1).to_bytes(4, "big"))
        assert len(self.listener.errors) == 1
        assert self.transport.aborted

    def test_the_longest_strings_pass(self) -> None:
        protocol, listener = made(self.clock, VoiceTransport(), SessionState.NEW)
        protocol.dataReceived(MAX_CLEAR.to_bytes(4, "big") + bytes(MAX_CLEAR))
        listener.connection.enter()
        protocol.dataReceived(MAX_WELCOME.to_bytes(4, "big") + bytes(MAX_WELCOME))
        assert [len(string) for string in listener.strings] == [MAX_CLEAR, MAX_WELCOME]
        protocol.dataReceived((MAX_WELCOME + 1).to_bytes(4, "big"))
        assert len(listener.errors) == 1

    def test_what_happens_while_it_is_told_is_told_afterwards(self) -> None:
        """A listener that sends in the midst of an event does not get the next one before it is done."""
        depth: list[int] = []
        happened = self.listener.happened

        def nested(event: PeerEvent) -> None:
            depth.append(1)
            assert len(depth) == 1
            self.connection.send(messages.Ping(7))
            happened(event)
            depth.pop()

        self.listener.happened = nested  # type: ignore[method-assign]
        strings = [self.seal.seal(control.encode(messages.Gain(1, gain))) for gain in (0.1, 0.2)]
        self.protocol.dataReceived(b"".join(len(string).to_bytes(4, "big") + string for string in strings))
        assert [event.gain for event in self.listener.events if isinstance(event, messages.Gain)] == [0.1, 0.2]

    def test_pings_come_in_their_rhythm_and_measure_the_round_trip(self) -> None:
        self.connection.enter()
        self.clock.advance(PING_EVERY)
        assert self.sent() == [messages.Ping(1)]
        self.clock.advance(0.04)
        self.say(messages.Pong(1))
        assert self.connection.round_trip is not None
        assert abs(self.connection.round_trip - 0.04) < 1e-9
        self.clock.advance(PING_EVERY)
        self.clock.advance(0.08)
        self.say(messages.Pong(2))
        assert 0.04 < self.connection.round_trip < 0.13, "smoothed"

    def test_ping_now_asks_at_once(self) -> None:
        self.connection.enter()
        self.connection.ask()
        self.clock.advance(0)
        assert self.sent() == [messages.Ping(1)]

    def test_a_line_is_measured_by_ping_after_ping_and_then_no_more(self) -> None:
        self.connection.enter()
        self.connection.measure()
        asked: list[float] = []
        for _ in range(600):
            self.clock.advance(0.01)
            for ping in self.sent():
                trip = 0.03 + 0.01 * (len(asked) % 3)
                asked.append(self.clock.seconds())
                self.clock.callLater(trip, self.say, messages.Pong(ping.id))
        assert len(asked) == KEPT + 1
        assert min(later - sooner for sooner, later in pairwise(asked)) >= MEASURE_EVERY - 0.01
        assert max(asked) - min(asked) < 2.0
        assert max(self.connection.lateness()[0]) == pytest.approx(0.02)

    def test_a_line_with_datagrams_is_not_measured_by_pings(self) -> None:
        self.connection.enter()
        channel = self.connection.open_channel(7, lambda _datagram, _address: None, ("192.0.2.1", 5000))
        channel.reachability.up = True
        self.connection.measure()
        self.clock.advance(0)
        self.say(messages.Pong(1))
        self.clock.advance(PING_EVERY - 0.1)
        assert self.sent() == [messages.Ping(1)]

    def test_an_answer_owed_too_long_aborts(self) -> None:
        self.connection.enter()
        self.clock.advance(PING_EVERY)
        self.clock.advance(ANSWER_WITHIN - 0.1)
        assert not self.transport.over
        self.clock.advance(0.2)
        assert self.transport.aborted
        self.lose()
        assert not self.clock.getDelayedCalls()

    def test_an_answer_to_something_else_does_not_count(self) -> None:
        self.connection.enter()
        self.clock.advance(PING_EVERY)
        for number in (0, 2, 99):
            self.say(messages.Pong(number))
        assert self.connection.round_trip is None
        self.clock.advance(ANSWER_WITHIN)
        assert self.transport.aborted

    def test_a_ping_is_answered_with_its_number(self) -> None:
        self.say(messages.Ping(42))
        assert self.sent() == [messages.Pong(42)]

    def test_what_came_and_went_is_counted_in_bytes(self) -> None:
        protocol, listener = made(self.clock, VoiceTransport(), SessionState.NEW)
        protocol.dataReceived(b"\0\0\0\2hi\0\0")
        listener.connection.send_clear(b"hello")
        traffic = {"bytes_in": 8, "packets_in": 1, "bytes_out": 9, "packets_out": 1}
        assert listener.connection.peer.traffic() == traffic
