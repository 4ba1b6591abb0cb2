"""A server, as the client deals with it over whatever carriage.

A hostile server can do no more than a hostile client: whatever it breaks ends this
connection, is told in one line, and the call decides what comes next.
"""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from voicechat.carriage.clock import Timer
from voicechat.carriage.connection import Connection
from voicechat.carriage.events import Asked, Clear, Lifeless, PeerEvent, ReceivedOver, SentOver, Wrong
from voicechat.client.network.allowance import ServerAllowance
from voicechat.client.network.answers import Answers
from voicechat.client.network.datagrams import DatagramSocket
from voicechat.errors import PasswordRefused, WireError
from voicechat.format import TICK_SECONDS
from voicechat.media.packet import MediaPacket
from voicechat.session.client import ClientSession, Received
from voicechat.wire import messages
from voicechat.wire.handshake import Refuse

PAUSE = 0.01
"""Seconds for which nothing is read after each `allowance.FLOOD` packets of sound that were left out over TCP: a flood
takes a tenth of a core then, and the rest of it waits at the server."""

LOGIN_SECONDS = 5.0
"""For the whole login, as the server has it."""

DOUBT_SECONDS = LOGIN_SECONDS / 2
"""Of those without a byte, after which it may be no voicechat server: a login takes two round trips and a tenth of
a second, and half of the time is left to find out."""


class IServerListener(Protocol):
    """Who is told what comes of one connection to a server."""

    def entered(self, connection: "RemoteServer", welcome: messages.Welcome) -> None:
        """We are in the room."""

    def rejected(self, connection: "RemoteServer", answer: Refuse | messages.Bye) -> None:
        """The server does not let us in, or not any longer."""

    def media_received(self, packet: MediaPacket) -> None:
        """A media packet. WireError if it cannot be played."""

    def message_received(self, message: messages.Message) -> None:
        """A control message about the room."""

    def sent_over(self, udp: bool) -> None:
        """Media goes over UDP, or over TCP again."""

    def received_over(self, udp: bool) -> None:
        """Media comes over UDP, or over TCP again."""

    def answers_changed(self, connection: "RemoteServer") -> None:
        """The server has fallen silent, or is heard again: ``connection.answers`` knows."""

    def nothing_comes(self, host: str) -> None:
        """Half of the login's time is over, and the machine at ``host`` has not said a byte."""

    def protocol_error(self, error: Exception) -> None:
        """The server broke the protocol, or does not know the password."""

    def disconnected(self, connection: "RemoteServer", why: str) -> None:
        """The connection is over, for whatever reason; ``why`` is for a person."""


