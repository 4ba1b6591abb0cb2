"""One TCP connection as both ends use it: strings in, sealed packets out, heartbeats.

Sealed strings must leave in the order of their counter, so sealing happens when
a packet is written and never before. While the line is free, that is at once; a
line that does not take more (back-pressure) leaves packets in the outbox, where
media grows old and is dropped and control is bounded.

The kernel alone would hide minutes of voice in its send buffer: a peer that
stopped reading took 590 s before back-pressure was felt. TCP_NOTSENT_LOWAT and a
small transport buffer bring that to 1.5 s, the outbox to 0.1 s beyond (measured).
"""

import socket
from contextlib import ExitStack, suppress
from typing import Any, Final, cast

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from voicechat.carriage.datagrams import Link
from voicechat.errors import WireError
from voicechat.session.base import Session
from voicechat.session.outbox import Outbox, OutboxFull, subject
from voicechat.session.path import MEASURE_EVERY
from voicechat.session.trips import KEPT, SUDDEN, Trips, Usual
from voicechat.wire import control, handshake
from voicechat.wire.messages import Bye, Message, Ping, Pong

PING_EVERY: Final = 8.0
"""Seconds between two pings from each side: a silent room stays under 50 bytes a second (measured)."""

ANSWER_WITHIN: Final = 10.0
"""Seconds that a peer may owe an answer; then it is dead or frozen."""

LINGER: Final = 1.0
"""Seconds that last words may take to leave before the connection is aborted."""

_NOTSENT_BYTES: Final = 512
"""Unsent bytes in the kernel from which the line counts as full: 1.5 s of stale voice instead of 20 (measured)."""

_BUFFERED_BYTES: Final = 1024
"""Bytes in Twisted's own buffer from which it tells us to pause: a quarter of a second of one talker."""

_USER_TIMEOUT_MS: Final = 10_000
"""Unacknowledged for so long, the kernel gives the line up: ANSWER_WITHIN, also for a cut cable (measured 10.0 s)."""

_CONGESTION: Final = b"reno"
"""Congestion control, where it can be chosen. BBR sends next to nothing for 0.2 s whenever ten seconds brought no
faster round trip (PROBE_RTT), so on a jittery line every ten; all Linux systems have Reno."""


