"""The client's UDP socket: one session's datagrams, to and from one server.

What does not come from the server's address is dropped. The socket is not connected:
a connected one is bound to the local address that it had, and is of no use any more
when the cable replaces the Wi-Fi (measured). If it cannot be opened, media goes over
TCP for good, and nobody needs to know more.
"""

import socket
from contextlib import suppress
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol

from voicechat.carriage import udp
from voicechat.carriage.channel import Address
from voicechat.carriage.connection import Connection
from voicechat.errors import WireError
from voicechat.wire.datagrams import parse_header


class DatagramSocket(DatagramProtocol):
    """One connection's socket."""

    noisy = False

    def __init__(self, reactor: Any, host: str, number: int) -> None:
        self._reactor = reactor
        self._address: Address = (host.partition("%")[0], number)
        """The server's, as datagrams come from it: without the zone of a link-local one."""
        self._host = host
        self._port: Any = None
        self._connection: Connection | None = None

    def open(self, connection: Connection, number: int, *, pairs: bool) -> None:
        """Have datagrams beside a connection, by this number; none if there can be no socket."""
        try:
            target = self._target()
            self._port = udp.listen(self._reactor, 0, self, "::" if ":" in self._host else "")
        except (OSError, CannotListenError):
            self.close()
            return
        send = udp.sender(self._port)

        def write(datagram: bytes, _: Address) -> None:
            with suppress(OSError, ValueError):  # no route just now: as good as lost
                send(datagram, target)

        self._connection = connection
        connection.open_channel(number, write, self._address, pairs=pairs)

    def _target(self) -> tuple[Any, ...]:
        """The server's address with its zone, which datagrams need to get there. OSError if there is none any more."""
        if "%" not in self._host:
            return self._address
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return socket.getaddrinfo(self._host, self._address[1], type=socket.SOCK_DGRAM, flags=flags)[0][4]

    def close(self) -> None:
        """Take no more datagrams, and give the port back."""
        port, self._port = self._port, None
        self._connection = None
        if port is not None:
            port.stopListening()

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:
        """A datagram from the server's address; what does not open is as good as lost."""
        if self._connection is None or addr[:2] != self._address:
            return
        with suppress(WireError):
            self._connection.datagram_received(parse_header(datagram), datagram, self._address)

    def connectionRefused(self) -> None:
        """Nobody listens there: the probes will tell."""
