"""The client's TCP protocol: an Int32StringReceiver that hands on.

A hostile server can do no more than a hostile client: whatever it breaks ends this
connection, is told in one line, and the call decides what comes next.
"""

from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from voicechat.carriage.tcp import Connection
from voicechat.errors import PasswordRefused, WireError
from voicechat.media.packet import MediaPacket
from voicechat.session.client import ClientSession
from voicechat.wire import handshake, messages
from voicechat.wire.handshake import Refuse

LOGIN_SECONDS = 5.0
"""For the whole login, as the server has it."""


class ICall(Protocol):
    """What the protocol tells the call."""

    def entered(self, connection: "VoiceClientProtocol", welcome: messages.Welcome) -> None:
        """We are in the room."""

    def refused(self, connection: "VoiceClientProtocol", answer: Refuse | messages.Bye) -> None:
        """The server does not let us in, or not any longer."""

    def heard(self, packet: MediaPacket) -> None:
        """A media packet."""

    def told(self, message: messages.Message) -> None:
        """A control message about the room."""

    def wronged(self, error: Exception) -> None:
        """The server broke the protocol, or does not know the password."""

    def lost(self, connection: "VoiceClientProtocol", why: str) -> None:
        """The connection is over."""


class VoiceClientProtocol(Connection):
    """One connection to a server."""

    session: ClientSession

    def __init__(self, clock: IReactorTime, call: ICall, session: ClientSession) -> None:
        super().__init__(clock)
        self._call = call
        self.session = session
        self.MAX_LENGTH = handshake.MAX_WELCOME
        self._login_call: IDelayedCall | None = None
        self._why = "the connection was closed"

    def line_stands(self) -> None:
        """Connected: log in."""
        self._login_call = self.clock.callLater(LOGIN_SECONDS, self._too_slow)
        self.send_clear(self.session.begin())

    def string_came(self, string: bytes) -> None:
        """Any string."""
        try:
            value = self.session.receive(string)
            if isinstance(value, MediaPacket):
                self._call.heard(value)
                return
        except (WireError, PasswordRefused) as error:
            self.went_wrong(error)
            return
        if isinstance(value, bytes):
            self.send_clear(value)
        elif isinstance(value, messages.Welcome):
            self._stop_waiting()
            self.start_heartbeat()
            self.ping_now()
            self._call.entered(self, value)
        elif isinstance(value, Refuse | messages.Bye):
            self._stop_waiting()
            self._call.refused(self, value)
            self.close()
        elif isinstance(value, messages.Ping):
            self.answer(value)
        elif isinstance(value, messages.Pong):
            self.answered(value)
        elif value is not None:
            self._call.told(value)

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
        self._call.lost(self, self._why)

    def _too_slow(self) -> None:
        self._why = "the server did not finish the login"
        self.abort()

    def _stop_waiting(self) -> None:
        if self._login_call is not None and self._login_call.active():
            self._login_call.cancel()
