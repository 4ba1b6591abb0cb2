"""Datagrams between a server without a reactor and its friends: what tests of the server's UDP share."""

from collections import deque
from typing import Any

from tests.memory import MemoryPort
from tests.server.house import House
from voicechat.carriage.channel import Address

SERVER: Address = ("198.51.100.1", 1234)


class Lines:
    """Datagrams between one server and its friends, by the friends' addresses."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.port = MemoryPort("udp", 1234, SERVER[0])
        self.port.write = self.write  # type: ignore[method-assign]
        self.to: dict[Address, deque[bytes]] = {}
        self.media = 0
        """Datagrams that carried something, both ways."""
        house.factory.datagrams.makeConnection(self.port)  # type: ignore[arg-type]

    def write(self, datagram: bytes, address: Any = None) -> None:
        """The server sends."""
        self.to.setdefault(address, deque()).append(datagram)

    def send(self, datagram: bytes, address: Address) -> None:
        """Somebody at ``address`` sends to the server."""
        self.house.factory.datagrams.datagramReceived(datagram, address)
