"""EchoSuppressor: the echo that the filter leaves, made too soft to be heard or sent.

What is expected of the echo in each bin (`echo_residual`) goes by a Wiener gain, never below the
noise of the room, so there are no holes and nothing has to fill them.

Whether somebody near talks decides how far it goes: the error stands far above what is expected
of the echo, for SIGNS frames or by 10 dB. While nobody does, it may take too much; while somebody
does, or did a moment ago, it takes what it must.

The gains become a short filter (TAPS), changed over smoothly within each frame: LAG samples of
delay, in place of the frame that an overlap of windows would cost.

May import numpy, the sound format, ``levels``, ``tuning``, ``echo_filter`` and ``echo_residual``.
"""

from typing import Final

import numpy as np

from voicechat.format import FRAME_SAMPLES, TICKS_PER_SECOND, Samples
from voicechat.media.echo_filter import BINS, EchoFilter, Powers, Spectrum, newest_of
from voicechat.media.echo_residual import ResidualEcho, by_band
from voicechat.media.levels import gain_of
from voicechat.media.tuning import TUNING, EchoCancelTuning

TAPS: Final = 120
"""Of the filter that the gains become: 480 sound the same (measured)."""

LAG: Final = TAPS // 2
"""Samples by which what is suppressed is late: 1.25 ms."""

SIGNS: Final = 3
"""Frames in a row in which the error stands out before somebody is near: one or two may be a door."""

NEAR_FOR: Final = 5
"""Frames for which somebody stays near after the last sign: within words levels fall."""

NOISE_TICKS: Final = 2 * TICKS_PER_SECOND
"""Frames of a window in which the least power of each bin is sought: the room's noise."""

_VOICED: Final = slice(0, 12)
"""Bands in which a near voice is looked for: below 6 kHz."""

_SMOOTHING: Final = np.float32(0.2)
"""Weight of the newest frame in the powers of which the least is sought: 90 ms."""

_BIAS: Final = np.float32(1.5)
"""By which the least of a smoothed power lies below its mean."""

_ABOVE_MARGIN: Final = 3.0
"""Above 8 kHz the echo is taken so many times: there it is told from the bins below, and distortion adds to it."""

_SIZE: Final = 2 * FRAME_SAMPLES
_TINY: Final = np.float32(1e-10)
_POWER_OF_NOISE: Final = FRAME_SAMPLES * FRAME_SAMPLES
"""Sum over a frame's bins of its power, for a mean square of 1 (Parseval; a window of two frames, half of it zeros)."""


