"""One TCP connection, whichever end: sealing in order, the outbox, heartbeats, ends."""

import socket
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from voicechat.carriage.tcp import ANSWER_WITHIN, LINGER, PING_EVERY, Connection
from voicechat.media.packet import MediaPacket
from voicechat.security.keys import SessionKeys, Side, resume_keys
from voicechat.session.base import Session
from voicechat.session.outbox import MOST_CONTROL, MOST_MEDIA
from voicechat.session.path import MEASURE_EVERY
from voicechat.session.states import SERVER, State
from voicechat.session.trips import KEPT
from voicechat.testing import VoiceTransport
from voicechat.wire import control, media, messages
from voicechat.wire.handshake import MAX_CLEAR, MAX_WELCOME


def keys(side: Side) -> SessionKeys:
    return resume_keys(side, bytes(32), b"a transcript")


class Bare(Session):
    """A session that is past its handshake."""

    def __init__(self, side: Side) -> None:
        super().__init__(SERVER)
        self._state = State.IN_ROOM
        self._keys = keys(side)


class Plain(Connection):
    """A connection that remembers what it was told."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.session = Bare(Side.SERVER)
        self.strings: list[bytes] = []
        self.errors: list[Exception] = []
        self.breaks = 0

    def string_came(self, string: bytes) -> None:
        """A string."""
        self.strings.append(string)

    def went_wrong(self, error: Exception) -> None:
        """The other side's fault."""
        self.errors.append(error)
        self.abort()

    def line_broke(self) -> None:
        """Over."""
        self.breaks += 1


