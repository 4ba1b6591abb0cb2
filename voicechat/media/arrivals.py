"""Arrivals: which frames of one source have come, and how they came.

A frame may come twice, first as redundancy and then itself, or long after its talk
spurt was over. The frames that begin a spurt come as a burst. The stream asks here before
it takes a frame.

Pure: unwrapped ticks, no clock. May import ``seen`` and ``jitter``.
"""

import math
from collections import deque
from typing import Final

from voicechat.format import TICKS_PER_SECOND
from voicechat.media.jitter import CAPACITY
from voicechat.media.seen import Seen
from voicechat.media.tuning import TUNING, StreamTuning

RESET_AFTER: Final = 60 * TICKS_PER_SECOND
"""Ticks of silence after which nothing learnt of the way is trusted: devices and routes change meanwhile."""


class Arrivals:
    """What has come of one source. Times are ticks of the local clock, with fractions."""

    def __init__(self, tuning: StreamTuning = TUNING.stream) -> None:
        self._burst = tuning.warm_with + 1
        """Ticks from a marker on in which frames may come as a burst, the pre-roll or a talker's last packets."""
        self.last = -math.inf
        """When anything came last."""
        self.played_to: int | None = None
        """The tick up to which the spurt was played that ended last."""
        self.marker = -CAPACITY
        """The tick that began the present spurt."""
        self._seen = Seen()
        self._copies: deque[int] = deque(maxlen=CAPACITY)
        """Ticks that redundancy brought, and no packet of their own."""

    @property
    def newest(self) -> int:
        """The newest tick that has come."""
        return self._seen.newest

    def stale(self, now: float) -> bool:
        """Whether nothing has come for so long that what was learnt is no longer trusted."""
        return now - self.last > RESET_AFTER

    def forget(self) -> None:
        """Nothing has come."""
        self._seen.forget()
        self.played_to = None

    def first_time(self, tick: int, *, recovered: bool) -> bool:
        """Note a frame, which came as redundancy if ``recovered``; True if it comes for the first time."""
        first = self._seen.first_time(tick)
        if first and recovered:
            self._copies.append(tick)
        return first

    def follows_copy(self, tick: int) -> bool:
        """Whether a frame that has come itself is the first to do so, after its redundancy; to be asked once."""
        if tick not in self._copies:
            return False
        self._copies.remove(tick)
        return True

    def in_burst(self, tick: int) -> bool:
        """Whether a frame may be one of those that begin a spurt, all sent at once."""
        return 0 <= tick - self.marker < self._burst

    def straggles(self, tick: int, next_tick: int, *, marker: bool) -> bool:
        """Whether a frame that comes while nothing is said belongs to what is over.

        ``next_tick`` is the one that would be played next. A marker begins a spurt even before
        that, as long as it is newer than what was played.
        """
        over = self.played_to if marker else next_tick
        return over is not None and over - CAPACITY < tick < over
