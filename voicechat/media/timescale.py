"""Changes of the time scale: when a stream that is too late or too early gains or loses a frame, and how.

Pace   how far a stream's delay is off its target, and which correction is due
merge  two frames become one

May import numpy, the sound format, the gate's figures and ``levels``. Pure: times are ticks, given as arguments.
"""

from typing import Final

from voicechat.format import BLOCK_SAMPLES, Frame
from voicechat.media.gate import PRE_ROLL_FRAMES
from voicechat.media.levels import crossfade
from voicechat.media.tuning import TUNING, Tuning

STARTING: Final = 2 * PRE_ROLL_FRAMES
"""Frames at the beginning of a spurt in which merging is not held back: the pre-roll is gone within 100 ms."""

QUIET: Final = 10 ** (-55 / 10)
"""Mean square below which a frame is a pause in any room: -55 dBFS."""

MERGE_SAMPLES: Final = BLOCK_SAMPLES // 2
"""Samples of the crossfade within a merge: 5 ms, about one period of a deep voice."""

EXCESS_WEIGHT: Final = 1 / 8
"""Weight of the newest frame in the excess delay: a time constant of 8 frames, 160 ms."""

_MERGE_STEP: Final = BLOCK_SAMPLES // 10


class Pace:
    """How many ticks one stream is behind (above 0) or ahead of its target, and what may be done about it."""

    def __init__(self, tuning: Tuning = TUNING) -> None:
        self._accelerate_above = tuning.stream.accelerate_above
        self._expand_below = tuning.stream.expand_below
        self._deepest = tuning.playout.deepest
        self._merge_every = tuning.stream.merge_every
        self.excess = 0.0
        """Excess delay: ticks above target, smoothed; below 0 the frames are played too early."""
        self.level = 0.0
        self._since_merge = 0
        self._starting = 0

    def start(self, late: float) -> None:
        """A spurt begins, ``late`` ticks after its time."""
        self.excess = late
        self.level = 0.0
        self._since_merge = self._merge_every
        self._starting = STARTING

    def follow(self, late: float) -> None:
        """The next frame is ``late`` ticks behind its time."""
        # while the pre-roll is merged away the delay changes by whole ticks; later it only drifts and jitters
        self.excess = late if self._starting else self.excess + (late - self.excess) * EXCESS_WEIGHT
        self._starting = max(0, self._starting - 1)

    def played(self, level: float) -> None:
        """A frame of this mean square was played."""
        self.level = level
        self._since_merge += 1

    def taken_out(self) -> None:
        """One frame fewer: a tick less of delay."""
        self.excess -= 1

    def put_in(self) -> None:
        """One frame more: a tick more of delay."""
        self.excess += 1

    def merged(self) -> None:
        """Two frames were heard as one: a tick less of delay."""
        self._since_merge = 0
        self.taken_out()

    @property
    def quiet(self) -> bool:
        """What was played last is a pause, where nobody hears a frame more or less."""
        return self.level < QUIET

    @property
    def too_deep(self) -> bool:
        """A frame has to go."""
        return self.excess >= self._accelerate_above

    @property
    def too_shallow(self) -> bool:
        """A frame may be put in here."""
        return -self._deepest < self.excess <= self._expand_below and self.quiet

    @property
    def may_merge(self) -> bool:
        """The last merge is long enough ago, or the spurt just begins."""
        return bool(self._starting) or self._since_merge > self._merge_every


def merge(first: Frame, second: Frame, out: Frame) -> None:
    """Begin as ``first``, end as ``second``, and change over (5 ms) where the two are most alike.

    ``out`` may be neither of the others.
    """
    best, where = -2.0, 0
    for start in range(0, first.size - MERGE_SAMPLES + 1, _MERGE_STEP):
        a, b = first[start : start + MERGE_SAMPLES], second[start : start + MERGE_SAMPLES]
        likeness = float(a @ b) / (float(a @ a) * float(b @ b) + 1e-12) ** 0.5
        if likeness > best:
            best, where = likeness, start
    stop = where + MERGE_SAMPLES
    out[:where] = first[:where]
    crossfade(first[where:stop], second[where:stop], out[where:stop], MERGE_SAMPLES)
    out[stop:] = second[stop:]