class RemoteServer:
    """One connection to a server. ``socket_to`` opens a UDP socket to a host and port; without it there is none."""

    def __init__(
        self,
        clock: IReactorTime,
        listener: IServerListener,
        session: ClientSession,
        socket_to: Callable[[str, int], DatagramSocket] | None = None,
    ) -> None:
        self.session = session
        self.connection = Connection(clock, session, self)
        self._socket_to = socket_to
        self._socket: DatagramSocket | None = None
        self._listener = listener
        self._login = Timer(clock, self._too_slow)
        self._doubt = Timer(clock, self._doubted)
        self._why = "the connection was closed"
        self.allowance = ServerAllowance(clock.seconds(), lambda: self.connection.pause(PAUSE))
        peer = self.connection.peer
        self.answers = Answers(
            clock, lambda: peer.arrivals, self.connection.ask, lambda: listener.answers_changed(self)
        )
        self.send, self.send_media = self.connection.send, self.connection.send_media
        self.farewell = self.connection.farewell

    # -- for the call ---------------------------------------------------------------------

    @property
    def round_trip(self) -> float | None:
        """Seconds there and back, over the connection; None while it is not known."""
        return self.connection.round_trip

    @property
    def redundancy(self) -> int:
        """Offset in ticks of the earlier frame that packets should carry again; 0 for none."""
        return self.connection.redundancy

    @property
    def has_udp(self) -> bool:
        """There are datagrams beside the connection, whether they get through or not."""
        return self.connection.channel is not None

    @property
    def received_by_udp(self) -> bool:
        """Some datagram of the server's has come."""
        channel = self.connection.channel
        return channel is not None and channel.packets_in > 0

    @property
    def loss(self) -> float:
        """Share of the datagrams to us that were lost lately; 0 without datagrams."""
        channel = self.connection.channel
        return 0.0 if channel is None else channel.loss

    def lateness(self) -> list[float]:
        """By how many ticks probes there and back were late; what is lost, redundancy brings a tick later."""
        late, lost = self.connection.lateness()
        return [seconds / TICK_SECONDS for seconds in late] + [1.0] * lost

    def traffic(self) -> dict[str, int]:
        """What came and went, and what was not looked at, being too much."""
        return self.connection.peer.traffic() | {"passed_over": self.allowance.passed_over}

    # -- the connection calls these -----------------------------------------------------

    def connected(self) -> None:
        """Connected: log in."""
        self._login.start(LOGIN_SECONDS)
        self._doubt.start(DOUBT_SECONDS)
        self.connection.send_clear(self.session.begin())

    def happened(self, event: PeerEvent) -> None:
        """Whatever comes; what is wrong with it, or with what it says, ends the connection."""
        try:
            self._take(event)
        except (WireError, PasswordRefused) as error:
            self._protocol_error(error)

    def _take(self, event: PeerEvent) -> None:
        if isinstance(event, MediaPacket):
            if not self.answers.watching:
                self.answers.flows()
            self._listener.media_received(event)
        elif isinstance(event, Clear):
            self._proceed(self.session.receive(event.string))
        elif isinstance(event, messages.Bye):
            self._refused(event)
        elif isinstance(event, messages.Message):
            self._listener.message_received(event)
        else:
            self._noted(event)

    def _noted(self, event: PeerEvent) -> None:
        """Something about the connection itself."""
        if isinstance(event, SentOver):
            self._listener.sent_over(event.udp)
        elif isinstance(event, ReceivedOver):
            self._listener.received_over(event.udp)
        elif isinstance(event, Asked):
            self.answers.asked()
        elif isinstance(event, Wrong):
            self._protocol_error(event.error)
        elif isinstance(event, Lifeless):
            self.give_up()

    def fault(self) -> None:
        """A fault of ours: it is handed on, and seen."""
        raise  # noqa: PLE0704  the one at hand

    def disconnected(self) -> None:
        """The connection is over."""
        self._login.stop()
        self._doubt.stop()
        self.answers.stop()
        if self._socket is not None:
            self._socket.close()
        self._listener.disconnected(self, self._why)

    # -- logging in ---------------------------------------------------------------------

    def _proceed(self, answer: Received) -> None:
        """What the server said in the login."""
        if isinstance(answer, bytes):
            self.connection.send_clear(answer)
        elif isinstance(answer, messages.Welcome):
            self._entered(answer)
        elif isinstance(answer, Refuse | messages.Bye):
            self._refused(answer)

    def _entered(self, welcome: messages.Welcome) -> None:
        self._login.stop()
        connection = self.connection
        connection.enter(self.allowance)
        connection.measure()
        host = connection.host
        if self._socket_to is not None and host is not None and welcome.udp_port:
            # to the address that the connection reached; media moves over when a probe was answered
            self._socket = self._socket_to(host, welcome.udp_port)
            self._socket.open(connection, welcome.connection, pairs=welcome.quality.pairs)
        self._listener.entered(self, welcome)

    def _refused(self, answer: Refuse | messages.Bye) -> None:
        self._login.stop()
        self._listener.rejected(self, answer)
        self.connection.close()

    def _doubted(self) -> None:
        """Half of the time is over."""
        host = self.connection.host
        if host is not None and not self.connection.peer.arrivals:
            self._listener.nothing_comes(host)

    def _too_slow(self) -> None:
        self._why = "the server did not finish the login"
        self.connection.abort()

    # -- its end ------------------------------------------------------------------------

    def give_up(self) -> None:
        """The server is dead or frozen, and not waited for any longer."""
        self._why = "the server does not answer"
        self.connection.abort()

    def _protocol_error(self, error: WireError | PasswordRefused) -> None:
        """The server broke the protocol, or does not know the password."""
        self._why = str(error)
        self._listener.protocol_error(error)
        self.connection.abort()
