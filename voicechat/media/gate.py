"""TalkGate: whether the microphone carries talk in this frame.

Runs once a frame on the sound device's thread, so it is plain arithmetic on floats:
the frame comes as its mean square (``levels.mean_square``). No numpy, no allocation,
no logarithm, no lock.

How it decides. The level is smoothed over some frames, and the least smoothed level
of the last eight seconds is the noise floor: between words, and even within them,
talk falls back to the noise, while noise never falls below itself (minimum
statistics; R. Martin, "Noise power spectral density estimation based on optimal
smoothing and minimum statistics", IEEE Trans. Speech and Audio Processing 9(5),
2001; here on the whole band, with a fixed smoothing).

A frame well above the floor opens the gate at once, on trial. Talk lasts: three frames
in a row above the floor and near the loudest of late confirm it, and each such frame
keeps the gate open for longer; after four of them every loud frame brings the whole
hang-over. A key click falls by 10 dB from one frame to the next and confirms
nothing, so the gate soon shuts again, and after two such trials it is wary for some
seconds: nothing but confirmed talk opens it. That is 40 ms later; the pre-roll has
them. In a room without clatter nothing is ever late.

CHANGES has its states and what leads from one to another; docs/architecture.md has the
picture. A key (``GateMode``) overrules the state, which rests meanwhile.

The floor falls at once and rises only when eight whole seconds were louder, so a fan
that is switched on shuts the gate again after eight to ten seconds. Until the first
eight seconds are over, the floor is unknown and only `guard_dbfs` counts: who talks
from the first frame is heard from the first frame.

Measured on six recorded voices (docs/sound.md has the table): no speech frame is cut in
quiet or 15 dB above a noise; a keyboard alone has the gate open for a tenth of the
time. Games and other voices do open it: that they are not talk to friends cannot be
seen in a level.

May import the sound format, ``levels`` and ``tuning``. The frames before the opening
(PRE_ROLL_FRAMES) are kept by whoever holds the frames.
"""

from enum import Enum
from typing import Final

from voicechat.format import TICK_MS, TICKS_PER_SECOND
from voicechat.media.levels import mean_square_of
from voicechat.media.tuning import TUNING, GateTuning


class GateState(Enum):
    """What the gate makes of the level."""

    SHUT = "shut"
    WARY = "wary"
    """Shut, and trials have failed of late: a loud frame does not open it."""
    TRIAL = "trial"
    """Open since a loud frame, to see whether it is talk."""
    TALK = "talk"
    """Open since talk; it may still be a bump on the desk."""
    SURE = "sure"
    """Open, and it is talk for good."""


CHANGES: Final[dict[GateState, dict[GateState, str]]] = {
    GateState.SHUT: {GateState.TRIAL: "a loud frame", GateState.TALK: "talk"},
    GateState.WARY: {
        GateState.SHUT: "time is up",
        GateState.TRIAL: "time is up, a loud frame",
        GateState.TALK: "talk",
    },
    GateState.TRIAL: {
        GateState.TALK: "talk",
        GateState.SHUT: "the trial fails",
        GateState.WARY: "the second one fails",
    },
    GateState.TALK: {
        GateState.SURE: "enough talk",
        GateState.SHUT: "the hang-over is over",
        GateState.WARY: "the hang-over is over, trials had failed",
        GateState.TRIAL: "the hang-over is over, a loud frame",
    },
    GateState.SURE: {
        GateState.SHUT: "the hang-over is over",
        GateState.TRIAL: "the hang-over is over, a loud frame",
    },
}
"""The states that may follow one, and when; each may also stay."""


PRE_ROLL_FRAMES: Final = 60 // TICK_MS
"""Frames before the opening that belong to the spurt: 60 ms halve what is lost of a word's onset (measured)."""

WINDOW_TICKS: Final = TICKS_PER_SECOND
"""Ticks of one window of the search for the least level: the floor's memory is uncertain by as much."""

DIGITAL_SILENCE: Final = mean_square_of(-96.0)
"""Mean square below which a frame is no sound at all (the last bit of 16 lies at -90 dBFS): nothing is learnt from it
at the start, when devices deliver zeros before they deliver sound."""


class GateMode(Enum):
    """Who decides whether the gate is open."""

    VOICE = "voice"
    """The level does."""
    OPEN = "open"
    """The push-to-talk key is held: open at once."""
    SHUT = "shut"
    """It is not held: shut, `release_ticks` after OPEN and at once after anything else."""
    MUTED = "muted"
    """Shut at once, whatever was before."""


