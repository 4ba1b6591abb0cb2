"""What answers where a voicechat server was expected, told by the first bytes that it says.

Many servers say something at once, or as soon as they are sent what they cannot understand; `kind` knows them by
that. A web server may wait for the rest of a line, and a player for the end of the login. So where nothing came of a
login for some seconds, `Suspicion` asks in a connection of its own as a browser does.
"""

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.protocol import ClientFactory, Protocol

_BEGINNINGS: Final = (
    (b"HTTP", "a web server"),
    (b"<", "a web server"),
    (b"SSH-", "an SSH server"),
    (b"220", "a mail or FTP server"),
    (b"* OK", "a mail server"),
    (b"+OK", "a mail server"),
    (b"RFB ", "a screen that is shared (VNC)"),
    (b"-ERR", "a Redis server"),
    (b"\x15\x03", "a server that wants TLS: a web server, or Mumble's"),
)
"""RFC 9112, 4253, 5321 and 959, 3501, 1939, 6143; Redis' protocol; a TLS alert (RFC 8446, B.1)."""

QUESTION: Final = b"GET / HTTP/1.0\r\n\r\n"

WITHIN: Final = 2.0
"""Seconds for a connection and an answer: what is left of a login's time when it is asked."""


def kind(first: bytes) -> str:
    """What begins with these bytes; '' if that is not known."""
    return next((name for begin, name in _BEGINNINGS if first.startswith(begin)), "")


class Suspicion:
    """Asks once whether it is a web server that says nothing. ``found`` is called with what it is, if it says so."""

    def __init__(self, reactor: Any, found: Callable[[str], None]) -> None:
        self._reactor = reactor
        self._found = found
        self._connector: Any = None

    def ask(self, host: str, port: int) -> None:
        """Ask at an address."""
        if self._connector is None:
            factory = ClientFactory()
            factory.noisy = False
            factory.protocol = lambda: _Question(self._said)
            self._connector = self._reactor.connectTCP(host, port, factory, timeout=WITHIN)

    def stop(self) -> None:
        """No answer is wanted any more."""
        self._found = lambda _kind: None
        if self._connector is not None:
            self._connector.disconnect()

    def _said(self, data: bytes) -> None:
        self._connector.disconnect()
        if kind(data):
            self._found(kind(data))


class _Question(Protocol):
    """Asks as a browser does, and takes the first that comes."""

    transport: Any  # a TCP connection's

    def __init__(self, said: Callable[[bytes], None]) -> None:
        self._said = said

    def connectionMade(self) -> None:
        """Ask."""
        self.transport.write(QUESTION)

    def dataReceived(self, data: bytes) -> None:
        """It is something."""
        said, self._said = self._said, lambda _data: None
        said(data)
