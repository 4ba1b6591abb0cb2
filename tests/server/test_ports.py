"""The port is IPv4's and IPv6's, whatever the system's rule is."""

import socket

import pytest
from twisted.internet import base
from twisted.internet.protocol import ServerFactory

from voicechat.server.ports import TcpPort


@pytest.mark.parametrize("only", [0, 1])
def test_both_families_whatever_bindv6only_is(only: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = base.BasePort.createInternetSocket

    def of_that_system(port: base.BasePort) -> socket.socket:
        sock: socket.socket = made(port)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        return sock

    monkeypatch.setattr(base.BasePort, "createInternetSocket", of_that_system)
    with TcpPort(0, ServerFactory(), 5, "::").createInternetSocket() as sock:
        sock.bind(("::", 0))
        sock.listen()
        socket.create_connection(("127.0.0.1", sock.getsockname()[1]), timeout=20).close()
