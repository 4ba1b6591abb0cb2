"""UDP sockets, and what each system makes of them: the one module that knows.

`listen` opens a port that reads in small portions, and `sender` is how to send through it.
Such a port

- takes MOST_A_TURN datagrams in a turn of the reactor, be they good, wrong or empty; what
  waits longer is read in the next turns, after whatever else is due. Twisted reads 256 KiB
  of *payload* in a turn: 262 144 datagrams of one byte (1.1 s, measured), and empty ones
  for ever;
- has a filter in the kernel, where there can be one (``filter``);
- gives each datagram with the whole address that it came from, an IPv6 scope included;
- if it hears on all addresses of a machine: has each answer leave from the address that
  was asked (IP_PKTINFO, ip(7); IPV6_PKTINFO, RFC 3542). The kernel's own choice is the
  way's first address, and a client that asked another one takes nothing from there.

Where a system has none of these, datagrams come and go as everywhere.
"""

import socket
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, Final

from twisted.internet import udp
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from voicechat.carriage import filter as kernel
from voicechat.carriage.channel import Address
from voicechat.wire.datagrams import MAX_DATAGRAM, SHAPES, Shape

MOST_A_TURN: Final = 32
"""Datagrams. Media that is passed on to three costs 0.1 ms cold, so the worst turn lasts 3 ms; of a flood that nobody
sealed it is 0.14 ms. A turn of its own for each costs a flood no less: 16, 32 or 64 take 9 us each while we keep up."""

LARGEST: Final = MAX_DATAGRAM + 1
"""Bytes read of a datagram: one more than it may have, so that none is mistaken for a shorter one."""

_EXPEDITED: Final = 46 << 2
"""DSCP EF (RFC 3246) in the old TOS byte: routers that care let voice go first."""

_RECEIVE_BYTES: Final = 1 << 20
"""Of the kernel's queue: in a flood of 10 000 datagrams a second the usual 200 kB are full in 25 ms (measured)."""

_PKTINFO: Final = {"linux": 8, "darwin": 26}.get(sys.platform)
"""IP_PKTINFO by system, which Python's socket module does not name; with the same struct in_pktinfo."""

_INFO: Final = struct.Struct("@I4s4s")
"""struct in_pktinfo: the interface, our address that answers come from, the address in the datagram."""

_INFO6: Final = struct.Struct("@16sI")
"""struct in6_pktinfo: our address, the interface."""

_ANCILLARY_BYTES: Final = 64
"""Room for either of them with its header."""

_LINK_LOCAL: Final = b"\xfe\x80"
"""First bytes of addresses that mean something on one interface only (RFC 4291: fe80::/10; used is fe80::/64)."""

_COUNTS: Final = sys.platform == "linux"

_MEMINFO: Final = 55
"""SO_MEMINFO of Linux (asm-generic/socket.h), a row of numbers."""

_DROPS: Final = 8
"""Which of them counts what a socket did not take: SK_MEMINFO_DROPS (linux/sock_diag.h)."""

Ancillary = tuple[tuple[int, int, bytes], ...]
"""What goes with a datagram that is to leave from a certain address, as sendmsg takes it."""


def listen(
    reactor: Any,
    number: int,
    protocol: DatagramProtocol,
    interface: str = "",
    *,
    replies: bool = False,
    six_only: bool = False,
    adopted: socket.socket | None = None,
    shapes: Sequence[Shape] = SHAPES,
) -> Any:
    """A port that has begun to read; CannotListenError if there can be none.

    ``interface``: an address of ours, '' for all of IPv4, '::' for all of both.
    ``replies``: what is sent goes to where something came from, and leaves from where that went.
    ``six_only``: of '::', IPv6 alone. ``adopted``: a socket that is bound there already, of which a copy is taken.
    ``shapes``: what may come; the kernel refuses the rest where it can.
    A reactor that does not wait for descriptors (Windows' IOCP) has ports of its own, and reads as it likes.
    """
    port: Any
    if isinstance(reactor, PosixReactorBase):
        port = UdpPort(
            reactor, number, protocol, interface, replies=replies, six_only=six_only, adopted=adopted, shapes=shapes
        )
        port.startListening()
    else:
        port = reactor.listenUDP(number, protocol, interface, LARGEST)
        expedite(port.getHandle())
    return port


def sender(port: Any) -> Callable[[bytes, Address], object]:
    """How to send a datagram to an address that one came from. OSError if it cannot be sent.

    Twisted's own way examines the address four times, a seventh of what a packet that is passed on costs (measured).
    """
    return port.send if isinstance(port, UdpPort) else port.getHandle().sendto


def peer_of(address: Address) -> tuple[str, int]:
    """The other side's host and port, of an address that a port of ours gave."""
    host, port, *_ = address[0] if isinstance(address[0], tuple) else address
    return str(host), int(port)


def dropped(port: Any) -> int:
    """Datagrams that the kernel did not give to a port: the queue was full, or the filter refused them.

    32 bits that begin again at 0; always 0 where the system does not count, which Linux does.
    """
    try:
        told = port.getHandle().getsockopt(socket.SOL_SOCKET, _MEMINFO, 4 * (_DROPS + 1)) if _COUNTS else b""
    except OSError:  # before Linux 4.11
        told = b""
    return int(struct.unpack_from("@I", told, 4 * _DROPS)[0]) if len(told) > 4 * _DROPS else 0


