"""DeviceBeat: when the sound device will call next, told by when it called before. Pure: time is an argument.

A device takes a block each 10 ms on average, but sound systems have periods of their own, mostly powers of two: blocks
of 480 samples are then taken after 5 and after 11 ms, or two and three together every 21 ms. So each call is noted less
the time that as many blocks take, and the soonest of the last BEATS calls is the beat: no block is taken before it.

`called` runs on the device's thread and takes no lock. All else may be read on any thread: numbers, each written whole.
"""

from collections import deque
from typing import Final

from voicechat.format import BLOCK_SECONDS

BEATS: Final = 64
"""Calls by which the beat is told: periods of powers of two meet blocks in patterns of 64 at most, up to 2048 samples.
Others come as near as that."""

TOGETHER: Final = 0.002
"""Seconds within which a device takes blocks together: its period is longer than a block, and gives time for many."""

MOST_TOGETHER: Final = 8
"""Blocks kept ready for a device that takes several together: a period of 80 ms."""

STALLED: Final = 0.1
"""Seconds without a call after which the device is taken to stand still, and nothing is prepared for it."""


class DeviceBeat:
    """The beat of whichever device calls now; a new one's is learnt within BEATS calls. Times are in seconds."""

    def __init__(self) -> None:
        self.called_at = 0.0
        """When it called last."""
        self.together = 1
        """Blocks that it has taken together lately, at most MOST_TOGETHER: as many are to be ready."""
        self._calls = 0
        self._beats = deque((0.0,), maxlen=BEATS)
        """When it called, less the time that as many blocks take."""
        self._soonest = 0.0
        """Of those."""
        self._run = 1
        """Blocks that it has just taken together."""
        self._longest = 1
        """Of the present BEATS calls."""

    def called(self, now: float) -> bool:
        """The device takes a block; True after a stall. Called on the DEVICE's thread."""
        since = now - self.called_at
        stalled = self._calls > 0 and since > STALLED
        number = self._calls + 1
        beat = now - number * BLOCK_SECONDS
        beats = self._beats
        if beat - self._soonest > (self.together + 1) * BLOCK_SECONDS:  # later than its period explains
            self._beats = deque((beat,), maxlen=BEATS)
            self._soonest = beat
        else:
            leaves = beats[0]
            beats.append(beat)
            if beat <= self._soonest:
                self._soonest = beat
            elif leaves <= self._soonest or number % BEATS == 0:  # that often, too, should two threads have met here
                self._soonest = min(beats)
        self._calls = number
        self._run = self._run + 1 if since < TOGETHER else 1
        self._longest = min(max(self._longest, self._run), MOST_TOGETHER)
        self.together = max(self.together, self._longest)
        if number % BEATS == 0:
            self.together, self._longest = self._longest, 1
        self.called_at = now
        return stalled

    def needed_at(self, ready: int) -> float:
        """The soonest that the device takes the block that comes after ``ready`` others."""
        return self._soonest + (self._calls + 1 + ready) * BLOCK_SECONDS

    def stalled(self, now: float) -> bool:
        """The device stands still."""
        return now - self.called_at > STALLED

    @property
    def in_a_row(self) -> bool:
        """The last call came right after the one before: there is no time between two blocks."""
        return self._run > 1
