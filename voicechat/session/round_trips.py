"""Round trips: how long the last ones took, and so how uneven the connection is.

A connection that stands still delays all that is under way, which then comes together.
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

STANDSTILL: Final = 2.0
"""A round trip of so many seconds says nothing of the connection: a program was stopped, a computer slept, a cable
was out. Nobody could talk over a connection that takes so long."""

SUDDEN: Final = 0.5
"""Seconds of a round trip that is believed only when the next one agrees, if it is far longer than the last ones."""

KNOWN: Final = KEPT - 1
"""Latenesses by which a connection is known: all that are kept, but the longest."""


class RoundTrips:
    """The last round trips of one line."""

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=KEPT)
        self._came_at: float | None = None

    def note(self, took: float, now: float) -> bool:
        """An answer came ``now``, to a probe sent ``took`` seconds ago; whether that tells something of the line."""
        alone = self._came_at is None or now - self._came_at >= TOGETHER
        self._came_at = now
        if not alone or took > STANDSTILL:
            return False
        self._took.append(took)
        return True

    def lateness(self) -> list[float]:
        """Seconds by which each was longer than the shortest; without the longest, which a program's hiccup made."""
        took = sorted(self._took)
        return [trip - took[0] for trip in took[:-1]]


class Usual:
    """Tells a standstill from a connection that has become slow: the one makes one long trip, the other makes many."""

    def __init__(self) -> None:
        self._last = 0.0
        self._doubted = False

    def believes(self, took: float) -> bool:
        """Whether a round trip is the connection's own."""
        if not self._doubted and took > max(SUDDEN, 2 * self._last):
            self._doubted = True
            return False
        self._doubted = False
        self._last = took
        return True
