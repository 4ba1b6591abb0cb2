"""Fakes worth shipping: each implements an interface of voicechat and is checked against it.

MemoryCodec     frames as single values, so that a test reads a mix as arithmetic
VoiceTransport  a TCP connection in memory
LossyLink       a line that delays, loses, reorders, repeats and stalls, by a seed

Deterministic; no libopus, no sound device, no clock. May import everything below the
server and the client; nothing that ships imports this module.
"""

import heapq
import math
import random
import struct
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec
import numpy as np
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IReactorTime, ITCPTransport
from twisted.internet.testing import StringTransport
from zope.interface import implementer

from voicechat.errors import WireError
from voicechat.format import Frame
from voicechat.interfaces import IDecoder, IDescribedCodec, IEncoder

T = TypeVar("T")

_MEMORY_TAG: Final = b"HC"
_MEMORY_PAYLOAD: Final = struct.Struct("<2sf")
"""A MemoryCodec payload: the tag, then the frame's value as a little-endian float32."""


def _value_of(payload: bytes) -> float:
    """The value that a MemoryCodec payload carries; WireError unless it is one."""
    if len(payload) != _MEMORY_PAYLOAD.size:
        raise WireError(f"a memory payload has {_MEMORY_PAYLOAD.size} bytes, not {len(payload)}")
    tag, value = _MEMORY_PAYLOAD.unpack(payload)
    if tag != _MEMORY_TAG or not -1.0 <= value <= 1.0:
        raise WireError(f"not a memory payload: {payload.hex()}")
    return float(value)


@implementer(IEncoder)
class MemoryEncoder:
    """Codes a frame as its mean, in six bytes."""

    def __init__(self, bitrate: int) -> None:
        self.bitrate = bitrate
        """bit/s asked for; changes nothing."""
        self.frames = 0
        """Frames coded so far."""

    def encode(self, frame: Frame) -> bytes:
        """Code the mean of ``frame``, clipped to -1..1; a frame with NaN in it counts as silence."""
        self.frames += 1
        mean = float(frame.mean(dtype=np.float64))
        return _MEMORY_PAYLOAD.pack(_MEMORY_TAG, 0.0 if math.isnan(mean) else max(-1.0, min(1.0, mean)))


@implementer(IDecoder)
class MemoryDecoder:
    """Decodes to frames of one value; conceals by the last value halved, and halved again."""

    def __init__(self) -> None:
        self.frames = 0
        """Frames decoded so far, without concealed ones."""
        self._value = self._kept = 0.0

    def decode(self, payload: bytes, out: Frame) -> None:
        """Fill ``out`` with the payload's value; WireError, and ``out`` silent, if it is none of MemoryEncoder's."""
        out.fill(0.0)
        self._value = _value_of(payload)
        self.frames += 1
        out.fill(self._value)

    def conceal(self, out: Frame) -> None:
        """Fill ``out`` with half of what it had before."""
        self._value /= 2
        out.fill(self._value)

    def keep(self) -> None:
        """Remember the value."""
        self._kept = self._value

    def restore(self) -> None:
        """Go back to the value that was kept."""
        self._value = self._kept


@implementer(IDescribedCodec)
class MemoryCodec:
    """A codec whose payload is one number: a constant frame comes back exactly, any other as its mean."""

    def encoder(self, bitrate: int) -> MemoryEncoder:
        """A fresh encoder; any bitrate."""
        return MemoryEncoder(bitrate)

    def decoder(self) -> MemoryDecoder:
        """A fresh decoder."""
        return MemoryDecoder()

    def described(self) -> dict[str, str]:
        """No library."""
        return {"version": "none", "enhancement": "off"}

    def check(self, payload: bytes) -> None:
        """WireError unless the payload is one of MemoryEncoder's."""
        _value_of(payload)