class TalkGate:
    """The gate of one microphone.

    ``threshold_dbfs`` fixes the level that opens it, in place of noise floor and
    guard; None learns the floor. A gate that does not learn (``learns``) is told another's floor by `follow`. Clatter
    is told from talk either way. ``push`` belongs to one thread; ``mode`` may be assigned, and
    ``floor``, ``opens_at`` and ``talks`` read, from any other at any time.
    """

    def __init__(
        self, threshold_dbfs: float | None = None, tuning: GateTuning = TUNING.gate, *, learns: bool = True
    ) -> None:
        self.mode = GateMode.VOICE
        """Takes effect at the next ``push``."""
        self.floor = 0.0
        """The noise floor as a mean square; 0 until it is known."""
        self._learns = threshold_dbfs is None
        self._learns_itself = learns
        self._tuning = tuning
        self._open_above_floor = mean_square_of(tuning.open_above_floor_db)
        self._talk_above_floor = mean_square_of(tuning.talk_above_floor_db)
        self._lingers = mean_square_of(tuning.lingers_db)
        self._steady = mean_square_of(tuning.steady_db)
        self._peak_fall = mean_square_of(tuning.peak_fall_db)
        self._smoothing = tuning.smoothing
        self._guard = mean_square_of(tuning.guard_dbfs if threshold_dbfs is None else threshold_dbfs)
        self.opens_at = self._guard
        """The mean square that opens the gate now."""
        self._talk_at = self._guard
        self._last = self._last_but_one = self._peak = 0.0
        self.state = GateState.SHUT
        """What it makes of the level; where a key decides, what it made of it last."""
        self.talks = False
        """The last frames were talk, whoever decides."""
        self._confirmed = 0
        """Frames of talk since it opened."""
        self._failed = 0
        """Trials that failed in a row."""
        self._wary_for = 0
        """Ticks for which it goes on being wary."""
        self._previous_mode = self.mode
        self._open_for = 0
        """Ticks for which it stays open though nothing is said."""
        self._smoothed = 0.0
        self._least = 0.0
        self._minima: list[float] = []
        self._window_left = 0

    def push(self, mean_square: float) -> bool:
        """Take the mean square of the next frame; True if the frame belongs to talk. NaN counts as silence."""
        if not 0.0 <= mean_square <= 1.0:
            mean_square = 1.0 if mean_square > 1.0 else 0.0
        self._learn(mean_square)
        self.talks = talk = self._talk(mean_square)
        mode = self.mode
        previous, self._previous_mode = self._previous_mode, mode
        if mode is GateMode.VOICE:
            if talk:
                self._confirm()
                return True
            if self._without_talk(mean_square):
                return True
        elif mode is GateMode.OPEN:
            self._open_for = self._tuning.release_ticks
            return True
        elif mode is GateMode.MUTED or previous is GateMode.VOICE:
            self._open_for = 0
        if self._open_for:
            self._open_for -= 1
            return True
        return False

    def follow(self, floor: float) -> None:
        """Take another gate's noise floor, which has heard more; 0: it does not know one yet."""
        if floor:
            self._settle(floor)

    def _talk(self, mean_square: float) -> bool:
        """Whether the last three frames are talk: loud, and steady."""
        least = min(mean_square, self._last, self._last_but_one)
        self._last_but_one, self._last = self._last, mean_square
        self._peak = peak = max(mean_square, self._peak * self._peak_fall)
        return least >= self._talk_at and least >= peak * self._steady

    def _confirm(self) -> None:
        """It is talk: stay open for longer."""
        self._confirmed = confirmed = self._confirmed + 1
        if confirmed < self._tuning.sure_after:
            self.state = GateState.TALK
        elif confirmed == self._tuning.sure_after:
            self.state = GateState.SURE
            self._failed = self._wary_for = 0
        tuning = self._tuning
        hang_over = min(tuning.trial_ticks + confirmed * tuning.trust_ticks, tuning.hang_over_ticks)
        self._open_for = max(self._open_for, hang_over)

    def _without_talk(self, mean_square: float) -> bool:
        """Whether the frame opens the gate, or holds it open, though it is not talk."""
        if self._wary_for:
            self._wary_for -= 1
        if self._open_for:
            if self.state is GateState.SURE and mean_square >= self.opens_at:
                self._open_for = self._tuning.hang_over_ticks
                return True
            return False
        if self.state is GateState.TRIAL:
            if mean_square >= self.opens_at * self._lingers:
                return True  # a breath, or an onset that rises for longer than a trial lasts; a click is over by now
            self._failed += 1
            if self._failed >= self._tuning.failures:
                self._wary_for = self._tuning.wary_ticks
        self._confirmed = 0
        if self._wary_for:
            self.state = GateState.WARY
            return False
        if mean_square < self.opens_at:
            self.state = GateState.SHUT
            return False
        self.state = GateState.TRIAL
        self._open_for = self._tuning.trial_ticks
        return True

    def _learn(self, mean_square: float) -> None:
        """Move the floor by one frame."""
        if not self._smoothed:
            if mean_square < DIGITAL_SILENCE:
                return
            self._smoothed = self._least = mean_square
            self._window_left = WINDOW_TICKS
        self._smoothed = smoothed = self._smoothed + self._smoothing * (mean_square - self._smoothed)
        if smoothed < self._least:
            self._least = smoothed
            if smoothed < self.floor:
                self._settle(smoothed)
        self._window_left -= 1
        if not self._window_left:
            self._minima.append(self._least)
            if len(self._minima) == self._tuning.windows:
                self._settle(min(self._minima))
                del self._minima[0]
            self._least = smoothed
            self._window_left = WINDOW_TICKS

    def _settle(self, floor: float) -> None:
        """Take ``floor`` for the noise floor."""
        self.floor = floor
        if self._learns:
            self.opens_at = max(self._guard, floor * self._open_above_floor)
            self._talk_at = max(self._guard, floor * self._talk_above_floor)
