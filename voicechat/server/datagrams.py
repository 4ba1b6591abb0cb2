"""The server's UDP port: finds the session of each datagram, and never answers a stranger.

The connection number in the header says whose key to try; a datagram that does not
open costs one decryption and a counter, and gets no answer.
"""

from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final, cast

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import DatagramProtocol

from voicechat.carriage import udp
from voicechat.carriage.channel import Address
from voicechat.carriage.clock import Timer
from voicechat.carriage.connection import Connection
from voicechat.errors import WireError
from voicechat.server.eventlog import EventLog
from voicechat.server.metrics import Dropped, Metrics
from voicechat.wire.datagrams import BROWSERS_SHAPES, SHAPES, Shape, parse_header
from voicechat.wire.messages import Accept, Offer

if TYPE_CHECKING:
    from voicechat.server.rtc import RtcPaths

COUNT_EVERY: Final = 5.0
"""Seconds between two looks at what the kernel has dropped."""


def from_outside(address: str) -> bool:
    """Whether somebody with this address, or block of addresses, comes through a router that translates."""
    try:
        block = ip_network(address, strict=False)
    except ValueError:  # a local socket
        return False
    return block.version == 4 and block.is_global


class DatagramPort(DatagramProtocol):
    """All sessions' datagrams on one port."""

    noisy = False

    def __init__(self, clock: IReactorTime, metrics: Metrics, events: EventLog, *, rtc: bool = False) -> None:
        self._clock = clock
        self._rtc = rtc
        self._paths: RtcPaths | None = None
        """Those of browsers, from the first offer on."""
        self._events = events
        self._not_opened, self._by_kernel, self._not_sent = (
            metrics.datagrams_dropped_total[why] for why in (Dropped.NOT_OPENED, Dropped.KERNEL, Dropped.NOT_SENT)
        )
        self._connections: dict[int, Connection] = {}
        self._send: Callable[[bytes, Address], object]
        """Set when the port opens; before that no connection has a channel."""
        self.outer: int | None = None
        """By which number a router passes on to this port, if it is known and another."""
        self._dropped = 0
        self._counting = Timer(clock, self._count)

    def startProtocol(self) -> None:
        """The port is open."""
        self._send = udp.sender(self.transport)

    def number_for(self, address: str) -> int:
        """The port's number for who comes from ``address``: that of the router's outside for who comes through it."""
        return self.outer if self.outer and from_outside(address) else self.number

    @property
    def number(self) -> int:
        """The port's number, told to clients; 0 while it is not open, and media goes over TCP only."""
        return int(cast(Any, self.transport).getHost().port) if self.transport is not None else 0

    def open(self, connection: Connection, number: int, *, pairs: bool) -> None:
        """Have datagrams beside a connection that begins, by this number; not while the port is not open."""
        if self.transport is None:
            return
        self._connections[number] = connection
        if not self._counting.runs:
            self._counting.start(COUNT_EVERY)
        try:
            connection.open_channel(number, self._write, resting=True, pairs=pairs)
        except Exception:
            self._forget(number)
            raise

    def close(self, connection: Connection) -> None:
        """The connection is over."""
        self._close(connection)
        if self._paths is not None:
            self._paths.close(connection)

    def _close(self, connection: Connection) -> None:
        channel = connection.channel
        if channel is not None and self._connections.get(channel.connection) is connection:
            self._forget(channel.connection)

    @property
    def shapes(self) -> Sequence[Shape]:
        """What may come to the port."""
        return (*SHAPES, *BROWSERS_SHAPES) if self._rtc else SHAPES

    @property
    def takes_offers(self) -> bool:
        """A browser may have media by WebRTC."""
        return self._rtc and self.transport is not None

    def offered(self, connection: Connection, offer: Offer) -> Accept:
        """A path for a browser, in place of datagrams like ours; only where offers are taken."""
        if self._paths is None:
            from voicechat.server.rtc import RtcPaths  # nobody needs it before

            self._paths = RtcPaths(self._write)
        self._close(connection)
        return self._paths.open(connection, offer)

    def _forget(self, number: int) -> None:
        del self._connections[number]
        if not self._connections:
            self._counting.stop()
            self.count_dropped()

    def _count(self) -> None:
        """While somebody is here, what does not get to us is counted, too."""
        self._counting.start(COUNT_EVERY)
        self.count_dropped()

    def count_dropped(self) -> None:
        """Count what the kernel has dropped since the last time."""
        if self.transport is None:
            return
        before, self._dropped = self._dropped, udp.dropped(self.transport)
        if self._dropped != before:
            self._by_kernel.value += self._dropped - before & 0xFFFFFFFF

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:
        """Anything that came from anybody."""
        try:
            header = parse_header(datagram)
            connection = self._connections.get(header.connection)
            if connection is not None:
                connection.datagram_received(header, datagram, addr)
                return
        except WireError:
            if self._paths is not None and self._of_path(self._paths, datagram, addr):
                return
        except Exception:  # noqa: BLE001  told in the log; a datagram is as good as lost
            self._events.failure("a fault in a datagram", self._clock.seconds())
            return
        self._not_opened.value += 1

    def _of_path(self, paths: "RtcPaths", datagram: bytes, address: Address) -> bool:
        """Whether a datagram that is none of ours is a browser's."""
        try:
            paths.received(datagram, address)
        except WireError:
            return False
        except Exception:  # noqa: BLE001  as above
            self._events.failure("a fault in a browser's datagram", self._clock.seconds())
        return True

    def _write(self, datagram: bytes, address: Address) -> None:
        try:
            self._send(datagram, address)
        except OSError:
            self._not_sent.value += 1
