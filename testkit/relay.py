"""A line between guests and a real server that can be cut, and changes its address.

What lives here: ``Relay``. It runs on the reactor of whoever uses it.
"""

from typing import Any, Final, cast

from twisted.internet.protocol import DatagramProtocol, Factory, Protocol

HOME: Final = "127.0.0.1"
"""Where servers listen; relays have the same port on another address of loopback."""


class Relay:
    """A line to the server at HOME: everything to ``host`` on the server's port goes there and back.

    ``open`` and ``datagrams``: whether it passes anything, and whether it passes datagrams.
    """

    def __init__(self, reactor: Any, port: int, host: str = "127.0.0.2") -> None:
        self._reactor = reactor
        self.port, self.host = port, host
        self.open = self.datagrams = True
        self.recorded: list[bytes] = []
        """Datagrams to the server."""
        self._joints: list[_Joint] = []
        self._upward: dict[Any, _Upward] = {}
        self._listening = reactor.listenTCP(port, Factory.forProtocol(self._joint), interface=host)
        self.downward = _Downward(self)
        self._port = reactor.listenUDP(port, self.downward, interface=host)

    def _joint(self) -> "_Joint":
        joint = _Joint(self, self._reactor)
        self._joints.append(joint)
        return joint

    def cut(self, seconds: float) -> None:
        """Nothing passes for so long: datagrams are lost, the rest waits."""
        self.open = False
        for joint in self._joints:
            joint.pause()
        self._reactor.callLater(seconds, self._mend)

    def _mend(self) -> None:
        self.open = True
        for joint in self._joints:
            joint.resume()

    def rebind(self) -> None:
        """From now on datagrams come to the server from other ports."""
        for upward in self._upward.values():
            upward.transport.stopListening()  # type: ignore[union-attr]
        self._upward.clear()

    def from_guest(self, datagram: bytes, address: Any) -> None:
        """A datagram of a guest."""
        if self.open and self.datagrams:
            upward = self._upward.get(address)
            if upward is None:
                upward = self._upward[address] = _Upward(self, address)
                self._reactor.listenUDP(0, upward, interface=HOME)
                upward.transport.connect(HOME, self.port)  # type: ignore[union-attr]
            self.recorded.append(datagram)
            cast(Any, upward.transport).write(datagram)

    def close(self) -> None:
        """No more line."""
        self.rebind()
        self._listening.stopListening()
        self._port.stopListening()
        for joint in self._joints:
            joint.end()


class _Downward(DatagramProtocol):
    """The guests' side."""

    noisy = False

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self._relay.from_guest(datagram, addr)


class _Upward(DatagramProtocol):
    """One guest's address as the server sees it."""

    noisy = False

    def __init__(self, relay: Relay, guest: Any) -> None:
        self._relay, self._guest = relay, guest

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if self._relay.open and self._relay.datagrams:
            self._relay.downward.transport.write(datagram, self._guest)  # type: ignore[union-attr]

    def connectionRefused(self) -> None:
        """The server is not there."""


class _Joint(Protocol):
    """A guest's connection, and the one to the server that it is joined to."""

    def __init__(self, relay: Relay, reactor: Any) -> None:
        self._relay, self._reactor = relay, reactor
        self._far: _Far | None = None
        self._waiting = b""

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)  # type: ignore[union-attr]
        factory = Factory.forProtocol(lambda: _Far(self))
        factory.noisy = False
        factory.clientConnectionFailed = lambda *_: self.end()  # type: ignore[attr-defined]
        factory.startedConnecting = lambda _: None  # type: ignore[attr-defined]
        factory.clientConnectionLost = lambda *_: None  # type: ignore[attr-defined]
        self._reactor.connectTCP(HOME, self._relay.port, factory)

    def joined(self, far: "_Far") -> None:
        self._far = far
        far.transport.setTcpNoDelay(True)  # type: ignore[union-attr]
        if not self._relay.open:
            self.pause()
        far.transport.write(self._waiting)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        if self._far is None:
            self._waiting += data
        else:
            self._far.transport.write(data)  # type: ignore[union-attr]

    def connectionLost(self, reason: Any = None) -> None:
        if self._far is not None:
            self._far.transport.abortConnection()  # type: ignore[union-attr]

    def pause(self) -> None:
        for end in (self, self._far):
            if end is not None and end.transport is not None and end.connected:
                end.transport.pauseProducing()  # type: ignore[attr-defined]

    def resume(self) -> None:
        for end in (self, self._far):
            if end is not None and end.transport is not None and end.connected:
                end.transport.resumeProducing()  # type: ignore[attr-defined]

    def end(self) -> None:
        if self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined]


class _Far(Protocol):
    """The connection to the server."""

    def __init__(self, near: _Joint) -> None:
        self._near = near

    def connectionMade(self) -> None:
        self._near.joined(self)

    def dataReceived(self, data: bytes) -> None:
        self._near.transport.write(data)  # type: ignore[union-attr]

    def connectionLost(self, reason: Any = None) -> None:
        self._near.end()
