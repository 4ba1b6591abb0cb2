"""Spurt: where a stream is in a talk spurt, and the decision what to do next.

Decide, then act: `Spurt.decide` looks at the frame that is wanted now and names one
Operation; `stream` carries it out. Nothing is changed by deciding. Some operations give
no sound (begin, skip, let go, end, give up): they are carried out, and it is decided again.

OPERATIONS has what can happen in which phase, and where it leads. docs/architecture.md
has the picture, which is drawn from it.

Pure: ticks, no clock. May import ``jitter``, ``repair``, ``timescale`` and the gate's figures.
"""

import enum
from typing import Final

from voicechat.media.gate import PRE_ROLL_FRAMES
from voicechat.media.jitter import JitterBuffer
from voicechat.media.repair import LateFrameRepair
from voicechat.media.timescale import Pace
from voicechat.media.tuning import TUNING, StreamTuning

FADES_AFTER: Final = 2
"""Missing ticks concealed at full level; Opus' own concealment is good for about 60 ms (RFC 6716, 4.4)."""

ENDS_AFTER: Final = 5
"""Missing ticks after which a spurt without an end packet is over: 100 ms, twice the usual burst of loss."""


class Phase(enum.Enum):
    """Where a stream is."""

    IDLE = "idle"
    """Nothing is said."""
    WAITING = "waiting"
    """A frame has come, and its playout delay is not over."""
    PLAYING = "playing"
    """Each pull takes the next tick."""


class Operation(enum.Enum):
    """What is done for a pull; NetEq's word where it has one."""

    PLAY = "play"
    """Decode the next frame."""
    REPAIR = "repair"
    """The same, after decoding again what came too late, so that the decoder is where it would be."""
    ACCELERATE = "accelerate"
    """The delay is too deep: leave quiet frames out, or merge two."""
    EXPAND = "expand"
    """The delay is too shallow, and it is quiet: put a concealed frame in."""
    CONCEAL = "conceal"
    """The frame is missing, late or lost: time goes on without it."""
    WAIT = "wait"
    """The frame is missing, and so is all that follows: conceal, and want the same one again."""
    SILENCE = "silence"
    """Nothing is said, or not yet."""
    BEGIN = "begin", False
    """The first frame is due. No sound; decide again."""
    SKIP = "skip", False
    """A burst after a stall is late by far: jump to the frame whose time it is. No sound; decide again."""
    LET_GO = "let go", False
    """What was waited for is lost, since newer frames or the end came: its time has been concealed. Decide again."""
    END = "end", False
    """The end packet's tick is reached. No sound; decide again."""
    GIVE_UP = "give up", False
    """So much is missing that the spurt is over, though no end came. Decide again: silence."""

    def __init__(self, words: str, sounds: bool = True) -> None:
        self.words = words
        self.sounds = sounds
        """It gives a frame; if not, it is decided again."""


OPERATIONS: Final[dict[Phase, dict[Operation, set[Phase]]]] = {
    Phase.IDLE: {Operation.SILENCE: {Phase.IDLE}},
    Phase.WAITING: {Operation.SILENCE: {Phase.WAITING}, Operation.BEGIN: {Phase.PLAYING}},
    Phase.PLAYING: {
        Operation.PLAY: {Phase.PLAYING},
        Operation.REPAIR: {Phase.PLAYING},
        Operation.ACCELERATE: {Phase.PLAYING},
        Operation.EXPAND: {Phase.PLAYING},
        Operation.CONCEAL: {Phase.PLAYING},
        Operation.WAIT: {Phase.PLAYING},
        Operation.SKIP: {Phase.PLAYING},
        Operation.LET_GO: {Phase.PLAYING},
        Operation.END: {Phase.IDLE, Phase.WAITING},
        Operation.GIVE_UP: {Phase.IDLE, Phase.WAITING},
    },
}
"""What may be decided in a phase, and the phases in which it leaves the stream: WAITING after an end if frames of the
next spurt lie here already."""

PACKETS: Final = [
    (Phase.IDLE, Phase.WAITING, "a frame comes"),
    (Phase.PLAYING, Phase.WAITING, "a frame of another clock comes"),
    (Phase.WAITING, Phase.IDLE, "stop"),
    (Phase.PLAYING, Phase.IDLE, "stop"),
]
"""What leads from phase to phase without being decided."""


class Spurt:
    """What a stream decides by; the stream brings it up to date."""

    def __init__(
        self,
        buffer: JitterBuffer,
        pace: Pace,
        late_frames: LateFrameRepair,
        *,
        halves: bool,
        tuning: StreamTuning = TUNING.stream,
    ) -> None:
        """``halves``: the second half of a late frame may still be heard, so one that is late is not waited for."""
        self._buffer = buffer
        self._pace = pace
        self._late_frames = late_frames
        self._halves = halves
        self.skip_above = PRE_ROLL_FRAMES + tuning.skip_above
        """Ticks of delay above target that are cut at once."""
        self._begins_at = -tuning.begins_early
        self._shallow = -tuning.shallow
        self._bad_luck = tuning.bad_luck
        self.phase = Phase.IDLE
        self.end: int | None = None
        """The first tick that is not of this spurt; None while that is not known."""
        self.missing = 0
        """Ticks concealed since the last frame was played."""
        self.waited = 0
        """Those of them that moved nothing on."""
        self.recent_misses = 0.0
        """Late frames of the last second, fading."""

    def play(self) -> None:
        """Its first frame is due."""
        self.phase = Phase.PLAYING
        self.missing = self.waited = 0

    def finish(self, *, another: bool) -> None:
        """It is over; ``another``: frames of the next one are here."""
        self.phase = Phase.WAITING if another else Phase.IDLE
        self.end = None
        self.missing = self.waited = 0

    def decide(self, late: float) -> Operation:
        """What to do next for the frame that is wanted now, ``late`` ticks after its time. Changes nothing."""
        phase = self.phase
        if phase is not Phase.PLAYING:
            return Operation.BEGIN if phase is Phase.WAITING and late >= self._begins_at else Operation.SILENCE
        if late > self.skip_above:
            return Operation.SKIP
        buffer, end = self._buffer, self.end
        here = buffer.holds(buffer.next)
        if not here and self.waited and (end is not None or len(buffer)):
            return Operation.LET_GO
        if end is not None and buffer.next >= end:
            return Operation.END
        if not here:
            return self._decide_missing(late)
        if self._pace.too_deep:
            return Operation.ACCELERATE
        if self.missing:
            return Operation.REPAIR if self._late_frames.possible else Operation.PLAY
        return Operation.EXPAND if self._pace.too_shallow else Operation.PLAY

    def _decide_missing(self, late: float) -> Operation:
        """The frame is not here: take it for late once, if that may be chance; else the delay is too small, so wait."""
        if self.missing >= ENDS_AFTER - 1:
            return Operation.GIVE_UP
        chance = self._halves and late >= self._shallow and self.recent_misses < self._bad_luck
        if len(self._buffer) or (chance and not self.missing):
            return Operation.CONCEAL
        return Operation.WAIT

    def should_wait(self) -> bool:
        """Whether a moment of patience is worth it.

        A frame is missing that may still come: the next one, or the one after it that is to be merged with it.
        """
        if self.phase is not Phase.PLAYING or self.missing > FADES_AFTER:
            return False
        tick = self._buffer.next
        if self._pace.too_deep and not self.waited and self._buffer.holds(tick):
            tick += 1
        return tick != self.end and not self._buffer.holds(tick)
