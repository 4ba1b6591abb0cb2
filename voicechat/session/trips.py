"""Trips: how long the last round trips took, and so how uneven the line is.

A line that stands still delays all that is on its way, which then comes together.
That is one event: only the first of such a burst counts.

Pure: times are seconds, given as arguments.
"""

from collections import deque
from typing import Final

KEPT: Final = 16
"""Round trips remembered: what two seconds of probes bring. One frame in sixteen is later than the latest of them,
until frames themselves are counted."""

TOGETHER: Final = 0.05
"""Seconds; answers that come sooner after one another come together: half of what lies between two probes."""

KNOWN: Final = KEPT - 1
"""Latenesses by which a line is known: all that are kept, but the longest."""


class Trips:
    """The last round trips of one line."""

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=KEPT)
        self._came_at: float | None = None

    def note(self, took: float, now: float) -> None:
        """An answer came ``now``, to a probe sent ``took`` seconds ago."""
        if self._came_at is None or now - self._came_at >= TOGETHER:
            self._took.append(took)
        self._came_at = now

    def lateness(self) -> list[float]:
        """Seconds by which each was longer than the shortest; without the longest, which a program's hiccup made."""
        took = sorted(self._took)
        return [trip - took[0] for trip in took[:-1]]
