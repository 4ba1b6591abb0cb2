"""EchoCanceller: a friend's voice goes from the loudspeaker into the microphone, and is taken away again.

A frame of the microphone that the gate let through is talk, or an echo, or both. The filter takes
away what it knows of the echo (`echo_filter`), the suppressor makes the rest soft (`echo_suppressor`),
and a second gate judges what is left: `talk`. Where the suppressor hears nobody near, what is left
has to be louder to pass; so a room that has just changed, and that the filter must learn anew, is not
sent to the friends.

Who calls it has three things to tell: every frame that was played (`played`), every frame of the
microphone that is wanted (`cancel`), and how many went by that nobody wanted (`missed`). Where
nothing was played for the length of the filter, nothing is computed. What was cancelled is LAG
samples late, and so is the rest of its talk spurt; others are not (`rest`).

May import numpy, the sound format, ``gate``, ``levels``, ``tuning`` and its parts. Runs on the
reactor's thread: see `echo_filter`.
"""

from typing import Final

import numpy as np

from voicechat.format import Frame, silent_frame
from voicechat.media.echo_filter import EchoFilter
from voicechat.media.echo_suppressor import LAG, EchoSuppressor
from voicechat.media.gate import TalkGate
from voicechat.media.levels import mean_square, mean_square_of
from voicechat.media.tuning import TUNING, EchoCancelTuning, GateTuning

LOST_AFTER: Final = 5
"""Frames in a row that the filter made louder before it begins anew: 100 ms, since one word may do it."""

LOST_AGAIN: Final = 20
"""Frames after that in which it does not: the time that learning takes."""

HEARD: Final = mean_square_of(-55.0)
"""Mean square of the microphone from which its frames tell whether the filter is lost: about the gate's guard."""

_WEIGHT: Final = 0.2
"""Of the newest frame in the powers that tell it: 90 ms."""


class EchoCanceller:
    """For one microphone and one loudspeaker. Frames must be finite; one that is not counts as silence."""

    def __init__(self, tuning: EchoCancelTuning = TUNING.cancel, gate: GateTuning = TUNING.gate) -> None:
        self._tuning = tuning
        self._filter = EchoFilter(tuning)
        self._suppressor = EchoSuppressor(tuning)
        self._gate = TalkGate(tuning=gate, learns=False)
        self._last = silent_frame()
        """The microphone's last frame."""
        self._late = False
        """Something of this spurt was cancelled."""
        self._near_ago = tuning.doubtful_after
        self._heard = self._left = self._taken = 0.0
        self._lost = 0
        self.talk = False
        """The last frame is to be sent: somebody near talks, or nothing was played."""
        self.frames = 0
        """Frames that were cancelled."""

    def played(self, frame: Frame | None) -> None:
        """The next frame that the loudspeaker was given; None: silence. Comes before the microphone's of that tick."""
        self._filter.played(frame if frame is not None and np.isfinite(frame.dot(frame)) else None)

    def missed(self, frames: int) -> None:
        """So many frames of the microphone were not wanted: in them the room may have changed."""
        self._filter.doubt(frames)
        self._suppressor.paused(frames)

    def cancel(self, frame: Frame, floor: float) -> Frame:
        """The microphone's frame without the echo; valid until the next call.

        ``floor`` is the room's noise as a mean square, as the first gate knows it; 0 if it does not yet.
        """
        if not np.isfinite(frame.dot(frame)):
            frame = silent_frame()
        nothing = self._filter.silent
        if nothing:
            self.missed(1)
            out = np.concatenate([self._last[-LAG:], frame[:-LAG]]) if self._late else frame
        else:
            if not self._late:
                self._late = True
                self._suppressor.follows(self._last)
            self._filter.cancel(frame)
            self._look_for_loss(frame)
            out = self._suppressor.apply(self._filter, frame, floor)
            self.frames += 1
        self._last = frame
        self._gate.follow(floor)
        passes = self._gate.push(mean_square(out) * self._trust(nothing))
        self.talk = nothing or passes
        return out

    def rest(self) -> None:
        """A talk spurt is over: the next one begins in time."""
        self._late = False
        self._last = silent_frame()

    def doubt(self) -> None:
        """The room or the delay may be another: blocks were lost, the microphone was closed for long."""
        self._filter.doubt(self._tuning.forgets_in)
        self._suppressor.paused(self._tuning.forgets_in)

    def reset(self) -> None:
        """Another loudspeaker or microphone: nothing that was learnt holds."""
        self._filter.reset()
        self._suppressor.forget()

    @property
    def coupling(self) -> float:
        """Power of the echo in the microphone for each of the loudspeaker's, as far as it was learnt."""
        return self._filter.coupling

    def _trust(self, nothing: bool) -> float:
        """What a frame counts for the second gate: less where nobody seems near, least where nobody was of late."""
        tuning = self._tuning
        if nothing or self._suppressor.near:
            self._near_ago = 0
            return 1.0
        self._near_ago += 1
        return tuning.doubtful if self._near_ago <= tuning.doubtful_after else tuning.nobody

    def _look_for_loss(self, frame: Frame) -> None:
        """Begin anew where the filter makes things louder: the room is another."""
        left, taken = self._filter.error, self._filter.echo
        self._heard += _WEIGHT * (mean_square(frame) - self._heard)
        self._left += _WEIGHT * (mean_square(left) - self._left)
        self._taken += _WEIGHT * (mean_square(taken) - self._taken)
        louder = self._left > 1.2 * self._heard and self._taken > 0.3 * self._heard and self._heard > HEARD
        if self._lost < 0:
            self._lost += 1
        elif not louder:
            self._lost = max(0, self._lost - 1)
        else:
            self._lost += 1
            if self._lost == LOST_AFTER:
                self.reset()
                self._lost = -LOST_AGAIN
