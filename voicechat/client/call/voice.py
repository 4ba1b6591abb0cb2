"""Voice: what is done to the microphone's frames of talk before they are coded.

Noise suppression first, if it is on, then even loudness. Runs in the reactor's thread,
once a frame while somebody talks and somebody hears. Knows no bridge, connection or
codec: frames in, frames out, time by the clock that it is given.

Suppression that takes too much of the machine's time turns itself off and says so: a
game comes first, and a voice that comes too late is worse than a fan.
"""

import functools
from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol

from voicechat.client.call import rnnoise
from voicechat.errors import ConfigError
from voicechat.format import TICK_MS, TICK_SECONDS, TICKS_PER_SECOND, Frame, silent_frame
from voicechat.media.levels import mean_square
from voicechat.media.loudness import Loudness
from voicechat.media.suppression import WienerSuppressor
from voicechat.media.tuning import TUNING, SuppressionTuning

MOST_SHARE: Final = 0.25
"""Of the time of the frames of a second that suppression may take: ours needs 1 to 2 %, RNNoise 6 to 10 % where it
was measured; more than twice that is a machine with other things to do."""

TALKS_FROM: Final = 0.5
"""Probability from which a frame is talk: cuts 1 to 2 % of speech in noise, and sends no keyboard (measured)."""

TALK_HANG_OVER: Final = 200 // TICK_MS
"""Frames that are still sent after the last probable one, and at the start of a spurt before the first."""


class Suppress(Enum):
    """How much is taken away."""

    OFF = "off"
    LIGHT = "light"
    """Steady noise, by numpy; 20 ms of delay."""
    STRONG = "strong"
    """Clicks and games too, by RNNoise; 20 ms of delay."""


class Suppressor(Protocol):
    """Cleans one voice."""

    def apply(self, frame: Frame, out: Frame) -> float:
        """Clean one frame into ``out``; how probable it is that somebody talks in it."""


class Voice:
    """The treatment of one player's own voice. Without ``loudness`` it stays as loud as it is.

    ``clock`` gives seconds, to measure what suppression costs; ``notify`` takes lines for the player.
    """

    def __init__(
        self,
        loudness: Loudness | None = None,
        clock: Callable[[], float] = lambda: 0.0,
        notify: Callable[[str], None] = lambda _line: None,
        tuning: SuppressionTuning = TUNING.suppression,
    ) -> None:
        self._tuning = tuning
        self._loudness = loudness
        self._clock = clock
        self._notify = notify
        self.suppressed = Suppress.OFF
        """What is on now."""
        self._suppressor: Suppressor | None = None
        self._clean = silent_frame()
        self._spent = 0.0
        self._frames = 0
        self._talk_for = TALK_HANG_OVER

    @functools.cached_property
    def missing(self) -> str:
        """What is to be done for strong suppression; '' if it can be had. Looked for once."""
        try:
            rnnoise.load()
        except ConfigError as error:
            return str(error)
        return ""

    def suppress(self, mode: Suppress) -> None:
        """Turn suppression on or off; where RNNoise is missing, strong becomes light, and a line says so."""
        suppressor: Suppressor | None = None
        if mode is Suppress.STRONG:
            try:
                suppressor = rnnoise.RnnoiseSuppressor(rnnoise.load())
            except ConfigError as error:
                self._notify(f"{error}; light suppression instead")
                mode = Suppress.LIGHT
        if mode is Suppress.LIGHT:
            suppressor = WienerSuppressor(self._tuning)
        self.suppressed, self._suppressor = mode, suppressor
        self._spent, self._frames = 0.0, 0

    def treat(self, frame: Frame, level: float) -> Frame | None:
        """One frame that passed the gate, and its mean square; what is to be coded, valid until the next call.

        None: the suppressor hears no talk in it.
        """
        if self._suppressor is not None:
            begun = self._clock()
            probability = self._suppressor.apply(frame, self._clean)
            frame = self._clean
            level = mean_square(frame)
            self._count(self._clock() - begun)
            self._talk_for = TALK_HANG_OVER if probability >= TALKS_FROM else self._talk_for - 1
            if self._talk_for < 0:
                return None
        if self._loudness is not None:
            frame = self._loudness.apply(frame, level)
        return frame

    def rest(self) -> None:
        """The gate has shut: a spurt is over."""
        self._talk_for = TALK_HANG_OVER

    def _count(self, seconds: float) -> None:
        """Add up what a second of frames has taken; too much ends it."""
        self._spent += seconds
        self._frames += 1
        if self._frames < TICKS_PER_SECOND:
            return
        share = self._spent / (self._frames * TICK_SECONDS)
        self._spent, self._frames = 0.0, 0
        if share > MOST_SHARE:
            self.suppress(Suppress.OFF)
            self._notify(f"noise suppression is off again: it took {share:.0%} of the time, too much for this machine")
