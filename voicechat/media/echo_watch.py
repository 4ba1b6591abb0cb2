"""EchoWatch: whether the microphone hears the loudspeaker at all, so that nobody with headphones pays for a canceller.

It sees one line for each frame in which a friend was heard: how loud that was, how loud the
microphone was, and whether the gate was open. CHANGES has its states and what leads from one to
the other.

AWAKE to ASLEEP: of the loud frames of the last seconds nearly all had the gate shut. With
headphones that is the first sentence that a friend says; an echo that opens the gate has never more
than 84 % (measured, docs/sound.md). A share and not a count: a count of shut frames would fall
asleep in every long call. An echo too soft to open the gate is not sent, so it may sleep, too.

ASLEEP to AWAKE: what the microphone hears rises and falls with what is played, at the same lag
JUDGEMENTS times in a row, in frames that opened the gate: somebody took the headphones off.

May import numpy, the sound format, ``echo_detector`` for its correlation, ``levels`` and ``tuning``.
"""

from collections import deque
from enum import Enum
from typing import Final

import numpy as np

from voicechat.format import TICKS_PER_SECOND
from voicechat.media.echo_detector import correlations
from voicechat.media.levels import dbfs_of, mean_square_of
from voicechat.media.tuning import TUNING, EchoCancelTuning


class EchoState(Enum):
    """Whether there is anything to cancel."""

    AWAKE = "awake"
    """The microphone may hear the loudspeaker: every frame of talk is cancelled."""
    ASLEEP = "asleep"
    """It does not: nothing is computed, and nothing is late."""


CHANGES: Final[dict[EchoState, dict[EchoState, str]]] = {
    EchoState.AWAKE: {EchoState.ASLEEP: "friends were loud, and the gate stayed shut"},
    EchoState.ASLEEP: {
        EchoState.AWAKE: "the microphone follows what is played, or a device is new",
    },
}
"""The states that may follow one, and when; each may also stay."""

LOUD: Final = mean_square_of(-35.0)
"""Mean square of a played frame that an echo would show in: a friend's voice has -20 dBFS."""

SHARE_OF: Final = 2 * TICKS_PER_SECOND
"""Loud frames of which the share is taken: two seconds are the first sentence."""

WINDOW: Final = 2 * TICKS_PER_SECOND
"""Frames that are compared: some ten syllables."""

LAGS: Final = 20
"""Frames by which an echo may be late: 400 ms, about the length of the filter."""

JUDGE_EVERY: Final = TICKS_PER_SECOND // 2
"""Frames between two judgements: each costs 50 us."""

JUDGEMENTS: Final = 3
"""Judgements in a row that must agree: double talk is alike by chance, but not at one lag."""

SAME_LAG: Final = 1
"""Frames by which their lags may differ."""

_QUIETEST: Final = -75.0
"""dBFS below which ups and downs are noise."""

_ACTIVE: Final = -50.0
"""dBFS of a played frame that counts as sound."""


class EchoWatch:
    """Of one microphone and one loudspeaker."""

    def __init__(self, tuning: EchoCancelTuning = TUNING.cancel) -> None:
        self._asleep_from = tuning.asleep_from
        self._alike = tuning.alike
        self.state = EchoState.AWAKE
        """Begins awake: the first words of a friend must not come back to them."""
        self._shut: deque[bool] = deque(maxlen=SHARE_OF)
        """Of each loud frame, whether the gate was shut."""
        self._played: deque[float] = deque(maxlen=WINDOW + LAGS)
        self._heard: deque[float] = deque(maxlen=WINDOW)
        self._opened: deque[bool] = deque(maxlen=WINDOW)
        self._judge_in = JUDGE_EVERY
        self._lag = 0
        self._times = 0

    def frame(self, played: float, heard: float, *, opened: bool) -> bool:
        """Mean squares of a frame that was played and of the microphone's at that time; True if the state changed.

        ``opened``: the gate was open for it. Comes for every frame while friends are heard.
        """
        if played > LOUD:
            self._shut.append(not opened)
        if self.state is EchoState.AWAKE:
            if len(self._shut) == SHARE_OF and sum(self._shut) >= self._asleep_from * SHARE_OF:
                self._change(EchoState.ASLEEP)
                return True
            return False
        self._played.append(max(_QUIETEST, dbfs_of(played)))
        self._heard.append(max(_QUIETEST, dbfs_of(heard)))
        self._opened.append(opened)
        self._judge_in -= 1
        if self._judge_in > 0 or not any(self._opened):
            return False
        self._judge_in = JUDGE_EVERY
        if not self._follows():
            return False
        self._change(EchoState.AWAKE)
        return True

    def wake(self) -> bool:
        """A device is new: nothing is known of it. True if the state changed."""
        changed = self.state is not EchoState.AWAKE
        self._change(EchoState.AWAKE)
        return changed

    def _change(self, state: EchoState) -> None:
        self.state = state
        self._times = 0
        for history in (self._shut, self._played, self._heard, self._opened):
            history.clear()

    def _follows(self) -> bool:
        """Whether the microphone has followed what was played, so many times in a row."""
        if len(self._played) < WINDOW + LAGS:
            return False
        played = np.array(self._played, np.float32)
        if np.count_nonzero(played > _ACTIVE) < WINDOW // 3:
            return False
        alike = correlations(played, np.array(self._heard, np.float32))
        best = int(alike.argmax())
        if alike[best] < self._alike:
            self._times = 0
            return False
        self._times = self._times + 1 if self._times and abs(best - self._lag) <= SAME_LAG else 1
        self._lag = best
        return self._times >= JUDGEMENTS