@implementer(ITCPTransport)
class VoiceTransport(StringTransport):
    """A TCP connection in memory: keeps what was written and remembers the options asked for.

    Nothing happens by itself: a test hands on what `take` gives, and tells the
    protocol that its connection is lost once `over` is true.
    """

    def __init__(self, host: str = "192.0.2.1") -> None:
        family = IPv6Address if ":" in host else IPv4Address
        super().__init__(peerAddress=family("TCP", host, 40_000), lenient=True)  # type: ignore[no-untyped-call]
        self.no_delay = self.keep_alive = False

    @property
    def over(self) -> bool:
        """Our side closed or aborted the connection."""
        return bool(self.disconnecting)

    @property
    def aborted(self) -> bool:
        """Our side did not wait for what was written."""
        return bool(self.disconnected)

    def take(self) -> bytes:
        """What was written since the last call."""
        data: bytes = self.io.getvalue()
        self.clear()  # type: ignore[no-untyped-call]
        return data

    def abortConnection(self) -> None:
        """End the connection; what was not taken yet is lost."""
        super().abortConnection()  # type: ignore[no-untyped-call]
        self.take()

    def block(self) -> None:
        """The other side stops reading: the registered producer is asked to pause."""
        if self.producer is not None:
            self.producer.pauseProducing()

    def unblock(self) -> None:
        """The other side reads again."""
        if self.producer is not None:
            self.producer.resumeProducing()

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Send each write at once, or do not."""
        self.no_delay = enabled

    def getTcpNoDelay(self) -> bool:
        """What was asked for."""
        return self.no_delay

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Probe a silent connection, or do not."""
        self.keep_alive = enabled

    def getTcpKeepAlive(self) -> bool:
        """What was asked for."""
        return self.keep_alive

    def loseWriteConnection(self) -> None:
        """Half-closing is not used by any protocol of ours."""
        raise NotImplementedError


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What a LossyLink does to packets. All times are in one unit of the caller's choice, seconds or ticks."""

    delay: float = 0.0
    """The way itself."""
    jitter: float = 0.0
    """Up to so much more, uniformly, for each packet by itself; above the distance of two, they overtake each other."""
    loss: float = 0.0
    """Share of packets lost, 0 to below 1."""
    burst: float | None = None
    """Mean length of a run of losses, at least 1 (Gilbert's two-state model); None: pure chance."""
    reorder: float = 0.0
    """Share of packets held back by ``reorder_by`` more, so that later ones come first."""
    reorder_by: float = 0.0
    duplicate: float = 0.0
    """Share of packets that come twice."""
    ordered: bool = False
    """As TCP has it: none is lost, none comes before an earlier one."""

    def __post_init__(self) -> None:
        if self.ordered and (self.loss or self.reorder or self.duplicate):
            raise ValueError("an ordered line loses, reorders and repeats nothing")
        times = (self.delay, self.jitter, self.reorder_by)
        if min(times) < 0 or not 0 <= self.loss < 1 or (self.burst is not None and self.burst < 1):
            raise ValueError("a line without meaning")


class LossyLink(Generic[T]):
    """One direction of a line between two places. The same seed and the same calls give each packet the same fate."""

    def __init__(self, seed: int, line: Line) -> None:
        self._random = random.Random(seed)
        self._line = line
        self._burst = 1 / (1 - line.loss) if line.burst is None else line.burst
        self._losing = False
        self._last = -math.inf
        self._stalls: list[tuple[float, float]] = []
        self._under_way: list[tuple[float, int, T]] = []
        self._carried = 0
        self.sent = 0
        """Packets sent into the link."""
        self.lost = 0
        """Packets that never arrive."""
        self.duplicated = 0
        """Packets that arrive twice."""

    def __len__(self) -> int:
        """Packets under way, as `send` and `receive` have it."""
        return len(self._under_way)

    def stall(self, start: float, length: float) -> None:
        """Between ``start`` and ``start + length`` nothing arrives; then all at once, in order. To be told in order."""
        self._stalls.append((start, start + length))

    def arrivals(self, now: float) -> list[float]:
        """The law of the link: when a packet sent at ``now`` arrives. None, one or two times, in order."""
        self.sent += 1
        if self._lose():
            self.lost += 1
            return []
        held = self._line.reorder_by if self._chance(self._line.reorder) else 0.0
        times = [self._arrival(now + held)]
        if self._chance(self._line.duplicate):
            self.duplicated += 1
            times.append(self._arrival(now + held))
        return sorted(times)

    def send(self, packet: T, now: float) -> None:
        """Send a packet at ``now``; `receive` gives it back."""
        for at in self.arrivals(now):
            self._carried += 1
            heapq.heappush(self._under_way, (at, self._carried, packet))

    def receive(self, now: float) -> list[tuple[float, T]]:
        """What has arrived by ``now`` and was not given yet, each with its time, in the order of arrival."""
        arrived: list[tuple[float, T]] = []
        while self._under_way and self._under_way[0][0] <= now:
            at, _, packet = heapq.heappop(self._under_way)
            arrived.append((at, packet))
        return arrived

    def carry(self, clock: IReactorTime, packet: T, receive: Callable[[T], object]) -> None:
        """Send a packet now, by ``clock``; it calls ``receive`` whenever the packet arrives. Times are seconds here."""
        now = clock.seconds()
        for at in self.arrivals(now):
            clock.callLater(at - now, receive, packet)

    def _chance(self, share: float) -> bool:
        return share > 0 and self._random.random() < share

    def _lose(self) -> bool:
        """Go on in the state of before or change it, so that ``loss`` of all are lost, ``burst`` in a row."""
        loss = self._line.loss
        if not loss:
            return False
        change = 1 / self._burst if self._losing else min(1.0, loss / (1 - loss) / self._burst)
        if self._random.random() < change:
            self._losing = not self._losing
        return self._losing

    def _arrival(self, now: float) -> float:
        at = now + self._line.delay + self._random.random() * self._line.jitter
        if self._line.ordered:
            at = self._last = max(at, self._last)
        for start, end in self._stalls:
            if start <= at < end:
                at = end
        return at
