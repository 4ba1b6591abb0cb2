"""Strings as binary messages of a WebSocket (RFC 6455): how a browser has a connection.

A browser comes to the port of all others. Its first bytes are those of a request, which
`tcp.StringProtocol` would take for a length of over a gigabyte; whoever has the port hands
the connection over to a `WebSocketCarriage` then. A request for a page is answered and the
connection closed; one for a WebSocket begins `Messages`, each of which is one string.
The socket, its options and its back-pressure are the `StringProtocol`'s as ever.

wsproto reads frames and knows no limit: a message in parts, or pings, without end would be
taken. Here a message grows no longer than a string may be, and frames that bring none are
counted. Origin is not looked at: the proof inside the strings is what protects them.

It is imported when the first browser comes, and wsproto with it.
"""

import enum
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from wsproto import ConnectionType, WSConnection
from wsproto import events as ws
from wsproto.connection import ConnectionState
from wsproto.utilities import ProtocolError

from voicechat.carriage.http import Exchange, HttpAnswer, HttpRequest
from voicechat.carriage.tcp import StringProtocol
from voicechat.errors import WireError
from voicechat.session.bucket import Bucket

OTHERS_A_SECOND: Final = 2.0
OTHERS_BURST: Final = 20.0
"""Frames that bring no message: pings, pongs, parts of messages. No browser's page can send one, a proxy may now and
then; each costs 20 us."""

NORMAL: Final = 1000
"""Why a WebSocket is closed (RFC 6455, section 7.4.1): it has done what it was for."""


class Closed(Exception):
    """The other side has closed the WebSocket."""


class Messages:
    """The binary messages of one WebSocket, at the server's end. Sans-IO.

    ``longest`` tells the bytes that a message may have now. WireError if ``request`` asks for a WebSocket in no right
    way. What is to be sent stands in ``outgoing``, and is to be taken from there; at first that is the answer.
    """

    def __init__(self, request: HttpRequest, longest: Callable[[], int], now: float) -> None:
        self._longest = longest
        self._others = Bucket(OTHERS_A_SECOND, OTHERS_BURST, now)
        self._message = bytearray()
        """The parts of a message that have come."""
        self._socket = WSConnection(ConnectionType.SERVER)
        try:
            self._socket.initiate_upgrade_connection(list(request.headers), request.target.decode("ascii"))
            next(self._socket.events())
            self.outgoing = self._socket.send(ws.AcceptConnection())
        except (ProtocolError, UnicodeError):
            raise WireError("a request for no WebSocket of ours") from None

    def received(self, data: bytes, now: float) -> Iterator[bytes]:
        """The messages that are whole now. WireError at what is none; Closed when the other side has closed it."""
        self._socket.receive_data(data)
        for event in self._socket.events():
            if isinstance(event, ws.BytesMessage):
                message = self._part(event, now)
                if message is not None:
                    yield message
            elif isinstance(event, ws.Ping):
                self._other(now)
                self.outgoing += self._socket.send(event.response())
            elif isinstance(event, ws.Pong):
                self._other(now)
            elif isinstance(event, ws.CloseConnection):
                if self._socket.state is not ConnectionState.REMOTE_CLOSING:
                    raise WireError("frames that are none of a WebSocket's")
                self.outgoing += self._socket.send(event.response())
                raise Closed
            else:
                raise WireError("a message of a WebSocket that is text")

    def _part(self, event: ws.BytesMessage, now: float) -> bytes | None:
        """More of a message; all of it, if that was the last."""
        self._message += event.data
        if len(self._message) > self._longest():
            raise WireError("a message too long")
        if event.message_finished:
            message = bytes(self._message)
            self._message.clear()
            return message
        if event.frame_finished:
            self._other(now)
        return None

    def _other(self, now: float) -> None:
        if not self._others.take(now):
            raise WireError("far too many frames without a message")

    def framed(self, message: bytes) -> bytes:
        """The bytes of a message, or none if the WebSocket is closed."""
        is_open = self._socket.state is ConnectionState.OPEN
        return self._socket.send(ws.BytesMessage(message)) if is_open else b""

    def closing(self) -> bytes:
        """The bytes that close it, or none if it is closed."""
        is_open = self._socket.state is ConnectionState.OPEN
        return self._socket.send(ws.CloseConnection(NORMAL)) if is_open else b""


class Browsing(enum.Enum):
    """How far a browser is."""

    ASKING = "its request is on the way"
    TALKING = "strings go both ways"
    OVER = "it has its answer, or was wrong, or the end has come: nothing more is read"


class WebSocketCarriage:
    """A browser's connection, once ``tcp`` has seen that it is one.

    ``answer`` is asked what a request gets; None: a WebSocket.
    """

    overhead = 2
    """Before a string of at most 125 bytes, which all media is; 4 before a longer one."""

    def __init__(self, tcp: StringProtocol, answer: Callable[[HttpRequest], HttpAnswer | None]) -> None:
        self._tcp = tcp
        self._connection = tcp.connection
        self._answer = answer
        self._exchange = Exchange()
        self._messages: Messages
        """Set with TALKING."""
        self.state = Browsing.ASKING
        self._connection.carried_by(self)

    # -- whoever has the port calls this ------------------------------------------

    def received(self, data: bytes) -> None:
        """Bytes came."""
        try:
            if self.state is Browsing.ASKING:
                request = self._exchange.received(data)
                if request is not None:
                    self._asked(request)
            elif self.state is Browsing.TALKING:
                self._read(data)
        except WireError as error:
            self._connection.wrong(error)
        except Closed:
            self._connection.close()

    def _asked(self, request: HttpRequest) -> None:
        answer = self._answer(request)
        if self.state is Browsing.OVER:
            return  # it was shown out, now that the request has told where it comes from
        if answer is not None:
            self.state = Browsing.OVER
            self._write(self._exchange.answered(answer))
            self._tcp.close()
            return
        self._messages = Messages(request, lambda: self._connection.longest, self._connection.clock.seconds())
        self.state = Browsing.TALKING
        self._flush()
        if request.rest:
            self._read(request.rest)

    def _read(self, data: bytes) -> None:
        try:
            for message in self._messages.received(data, self._connection.clock.seconds()):
                self._flush()
                self._connection.string_received(message)
                if self.state is Browsing.OVER:
                    return
        finally:
            self._flush()

    def _flush(self) -> None:
        outgoing, self._messages.outgoing = self._messages.outgoing, b""
        self._write(outgoing)

    def _write(self, data: bytes) -> None:
        if data:
            cast(Any, self._tcp.transport).write(data)

    # -- the connection calls these -------------------------------------------------

    @property
    def host(self) -> str | None:
        """The other side's address."""
        return self._tcp.host

    def send_string(self, string: bytes) -> None:
        """Send a string; before there is a WebSocket nothing can be told."""
        if self.state is Browsing.TALKING:
            self._write(self._messages.framed(string))

    def reading(self, on: bool) -> None:
        """Read no more for now, or go on."""
        self._tcp.reading(on)

    def close(self) -> None:
        """Close when everything has left; a browser does not wait for the closing handshake either."""
        if self.state is Browsing.TALKING:
            self._write(self._messages.closing())
        self.state = Browsing.OVER
        self._tcp.close()

    def abort(self) -> None:
        """End now."""
        self.state = Browsing.OVER
        self._tcp.abort()
