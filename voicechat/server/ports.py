"""Opens the server's ports: TCP, or what else strings come by, and UDP beside it.

`Opener` is the one way in which a port is opened. An endpoint of Twisted's takes it for its
reactor, so what a ``--listen`` string asks for is opened as what ``--port`` does: IPv4 and
IPv6 whatever the system's rule is, with a long queue, few connections in a turn, and UDP on
the same number and address.

``carriage.udp`` is the same for UDP alone.
"""

import errno
import os
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, Final

from twisted.internet import tcp
from twisted.internet.error import CannotListenError
from twisted.internet.posixbase import PosixReactorBase

from voicechat.carriage import udp
from voicechat.errors import ConfigError
from voicechat.server.factory import VoiceServerFactory
from voicechat.server.options import MOST_PORT

LISTEN: Final = 256
"""Connections the kernel holds for us while we are busy: of 50, a friend's was dropped in a flood of 1 500 a second,
and came a second later (measured)."""

ALL: Final = "::"
"""The address that stands for all of IPv6, and of IPv4 unless the port is IPv6's alone."""


class TcpPort(tcp.Port):
    """Twisted's port; on all addresses of IPv6 it is on those of IPv4, too, unless ``six_only``."""

    six_only = False

    def createInternetSocket(self) -> socket.socket:
        """A socket that is not bound yet. OSError where the two are always apart (OpenBSD)."""
        sock: socket.socket = super().createInternetSocket()
        if self.addressFamily == socket.AF_INET6:
            try:
                # else net.ipv6.bindv6only decides
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, self.six_only)
            except OSError:
                sock.close()
                raise
        return sock