@implementer(IPushProducer)
class Connection(Int32StringReceiver):
    """Base of both protocols. Subclasses answer `string_came` and `line_broke`.

    ``session`` is set by the subclass before `connectionMade`.
    """

    MAX_LENGTH = handshake.MAX_CLEAR
    session: Session

    def __init__(self, clock: IReactorTime) -> None:
        self.clock = clock
        self.outbox = Outbox()
        self.link: Link | None = None
        """The datagrams beside this connection, if there are any."""
        self.round_trip: float | None = None
        """Seconds, smoothed over the last pings."""
        self.trips = Trips()
        """Of pings."""
        self._usual = Usual()
        self._to_measure = 0
        self.packets_in = self.packets_out = self.bytes_in = self.bytes_out = 0
        self._paused = False
        self._connected = False
        self._ping_call: IDelayedCall | None = None
        self._owed_call: IDelayedCall | None = None
        self._abort_call: IDelayedCall | None = None
        self._ping_sent: tuple[int, float] | None = None
        self._pings = 0

    # -- Twisted calls these ------------------------------------------------------

    def connectionMade(self) -> None:
        """The connection stands."""
        self._connected = True
        _tune(self.transport)
        transport = cast(Any, self.transport)
        transport.registerProducer(self, True)
        self.line_stands()

    def dataReceived(self, data: bytes) -> None:
        """Count, and cut strings out of the stream."""
        self.bytes_in += len(data)
        super().dataReceived(data)

    def stringReceived(self, string: bytes) -> None:
        """A whole string came; what is still buffered after the end is not listened to."""
        if not self._connected:
            return
        self.packets_in += 1
        self.string_came(string)

    def lengthLimitExceeded(self, length: int) -> None:
        """A string announces itself that is too long; not a byte of it is read."""
        self.went_wrong(WireError("a string too long"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is over, whoever ended it."""
        self._connected = False
        with ExitStack() as rest:  # all of it, even if something of it fails
            rest.callback(self.line_broke)
            rest.callback(self.session.close)
            if self.link is not None:
                rest.callback(self.link.stop)
            for call in (self._ping_call, self._owed_call, self._abort_call):
                if call is not None and call.active():
                    call.cancel()

    def pauseProducing(self) -> None:
        """The line takes no more for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """The line is free again."""
        self._paused = False
        self._flush()

    def stopProducing(self) -> None:
        """The line is gone; connectionLost follows."""
        self._paused = True

    # -- subclasses answer --------------------------------------------------------

    def line_stands(self) -> None:
        """The connection was made."""

    def string_came(self, string: bytes) -> None:
        """A string came."""
        raise NotImplementedError

    def went_wrong(self, error: Exception) -> None:
        """The other side broke the protocol."""
        raise NotImplementedError

    def line_broke(self) -> None:
        """The connection is over."""

    # -- sending ------------------------------------------------------------------

    @property
    def redundancy(self) -> int:
        """Offset in ticks of the earlier frame that packets should carry again; 0 for none. TCP loses nothing."""
        return self.link.policy.offset if self.link is not None and self.link.up else 0

    @property
    def stands(self) -> bool:
        """The connection is up and not being closed."""
        return self._connected

    def send_clear(self, string: bytes) -> None:
        """A string of the handshake."""
        self._write(string)

    def send(self, message: Message) -> None:
        """A control message; never dropped while it is true, but a peer that takes none is cut."""
        if not self._connected:
            return
        try:
            self.outbox.put_control(control.encode(message), subject(message))
        except OutboxFull:
            self.abort()
            return
        self._flush()

    def send_media(self, packet: bytes, *, twice: bool = False) -> None:
        """A plaintext media packet: at once, or soon, or never. ``twice``: again, where packets get lost."""
        if not self._connected:
            return
        if self.link is not None and self.link.up:
            for _ in range(1 + twice):
                self.link.send_media(packet)
        elif self._paused:
            self.outbox.put_media(packet, self.clock.seconds())
        else:
            self._write(self.session.seal(packet))

    def _flush(self) -> None:
        while self._connected and not self._paused:
            packet = self.outbox.take(self.clock.seconds())
            if packet is None:
                return
            self._write(self.session.seal(packet))

    def _write(self, string: bytes) -> None:
        self.packets_out += 1
        self.bytes_out += len(string) + self.prefixLength
        self.sendString(string)

    # -- ending -------------------------------------------------------------------

    def farewell(self, message: Bye) -> None:
        """Say goodbye and close."""
        self.send(message)
        self.close()

    def close(self) -> None:
        """Close after what was written; abort when that takes too long."""
        if not self._connected:
            return
        self._connected = False
        self.session.close()
        transport = cast(Any, self.transport)
        transport.unregisterProducer()
        transport.loseConnection()
        self._abort_call = self.clock.callLater(LINGER, self._abort_transport)

    def abort(self) -> None:
        """End the connection now; loseConnection never would on a peer that does not read."""
        self._connected = False
        self.session.close()
        self._abort_transport()

    def _abort_transport(self) -> None:
        cast(Any, self.transport).abortConnection()

    # -- heartbeats ---------------------------------------------------------------

    def start_heartbeat(self) -> None:
        """Ping from now on; called when the handshake is done."""
        self.MAX_LENGTH = handshake.MAX_WELCOME
        self._ping_call = self.clock.callLater(PING_EVERY, self._ping)

    def ping_now(self) -> None:
        """Ask at once, for a first round trip time."""
        self._ping_in(0.0)

    def _ping_in(self, seconds: float) -> None:
        if self._ping_call is not None and self._ping_call.active():
            self._ping_call.reset(seconds)

    def measure(self) -> None:
        """Learn how uneven the line is, while media goes over TCP: a ping as soon as the last one is answered."""
        self._to_measure = KEPT
        self.ping_now()

    def _ping(self) -> None:
        self._pings += 1
        self._ping_sent = (self._pings, self.clock.seconds())
        self._ping_call = self.clock.callLater(PING_EVERY, self._ping)
        if self._owed_call is None or not self._owed_call.active():
            self._owed_call = self.clock.callLater(ANSWER_WITHIN, self.owed_too_long)
        self.send(Ping(self._pings))

    def answer(self, ping: Ping) -> None:
        """A ping came."""
        self.send(Pong(ping.id))

    def answered(self, pong: Pong) -> None:
        """An answer came; any but the last ping's is too old to measure by."""
        if self._ping_sent is None or pong.id != self._ping_sent[0]:
            return
        now = self.clock.seconds()
        took = now - self._ping_sent[1]
        self._ping_sent = None
        if self.trips.note(took, now) and self._usual.believes(took):
            self.round_trip = took if self.round_trip is None else self.round_trip + (took - self.round_trip) / 4
        elif took > SUDDEN:
            self.ping_now()  # a standstill, which is forgotten, or a line that has become slow, which is believed then
        if self._owed_call is not None and self._owed_call.active():
            self._owed_call.cancel()
        if self._to_measure and (self.link is None or not self.link.up):
            self._to_measure -= 1
            self._ping_in(max(0.0, MEASURE_EVERY - took))

    def owed_too_long(self) -> None:
        """No answer for ANSWER_WITHIN seconds: dead or frozen."""
        self.abort()


def _tune(transport: object) -> None:
    """Low delay and early back-pressure, where the platform has them."""
    tcp = ITCPTransport(transport, None)
    if tcp is not None:
        tcp.setTcpNoDelay(True)
        tcp.setTcpKeepAlive(True)
    cast(Any, transport).bufferSize = _BUFFERED_BYTES
    handle = getattr(transport, "getHandle", None)
    if handle is None:
        return
    sock = handle()
    options: dict[str, int | bytes] = {
        "TCP_NOTSENT_LOWAT": _NOTSENT_BYTES,
        "TCP_USER_TIMEOUT": _USER_TIMEOUT_MS,
        "TCP_CONGESTION": _CONGESTION,
    }
    for name, value in options.items():
        with suppress(OSError, AttributeError):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
