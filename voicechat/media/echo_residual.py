"""ResidualEcho: how much of the echo the filter leaves, by bin.

A filter takes 15 to 20 dB of an echo away; distortion, the room's tail and what is not learnt yet
stay. What stays is a leak times what was taken (J.-M. Valin, "On adjusting the learning rate in
frequency domain echo cancellation with double-talk", IEEE Trans. ASLP 15(3), 2007: what of the ups
and downs of the error follows those of the echo), and what the filter doubts of itself.

Until the filter has learnt something there is nothing to multiply. Then the coupling bounds the
echo: the loudest that the microphone heard of late against the loudest that was played. A near voice
only makes that bound too wide, so the least that it ever was holds.

May import numpy, the sound format, ``levels``, ``tuning`` and ``echo_filter``.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES, TICKS_PER_SECOND, Samples
from voicechat.media.echo_filter import BINS, PARTITIONS, EchoFilter, Powers, powers_of
from voicechat.media.levels import mean_square, mean_square_of
from voicechat.media.tuning import TUNING, EchoCancelTuning

BANDS: Final = 16
"""Bands of 500 Hz in which leak and coupling are told: a bin's own would be chance."""

PAUSE: Final = TICKS_PER_SECOND // 2
"""Frames without an echo after which the far voice "comes again"."""

LEARNT_AFTER: Final = 10
"""Frames in which the filter took away most of an echo, after which it knows the room."""

_PER_BAND: Final = (BINS - 1) // BANDS
_SIZE: Final = 2 * FRAME_SAMPLES
_TINY: Final = np.float32(1e-10)

_HEARD_FROM: Final = np.float32(mean_square_of(-45.0) * FRAME_SAMPLES)
"""Power of the echo from which the leak is learnt."""

_LOUD: Final = np.float32(mean_square_of(-30.0) * FRAME_SAMPLES)
"""Power of a band of what was played from which it tells the coupling."""

_JUDGED_FROM: Final = mean_square_of(-60.0)
"""Mean square of the microphone from which its frames tell whether the filter has learnt."""

_WEIGHT: Final = 0.2
"""Of the newest frame in the levels that tell it: 90 ms."""


class ResidualEcho:
    """What is expected of one `EchoFilter`."""

    def __init__(self, tuning: EchoCancelTuning = TUNING.cancel) -> None:
        self._tail = np.float32(tuning.tail)
        self._doubt_weight = np.float32(tuning.doubt_weight)
        self.learnt = False
        """The filter has taken away most of an echo since it began."""
        self._learnt_for = 0
        self._heard = self._left = self._echo = 0.0
        self._leak = _Leak(tuning)
        self._coupling = _Coupling(tuning)
        self._taken: Powers = np.zeros(BINS, np.float32)
        """What the filter took, by bin, falling as a room's tail does."""
        self._padded = np.zeros(_SIZE, np.float32)

    def forget(self) -> None:
        """The filter begins anew."""
        self.learnt, self._learnt_for = False, 0
        self._coupling.begin()

    def paused(self, frames: int) -> None:
        """So many frames went by without an echo, or unseen."""
        self._leak.paused(frames)

    def expect(self, filter_: EchoFilter, frame: Samples, *, near: bool) -> Powers:
        """Power of the echo in the filter's error, by bin; ``frame`` is what that was made of.

        ``near``: somebody near talked a moment ago, so that the error says nothing of the echo.
        """
        echo = self._powers(filter_.echo)
        taken = np.maximum(echo, self._taken * self._tail)
        self._taken = taken
        leak = self._leak.learn(by_band(filter_.error_powers), by_band(taken), near=near)
        expected: Powers = _by_bin(leak) * taken
        expected += self._doubt_weight * filter_.doubtful
        if not self.learnt:
            self._judge(filter_, frame)
            bound = self._coupling.bound(by_band(self._powers(frame)), by_band(filter_.loudest), filter_.played_for)
            np.maximum(expected, _by_bin(bound) * filter_.loudest, out=expected)
        return expected

    def _powers(self, frame: Samples) -> Powers:
        """Of a frame by bin, as the filter's own: behind as much silence."""
        self._padded[FRAME_SAMPLES:] = frame
        spectrum: NDArray[Any] = np.fft.rfft(self._padded)
        powers: Powers = powers_of(spectrum[:BINS])
        return powers

    def _judge(self, filter_: EchoFilter, frame: Samples) -> None:
        """Whether the filter has learnt."""
        self._heard += _WEIGHT * (mean_square(frame) - self._heard)
        self._left += _WEIGHT * (mean_square(filter_.error) - self._left)
        self._echo += _WEIGHT * (mean_square(filter_.echo) - self._echo)
        if self._left < 0.3 * self._heard < self._echo and self._heard > _JUDGED_FROM:
            self._learnt_for += 1
            self.learnt = self._learnt_for > LEARNT_AFTER


