"""The server's TCP port: IPv4 and IPv6, whatever the system's rule is.

``carriage.udp`` is the same for UDP.
"""

import socket
from typing import Any

from twisted.internet import tcp
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import ServerFactory


class Port(tcp.Port):
    """Twisted's port; on all addresses of IPv6 it is on those of IPv4, too."""

    def createInternetSocket(self) -> socket.socket:
        """A socket that is not bound yet. OSError where the two are always apart (OpenBSD)."""
        sock: socket.socket = super().createInternetSocket()
        if self.addressFamily == socket.AF_INET6:
            try:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # else net.ipv6.bindv6only decides
            except OSError:
                sock.close()
                raise
        return sock


def listen(reactor: Any, number: int, factory: ServerFactory, backlog: int, interface: str) -> Any:
    """A port that takes connections; CannotListenError if there can be none.

    A reactor that does not wait for descriptors (Windows' IOCP) has ports of its own.
    """
    if not isinstance(reactor, PosixReactorBase):
        return reactor.listenTCP(number, factory, backlog, interface)
    port = Port(number, factory, backlog, interface, reactor)
    port.startListening()
    return port
