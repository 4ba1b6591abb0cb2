"""A reactor in memory that has UDP ports too."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock


class MemoryPort:
    """A port that was bound."""

    def __init__(self, kind: str, number: int, interface: str) -> None:
        self.kind = kind
        self.number = number
        self.interface = interface
        self.open = True
        self.peer: tuple[str, int] | None = None
        self.sent: list[tuple[bytes, Any]] = []

    def getHost(self) -> IPv4Address:
        """Where it is."""
        return IPv4Address("TCP" if self.kind == "tcp" else "UDP", self.interface, self.number)

    def getHandle(self) -> "MemoryPort":
        """Its socket, which is this too."""
        return self

    def setsockopt(self, *option: int) -> None:
        """There is nothing to set."""

    def getsockopt(self, *option: int) -> bytes:
        """There is nothing to tell."""
        return b""

    def sendto(self, datagram: bytes, address: Any) -> None:
        """Send a datagram past Twisted."""
        self.write(datagram, address)

    def connect(self, host: str, number: int) -> None:
        """From now on everything goes to one address."""
        self.peer = (host, number)

    def write(self, datagram: bytes, address: Any = None) -> None:
        """Send a datagram."""
        self.sent.append((datagram, address or self.peer))

    def stopListening(self) -> None:
        """Let it go."""
        self.open = False


class VoiceReactor(MemoryReactorClock):
    """Listens to nothing; ``refused`` says for which kind and interface that fails, and why."""

    def __init__(self, refused: dict[tuple[str, str], OSError] | None = None) -> None:
        super().__init__()
        self.advance(1000.0)
        self.refused = refused or {}
        self.ports: list[MemoryPort] = []

    def _bind(self, kind: str, number: int, interface: str) -> MemoryPort:
        error = self.refused.get((kind, interface))
        if error is not None:
            raise CannotListenError(interface, number, error)
        port = MemoryPort(kind, number or 40_000, interface)
        self.ports.append(port)
        return port

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> MemoryPort:
        """Bind a TCP port."""
        super().listenTCP(port, factory, backlog, interface)
        return self._bind("tcp", port, interface)

    def listenUDP(self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> MemoryPort:
        """Bind a UDP port."""
        bound = self._bind("udp", port, interface)
        protocol.makeConnection(bound)
        return bound

    def callFromThread(self, callable: Any, *args: Any, **kwargs: Any) -> None:  # noqa: A002  Twisted's name
        """At once: there is one thread."""
        callable(*args, **kwargs)
