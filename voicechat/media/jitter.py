"""The jitter buffer: slots by tick. It is pulled, and a hole is an answer.

It never waits for a missing frame: `pull` gives what is there for the next tick
and moves on. How late that happens is decided elsewhere (playout, stream).
"""

import enum
from typing import Final

import msgspec

CAPACITY: Final = 64
"""Frames: 1.28 s, well above the deepest playout delay (280 ms); a power of two keeps the slot arithmetic exact."""


class Arrival(enum.Enum):
    """What a frame met when it arrived."""

    ON_TIME = "on time"
    LATE = "late"
    DUPLICATE = "duplicate"
    OVERFLOW = "overflow"


class Slot(msgspec.Struct, frozen=True, gc=False):
    """A payload in the buffer; ``recovered`` if only redundancy brought it."""

    payload: bytes
    recovered: bool


class JitterBuffer:
    """At most ``capacity`` payloads, by unwrapped tick, from ``next`` on."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        if capacity < 1 or capacity & (capacity - 1):
            raise ValueError("capacity must be a power of two")
        self._capacity = capacity
        self._slots: dict[int, Slot] = {}
        self.next = 0

    def __len__(self) -> int:
        return len(self._slots)

    def reset(self, next_tick: int) -> None:
        """Forget everything; the next pull is for ``next_tick``."""
        self._slots.clear()
        self.next = next_tick

    def begin_earlier(self, tick: int) -> None:
        """Before anything was pulled: start at ``tick`` instead, which came in the wrong order.

        Not if what is held already would then lie beyond the capacity.
        """
        newest = self.newest()
        last = self.next if newest is None else newest
        if last - self._capacity < tick < self.next:
            self.next = tick

    def put(self, tick: int, payload: bytes, recovered: bool = False) -> Arrival:
        """Store a payload. What is there already stays."""
        if tick < self.next:
            return Arrival.LATE
        if tick >= self.next + self._capacity:
            return Arrival.OVERFLOW
        if tick in self._slots:
            return Arrival.DUPLICATE
        self._slots[tick] = Slot(payload, recovered)
        return Arrival.ON_TIME

    def holds(self, tick: int) -> bool:
        """Whether the frame of ``tick`` is here."""
        return tick in self._slots

    def peek(self) -> Slot | None:
        """What the next pull would give."""
        return self._slots.get(self.next)

    def pull(self) -> Slot | None:
        """The slot of the next tick, or None if it is missing; time goes on by one tick either way."""
        slot = self._slots.pop(self.next, None)
        self.next += 1
        return slot

    def newest(self) -> int | None:
        """The highest tick held."""
        return max(self._slots, default=None)