class EchoSuppressor:
    """Follows one `EchoFilter`."""

    def __init__(self, tuning: EchoCancelTuning = TUNING.cancel) -> None:
        self._residual = ResidualEcho(tuning)
        self._level_weight = tuning.level_weight
        self._alone, self._sure = tuning.alone, tuning.sure
        self._over_near, self._over_alone = tuning.over_near, tuning.over_alone
        self._over_recent = tuning.over_recent
        self._least_gain = gain_of(tuning.least_gain_db)
        self._tail = tuning.tail
        self._error_level = self._echo_level = 0.0
        self._signs = 0
        self._near_for = 0
        self._recent = tuning.recent
        self._near_ago = self._recent + 1
        """Frames since somebody was near."""
        self._noise = _Noise()
        self._above = 0.0
        """Expected power of the echo above 8 kHz."""
        self._gains: Powers = np.ones(BINS, np.float32)
        self._gain_above = 1.0
        bins = _SIZE // 2 + 1
        self._all_gains: Powers = np.ones(bins, np.float32)
        self._delay: Spectrum = np.exp(-2j * np.pi * np.arange(bins) * LAG / _SIZE).astype(np.complex64)
        self._response = self._delay
        self._hann = np.hanning(TAPS + 1)[:TAPS].astype(np.float32)
        self._taps = np.zeros(_SIZE, np.float32)
        self._window = np.zeros(_SIZE, np.float32)
        self._ramp = (np.arange(FRAME_SAMPLES, dtype=np.float32) + np.float32(0.5)) / np.float32(FRAME_SAMPLES)

    @property
    def near(self) -> bool:
        """Somebody near talks, as far as can be told."""
        return self._near_for > 0

    def forget(self) -> None:
        """The filter begins anew."""
        self._residual.forget()

    def follows(self, frame: Samples) -> None:
        """What was heard right before, and not suppressed."""
        self._window[FRAME_SAMPLES:] = frame
        self._gains[:] = 1.0
        self._gain_above = 1.0
        self._response = self._delay

    def paused(self, frames: int) -> None:
        """So many frames went by without an echo, or unseen."""
        self._residual.paused(frames)

    def apply(self, filter_: EchoFilter, frame: Samples, floor: float) -> Samples:
        """The filter's last frame without what it left, LAG samples late.

        ``frame`` is what that was made of; ``floor`` the mean square of the room's noise, 0 if it is not known.
        """
        expected = self._residual.expect(filter_, frame, near=self._near_ago <= self._recent)
        self._listen(filter_.error_powers, expected)
        self._noise.learn(filter_.error_powers)
        self._set_gains(filter_, expected, floor)
        return self._filtered(filter_.error)

    def _listen(self, powers: Powers, expected: Powers) -> None:
        """Tell whether somebody near talks."""
        error, echo = float(by_band(powers)[_VOICED].sum()), float(by_band(expected)[_VOICED].sum())
        self._error_level += self._level_weight * (error - self._error_level)
        self._echo_level += self._level_weight * (echo - self._echo_level)
        if self._error_level < self._alone * self._echo_level:
            self._signs = 0
        else:
            self._signs += SIGNS if self._error_level > self._sure * self._echo_level else 1
        self._near_for = NEAR_FOR if self._signs >= SIGNS else max(0, self._near_for - 1)
        self._near_ago = 0 if self._near_for else self._near_ago + 1

    def _set_gains(self, filter_: EchoFilter, expected: Powers, floor: float) -> None:
        """Gains of all bins: at once down, half-way up."""
        powers = filter_.error_powers
        over = self._over_near if self.near else self._over_alone
        if not self.near and self._near_ago <= self._recent:
            over = self._over_recent
        above = np.maximum(powers / (np.float32(over) * expected + _TINY) - 1, 0)
        gains = above / (above + 1)
        np.maximum(gains, self._noise.gains(powers, floor), out=gains)
        np.maximum(gains, self._least_gain, out=gains)
        risen = np.float32(0.5) * (gains + self._gains)
        self._gains = np.where(gains < self._gains, gains, risen).astype(np.float32, copy=False)
        self._above = max(filter_.echo_above, self._tail * self._above)
        gain = self._least_gain
        if self.near:
            ratio = max(filter_.error_above / (_ABOVE_MARGIN * over * self._above + 1e-10) - 1, 0.0)
            gain = max(gain, ratio / (ratio + 1))
        self._gain_above = gain if gain < self._gain_above else 0.5 * (gain + self._gain_above)

    def _filtered(self, error: Samples) -> Samples:
        """The error through the old gains at the frame's beginning, and the new ones at its end."""
        window = self._window
        window[:FRAME_SAMPLES] = window[FRAME_SAMPLES:]
        window[FRAME_SAMPLES:] = error
        spectrum = np.fft.rfft(window)
        self._all_gains[:BINS] = self._gains
        self._all_gains[BINS:] = self._gain_above
        np.multiply(np.fft.irfft(self._all_gains * self._delay, _SIZE)[:TAPS], self._hann, out=self._taps[:TAPS])
        response = np.fft.rfft(self._taps)
        old = newest_of(spectrum * self._response)
        out = newest_of(spectrum * response)
        self._response = response
        out -= old
        out *= self._ramp
        out += old
        return out


class _Noise:
    """The room's noise by bin: the least of each bin's smoothed power, in windows of NOISE_TICKS."""

    def __init__(self) -> None:
        self._noise: Powers = np.zeros(BINS, np.float32)
        """All zeros until the first frame."""
        self._smoothed: Powers = np.zeros(BINS, np.float32)
        self._least: Powers = np.zeros(BINS, np.float32)
        self._window_left = 0

    def learn(self, powers: Powers) -> None:
        """One more frame."""
        if not self._window_left:
            if not self._smoothed.any():
                self._noise, self._smoothed = powers + _TINY, powers + _TINY
            else:
                self._noise = self._least
            self._least = self._smoothed.copy()
            self._window_left = NOISE_TICKS
        self._window_left -= 1
        self._smoothed += _SMOOTHING * (powers - self._smoothed)
        np.minimum(self._least, self._smoothed, out=self._least)
        np.minimum(self._noise, self._least, out=self._noise)

    def gains(self, powers: Powers, floor: float) -> Powers:
        """Gains that leave the room's noise.

        Only frames that passed a gate are seen here, so ``floor`` knows better how loud it is in all.
        """
        noise = self._noise
        share = min(1.0, floor * _POWER_OF_NOISE / (float(noise.sum()) + 1e-10)) if floor else 1.0
        gains: Powers = np.sqrt(np.minimum(np.float32(_BIAS * share) * noise / (powers + _TINY), 1.0))
        return gains
