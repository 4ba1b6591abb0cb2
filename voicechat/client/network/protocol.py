"""The client's TCP protocol: an Int32StringReceiver that hands on.

A hostile server can do no more than a hostile client: whatever it breaks ends this
connection, is told in one line, and the call decides what comes next.
"""

from collections.abc import Callable
from typing import Any, Protocol, cast

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from voicechat.carriage.tcp import Connection
from voicechat.client.network.allowance import Allowance
from voicechat.client.network.answers import Answers
from voicechat.client.network.datagrams import DatagramSocket
from voicechat.errors import PasswordRefused, WireError
from voicechat.media.packet import MediaPacket
from voicechat.media.redundancy import RedundancyPolicy
from voicechat.session.client import ClientSession, Received
from voicechat.wire import handshake, messages
from voicechat.wire.handshake import Refuse
from voicechat.wire.media import downward

PAUSE_EACH = 100
PAUSE = 0.01
"""Packets of sound that are left out over TCP, after which nothing is read for so many seconds: a flood takes a
tenth of a core then, and the rest of it waits at the server."""

LOGIN_SECONDS = 5.0
"""For the whole login, as the server has it."""


class IConnectionListener(Protocol):
    """What a connection tells."""

    def entered(self, connection: "VoiceClientProtocol", welcome: messages.Welcome) -> None:
        """We are in the room."""

    def refused(self, connection: "VoiceClientProtocol", answer: Refuse | messages.Bye) -> None:
        """The server does not let us in, or not any longer."""

    def heard(self, packet: MediaPacket) -> None:
        """A media packet."""

    def told(self, message: messages.Message) -> None:
        """A control message about the room."""

    def path_changed(self, udp: bool) -> None:
        """Media goes over UDP, or over TCP again."""

    def heard_over(self, udp: bool) -> None:
        """Media comes over UDP, or over TCP again."""

    def answers(self, connection: "VoiceClientProtocol") -> None:
        """The server has fallen silent, or is heard again: ``connection.answers`` knows."""

    def wronged(self, error: Exception) -> None:
        """The server broke the protocol, or does not know the password."""

    def lost(self, connection: "VoiceClientProtocol", why: str) -> None:
        """The connection is over."""


class VoiceClientProtocol(Connection):
    """One connection to a server."""

    session: ClientSession

    def __init__(
        self,
        clock: IReactorTime,
        call: IConnectionListener,
        session: ClientSession,
        socket_to: Callable[[str, int], DatagramSocket] | None = None,
    ) -> None:
        super().__init__(clock)
        self._socket_to = socket_to
        self._socket: DatagramSocket | None = None
        self._call = call
        self.session = session
        self.MAX_LENGTH = handshake.MAX_WELCOME
        self._login_call: IDelayedCall | None = None
        self._pause_call: IDelayedCall | None = None
        self._why = "the connection was closed"
        self.allowance = Allowance(clock)
        self.answers = Answers(clock, self._strings_and_datagrams, self.ping_now, lambda: call.answers(self))

    def line_stands(self) -> None:
        """Connected: log in."""
        self._login_call = self.clock.callLater(LOGIN_SECONDS, self._too_slow)
        self.send_clear(self.session.begin())

    def string_came(self, string: bytes) -> None:
        """Any string; whatever is wrong with it, or with what it says, ends the connection."""
        try:
            self._take(self.session.receive(string))
        except (WireError, PasswordRefused) as error:
            self.went_wrong(error)

    def _take(self, value: Received) -> None:
        if isinstance(value, MediaPacket):
            self._media(value)
        elif isinstance(value, bytes):
            self.send_clear(value)
        elif isinstance(value, messages.Welcome):
            self._stop_waiting()
            self.session.admit = self._admit
            self.start_heartbeat()
            self.measure()
            self._open_datagrams(value)
            self._call.entered(self, value)
        elif isinstance(value, Refuse | messages.Bye):
            self._stop_waiting()
            self._call.refused(self, value)
            self.close()
        elif isinstance(value, messages.Ping):
            self.answer(value)
        elif isinstance(value, messages.Pong):
            self.answered(value)
        elif isinstance(value, messages.Path | messages.Report):
            self._about_link(value)
        elif value is not None:
            self._call.told(value)

    def _open_datagrams(self, welcome: messages.Welcome) -> None:
        """Beside the connection, to the address that it reached; media moves over when a probe was answered."""
        host = getattr(cast(Any, self.transport).getPeer(), "host", None)
        if self._socket_to is None or host is None or not welcome.udp_port:
            return
        self._socket = self._socket_to(host, welcome.udp_port)
        self.link = self._socket.open(self.clock, self.session.keys, welcome.connection, self.send)
        if self.link is not None:
            self.link.admit = self.allowance.datagram
            self.link.on_media = self._datagram
            if welcome.quality.pairs:
                self.link.policy = RedundancyPolicy(first=0)  # pairs until a report says that the line loses
            self.link.on_change = self._call.path_changed
            self.link.on_heard = self._call.heard_over

    def _media(self, packet: MediaPacket) -> None:
        """A media packet came over TCP."""
        if self.link is not None:
            self.link.heard(False)
        if not self.answers.watching:
            self.answers.flows()
        self._call.heard(packet)

    def _datagram(self, packet: bytes, size: int) -> None:
        """A media packet came over UDP."""
        if not self.stands:
            return  # one that comes after a goodbye is late, not wrong
        if not self.answers.watching:
            self.answers.flows()
        try:
            self._call.heard(downward(self.session.datagram(packet)))
        except WireError as error:
            self.went_wrong(error)

    def _about_link(self, message: messages.Path | messages.Report) -> None:
        if self.link is None:
            return
        if isinstance(message, messages.Report):
            self.link.reported(message)
        else:
            self.link.told(message)

    def _admit(self, packet: bytes, size: int) -> bool:
        """Whether a string that opened is looked at; of a flood of them the reading is slowed down, too."""
        if self.allowance.string(packet, size):
            return True
        if self.allowance.passed_over % PAUSE_EACH == 0 and self._pause_call is None:
            cast(Any, self.transport).pauseProducing()
            self._pause_call = self.clock.callLater(PAUSE, self._read_on)
        return False

    def _read_on(self) -> None:
        self._pause_call = None
        cast(Any, self.transport).resumeProducing()

    def _strings_and_datagrams(self) -> int:
        """How many came."""
        return self.packets_in + (0 if self.link is None else self.link.packets_in)

    def _ping(self) -> None:
        super()._ping()
        self.answers.asked()

    def give_up(self) -> None:
        """A server that has fallen silent is not waited for any longer."""
        self.owed_too_long()

    def went_wrong(self, error: Exception) -> None:
        """The server broke the protocol, or does not know the password."""
        self._why = str(error)
        self._call.wronged(error)
        self.abort()

    def owed_too_long(self) -> None:
        """The server is dead or frozen."""
        self._why = "the server does not answer"
        super().owed_too_long()

    def line_broke(self) -> None:
        """The connection is over."""
        self._stop_waiting()
        if self._pause_call is not None:
            self._pause_call.cancel()
        self.answers.stop()
        if self._socket is not None:
            self._socket.close()
        self._call.lost(self, self._why)

    def _too_slow(self) -> None:
        self._why = "the server did not finish the login"
        self.abort()

    def _stop_waiting(self) -> None:
        if self._login_call is not None and self._login_call.active():
            self._login_call.cancel()
