"""The change-over from one playback path to the other: a talker's forwarded packets, and the mix.

Both carry the same voice, but the mix is later, by its wait for the server's tick and by
its second coding: 7 to 40 ms that nobody knows, since the two count ticks of their own.
A jump in time costs more than anything else: PESQ takes 0.6 off the clean words when they
jump by 26 ms once in 1.2 s. So where the one goes on for the other is found in the sound:

* the new path is heard for as long as its decoder needs, and not played
* then the newest 40 ms of the old are looked for in what the new one gave, by normalised
  correlation, as WSOLA does for the pieces that it joins (Verhelst & Roelands, "An overlap-add
  technique based on waveform similarity", ICASSP 1993), and the new one is played with the
  delay at which it says the same, from a crossfade of 10 ms on
* if it does not say the same, since it is the later one, a piece is heard twice: one whose
  waveform fits, up to 10 ms longer than need be
* that delay is kept as long as another change may follow soon, which then costs no jump,
  and given back in a pause, or else by pieces whose waveform fits

May import numpy, the sound format, ``levels`` and ``timescale``. Pure: one call a tick, no clock.
"""

from typing import Final

import numpy as np

from voicechat.format import FRAME_SAMPLES, Frame, Samples, silent_frame
from voicechat.media.levels import FADE_BOTH, FADE_SAMPLES, crossfade, mean_square
from voicechat.media.timescale import QUIET
from voicechat.media.tuning import TUNING, ChangeoverTuning

TEMPLATE_SAMPLES: Final = 3 * FRAME_SAMPLES
"""Samples of the old path that are looked for in the new one: 60 ms, some periods of any voice."""

MOST_SAMPLES: Final = 8 * FRAME_SAMPLES
"""Samples kept of each path: a talker's last five frames, which come first, and three of overlap."""

DEEPER: Final = FADE_SAMPLES
"""Most samples of delay that a joint may add for a waveform that fits: 10 ms, a period of a deep voice (100 Hz)."""

_COARSE: Final = 8
"""Samples that are one while a place is looked for: at 6 kHz a voice is still itself, and it takes 1/64 of the time."""

_SMALL: Final = 1e-9
_NEARER: Final = 0.03 / FRAME_SAMPLES
"""Likeness that a place has to have more for each sample that it is further from where it is expected."""


