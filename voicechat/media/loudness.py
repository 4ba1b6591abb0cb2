"""Loudness: everybody equally loud, by a gain that one sees to slowly and that nobody hears at work.

The talker's own client does it, before encoding: there it costs one product a frame,
and friends get it whether they are forwarded or mixed.

How it decides. The active level is the mean square of the frames that carry speech:
those less than MARGIN_DB below it, as in ITU-T P.56 ("Objective measurement of active
speech level"). It is an even mean at first, so that half a second of talk says a good
deal, and later one over LONGEST_TICKS, so that neither a phrase nor a breath moves it.
The gain goes to where the active level lies at the target, at most so far either way
and by so little from frame to frame that no step is heard. Nothing is learnt while the
gate is shut: whoever holds one pushes only the frames that pass it.

A gain above 1 may take a peak out of range; a ``Limiter`` sees to those frames. Below
1 nothing can.

May import numpy, the sound format, ``levels`` and ``mixer``.
"""

import math
from typing import Final

import numpy as np

from voicechat.format import FRAME_SAMPLES, TICKS_PER_SECOND, Frame, silent_frame
from voicechat.media.levels import dbfs_of, gain_of, mean_square_of
from voicechat.media.mixer import THRESHOLD, Limiter
from voicechat.media.tuning import TUNING, LoudnessTuning

MARGIN_DB: Final = 15.9
"""How far below the active level speech reaches (ITU-T P.56)."""

FIRST_TICKS: Final = TICKS_PER_SECOND // 2
"""Frames of speech before the gain begins to move: half a second, about two syllables."""

LONGEST_TICKS: Final = 8 * TICKS_PER_SECOND
"""Frames of speech over which the active level is a mean in the end: longer than a sentence."""

FORGETS_AFTER: Final = 2 * TICKS_PER_SECOND
"""Frames in a row that are no speech beside the active level, after which it is learnt anew: it came from a bang or a
shout. Pauses are shorter, since the gate shuts in them."""

REST_DB: Final = 0.5
"""The gain stays where it is while it is off by less than this: nobody hears half a dB."""

_MARGIN: Final = mean_square_of(-MARGIN_DB)
_SAFE: Final = THRESHOLD**2 / FRAME_SAMPLES
"""Mean square up to which no sample of a frame can be above THRESHOLD, whatever its shape."""


class Loudness:
    """The gain of one talker; keeps what it learnt from spurt to spurt."""

    def __init__(self, tuning: LoudnessTuning = TUNING.loudness) -> None:
        self._target_dbfs = tuning.target_dbfs
        self._most_db = tuning.most_db
        self._step_db = tuning.step_db
        self.gain_db = 0.0
        """What is applied now."""
        self._gain = 1.0
        self._active = 0.0
        self._frames = 0
        self._beside = 0
        self._limiter = Limiter(tuning)
        self._out = silent_frame()

    @property
    def active_dbfs(self) -> float:
        """The active level of what came in; QUIETEST_DBFS before there was speech."""
        return dbfs_of(self._active)

    def apply(self, frame: Frame, mean_square: float) -> Frame:
        """One frame that passed the gate, with its mean square; the same, louder or softer, within -1..1.

        What comes back may be ``frame`` itself, or a frame that the next call writes anew.
        """
        self._learn(mean_square)
        gain = self._gain
        if gain == 1.0:
            return frame
        out = np.multiply(frame, np.float32(gain), out=self._out)
        limiter = self._limiter
        if limiter.gain < 1.0 or (gain > 1.0 and mean_square * gain * gain > _SAFE):
            limiter.apply(out)
        return out

    def _learn(self, mean_square: float) -> None:
        active = self._active
        if not mean_square > active * _MARGIN:  # NaN, too
            self._beside += 1
            if self._beside == FORGETS_AFTER:
                self._beside = self._frames = 0
                self._active = 0.0
            return
        self._beside = 0
        self._frames = frames = min(self._frames + 1, LONGEST_TICKS)
        self._active = active = active + (min(mean_square, 1.0) - active) / frames
        if frames < FIRST_TICKS:
            return
        wanted = self._target_dbfs - 10.0 * math.log10(active)
        off = max(-self._most_db, min(wanted, self._most_db)) - self.gain_db
        if abs(off) > REST_DB:
            self.gain_db += max(-self._step_db, min(off, self._step_db))
            self._gain = gain_of(self.gain_db)
