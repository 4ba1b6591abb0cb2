"""The mix: gains @ frames, and the limiter that keeps each mixed row in range.

The mix is a bare float sum, never divided by the number of talkers: friends at
normal levels do not add up to full scale, and dividing would make everyone quieter
for ever. For the rare loud moment there is one Limiter for each mixed row.

The limiter adds no delay. It knows the whole frame before it has to answer, and that
is its look-ahead: it lets the gain fall so that it has arrived where the first sample
would leave the range. Only when that sample is among the first millisecond of the
frame is there no room; then what still sticks out is bent by a smooth knee below full
scale. Nothing is ever cut off flat, wrapped, or turned in sign.

May import numpy, the sound format and ``levels``.
"""

import math
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, TICK_MS, Frame, Samples
from voicechat.media.levels import gain_of
from voicechat.media.tuning import TUNING, LoudnessTuning

GainMatrix: TypeAlias = NDArray[np.float32]
"""float32, shape (rows, talkers): linear gain of each talker in each row; 0 = not heard."""

Frames: TypeAlias = NDArray[np.float32]
"""float32, shape (talkers or rows, FRAME_SAMPLES): one frame a row."""

THRESHOLD: Final = gain_of(-1.0)
"""Peak above which the limiter acts: -1 dBFS leaves the knee its room, and the codec some for its overshoot."""

CEILING: Final = 32767 / 32768
"""What no sample ever exceeds: the largest value that 16 bits hold."""

FALL_SAMPLES: Final = SAMPLE_RATE * 5 // 1000
"""Samples over which the gain falls when there is room: 5 ms."""

SHORTEST_FALL_SAMPLES: Final = SAMPLE_RATE // 1000
"""Samples over which it falls at least: 1 ms; so the gain never changes by more than 1/48 from sample to sample."""

_RESTING: Final = 1.0 - 1e-3
"""Gain (-0.01 dB) from which the release goes straight to 1."""

_STEPS: Final = np.arange(1, FRAME_SAMPLES + 1, dtype=np.float32)
_STEPS_LEFT: Final = np.arange(FALL_SAMPLES - 1, -1, -1, dtype=np.float32)


def mix(gains: GainMatrix, frames: Frames, out: Frames) -> None:
    """Sum the talkers into rows: ``out[row] = sum of gains[row, talker] * frames[talker]``.

    ``gains`` is (rows, talkers), ``frames`` (talkers, FRAME_SAMPLES), ``out`` (rows,
    FRAME_SAMPLES) and neither of the others. A zero on the diagonal is mix-minus.
    Frames have to be finite: 0 times NaN is NaN. The sum may leave -1..1.
    """
    np.matmul(gains, frames, out=out)


class Limiter:
    """The limiter of one mixed row; keeps its gain from frame to frame.

    Samples within THRESHOLD pass unchanged, bit for bit, as long as the gain rests at 1.
    """

    def __init__(self, tuning: LoudnessTuning = TUNING.loudness) -> None:
        self._release_share = 1.0 - math.exp(-TICK_MS / tuning.release_ms)
        """Of the way back to 1 that the gain goes in a frame."""
        self.gain = 1.0
        """Linear gain that the next frame begins with: 0 to 1."""
        self._magnitudes = np.empty(FRAME_SAMPLES, np.float32)

    def apply(self, frame: Frame) -> None:
        """Bring one frame into -CEILING..CEILING, in place. A frame with NaN or infinity in it becomes silence."""
        magnitudes = np.abs(frame, out=self._magnitudes)
        peak = float(magnitudes.item(magnitudes.argmax()))  # max() takes twice as long in a cold cache (measured)
        gain = self.gain
        if peak * gain <= THRESHOLD:
            if gain < 1.0:
                self._release(frame, peak)
        elif peak < math.inf:
            self._fall(frame, peak)
        else:
            frame.fill(0.0)

    def _release(self, frame: Frame, peak: float) -> None:
        """Let the gain rise over the frame, no further than its peak allows."""
        gain = self.gain
        target = gain + (1.0 - gain) * self._release_share
        if target > _RESTING:
            target = 1.0
        if peak * target > THRESHOLD:
            target = THRESHOLD / peak
        frame *= _STEPS * np.float32((target - gain) / FRAME_SAMPLES) + np.float32(gain)
        self.gain = target

    def _fall(self, frame: Frame, peak: float) -> None:
        """Let the gain fall to what the peak needs before the first sample that needs less than there is."""
        gain = self.gain
        target = THRESHOLD / peak
        first = int((self._magnitudes > THRESHOLD / gain).argmax())
        end = max(first, SHORTEST_FALL_SAMPLES)
        start = max(0, end - FALL_SAMPLES)
        frame[:start] *= np.float32(gain)
        # Counted down to 0, so that rounding never takes the gain below its target, and thus never below 0.
        length = end - start
        frame[start:end] *= _STEPS_LEFT[-length:] * np.float32((gain - target) / length) + np.float32(target)
        frame[end:] *= np.float32(target)
        self.gain = target
        if first < end:
            bend(frame[:end])


def bend(samples: Samples) -> None:
    """Bend what lies beyond THRESHOLD to below CEILING, in place; what lies within stays as it is.

    Beyond the threshold t a magnitude m becomes t + room * e / (e + room), where room
    is CEILING - t and e the excess m - t: the slope is 1 at the threshold, and the
    ceiling is approached but not crossed, so that louder stays louder.
    """
    room = np.float32(CEILING - THRESHOLD)
    excess = np.abs(samples)
    excess -= np.float32(THRESHOLD)
    np.maximum(excess, np.float32(0.0), out=excess)
    excess /= excess + room
    excess *= room
    within = np.clip(samples, np.float32(-THRESHOLD), np.float32(THRESHOLD))
    np.add(within, np.copysign(excess, samples), out=samples)