def expedite(sock: Any) -> None:
    """Mark what a socket sends as voice, and let more wait for it, where the system lets us."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
    for level, option in ((socket.IPPROTO_IP, "IP_TOS"), (socket.IPPROTO_IPV6, "IPV6_TCLASS")):
        with suppress(OSError, AttributeError):
            sock.setsockopt(level, getattr(socket, option), _EXPEDITED)


class UdpPort(udp.Port):
    """Twisted's port, which reads and answers in our way. Addresses are the kernel's; see `_Answering` for others."""

    _log = Logger()
    _preexistingSocket: socket.socket | None  # type: ignore[assignment]

    def __init__(
        self,
        reactor: IReactorTime,
        number: int,
        protocol: DatagramProtocol,
        interface: str,
        *,
        replies: bool,
        six_only: bool = False,
        adopted: socket.socket | None = None,
        shapes: Sequence[Shape] = SHAPES,
    ) -> None:
        super().__init__(number, protocol, interface, LARGEST, reactor)
        self._everywhere = not interface or ip_address(interface).is_unspecified
        self._replies = replies
        self._six_only = six_only
        self._shapes = shapes
        self._made: socket.socket | None = None
        self._receive: Callable[[], tuple[bytes, Address]]
        self.send: Callable[[bytes, Address], object]
        """As `sender` says."""
        if adopted is not None:
            sock = self._preexistingSocket = adopted.dup()
            sock.setblocking(False)
            self._prepare(sock)

    def startListening(self) -> None:
        """Bind and read."""
        try:
            super().startListening()
        except CannotListenError:
            if self._made is not None:
                self._made.close()
            raise

    def createInternetSocket(self) -> socket.socket:
        """A socket that is not bound yet; nothing comes to it before all is set."""
        sock = self._made = super().createInternetSocket()
        self._prepare(sock)
        return sock

    def _prepare(self, sock: socket.socket) -> None:
        """Set what we want of a socket, and know how to use it."""
        kernel.attach(sock, self._shapes)
        expedite(sock)
        if self.addressFamily == socket.AF_INET6 and self._everywhere:
            with suppress(OSError):
                sock.setsockopt(
                    socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, self._six_only
                )  # whatever the system's rule is
        if self._replies and self._everywhere and _reports_address(sock):
            answering = _Answering(sock)
            self._receive, self.send = answering.receive, answering.send
        else:
            self._receive, self.send = lambda: sock.recvfrom(LARGEST), sock.sendto

    def doRead(self) -> None:
        """There is something to read."""
        for _ in range(MOST_A_TURN):
            try:
                datagram, address = self._receive()
            except BlockingIOError:
                return
            except OSError:  # not of a datagram that came: Windows tells of one that did not get there
                continue
            try:
                self.protocol.datagramReceived(datagram, address)
            except Exception:  # noqa: BLE001  it must not close the port
                self._log.failure("a fault in a datagram")


def _reports_address(sock: Any) -> bool:
    """Have the kernel tell where each datagram went; False where it does not."""
    if not hasattr(sock, "recvmsg"):
        return False
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)  # of IPv4 datagrams, too
        elif _PKTINFO is None:
            return False
        else:
            sock.setsockopt(socket.IPPROTO_IP, _PKTINFO, 1)
    except (OSError, AttributeError):
        return False
    return True


class _Answering:
    """A socket on all addresses. An address is a pair: theirs, and what lets an answer leave from that of ours.

    It costs 0.3 us for each datagram that comes and 0.5 us for each that leaves; of the 35 us of a packet that is
    passed on to three it is 2.4 (measured, warm). A socket that is bound to one address has none of it.
    """

    def __init__(self, sock: Any) -> None:
        self._recvmsg, self._sendmsg, self._sendto = sock.recvmsg, sock.sendmsg, sock.sendto
        self._reported: list[tuple[int, int, bytes]] = []
        self._local: Ancillary = ()
        """What was told with the last datagram, and what it comes to: mostly the next one's is the same."""

    def receive(self) -> tuple[bytes, Address]:
        """The next datagram."""
        datagram, told, _, peer = self._recvmsg(LARGEST, _ANCILLARY_BYTES)
        if told != self._reported:
            self._reported, self._local = told, answer_from(told)
        return datagram, (peer, self._local)

    def send(self, datagram: bytes, address: Address) -> None:
        """An answer."""
        peer, local = address
        try:
            self._sendmsg((datagram,), local, 0, peer)
        except OSError:  # an address that we do not have any more, or that was everybody's, or whatever is told now
            self._sendto(datagram, peer)


def answer_from(told: list[tuple[int, int, bytes]]) -> Ancillary:
    """What goes with an answer to a datagram with which this was told. The way there stays the kernel's choice."""
    for level, kind, data in told:
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO and len(data) == _INFO6.size:
            ours, interface = _INFO6.unpack(data)
            kept = interface if ours.startswith(_LINK_LOCAL) else 0
            return ((level, kind, _INFO6.pack(ours, kept)),)
        if level == socket.IPPROTO_IP and kind == _PKTINFO and len(data) == _INFO.size:
            return ((level, kind, _INFO.pack(0, _INFO.unpack(data)[1], bytes(4))),)
    return ()