class _Leak:
    """By band, the share of what the filter took that is still there."""

    def __init__(self, tuning: EchoCancelTuning) -> None:
        self._slow = np.float32(tuning.leak_weight)
        self._quick = np.float32(tuning.quick_weight)
        self._least = np.float32(tuning.least_leak)
        self._after_pause = np.float32(tuning.after_pause)
        self._pause = 0
        self._leak: Powers = np.full(BANDS, 1.0, np.float32)
        self._mean_error: Powers = np.zeros(BANDS, np.float32)
        self._mean_taken: Powers = np.zeros(BANDS, np.float32)
        self._together: Powers = np.full(BANDS, 1e-6, np.float32)
        """How much error and echo rise and fall together."""
        self._spread: Powers = np.full(BANDS, 1e-6, np.float32)
        """How much the echo does."""
        self._error_now: Powers = np.zeros(BANDS, np.float32)
        self._taken_now: Powers = np.full(BANDS, 1e-3, np.float32)

    def paused(self, frames: int) -> None:
        self._pause += frames

    def learn(self, error: Powers, taken: Powers, *, near: bool) -> Powers:
        """The leak after one more frame. While nobody is near it is at least what the error is of the echo now."""
        if taken.sum() <= _HEARD_FROM:
            self._pause += 1
        else:
            if self._pause > PAUSE:
                self._begin_again(taken)
            self._pause = 0
            self._error_now += self._quick * (error - self._error_now)
            self._taken_now += self._quick * (taken - self._taken_now)
            more, more_taken = error - self._mean_error, taken - self._mean_taken
            self._mean_error += self._slow * more
            self._mean_taken += self._slow * more_taken
            self._together += self._slow * (np.maximum(more, -1.0) * more_taken - self._together)
            self._spread += self._slow * (more_taken**2 - self._spread)
            self._leak = np.clip(self._together / (self._spread + _TINY), self._least, 1.0)
        if near:
            return self._leak
        return np.maximum(self._leak, np.minimum(self._error_now / (self._taken_now + _TINY), 1.0))

    def _begin_again(self, taken: Powers) -> None:
        """Trust the filter less, for as long as learning takes: the room may have changed."""
        self._leak = np.maximum(self._leak, self._after_pause)
        self._together = self._leak * self._spread
        self._mean_taken = taken.copy()
        self._mean_error = self._leak * taken


class _Coupling:
    """By band, what the microphone can have of the loudspeaker at most."""

    def __init__(self, tuning: EchoCancelTuning) -> None:
        self._most = np.full(BANDS, tuning.unlearnt, np.float32)
        self._heard = np.zeros((PARTITIONS, BANDS), np.float32)
        self._frames = 0

    def begin(self) -> None:
        """What was heard before does not count."""
        self._frames = 0

    def bound(self, heard: Powers, played: Powers, played_for: int) -> Powers:
        """The bound after one more frame; ``played`` is the loudest within the filter's length."""
        self._heard[self._frames % PARTITIONS] = heard
        self._frames += 1
        # Sound that has just begun is not in the microphone yet.
        if self._frames >= PARTITIONS and played_for >= 2 * PARTITIONS:
            bound = np.float32(2.0) * self._heard.max(0) / (played + _TINY)
            np.minimum(self._most, np.where(played > _LOUD, bound, 1.0), out=self._most)
        return self._most


def by_band(powers: Powers) -> Powers:
    """The sums of BANDS bands."""
    found: Powers = powers[: BANDS * _PER_BAND].reshape(BANDS, _PER_BAND).sum(1)
    return found


def _by_bin(bands: Powers) -> Powers:
    """Each bin has its band's value."""
    bins: Powers = np.empty(BINS, np.float32)
    bins[:-1] = np.repeat(bands, _PER_BAND)
    bins[-1] = bands[-1]
    return bins
