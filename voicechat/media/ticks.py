"""How many ticks are due: the beat of a mixing server, without a clock of its own.

Tick n is due n * 20 ms after the clock's zero, so that every room and every
restart of the beat share one count. Floats are compared with a little slack,
because 0.02 is not exact in binary and ``LoopingCall.withCount`` loses 2 of 500
ticks to that (measured).
"""

from typing import Final

from voicechat.format import TICK_SECONDS

MOST_AT_ONCE: Final = 3
"""Ticks made up for after a late call; more are skipped, so that a stall never becomes a delay."""


class TickSchedule:
    """Hands out ticks of 20 ms, each once. ``now`` is in monotonic seconds."""

    def __init__(self) -> None:
        self._done = 0
        self.skipped = 0
        """Ticks never run because they were too late."""

    def resume(self, now: float) -> None:
        """Begin, or begin again: what lay between is not owed."""
        self._done = _reached(now)

    @property
    def next_at(self) -> float:
        """Seconds of the clock at which the next tick is due."""
        return (self._done + 1) * TICK_SECONDS

    def due(self, now: float) -> range:
        """The ticks to run now: the latest, at most MOST_AT_ONCE."""
        reached = _reached(now)
        first = max(self._done + 1, reached - MOST_AT_ONCE + 1)
        if reached <= self._done:
            return range(0)
        self.skipped += first - self._done - 1
        self._done = reached
        return range(first, reached + 1)


def _reached(now: float) -> int:
    return int(now / TICK_SECONDS + 1e-6)
