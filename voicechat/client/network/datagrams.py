"""The client's UDP socket: one session's datagrams, to and from one server.

What does not come from the server's address is dropped. The socket is not connected:
a connected one is bound to the local address that it had, and is of no use any more
when the cable replaces the Wi-Fi (measured). If it cannot be opened, media goes over
TCP for good, and nobody needs to know more.
"""

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import DatagramProtocol

from voicechat.carriage import udp
from voicechat.carriage.datagrams import Address, Link
from voicechat.errors import WireError
from voicechat.security.keys import SessionKeys
from voicechat.wire.datagrams import parse_header
from voicechat.wire.messages import Message


class DatagramSocket(DatagramProtocol):
    """One link and its socket."""

    noisy = False

    def __init__(self, reactor: Any, host: str, number: int) -> None:
        self._reactor = reactor
        self._address: Address = (host.partition("%")[0], number)
        """The server's, as datagrams come from it: without the zone of a link-local one."""
        self._target: tuple[Any, ...] = self._address
        """The same with its zone, which datagrams need to get there."""
        if "%" in host:
            flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
            self._target = socket.getaddrinfo(host, number, type=socket.SOCK_DGRAM, flags=flags)[0][4]
        self._port: Any = None
        self._send: Callable[[bytes, Address], object]
        self.link: Link | None = None

    def open(
        self, clock: IReactorTime, keys: SessionKeys, connection: int, tell: Callable[[Message], None]
    ) -> Link | None:
        """Open the socket and begin to probe; None if there can be no socket."""
        host = self._address[0]
        try:
            self._port = udp.listen(self._reactor, 0, self, "::" if ":" in host else "")
        except (OSError, CannotListenError):
            self.close()
            return None
        self._send = udp.sender(self._port)
        self.link = Link(clock, keys, connection, self._write, tell)
        self.link.start(self._address)
        return self.link

    def close(self) -> None:
        """The session is over."""
        port, self._port = self._port, None
        if self.link is not None:
            self.link.stop()
        if port is not None:
            port.stopListening()

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:
        """A datagram from the server's address; what does not open is as good as lost."""
        if self.link is None or addr[:2] != self._address:
            return
        try:
            self.link.received(parse_header(datagram), datagram, self._address)
        except WireError:
            return

    def connectionRefused(self) -> None:
        """Nobody listens there: the probes will tell."""

    def _write(self, datagram: bytes, address: Address) -> None:
        try:
            self._send(datagram, self._target)
        except (OSError, ValueError):
            return  # no route just now: as good as lost
