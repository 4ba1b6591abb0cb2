"""The client's end of one connection, without the connection.

`begin` gives the first string. Until the client is in the room, `receive` gives back:

    bytes     a string to send at once (the AUTH)
    Welcome   the client is in the room
    Refuse    the server does not want us; the reason is inside
    Bye       the server knows us and has no place

What comes in the room goes through `opened` and `read`.
A server is trusted with nothing before it has proved that it knows the password.
"""

from voicechat.errors import ConfigError, PasswordRefused, WireError
from voicechat.security.login import ClientLogin
from voicechat.security.resume import ClientResume
from voicechat.security.secret import Secret
from voicechat.security.tickets import Ticket
from voicechat.session.base import Session
from voicechat.session.states import CLIENT, SessionState
from voicechat.wire import control, handshake, media, messages
from voicechat.wire.handshake import Refuse, Reply

Received = bytes | Refuse | messages.Welcome | messages.Bye


def encoded(request: messages.Request) -> bytes:
    """The request as it stands in AUTH. ConfigError if it is too long, so that it can be told before anything else."""
    data = control.encode(request)
    if len(data) > handshake.MAX_REQUEST:  # quotes and backslashes grow when they become JSON
        raise ConfigError("the name and the room's name are too long together")
    return data


class ClientSession(Session):
    """A login with the password, or with a ticket if there is one. ConfigError if the request is too long for AUTH."""

    LONGEST_CLEAR = handshake.MAX_WELCOME

    def __init__(self, password: Secret, request: messages.Request, ticket: Ticket | None = None) -> None:
        super().__init__(CLIENT, media.downward)
        self._request = encoded(request)
        self._login = ClientLogin(password) if ticket is None else None
        self._resume = ClientResume(ticket) if ticket is not None else None
        self.letters = False
        """The server takes names and texts beyond 0.1.0's; known when it has welcomed us."""

    def begin(self) -> bytes:
        """The first string: HELLO (5 ms of CPU) or RESUME."""
        if self._resume is not None:
            return self._resume.resume()
        assert self._login is not None
        return self._login.hello()

    def receive(self, string: bytes) -> Received:
        """What a string of the handshake means. WireError or PasswordRefused end it all."""
        try:
            return self._receive(string)
        except (WireError, PasswordRefused):
            self._state = SessionState.CLOSED
            raise

    def _receive(self, string: bytes) -> Received:
        parsed = self._parsed(string)
        if isinstance(parsed, Refuse):
            return parsed
        if isinstance(parsed, Reply):
            if self._login is None:
                raise WireError("REPLY to a RESUME")
            return self._login.auth(string, self._request)
        return self._enter(string)

    def _enter(self, string: bytes) -> messages.Welcome | messages.Bye:
        """WELCOME or RESUMED: the server has proved itself."""
        if self._resume is not None:
            plain = self._resume.resumed(string)
            self._keys = self._resume.keys
        elif self._login is not None:
            plain = self._login.welcome(string)
            self._keys = self._login.keys
        else:
            raise WireError("WELCOME out of turn")
        self._login = self._resume = None
        answer = control.decode(plain)
        if isinstance(answer, messages.Bye):
            self._state = SessionState.CLOSED
            return answer
        if not isinstance(answer, messages.Welcome):
            raise WireError("WELCOME without a welcome")
        if any(person.source == answer.source for person in answer.roster):
            raise WireError("a roster with the one whom it is for")
        self.letters = messages.LETTERS in answer.capabilities
        return answer
