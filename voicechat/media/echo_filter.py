"""EchoFilter: what the loudspeaker sends into the microphone, learnt and taken away. Linear, without delay.

The room between loudspeaker and microphone is a filter that lasts some tenths of a second and
changes when somebody moves. It is learnt as a partitioned-block frequency-domain Kalman filter
(G. Enzner and P. Vary, "Frequency-domain adaptive Kalman filter for acoustic echo control in
hands-free telephones", Signal Processing 86(6), 2006; partitions as in F. Kuech, E. Mabande and
G. Enzner, "State-space architecture of the partitioned-block-based acoustic echo controller",
ICASSP 2014): each partition is the spectrum of one frame of the room's answer, and each bin of
each has a doubt, the variance of what is not known of it. The doubt sets the step: large while
nothing is known or the room has changed, small while somebody near talks.

There is no search for the delay: PARTITIONS frames hold delay and room, up to 440 ms, and the
doubt keeps those still that nothing is in. Only bins below 8 kHz are learnt; above them voices
have little, and small loudspeakers less. Nothing is resampled.

May import numpy, the sound format and ``tuning``. Runs on the reactor's thread: a frame is some
twenty calls of numpy, each of which lets the interpreter's lock go (docs/sound.md).
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, Frame, Samples
from voicechat.media.tuning import TUNING, EchoCancelTuning

PARTITIONS: Final = 22
"""Frames that the filter is long: 440 ms of playback, room and capture. Half as many save 40 us of 300 and do not
reach a delay of 250 ms (measured)."""

BINS: Final = 8_000 * 2 * FRAME_SAMPLES // SAMPLE_RATE + 1
"""Bins that are learnt: 0 to 8 kHz, each 25 Hz wide."""

Spectrum = NDArray[np.complex64]
Powers = NDArray[np.float32]

_SIZE: Final = 2 * FRAME_SAMPLES
_SMALL: Final = 2 * (BINS - 1)
"""A transform that holds BINS bins: of a sound at 16 kHz, which is a third of the work."""

_TINY: Final = np.float32(1e-10)
_HALF: Final = np.float32(0.5)
"""Of a window of two frames one is zeros, and so is half of its power."""


class EchoFilter:
    """Learns one way from a loudspeaker to a microphone.

    Each frame of the microphone takes `played` once and then `cancel`; a frame whose microphone nobody
    wants takes `played` alone.
    """

    def __init__(self, tuning: EchoCancelTuning = TUNING.cancel) -> None:
        self._keeps = np.float32(tuning.keeps**2)
        self._changes = np.float32(1 - tuning.keeps**2)
        self._near_weight = np.float32(tuning.near_weight)
        self._near_over = np.float32(tuning.near_over)
        self._start = np.full((PARTITIONS, BINS), tuning.first_doubt, np.float32)
        ages = np.exp(-tuning.doubt_falls * np.arange(PARTITIONS, dtype=np.float32))
        self._start *= np.maximum(ages, np.float32(tuning.least_doubt))[:, None]
        self.weights: Spectrum = np.zeros((PARTITIONS, BINS), np.complex64)
        """The room's answer, a frame of it a row, the soonest first."""
        self._doubt = self._start.copy()
        # Both rings are twice as long, so that the newest PARTITIONS rows are always one piece, newest first.
        self._spectra: Spectrum = np.zeros((2 * PARTITIONS, BINS), np.complex64)
        self._powers: Powers = np.zeros((2 * PARTITIONS, BINS), np.float32)
        self._above: Powers = np.zeros(2 * PARTITIONS, np.float32)
        self._at = 0
        self._turn = 0
        self.played_for = 0
        """Frames in a row that were no silence."""
        self._window = np.zeros(_SIZE, np.float32)
        self._padded = np.zeros(_SIZE, np.float32)
        self._whole: Spectrum = np.zeros(_SIZE // 2 + 1, np.complex64)
        self._near: Powers = np.full(BINS, 1e-4, np.float32)
        """Smoothed power of what is left: the near voice, the noise, and what the filter does not reach."""
        self.error: Samples = np.zeros(FRAME_SAMPLES, np.float32)
        """The last frame without the echo."""
        self.echo: Samples = np.zeros(FRAME_SAMPLES, np.float32)
        """The echo as the filter has it."""
        self.error_powers: Powers = np.zeros(BINS, np.float32)
        """Of `error`, by bin."""
        self.doubtful: Powers = np.zeros(BINS, np.float32)
        """Expected power of the echo in `error`, by bin: what is doubted of the filter, times what was played."""
        self.error_above = 0.0
        """Power of `error` above 8 kHz, where nothing is cancelled."""

    def played(self, frame: Frame | None) -> None:
        """The next frame that the loudspeaker was given; None: silence."""
        window = self._window
        window[:FRAME_SAMPLES] = window[FRAME_SAMPLES:]
        window[FRAME_SAMPLES:] = 0.0 if frame is None else frame
        self.played_for = 0 if frame is None else self.played_for + 1
        self._at = at = (self._at - 1) % PARTITIONS
        whole = np.fft.rfft(window)
        low, high = whole[:BINS], whole[BINS:]
        powers = powers_of(low)
        for row in (at, at + PARTITIONS):
            self._spectra[row] = low
            self._powers[row] = powers
            self._above[row] = np.vdot(high, high).real

    @property
    def loudest(self) -> Powers:
        """By bin, the loudest of what was played within the filter's length."""
        found: Powers = self._powers[self._at : self._at + PARTITIONS].max(0)
        return found

    @property
    def silent(self) -> bool:
        """Nothing was played within the filter's length."""
        return not self._powers[self._at : self._at + PARTITIONS].any()

    def cancel(self, frame: Frame) -> Samples:
        """The microphone's frame without the echo; valid until the next call. ``frame`` must be finite."""
        rows = slice(self._at, self._at + PARTITIONS)
        spectra, powers, weights, doubt = self._spectra[rows], self._powers[rows], self.weights, self._doubt
        self._whole[:BINS] = np.einsum("pk,pk->k", spectra, weights)
        self.echo = newest_of(self._whole)
        np.subtract(frame, self.echo, out=self.error)
        self._padded[FRAME_SAMPLES:] = self.error
        left = np.fft.rfft(self._padded)
        error, above = left[:BINS], left[BINS:]
        self.error_above = float(np.vdot(above, above).real)
        self.error_powers = powers_of(error)
        doubtful: Powers = np.einsum("pk,pk->k", powers, doubt)
        self.doubtful = doubtful
        self._near += self._near_weight * (self.error_powers - self._near)
        step = doubt / (_HALF * self.doubtful + self._near_over * self._near + _TINY)
        # The step goes before the change, since both use the doubt of before.
        step_powers = step * powers
        step_powers *= -_HALF
        step_powers += 1.0
        doubt *= step_powers
        doubt *= self._keeps
        np.maximum(doubt, 0.0, out=doubt)
        change = np.conj(spectra)
        change *= error
        change *= step
        weights += change
        self._constrain()
        doubt += self._changes * powers_of(weights)
        return self.error

    def _constrain(self) -> None:
        """Keep a third of the partitions as long as a frame each: products of spectra wrap round (a circle)."""
        rows = slice(self._turn, None, 3)
        self._turn = (self._turn + 1) % 3
        answers = np.fft.irfft(self.weights[rows], _SMALL, axis=1)
        answers[:, _SMALL // 2 :] = 0.0
        self.weights[rows] = np.fft.rfft(answers, axis=1)

    def doubt(self, frames: int) -> None:
        """So many frames have gone by in which the room may have changed, and nothing was learnt."""
        kept = self._keeps ** min(frames, 4096)
        self._doubt *= kept
        self._doubt += (1 - kept) * powers_of(self.weights)

    def reset(self) -> None:
        """Forget the room; what was played stays known."""
        self.weights[:] = 0.0
        self._doubt[:] = self._start

    @property
    def echo_above(self) -> float:
        """Expected power of the echo above 8 kHz, as if the room were there as it is from 6 to 8 kHz."""
        top = self.weights[:, 3 * BINS // 4 :]
        gains = powers_of(top).mean(1)
        return float(gains @ self._above[self._at : self._at + PARTITIONS]) * 0.5

    @property
    def coupling(self) -> float:
        """Power of the echo for each of what is played, as the filter has learnt the room."""
        return float(powers_of(self.weights).mean(1).sum())


def newest_of(spectrum: NDArray[Any]) -> Samples:
    """The second frame of a window of two: a view."""
    window: Any = np.fft.irfft(spectrum, _SIZE)  # float32 for complex64; numpy's own types say float64
    samples: Samples = window[FRAME_SAMPLES:]
    return samples


def powers_of(spectrum: NDArray[Any]) -> Powers:
    """|x|^2 of each bin."""
    powers: Powers = spectrum.real**2
    powers += spectrum.imag**2
    return powers
