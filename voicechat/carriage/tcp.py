"""Strings over TCP: framing, back-pressure and the socket's options, and nothing else.

The kernel alone would hide minutes of voice in its send buffer: a peer that
stopped reading took 590 s before back-pressure was felt. TCP_NOTSENT_LOWAT and a
small transport buffer bring that to 1.5 s, the outbox to 0.1 s beyond (measured).
"""

import socket
from contextlib import suppress
from typing import Any, Final, cast

from twisted.internet.interfaces import IPushProducer, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from voicechat.carriage.connection import Connection

_NOTSENT_BYTES: Final = 512
"""Unsent bytes in the kernel from which the connection counts as full: 1.5 s of stale voice, not 20 (measured)."""

_BUFFERED_BYTES: Final = 1024
"""Bytes in Twisted's own buffer from which it tells us to pause: a quarter of a second of one talker."""

_USER_TIMEOUT_MS: Final = 10_000
"""Unacknowledged for so long, the kernel gives the connection up: as long as `heartbeat.ANSWER_WITHIN`, also for a cut
cable (measured 10.0 s)."""

_CONGESTION: Final = b"reno"
"""Congestion control, where it can be chosen. BBR sends next to nothing for 0.2 s whenever ten seconds brought no
faster round trip (PROBE_RTT), so on a jittery connection every ten; all Linux systems have Reno."""


@implementer(IPushProducer)
class StringProtocol(Int32StringReceiver):
    """One TCP connection of a `Connection`, at either end."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.overhead = self.prefixLength

    @property
    def MAX_LENGTH(self) -> int:  # type: ignore[override]
        """Bytes of a string: Twisted asks before it reads one."""
        return self.connection.longest

    # -- Twisted calls these ------------------------------------------------------

    def connectionMade(self) -> None:
        """The connection stands."""
        _tune(self.transport)
        cast(Any, self.transport).registerProducer(self, True)
        self.connection.connected(self)

    def dataReceived(self, data: bytes) -> None:
        """Count, and cut strings out of the stream."""
        self.connection.received(len(data))
        super().dataReceived(data)

    def stringReceived(self, string: bytes) -> None:
        """A whole string came."""
        self.connection.string_received(string)

    def lengthLimitExceeded(self, length: int) -> None:
        """A string announces itself that is too long; not a byte of it is read."""
        self.connection.too_long(length)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is over, whoever ended it."""
        self.connection.disconnected()

    def pauseProducing(self) -> None:
        """The transport takes no more for now."""
        self.connection.paused(True)

    def resumeProducing(self) -> None:
        """It takes all again."""
        self.connection.paused(False)

    def stopProducing(self) -> None:
        """It is gone; connectionLost follows."""
        self.connection.paused(True)

    @property
    def host(self) -> str | None:
        """The other side's address."""
        return getattr(cast(Any, self.transport).getPeer(), "host", None)

    # -- the connection calls these -------------------------------------------------

    def send_string(self, string: bytes) -> None:
        """Send a string."""
        self.sendString(string)

    def reading(self, on: bool) -> None:
        """Read no more for now, or go on."""
        transport = cast(Any, self.transport)
        (transport.resumeProducing if on else transport.pauseProducing)()

    def close(self) -> None:
        """Close when everything has left."""
        transport = cast(Any, self.transport)
        transport.unregisterProducer()
        transport.loseConnection()

    def abort(self) -> None:
        """End now; loseConnection never would on a peer that does not read."""
        cast(Any, self.transport).abortConnection()


def _tune(transport: object) -> None:
    """Low delay and early back-pressure, where the platform has them; of the socket itself, whatever wraps it."""
    while (wrapped := getattr(transport, "transport", None)) is not None:  # as TLS does, or the PROXY protocol
        transport = wrapped
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
