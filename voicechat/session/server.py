"""The server's end of one connection, without the connection.

The caller feeds every string to `receive` and acts on the value that comes back:

    Hello    put `answer` into the queue of logins (it costs 1.5 ms of CPU), send what it returns; then put what comes
             next, the AUTH, into that queue before it is fed to `receive`, where it costs 5.5 ms
    Resume   look the ticket up, then `resume`
    Request  the password is proved: find a seat, then `enter`, or `turn_away`
    others   packets of a participant in the room

PasswordRefused and WireError end the connection; what the caller tells the
client then is `refusal`.
"""

import msgspec

from voicechat.errors import PasswordRefused, WireError
from voicechat.security.login import ServerLogin
from voicechat.security.resume import ServerResume
from voicechat.security.secret import Secret
from voicechat.security.tickets import Ticket, TicketUnknown
from voicechat.session.base import Session
from voicechat.session.states import SERVER, SessionState
from voicechat.wire import control, handshake, media, messages, text
from voicechat.wire.handshake import Hello, Reason, Refuse, Resume, VersionError


class RequestRefused(WireError):
    """The name or the room is none that can be; ``answer`` is the string that says so to one who knows the password."""

    def __init__(self, why: str, answer: bytes) -> None:
        super().__init__(why)
        self.answer = answer


Received = Hello | Resume | messages.Request


class ServerSession(Session):
    """One client's connection as the server sees it. ``password``: what the client must prove."""

    def __init__(self, password: Secret) -> None:
        super().__init__(SERVER, media.upward)
        self._login: ServerLogin | None = ServerLogin(password)
        self._hello = b""
        self._answered = False
        self._resume: ServerResume | None = None

    def receive(self, string: bytes) -> Received:
        """What a string of the handshake means. WireError or PasswordRefused end it all."""
        try:
            return self._receive(string)
        except (WireError, PasswordRefused):
            self._state = SessionState.CLOSED
            raise

    def _receive(self, string: bytes) -> Received:
        if len(string) > handshake.MAX_CLEAR:
            raise WireError("a string too long before login")
        parsed = self._parsed(string)
        if isinstance(parsed, Hello):
            self._hello = string
            return parsed
        if isinstance(parsed, Resume):
            return parsed
        return self._request(string)

    @property
    def answered(self) -> bool:
        """A REPLY has left, and its AUTH has not been looked at."""
        return self._answered and self._state is SessionState.HELLO

    def answer(self) -> bytes:
        """The REPLY to the HELLO that came (1.5 ms of CPU). WireError if it was plainly none of SPAKE2's."""
        if self._login is None or self._state is not SessionState.HELLO:
            raise WireError("no login under way")
        hello, self._hello = self._hello, b""
        try:
            reply = self._login.reply(hello)
        except WireError:
            self._state = SessionState.CLOSED
            raise
        self._answered = True
        return reply

    def _request(self, string: bytes) -> messages.Request:
        if self._login is None or not self._answered:
            raise WireError("AUTH before REPLY")
        request = control.decode(self._login.auth(string))
        if not isinstance(request, messages.Request):
            raise WireError("AUTH without a request")
        try:
            name, room = text.chosen_name(request.name), text.room(request.room)
        except WireError as error:
            raise RequestRefused(str(error), self.turn_away(str(error), 0.0)) from None
        return msgspec.structs.replace(request, name=name, room=room)

    def resume(self, ticket: Ticket, resume: Resume) -> None:
        """The ticket of a RESUME was good; `enter` answers with it."""
        self._resume = ServerResume(ticket, resume)
        self._login = None

    def enter(self, welcome: messages.Welcome) -> bytes:
        """The string that seats the client; from now on it is in the room."""
        string = self._conclude(welcome)
        self._state = SessionState.IN_ROOM
        return string

    def turn_away(self, reason: str, retry: float) -> bytes:
        """The string that tells one who knows the password why they cannot enter; the connection is then closed."""
        string = self._conclude(messages.Bye(reason, retry))
        self._state = SessionState.CLOSED
        return string

    def _conclude(self, message: messages.Message) -> bytes:
        if self._state is not SessionState.ENTERING:
            raise RuntimeError("nobody is entering")
        plain = control.encode(message)
        if self._resume is not None:
            string = self._resume.resumed(plain)
            self._keys = self._resume.keys
        elif self._login is not None:
            string = self._login.welcome(plain)
            self._keys = self._login.keys
        else:
            raise RuntimeError("nobody is entering")
        self._login = self._resume = None
        return string


def refusal(error: Exception) -> bytes:
    """The string that answers an error before login: a REFUSE, but to who has proved the password."""
    if isinstance(error, RequestRefused):
        return error.answer
    if isinstance(error, VersionError):
        reason = Reason.VERSION
    elif isinstance(error, PasswordRefused):
        reason = Reason.PASSWORD
    elif isinstance(error, TicketUnknown):
        reason = Reason.TICKET_UNKNOWN
    else:
        reason = Reason.MALFORMED
    return Refuse(reason).build()
