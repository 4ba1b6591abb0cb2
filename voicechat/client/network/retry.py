"""When to try again. Pure, but for the dice, which are an argument.

Before the first login a wrong address should be told soon: three tries, five
seconds. After it the evening goes on: at first quickly, since a restarted server or
a changed cable is back within seconds, then ever more slowly, always with full
jitter, so that a hundred clients do not come back in one moment.
"""

from collections.abc import Callable
from typing import Final

FIRST_TRIES: Final = 3
FIRST_SECONDS: Final = 5.0

QUICK: Final = (0.1, 1.5)
"""Seconds between tries while the connection has been gone for QUICK_FOR or less."""

QUICK_FOR: Final = 60.0

SLOWEST: Final = 30.0
"""Seconds between tries at most: what a waiting friend still calls 'by itself'."""

SOONEST: Final = 0.5
"""Seconds from one try to the next, however often somebody asks for it: a key that is held repeats."""

LONGEST_WAIT: Final = 255.0
"""Seconds that a server may have us wait: as many as a REFUSE can say."""

Uniform = Callable[[float, float], float]


class Retry:
    """Delays between tries. ``uniform`` is random.uniform or a test's stand-in; times are monotonic seconds."""

    def __init__(self, uniform: Uniform, now: float) -> None:
        self._uniform = uniform
        self._since = now
        self._tries = 0
        self._slowest = QUICK[1]
        self.entered = False
        """Logged in at least once."""

    @property
    def tries(self) -> int:
        """Which try the next one is, since the connection was lost."""
        return self._tries

    def success(self) -> None:
        """Logged in."""
        self.entered = True
        self._tries = 0
        self._slowest = QUICK[1]

    def broke(self, now: float) -> None:
        """A connection that was logged in has ended."""
        self._since = now

    def delay(self, now: float) -> float | None:
        """Seconds until the next try after one that failed; None to give up."""
        self._tries += 1
        gone = now - self._since
        if not self.entered:
            if self._tries >= FIRST_TRIES or gone >= FIRST_SECONDS:
                return None
            return self._uniform(0.5, 1.0)
        if gone <= QUICK_FOR:
            return self._uniform(*QUICK)
        self._slowest = min(SLOWEST, self._slowest * 2)
        return self._uniform(QUICK[0], self._slowest)