class PlaybackPath:
    """What one path's streams give, tick by tick, and how much later it is heard."""

    def __init__(self, tuning: ChangeoverTuning = TUNING.changeover) -> None:
        self._tuning = tuning
        self._warm_samples = tuning.warm_frames * FRAME_SAMPLES
        self.frame: Frame = silent_frame()
        """What the streams gave for this tick, in sum."""
        self.sounds = False
        """They gave something."""
        self.concealed = False
        """Some of that was made up."""
        self.delay = 0
        """Samples by which it is heard later than it comes."""
        self.ahead: int | None = None
        """Samples by which it had the same words earlier than the other path, when last compared; None: never."""
        self._kept: Samples = np.zeros(MOST_SAMPLES, np.float32)
        self._known = 0
        self._since = 0

    @property
    def warm(self) -> bool:
        """Its decoder has had time to settle."""
        return self._known > self._warm_samples

    def begin(self) -> None:
        """A tick begins."""
        self.sounds = self.concealed = False

    def add(self, frame: Frame, *, concealed: bool) -> None:
        """One stream's part of this tick; ``frame`` may be `frame` itself if it is the first."""
        if self.sounds:
            self.frame += frame
        elif frame is not self.frame:
            self.frame[:] = frame
        self.sounds = True
        self.concealed |= concealed

    def keep(self, frame: Frame) -> None:
        """Remember a frame that came before the present one."""
        self._kept[:-FRAME_SAMPLES] = self._kept[FRAME_SAMPLES:]
        self._kept[-FRAME_SAMPLES:] = frame
        self._known = min(self._known + FRAME_SAMPLES, MOST_SAMPLES)

    def end(self) -> None:
        """All streams have given what they have for this tick."""
        if not self.sounds:
            self.frame.fill(0.0)
        self.keep(self.frame)

    def replace_end(self, end: Samples) -> None:
        """The present frame ends otherwise."""
        self._kept[-end.size :] = end

    def forget(self) -> None:
        """It is heard no more."""
        self._known = self.delay = 0

    def output(self, samples: int) -> Samples:
        """The last ``samples``, or as many as are known, that are heard up to the end of this tick."""
        end = MOST_SAMPLES - self.delay
        return self._kept[end - min(samples, max(FRAME_SAMPLES, self._known - self.delay)) : end]

    def give_back(self, out: Frame) -> None:
        """``out`` is what is heard now: end it with less delay, if it is time for that. To be called once a tick.

        When the streams give nothing more, the rest is heard, and is over.
        """
        self._since += 1
        delay = self._shorter()
        if delay < self.delay:
            self.delay = delay
            crossfade(out, self.output(FRAME_SAMPLES), out)

    def _shorter(self) -> int:
        """The delay to go on with."""
        if not self.sounds or self._since > self._tuning.kept_for:
            if mean_square(self._kept[-FRAME_SAMPLES - self.delay :]) < QUIET:
                return 0
            if self._since > self._tuning.longest and self._since % self._tuning.piece_every == 0:
                return self._fitting(self.output(FRAME_SAMPLES), self.delay // 2)
        return self.delay

    def join(self, old: "PlaybackPath") -> None:
        """Go on where ``old`` is; both are complete up to the end of this tick."""
        expected = old.delay + (self.ahead or 0)
        delay, likeness = find(old.output(TEMPLATE_SAMPLES), self._kept[-self._known :], expected)
        if likeness >= self._tuning.same:
            self.ahead, old.ahead = delay - old.delay, old.delay - delay
        elif self.ahead is not None and 0 <= expected <= self._known - FRAME_SAMPLES:
            delay = expected
        else:
            delay = self._fitting(old.output(FRAME_SAMPLES), DEEPER)
        self.delay = delay
        self._since = 0

    def _fitting(self, old: Frame, most: int) -> int:
        """The delay, at most ``most``, at which a crossfade from ``old`` joins what is most alike in its middle.

        There both are heard, and what is not alike takes itself off: a voice can be 7 dB softer for some milliseconds
        though the whole 10 ms are half alike. (That likeness only ranks the places: an equal piece has 0.8.)
        """
        most = max(0, min(most, self._known - FRAME_SAMPLES))
        end = MOST_SAMPLES - FRAME_SAMPLES
        return find(old[:FADE_SAMPLES] * FADE_BOTH, self._kept[end - most : end + FADE_SAMPLES], 0)[0]


def find(wanted: Samples, sound: Samples, expected: int) -> tuple[int, float]:
    """How many samples before the end of ``sound`` it is most like ``wanted``, and how much: -1 to 1.

    Of places that are about equally alike, the one nearest to ``expected``. Silence is
    like nothing: its likeness is 0. So is everything if ``sound`` is the shorter one.
    """
    most = len(sound) - len(wanted)
    if most < 0:
        return 0, 0.0
    coarse = _likeness(_thin(wanted), _thin(sound))
    lags = (len(coarse) - 1 - np.arange(len(coarse))) * _COARSE
    best = int(lags[np.argmax(coarse - _NEARER * np.abs(lags - expected))])
    # A coarse step may hide the place that was expected behind one a period away.
    around = (_finest(wanted, sound, middle) for middle in {best, max(0, min(expected, most))})
    return max(around, key=lambda place: place[1] - _NEARER * abs(place[0] - expected))


def _finest(wanted: Samples, sound: Samples, middle: int) -> tuple[int, float]:
    """As `find`, within one coarse step of ``middle``."""
    most = len(sound) - len(wanted)
    first, last = max(0, middle - _COARSE + 1), min(most, middle + _COARSE - 1)
    fine = _likeness(wanted, sound[most - last : len(sound) - first])
    best = int(np.argmax(fine))
    return last - best, float(fine[best])


def _thin(samples: Samples) -> Samples:
    """One sample for _COARSE of them, in step with the last."""
    thin: Samples = samples[len(samples) % _COARSE :].reshape(-1, _COARSE).sum(axis=1)
    return thin


def _likeness(wanted: Samples, sound: Samples) -> Samples:
    """Normalised correlation of ``wanted`` with each place in ``sound``, from the first to the last."""
    products = np.correlate(sound, wanted, "valid")
    energy = np.concatenate([np.zeros(1), np.cumsum(np.square(sound, dtype=np.float64))])
    energy = energy[len(wanted) :] - energy[: -len(wanted)]
    likeness: Samples = products / np.sqrt(energy * float(wanted @ wanted) + _SMALL)
    return likeness
