"""Routers without a socket, for tests on a Clock: one that speaks PCP and NAT-PMP, and may be in any mood."""

import struct
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock

Key = tuple[int, int]
"""Protocol number and inner port."""


class FakeRouter:
    """Answers requests; ``open`` has what it passes on: (protocol, inner port) -> (outer port, seconds, nonce)."""

    def __init__(self, address: str = "8.9.10.11", *, pcp: bool = True, nat_pmp: bool = True) -> None:
        self.address = IPv4Address(address)
        self.pcp, self.nat_pmp = pcp, nat_pmp
        self.silent = self.refuses = False
        self.result = 0
        self.lease = 3600
        self.open: dict[Key, tuple[int, int, bytes]] = {}
        self.asked: list[bytes] = []
        self.number: Callable[[int, int], int] = lambda carried, wished: wished
        """Which outer port it gives."""

    def answers(self, data: bytes) -> list[bytes]:
        """What it sends for a datagram."""
        self.asked.append(data)
        if self.silent:
            return []
        if data[0] == 2:
            return self._pcp(data)
        return self._nat_pmp(data) if self.nat_pmp else []

    def _pcp(self, data: bytes) -> list[bytes]:
        if not self.pcp:
            return [struct.pack("!BBHI", 0, 0x80 | data[1], 1, 5)] if self.nat_pmp else []
        seconds, nonce, carried = struct.unpack_from("!I", data, 4)[0], data[24:36], data[36]
        inner, wished = struct.unpack_from("!HH", data, 40)
        result, outer, given = self._map((carried, inner), wished, seconds, nonce)
        address = IPv6Address(f"::ffff:{self.address}").packed
        head = struct.pack("!BBBBII12x", 2, 0x81, 0, result, given, 5)
        return [head + struct.pack("!12sB3xHH16s", nonce, carried, inner, outer, address)]

    def _nat_pmp(self, data: bytes) -> list[bytes]:
        if data[1] == 0:
            return [struct.pack("!BBHI4s", 0, 0x80, self.result, 5, self.address.packed)]
        inner, wished, seconds = struct.unpack("!HHI", data[4:])
        result, outer, given = self._map(({1: 17, 2: 6}[data[1]], inner), wished, seconds, b"")
        return [struct.pack("!BBHIHHI", 0, 0x80 | data[1], result, 5, inner, outer, given)]

    def _map(self, key: Key, wished: int, seconds: int, nonce: bytes) -> tuple[int, int, int]:
        if self.result:
            return self.result, 0, 30
        there = self.open.get(key)
        if there is not None and there[2] != nonce:
            return 2, 0, 30
        if not seconds:
            self.open.pop(key, None)
            return 0, 0, 0
        outer = self.number(key[0], wished)
        self.open[key] = (outer, self.lease, nonce)
        return 0, outer, self.lease

    @property
    def ports(self) -> dict[Key, int]:
        """The outer port of each that is open."""
        return {key: value[0] for key, value in self.open.items()}


class Network:
    """The way to routers: a `Dial`. What is sent arrives at once, and the answer in the next turn of the Clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.routers: dict[str, FakeRouter] = {}
        self.closes = False
        """A socket is closed by the reactor where nothing listens at the other end, as epoll's does."""
        self.sockets = 0
        """That are open now."""

    def dial(self, protocol: DatagramProtocol, router: str) -> Any:
        """A socket."""
        if router not in self.routers:
            raise OSError("no way there")
        self.sockets += 1
        return _Socket(self, protocol, self.routers[router], self._clock)


class _Socket:
    def __init__(self, network: Network, protocol: DatagramProtocol, router: FakeRouter, clock: Clock) -> None:
        self._network, self._protocol, self._router, self._clock = network, protocol, router, clock
        self._open = True

    def write(self, data: bytes) -> None:
        """As Twisted's: that nothing listens there is told at the next write, in the midst of it."""
        assert self._open
        if self._router.refuses:
            self._router.asked.append(data)
            if self._network.closes:
                self._protocol.stopProtocol()
            else:
                self._protocol.connectionRefused()
            return
        for answer in self._router.answers(data):
            self._clock.callLater(0, self._arrive, answer)

    def _arrive(self, answer: bytes) -> None:
        if self._open:
            self._protocol.datagramReceived(answer, ("192.168.1.1", 5351))

    def stopListening(self) -> None:
        assert self._open
        self._open = False
        self._network.sockets -= 1
