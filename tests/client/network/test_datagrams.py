"""The client's UDP socket."""

import errno
import socket
from typing import Any

import pytest
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.selectreactor import SelectReactor

from tests.memory import VoiceReactor
from voicechat.carriage import filter as kernel
from voicechat.carriage.connection import Connection
from voicechat.carriage.events import PeerEvent
from voicechat.carriage.udp import MOST_A_TURN
from voicechat.client.network.datagrams import DatagramSocket
from voicechat.security.keys import Side, resume_keys
from voicechat.security.secret import Secret
from voicechat.session.client import ClientSession
from voicechat.session.states import SessionState
from voicechat.wire.messages import Request


class Nobody:
    """Listens to a connection, and does nothing about it."""

    def __init__(self) -> None:
        self.events: list[PeerEvent] = []

    def connected(self) -> None:
        """There is no carriage."""

    def happened(self, event: PeerEvent) -> None:
        """Something."""
        self.events.append(event)

    def fault(self) -> None:
        """A fault of ours."""
        raise AssertionError("there should be none")

    def disconnected(self) -> None:
        """There was none."""


def beside(clock: Any) -> tuple[Connection, Nobody]:
    """A connection that is in the room, for a socket to be opened beside it."""
    session = ClientSession(Secret("correct horse"), Request("Ann"))
    session._keys, session._state = resume_keys(Side.CLIENT, bytes(32), b"transcript"), SessionState.IN_ROOM
    nobody = Nobody()
    return Connection(clock, session, nobody), nobody


def opened(reactor: VoiceReactor, host: str = "198.51.100.1") -> tuple[DatagramSocket, Connection, Nobody]:
    connection, nobody = beside(reactor)
    sock = DatagramSocket(reactor, host, 1234)
    sock.open(connection, 7, pairs=False)
    return sock, connection, nobody


@pytest.mark.parametrize(("host", "interface"), [("198.51.100.1", ""), ("2001:db8::1", "::")])
def test_it_is_of_the_servers_family_and_hears_nobody_else(host: str, interface: str) -> None:
    reactor = VoiceReactor()
    sock, connection, _ = opened(reactor, host)
    (port,) = reactor.ports
    assert (port.kind, port.interface) == ("udp", interface)
    assert port.sent, "a probe is on its way"
    heard: list[object] = []
    connection.datagram_received = lambda *args: heard.append(args)  # type: ignore[method-assign]
    datagram = b"\x10" + bytes(40)
    for stranger in (("203.0.113.9", 1234), (host, 1235)):
        sock.datagramReceived(datagram, stranger)
    assert not heard
    sock.datagramReceived(datagram, (host, 1234))
    assert len(heard) == 1


def test_the_zone_of_a_link_local_server_is_kept() -> None:
    """Datagrams need it to get there; those that come back bring an address without one."""
    reactor = VoiceReactor()
    sock, connection, _ = opened(reactor, "fe80::1%1")
    (port,) = reactor.ports
    assert port.interface == "::"
    assert {address for _, address in port.sent} == {("fe80::1", 1234, 0, 1)}
    heard: list[object] = []
    connection.datagram_received = lambda *args: heard.append(args)  # type: ignore[method-assign]
    sock.datagramReceived(b"\x10" + bytes(40), ("fe80::2", 1234))
    assert not heard
    sock.datagramReceived(b"\x10" + bytes(40), ("fe80::1", 1234))
    assert len(heard) == 1


def test_garbage_is_as_good_as_lost() -> None:
    reactor = VoiceReactor()
    sock, _, nobody = opened(reactor)
    sent = len(reactor.ports[0].sent)
    for size in (0, 3, 8, 40, 1500):
        sock.datagramReceived(bytes(size), ("198.51.100.1", 1234))
        sock.datagramReceived(b"\x11" + bytes(size), ("198.51.100.1", 1234))
    assert len(reactor.ports[0].sent) == sent
    assert not nobody.events


def test_no_route_and_nobody_listening_are_as_good_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    reactor = VoiceReactor()
    sock, connection, _ = opened(reactor)

    def unreachable(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(reactor.ports[0], "write", unreachable)
    sock.connectionRefused()
    for _ in range(10):
        reactor.advance(1.0)
    assert connection.channel is not None
    assert not connection.channel.up


def test_without_a_socket_media_stays_on_tcp() -> None:
    reactor = VoiceReactor({("udp", ""): OSError(errno.EMFILE, "Too many open files")})
    sock, connection, _ = opened(reactor)
    assert connection.channel is None
    sock.close()
    assert not reactor.getDelayedCalls()


def test_an_interface_that_went_meanwhile_leaves_media_on_tcp() -> None:
    reactor = VoiceReactor()
    _, connection, _ = opened(reactor, "fe80::1%gone")
    assert connection.channel is None
    assert not reactor.ports


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_flood_from_the_server_is_read_in_portions(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """On a real socket: a hostile server must not hold the reactor, which the microphone waits for, either."""
    monkeypatch.setattr(kernel, "attach", lambda *_: False)
    reactor = SelectReactor()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((host, 0))
        sock = DatagramSocket(reactor, host, server.getsockname()[1])
        connection, _ = beside(reactor)
        sock.open(connection, 7, pairs=False)
        _, client = server.recvfrom(100)
        taken: list[bytes] = []
        connection.datagram_received = (  # type: ignore[method-assign]
            lambda header, datagram, address: taken.append(datagram)
        )
        for _ in range(MOST_A_TURN + 5):
            server.sendto(b"\x13" + bytes(23), client)
        reactor.iterate()
        assert len(taken) == MOST_A_TURN
        reactor.iterate()
        assert len(taken) == MOST_A_TURN + 5
        sock.close()
        reactor.iterate()


def test_closing_ends_everything() -> None:
    reactor = VoiceReactor()
    sock, connection, _ = opened(reactor)
    sock.close()
    sock.close()
    connection.disconnected()
    assert not reactor.ports[0].open
    assert not reactor.getDelayedCalls()
    sock.datagramReceived(bytes(40), ("198.51.100.1", 1234))
    assert isinstance(sock, DatagramProtocol)
