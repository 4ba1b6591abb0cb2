"""Lines between a server and its players in virtual time: TCP that stalls and comes back, UDP that loses.

What lives here: ``Way``, one direction of a line; ``Stream``, one TCP connection over
two of them; ``Quality``, what a line is like. Times are seconds of the world's clock.

TCP is modelled as far as a call notices it: bytes arrive in order; a segment that is
lost is sent again after RTO, and after twice that, and so on (RFC 6298); a sender whose
bytes were not taken for USER_TIMEOUT ends the connection, as ours asks its kernel to
(`carriage.tcp`); and one with more than UNSENT bytes on the way is told to pause.
"""

import heapq
import random
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec
from twisted.internet import error
from twisted.python.failure import Failure

from voicechat.testing import Line, LossyLink, VoiceTransport

RTO: Final = 0.2
"""Seconds until a lost segment is sent again: Linux' least."""

USER_TIMEOUT: Final = 10.0
UNSENT: Final = 1500
"""Bytes under way above which the sender is told to pause, roughly what TCP_NOTSENT_LOWAT and a packet make."""

QUEUE_SECONDS: Final = 0.3
"""What a slow line keeps waiting at most; routers at home keep more, and that is worse."""

HEADERS: Final = 28
"""Bytes of IPv4 and UDP."""


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of a line; seconds and shares."""

    delay: float = 0.01
    jitter: float = 0.0
    loss: float = 0.0
    reorder: float = 0.0
    duplicate: float = 0.0
    rate: float | None = None
    """Bits a second that pass; None for as many as come."""


class Actor(Protocol):
    """Whoever something is delivered to: what they do happens when they are awake."""

    def at(self, time: float, what: Callable[..., object], *arguments: object) -> None:
        """Have ``what`` called at ``time``, or when they wake up."""


class Way:
    """One direction: from somebody to ``receiver``. ``now`` tells the time, ``cut`` until when it is cut."""

    def __init__(
        self, quality: Quality, seed: int, receiver: Actor, now: Callable[[], float], cut: Callable[[], float]
    ) -> None:
        self._quality = quality
        self._random = random.Random(seed)
        self._receiver = receiver
        self._now, self._cut = now, cut
        line = Line(
            delay=quality.delay,
            jitter=quality.jitter,
            loss=quality.loss,
            reorder=quality.reorder,
            reorder_by=0.03,
            duplicate=quality.duplicate,
        )
        self._datagrams: LossyLink[bytes] = LossyLink(seed, line)
        self._busy_until = self._mended_at = 0.0
        self._last = 0.0

    @property
    def delay(self) -> float:
        """Seconds that the way takes at least."""
        return self._quality.delay

    def datagram(self, size: int, deliver: Callable[[], object]) -> None:
        """Send a datagram; it comes, comes twice or does not."""
        sent = self._through(size + HEADERS)
        if sent is None or self._now() < self._cut():
            return
        for at in self._datagrams.arrivals(sent):
            self._receiver.at(at, deliver)

    def segment(self, size: int, deliver: Callable[[], object]) -> bool:
        """Send a part of a stream; False if it will not arrive within USER_TIMEOUT."""
        sent = self._through(size + HEADERS) or self._now() + QUEUE_SECONDS
        at, again = max(sent, self._mended_at), RTO  # what follows a lost segment goes with it when it is sent again
        while at < self._cut() or self._random.random() < self._quality.loss:
            at, again = at + again, 2 * again
            if at - sent > USER_TIMEOUT:
                return False
        self._mended_at = at
        self._last = max(self._last, at + self._quality.delay + self._random.random() * self._quality.jitter)
        self._receiver.at(self._last, deliver)
        return True

    def _through(self, size: int) -> float | None:
        """When so many bytes have left; None if the queue before the line is full."""
        now = self._now()
        if self._quality.rate is None:
            return now
        start = max(now, self._busy_until)
        if start - now > QUEUE_SECONDS:
            return None
        self._busy_until = start + size * 8 / self._quality.rate
        return self._busy_until


class End(VoiceTransport):
    """One end of a Stream."""

    def __init__(self, stream: "Stream", owner: Actor, out: Way, host: str) -> None:
        super().__init__(host)
        self._stream = stream
        self._owner = owner
        self._out = out
        self._under_way: list[float] = []
        self._told_to_pause = False
        self.protocol: Any = None
        self.other: End
        self.lost = False

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self.lost or self.over:
            return
        heapq.heappush(self._under_way, len(data))
        if not self._out.segment(len(data), lambda: self._arrived(data)):
            self._owner.at(self._stream.now() + USER_TIMEOUT, self.end, error.TimeoutError())
        if sum(self._under_way) > UNSENT and not self._told_to_pause and self.producer is not None:
            self._told_to_pause = True
            self.producer.pauseProducing()

    def _arrived(self, data: bytes) -> None:
        """On the other side."""
        if not self.other.lost:
            self.other.protocol.dataReceived(data)
        self._owner.at(self._stream.now() + self._out.delay, self._taken, len(data))

    def _taken(self, size: int) -> None:
        self._under_way.remove(size)
        if self._told_to_pause and sum(self._under_way) <= UNSENT and not self.lost:
            self._told_to_pause = False
            if self.producer is not None:
                self.producer.resumeProducing()

    def loseConnection(self) -> None:
        """Close when everything was sent."""
        if not self.over:
            super().loseConnection()
            self._out.segment(0, lambda: self.other.end(error.ConnectionDone()))
            self._owner.at(self._stream.now() + 2 * self._out.delay, self.end, error.ConnectionDone())

    def abortConnection(self) -> None:
        """Close at once."""
        super().abortConnection()
        self._out.segment(0, lambda: self.other.end(error.ConnectionLost()))
        self._owner.at(self._stream.now(), self.end, error.ConnectionAborted())

    def end(self, reason: Exception) -> None:
        """The connection is over on this side."""
        if not self.lost:
            self.lost = True
            self.disconnecting = True
            self.protocol.connectionLost(Failure(reason))


class Stream:
    """One TCP connection between a client's protocol and a server's."""

    def __init__(self, now: Callable[[], float], client: Actor, server: Actor, up: Way, down: Way, host: str) -> None:
        self.now = now
        self.near = End(self, client, up, "192.0.2.10")
        self.far = End(self, server, down, host)
        self.near.other, self.far.other = self.far, self.near

    def reset(self) -> None:
        """Both ends are told that it is over, the client by the server's kernel."""
        self.far.lost = self.far.disconnecting = True
        self.far.loseConnection()
        self.near._owner.at(self.now() + self.far._out.delay, self.near.end, error.ConnectionLost())
