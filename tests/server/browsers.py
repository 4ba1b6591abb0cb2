"""A browser as a friend: the same strings over a WebSocket, by another library than the server's.

What lives here: ``BrowserFriend``, whose WebSocket is that of the package `websockets`, without
its sockets; and ``ask``, for whoever wants a page.
"""

from typing import Any, Final

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from tests.server.house import House, TcpFriend
from voicechat.server.oneport import OnePort
from voicechat.testing import VoiceTransport

URL: Final = "ws://voice.example.org:1234/"


class BrowserFriend(TcpFriend):
    """A friend whose strings are the messages of a WebSocket.

    ``headers``: more of them in the request. ``says_hello``: begins to log in as soon as there is a WebSocket.
    """

    protocol: OnePort

    def __init__(
        self, house: House, name: str, *, headers: dict[str, str] | None = None, says_hello: bool = True, **rest: Any
    ) -> None:
        super().__init__(house, name, **rest)
        self.socket = ClientProtocol(parse_uri(URL), max_size=1 << 20)
        self.headers = headers or {}
        self.frames: list[Frame] = []
        """Those that are no messages, as they came."""
        self._quiet = not says_hello

    def begin(self) -> "BrowserFriend":
        """Ask for a WebSocket; the first string follows when there is one."""
        request = self.socket.connect()
        for name, value in self.headers.items():
            request.headers[name] = value
        self.socket.send_request(request)
        self.flush()
        return self

    def send_string(self, string: bytes) -> None:
        """As a message."""
        if self.socket.state is State.OPEN:
            self.socket.send_binary(string)
            self.flush()

    def flush(self) -> None:
        """What the library wants sent."""
        for data in self.socket.data_to_send():
            if data:
                self.send_bytes(data)

    def deliver(self) -> bool:
        """Take in what the server wrote, and tell the protocol when the connection has ended."""
        data = self.transport.take()
        self.received += len(data)
        if data:
            self.socket.receive_data(data)
        if self.socket.state is State.OPEN and not self._quiet:
            self._quiet = True
            self.send_string(self.session.begin())
        for event in self.socket.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                self.strings.append(bytes(event.data))
                self._take(bytes(event.data))
            elif isinstance(event, Frame):
                self.frames.append(event)
        self.flush()
        if self.transport.over and not self._gone:
            self.break_line()
            return True
        return bool(data)


class Stranger:
    """A connection whose bytes a test makes. ``host``: where it comes from."""

    def __init__(self, house: House, host: str = "192.0.2.1") -> None:
        self.transport = VoiceTransport(host)
        protocol = house.factory.buildProtocol(IPv4Address("TCP", host, 40_000))
        assert protocol is not None
        self.protocol = protocol
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> bytes:
        """Send bytes; what comes back at once."""
        if not self.transport.over:
            self.protocol.dataReceived(data)
        return self.transport.take()

    def lose(self) -> None:
        """The connection is over."""
        self.protocol.connectionLost(Failure(ConnectionDone()))


def request(path: str = "/", *headers: str, method: str = "GET") -> bytes:
    """A request's bytes."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: voice.example.org:1234", *headers, "", "")).encode()
