"""Suppression: less steady noise (a fan, a street, hiss) around a voice, with numpy alone.

A Wiener filter in the spectrum: windows of two frames that overlap by half, so what
comes out is one frame (20 ms) later than what went in. The gain of each bin follows
from how far it stands above the noise, by the decision-directed rule (Y. Ephraim and
D. Malah, "Speech enhancement using a minimum mean-square error short-time spectral
amplitude estimator", IEEE Trans. ASSP 32(6), 1984), and never falls below `least_gain_db`:
some noise stays, and with it no tinkling.

The noise of a bin is the least of its smoothed power of the last seconds: between the
words and behind the vowels every bin falls back to it. It is learnt from the frames
that pass the gate, most quickly from the pre-roll and the hang-over, which hold little
else. Clicks, games and other voices are no steady noise and stay.

Measured (docs/sound.md): 0.5 PESQ better with a fan 15 dB below the voice, nothing with
a keyboard, and a tenth or two worse without any noise; so it is off unless asked for.

May import numpy, the sound format and ``levels``.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES, TICKS_PER_SECOND, Frame, Samples, silent_frame
from voicechat.media.levels import gain_of
from voicechat.media.tuning import TUNING, SuppressionTuning

SMOOTHING: Final = 0.25
"""Weight of the newest frame in a bin's power: 70 ms, so that its least lies near its mean."""

WINDOW_TICKS: Final = TICKS_PER_SECOND // 2
"""Ticks of one window of the search for the least power."""

MEMORY: Final = 0.94
"""Weight of the frame before in the decision-directed rule: high, so that single bins do not flash up."""

_SIZE: Final = 2 * FRAME_SAMPLES
_WINDOW: Final[Samples] = np.sin(np.pi * (np.arange(_SIZE) + 0.5) / _SIZE).astype(np.float32)
_TINY: Final = np.float32(1e-12)

_Spectrum = NDArray[np.float32]


class WienerSuppressor:
    """The filter of one voice; keeps what it learnt of the noise from spurt to spurt."""

    def __init__(self, tuning: SuppressionTuning = TUNING.suppression) -> None:
        self._least_gain = gain_of(tuning.least_gain_db)
        self._bias = np.float32(tuning.bias)
        self._windows = tuning.windows
        bins = _SIZE // 2 + 1
        self._input = np.zeros(_SIZE, np.float32)
        self._tail = silent_frame()
        self._windowed = np.empty(_SIZE, np.float32)
        self._power: _Spectrum | None = None
        self._least: _Spectrum = np.full(bins, np.inf, np.float32)
        self._leasts: list[_Spectrum] = []
        self._noise: _Spectrum = np.zeros(bins, np.float32)
        self._clean: _Spectrum = np.zeros(bins, np.float32)
        self._window_left = WINDOW_TICKS

    def apply(self, frame: Frame, out: Frame) -> float:
        """Take a frame, give the one before it into ``out``; NaN or infinity in it count as silence.

        Whether it is talk this cannot tell: 1, always.
        """
        held = self._input
        held[:FRAME_SAMPLES] = held[FRAME_SAMPLES:]
        held[FRAME_SAMPLES:] = frame if np.isfinite(frame.dot(frame)) else 0.0
        spectrum = np.fft.rfft(np.multiply(held, _WINDOW, out=self._windowed))
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        self._learn(power)
        noise = self._noise + _TINY
        above = np.maximum(power / noise - 1.0, 0.0)
        ratio = MEMORY * self._clean / noise + (1.0 - MEMORY) * above
        gain = np.maximum(ratio / (1.0 + ratio), self._least_gain)
        self._clean = (gain * gain * power).astype(np.float32)
        spectrum *= gain
        back = np.fft.irfft(spectrum, _SIZE)
        back *= _WINDOW
        np.add(self._tail, back[:FRAME_SAMPLES], out=out)
        self._tail[:] = back[FRAME_SAMPLES:]
        return 1.0

    def _learn(self, power: _Spectrum) -> None:
        """Follow the least of each bin."""
        smoothed = power if self._power is None else self._power + SMOOTHING * (power - self._power)
        self._power = smoothed
        np.minimum(self._least, smoothed, out=self._least)
        self._window_left -= 1
        if self._window_left:
            if not self._leasts:
                self._noise = self._least * self._bias
            else:
                np.minimum(self._noise, self._least * self._bias, out=self._noise)
            return
        self._leasts = [*self._leasts[1 - self._windows :], self._least]
        self._noise = np.minimum.reduce(self._leasts) * self._bias
        self._least = smoothed.copy()
        self._window_left = WINDOW_TICKS