class ConnectionTests(SynchronousTestCase):
    """Plain between a transport in memory and keys of the other side."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(50.0)
        self.connection = Plain(self.clock)
        self.transport = VoiceTransport()
        self.connection.makeConnection(self.transport)
        self.opener = keys(Side.CLIENT).opener

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

        self.connection.connectionLost(Failure(ConnectionDone()))

    @staticmethod
    def packet(tick: int) -> bytes:
        """A media packet."""
        return media.encode(MediaPacket(0xFF, tick, b"payload"))

    def test_the_fake_transport_is_one(self) -> None:
        verifyObject(ITCPTransport, self.transport)

    def test_it_asks_for_low_delay_and_early_back_pressure(self) -> None:
        assert self.transport.no_delay
        assert self.transport.keep_alive
        assert self.transport.producer is self.connection
        assert self.transport.bufferSize <= 1024  # type: ignore[attr-defined]

    def test_a_real_socket_gets_its_options(self) -> None:
        with socket.socket() as sock:
            transport = VoiceTransport()
            transport.getHandle = lambda: sock  # type: ignore[attr-defined]
            Plain(self.clock).makeConnection(transport)
            timeout = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            unsent = sock.getsockopt(socket.IPPROTO_TCP, 25)
            congestion = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
        assert timeout == 10_000
        assert unsent == 512
        assert congestion.rstrip(b"\0") == b"reno"

    def test_a_free_line_gets_everything_at_once_and_in_order(self) -> None:
        self.connection.send_media(self.packet(1))
        self.connection.send(messages.Ping(7))
        self.connection.send_media(self.packet(2))
        assert self.sent() == [1, messages.Ping(7), 2]
        assert self.connection.packets_out == 3

    def test_a_blocked_line_keeps_control_before_media_and_drops_the_oldest(self) -> None:
        self.transport.block()
        for tick in range(1, 8):
            self.connection.send_media(self.packet(tick))
        self.connection.send(messages.Ping(7))
        assert not self.sent()
        self.transport.unblock()
        assert self.sent() == [messages.Ping(7), 3, 4, 5, 6, 7]
        assert self.connection.outbox.dropped == 7 - MOST_MEDIA

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
        assert len(self.connection.outbox) == 3
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
        self.connection.resumeProducing()
        self.connection.stopProducing()
        assert not self.transport.value()
        assert self.connection.breaks == 1
        assert not self.connection.stands

    def test_last_words_leave_before_the_end(self) -> None:
        self.connection.farewell(messages.Bye("leaving"))
        assert self.transport.over
        assert not self.transport.aborted
        assert self.sent() == [messages.Bye("leaving")]

    def test_an_end_that_hangs_is_aborted(self) -> None:
        self.connection.farewell(messages.Bye())
        self.clock.advance(LINGER)
        assert self.transport.aborted
        self.lose()
        assert not self.clock.getDelayedCalls()

    def test_strings_behind_the_end_are_not_listened_to(self) -> None:
        came = self.connection.string_came

        def once(string: bytes) -> None:
            came(string)
            self.connection.close()

        self.connection.string_came = once  # type: ignore[method-assign]
        self.connection.dataReceived(3 * b"\0\0\0\2hi")
        assert self.connection.strings == [b"hi"]

    def test_a_string_too_long_is_refused_by_its_length_alone(self) -> None:
        self.connection.dataReceived((MAX_CLEAR + 1).to_bytes(4, "big"))
        assert len(self.connection.errors) == 1
        assert self.transport.aborted

    def test_the_longest_strings_pass(self) -> None:
        self.connection.dataReceived(MAX_CLEAR.to_bytes(4, "big") + bytes(MAX_CLEAR))
        self.connection.start_heartbeat()
        self.connection.dataReceived(MAX_WELCOME.to_bytes(4, "big") + bytes(MAX_WELCOME))
        assert [len(string) for string in self.connection.strings] == [MAX_CLEAR, MAX_WELCOME]
        self.connection.dataReceived((MAX_WELCOME + 1).to_bytes(4, "big"))
        assert len(self.connection.errors) == 1

    def test_pings_come_in_their_rhythm_and_measure_the_round_trip(self) -> None:
        self.connection.start_heartbeat()
        self.clock.advance(PING_EVERY)
        assert self.sent() == [messages.Ping(1)]
        self.clock.advance(0.04)
        self.connection.answered(messages.Pong(1))
        assert self.connection.round_trip is not None
        assert abs(self.connection.round_trip - 0.04) < 1e-9
        self.clock.advance(PING_EVERY)
        self.clock.advance(0.08)
        self.connection.answered(messages.Pong(2))
        assert 0.04 < self.connection.round_trip < 0.13, "smoothed"

    def test_ping_now_asks_at_once(self) -> None:
        self.connection.start_heartbeat()
        self.connection.ping_now()
        self.clock.advance(0)
        assert self.sent() == [messages.Ping(1)]

    def test_a_line_is_measured_by_ping_after_ping_and_then_no_more(self) -> None:
        self.connection.start_heartbeat()
        self.connection.measure()
        asked: list[float] = []
        for _ in range(600):
            self.clock.advance(0.01)
            for ping in self.sent():
                trip = 0.03 + 0.01 * (len(asked) % 3)
                asked.append(self.clock.seconds())
                self.clock.callLater(trip, self.connection.answered, messages.Pong(ping.id))
        assert len(asked) == KEPT + 1
        assert min(later - sooner for sooner, later in pairwise(asked)) >= MEASURE_EVERY - 0.01
        assert max(asked) - min(asked) < 2.0
        assert max(self.connection.trips.lateness()) == pytest.approx(0.02)

    def test_a_line_with_datagrams_is_not_measured_by_pings(self) -> None:
        self.connection.link = cast(Any, SimpleNamespace(up=True, stop=lambda: None))
        self.connection.start_heartbeat()
        self.connection.measure()
        self.clock.advance(0)
        self.connection.answered(messages.Pong(1))
        self.clock.advance(PING_EVERY - 0.1)
        assert self.sent() == [messages.Ping(1)]

    def test_an_answer_owed_too_long_aborts(self) -> None:
        self.connection.start_heartbeat()
        self.clock.advance(PING_EVERY)
        self.clock.advance(ANSWER_WITHIN - 0.1)
        assert not self.transport.over
        self.clock.advance(0.2)
        assert self.transport.aborted
        self.lose()
        assert not self.clock.getDelayedCalls()

    def test_an_answer_to_something_else_does_not_count(self) -> None:
        self.connection.start_heartbeat()
        self.clock.advance(PING_EVERY)
        for number in (0, 2, 99):
            self.connection.answered(messages.Pong(number))
        assert self.connection.round_trip is None
        self.clock.advance(ANSWER_WITHIN)
        assert self.transport.aborted

    def test_a_ping_is_answered_with_its_number(self) -> None:
        self.connection.answer(messages.Ping(42))
        assert self.sent() == [messages.Pong(42)]

    def test_what_came_and_went_is_counted_in_bytes(self) -> None:
        self.connection.dataReceived(b"\0\0\0\2hi\0\0")
        self.connection.send_clear(b"hello")
        assert (self.connection.bytes_in, self.connection.packets_in) == (8, 1)
        assert (self.connection.bytes_out, self.connection.packets_out) == (9, 1)