class Opener:
    """Opens ports for one ``factory`` and its datagrams. An endpoint takes it for a reactor.

    ``taken``: the numbers of ports that we listen on already.
    All methods that open raise CannotListenError or OSError if there can be no port, and leave none then.
    """

    def __init__(
        self,
        reactor: Any,
        factory: VoiceServerFactory,
        taken: Sequence[int] = (),
    ) -> None:
        self._reactor = reactor
        self._factory = factory
        self.inherited: Sequence[socket.socket] = ()
        """Sockets for datagrams that were opened for us."""
        self._taken = taken
        self.opened: list[Any] = []
        """What has to be closed at the end; the first is what connections come by."""

    def close(self) -> None:
        """Listen no more."""
        for port in self.opened:
            port.stopListening()
        self.opened.clear()

    def refuse(self) -> None:
        """Take no more connections; datagrams still come and go."""
        self.opened.pop(0).stopListening()

    def everywhere(self, number: int) -> None:
        """On all addresses of this machine, of both families where there are two."""
        try:
            self.listenTCP(number, self._factory, LISTEN, ALL)
        except CannotListenError as error:
            if getattr(error.socketError, "errno", None) == errno.EADDRINUSE:
                raise
            self.listenTCP(number, self._factory, LISTEN, "")  # a machine without IPv6

    # -- as a reactor has them ------------------------------------------------------

    def listenTCP(self, port: int, factory: Any, backlog: int = LISTEN, interface: str = "") -> Any:
        """A TCP port, and UDP beside it."""
        check(port, interface)
        listening, six_only = self._listen(port, factory, backlog, interface)
        self._keep(listening)
        self._open_udp(listening.getHost().port, interface, six_only=six_only)
        return listening

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = LISTEN, interface: str = ""
    ) -> Any:
        """A TCP port for TLS. No UDP: whoever has to hide in TLS has none, and sound goes by TCP."""
        from twisted.protocols.tls import TLSMemoryBIOFactory

        check(port, interface)
        wrapped = TLSMemoryBIOFactory(contextFactory, False, factory)
        return self._keep(self._listen(port, wrapped, backlog, interface)[0])

    def listenUNIX(self, address: str, factory: Any, backlog: int = LISTEN, mode: int = 0o666, wantPID: int = 0) -> Any:
        """A socket in the file system; it has no number, and no UDP."""
        return self._keep(self._reactor.listenUNIX(address, factory, max(backlog, LISTEN), mode, wantPID))

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """A socket that listens already, and UDP beside it: what was inherited with it, if there is one."""
        if addressFamily == getattr(socket, "AF_UNIX", None) or not isinstance(self._reactor, PosixReactorBase):
            return self._keep(self._reactor.adoptStreamPort(fileDescriptor, addressFamily, factory))
        listening = TcpPort._fromListeningDescriptor(self._reactor, fileDescriptor, addressFamily, factory)  # noqa: SLF001
        listening.startListening()
        self._keep(listening)
        bound = listening.socket
        address = host, number, *scope = bound.getsockname()
        alike = (sock for sock in self.inherited if sock.family == addressFamily and sock.getsockname() == address)
        six_only = addressFamily == socket.AF_INET6 and bool(bound.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
        zone = f"%{scope[1]}" if scope and scope[1] else ""
        self._open_udp(number, host + zone, six_only=six_only, adopted=next(alike, None))
        return listening

    # -- the ports themselves -------------------------------------------------------

    def _listen(self, number: int, factory: Any, backlog: int, interface: str) -> tuple[Any, bool]:
        """A port, and whether it is IPv6's alone: beside one of ours for IPv4 it has to be."""
        backlog = max(backlog, LISTEN)
        # a reactor that does not wait for descriptors (Windows' IOCP) has ports of its own
        if not isinstance(self._reactor, PosixReactorBase):
            return self._reactor.listenTCP(number, factory, backlog, interface), False
        port = TcpPort(number, factory, backlog, interface, self._reactor)
        port.six_only = interface == ALL and number in self._taken
        port.startListening()
        return port, port.six_only

    def _keep(self, port: Any) -> Any:
        self.opened.append(port)
        self._factory.listens(port)
        return port

    def _open_udp(
        self, number: int, interface: str, *, six_only: bool = False, adopted: socket.socket | None = None
    ) -> None:
        try:
            port = udp.listen(
                self._reactor,
                number,
                self._factory.datagrams,
                interface,
                replies=True,
                six_only=six_only,
                adopted=adopted,
                shapes=self._factory.datagrams.shapes,
            )
        except (CannotListenError, OSError):
            self.close()
            raise
        self.opened.append(port)


class Checker:
    """What an endpoint gets for a reactor to see whether it asks for something that can be: opens nothing."""

    def listenTCP(self, port: int, factory: Any, backlog: int = LISTEN, interface: str = "") -> None:
        """ConfigError if there is no such port, or no such address."""
        check(port, interface)

    def listenSSL(self, port: int, factory: Any, contextFactory: Any, backlog: int = 0, interface: str = "") -> None:
        """As for TCP."""
        check(port, interface)

    def listenUNIX(self, address: str, factory: Any, backlog: int = 0, mode: int = 0, wantPID: int = 0) -> None:
        """Anything may be."""


class Prober(Checker):
    """Sees whether ports can be had, as `Opener` would open them, and leaves them: for who is about to fork.

    OSError if one cannot be had.
    """

    def everywhere(self, number: int) -> None:
        """All addresses of both families, where there are two."""
        try:
            self.listenTCP(number, None, LISTEN, ALL)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise
            self.listenTCP(number, None, LISTEN, "")  # a machine without IPv6

    def listenTCP(self, port: int, factory: Any, backlog: int = LISTEN, interface: str = "") -> None:
        """A TCP port, and UDP beside it."""
        check(port, interface)
        _try(socket.SOCK_STREAM, port, interface)
        _try(socket.SOCK_DGRAM, port, interface)

    def listenSSL(self, port: int, factory: Any, contextFactory: Any, backlog: int = 0, interface: str = "") -> None:
        """TCP alone."""
        check(port, interface)
        _try(socket.SOCK_STREAM, port, interface)


def _try(kind: int, port: int, interface: str) -> None:
    family, kind, _, _, address = socket.getaddrinfo(
        interface or "0.0.0.0",  # noqa: S104
        port,
        type=kind,
        flags=socket.AI_NUMERICHOST | socket.AI_PASSIVE,
    )[0]
    with socket.socket(family, kind) as sock:
        if kind == socket.SOCK_STREAM and os.name == "posix":  # as Twisted does
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, interface != ALL)
        sock.bind(address)
        if kind == socket.SOCK_STREAM:
            sock.listen(1)  # two that may reuse an address are both bound


def check(number: int, interface: str) -> None:
    """ConfigError unless these can be a port's number and an address of this machine, or none for all of IPv4."""
    if not 0 <= number <= MOST_PORT:
        raise ConfigError(f"a port is a number from 0 to {MOST_PORT}, not {number}")
    if interface:
        try:
            ip_address(interface)
        except ValueError:
            raise ConfigError(
                f"an interface is an address of this machine, such as 192.0.2.7, not {interface!r}"
            ) from None
