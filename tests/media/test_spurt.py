"""The decision: for each situation one operation, nothing is changed by it, and the table has them all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.format import silent_frame
from voicechat.media.gate import PRE_ROLL_FRAMES
from voicechat.media.jitter import JitterBuffer
from voicechat.media.packet import ME, MediaPacket
from voicechat.media.repair import LateFrameRepair
from voicechat.media.spurt import ENDS_AFTER, OPERATIONS, PACKETS, Operation, Phase, Spurt
from voicechat.media.stream import ReceiveStream
from voicechat.media.timescale import Pace
from voicechat.media.tuning import TUNING
from voicechat.testing import MemoryCodec

BAD_LUCK = TUNING.stream.bad_luck
BEGINS_EARLY = TUNING.stream.begins_early
SHALLOW = TUNING.stream.shallow
SKIP_ABOVE = PRE_ROLL_FRAMES + TUNING.stream.skip_above
ACCELERATE_ABOVE = TUNING.stream.accelerate_above
EXPAND_BELOW = TUNING.stream.expand_below

CODEC = MemoryCodec()
NEXT = 50
LOUD, QUIET = 0.1, 0.0


class Situation:
    """A spurt that plays frame NEXT; all is well, except for what is given."""

    def __init__(
        self,
        here: tuple[int, ...] = (NEXT,),
        *,
        phase: Phase = Phase.PLAYING,
        excess: float = 0.0,
        level: float = LOUD,
        missing: int = 0,
        waited: int = 0,
        misses: float = 0.0,
        end: int | None = None,
        came_late: bool = False,
        halves: bool = True,
    ) -> None:
        buffer, pace, late_frames = JitterBuffer(), Pace(), LateFrameRepair(CODEC.decoder())
        buffer.reset(NEXT)
        for tick in here:
            buffer.put(tick, b"sound")
        pace.excess, pace.level = excess, level
        if came_late:
            late_frames.missed(NEXT - 1)
            late_frames.arrived(NEXT - 1, b"sound")
        self.spurt = Spurt(buffer, pace, late_frames, halves=halves)
        self.spurt.phase, self.spurt.end = phase, end
        self.spurt.missing, self.spurt.waited, self.spurt.recent_misses = missing, waited, misses
        self.parts = buffer, pace, late_frames

    def all_that_counts(self) -> str:
        """Everything that an operation might change."""
        return repr([vars(part) for part in (self.spurt, *self.parts)])


NEWER = (NEXT + 1,)
CASES = [
    # nothing is played
    (Situation(phase=Phase.IDLE), 0.0, Operation.SILENCE),
    (Situation(phase=Phase.WAITING), -BEGINS_EARLY - 0.01, Operation.SILENCE),
    (Situation(phase=Phase.WAITING), -BEGINS_EARLY, Operation.BEGIN),
    (Situation(phase=Phase.WAITING), 9.0, Operation.BEGIN),
    # the frame is here
    (Situation(), 0.0, Operation.PLAY),
    (Situation(), -SHALLOW - 0.1, Operation.PLAY),
    (Situation(excess=ACCELERATE_ABOVE), 0.0, Operation.ACCELERATE),
    (Situation(excess=ACCELERATE_ABOVE, missing=1, came_late=True), 0.0, Operation.ACCELERATE),
    (Situation(excess=EXPAND_BELOW, level=QUIET), 0.0, Operation.EXPAND),
    (Situation(excess=EXPAND_BELOW, level=LOUD), 0.0, Operation.PLAY),
    (Situation(excess=EXPAND_BELOW, level=QUIET, missing=1), 0.0, Operation.PLAY),
    (Situation(missing=1), 0.0, Operation.PLAY),
    (Situation(missing=1, came_late=True), 0.0, Operation.REPAIR),
    # it is late by far
    (Situation(), SKIP_ABOVE, Operation.PLAY),
    (Situation(), SKIP_ABOVE + 0.01, Operation.SKIP),
    (Situation(()), SKIP_ABOVE + 0.01, Operation.SKIP),
    # the end
    (Situation((), end=NEXT), 0.0, Operation.END),
    (Situation(end=NEXT), 0.0, Operation.END),
    (Situation(end=NEXT + 1), 0.0, Operation.PLAY),
    (Situation(NEWER, end=NEXT + 2), 0.0, Operation.CONCEAL),
    # the frame is missing
    (Situation(()), 0.0, Operation.CONCEAL),
    (Situation((), halves=False), 0.0, Operation.WAIT),
    (Situation(()), -SHALLOW - 0.01, Operation.WAIT),
    (Situation((), misses=BAD_LUCK), 0.0, Operation.WAIT),
    (Situation((), missing=1), 0.0, Operation.WAIT),
    (Situation(NEWER, missing=1), 0.0, Operation.CONCEAL),
    (Situation(NEWER, halves=False, misses=BAD_LUCK), 0.0, Operation.CONCEAL),
    (Situation((), missing=ENDS_AFTER - 1), 0.0, Operation.GIVE_UP),
    (Situation(NEWER, missing=ENDS_AFTER - 1), 0.0, Operation.GIVE_UP),
    # it was waited for
    (Situation(missing=1, waited=1), 0.0, Operation.PLAY),
    (Situation((), missing=1, waited=1), 0.0, Operation.WAIT),
    (Situation(NEWER, missing=1, waited=1), 0.0, Operation.LET_GO),
    (Situation((), missing=1, waited=1, end=NEXT), 0.0, Operation.LET_GO),
    (Situation((), missing=ENDS_AFTER - 1, waited=1, end=NEXT), 0.0, Operation.LET_GO),
]


@pytest.mark.parametrize(("situation", "late", "operation"), CASES)
def test_for_each_situation_there_is_one_operation(situation: Situation, late: float, operation: Operation) -> None:
    before = situation.all_that_counts()
    assert situation.spurt.decide(late) is operation
    assert situation.all_that_counts() == before, "deciding changes nothing"


def test_the_cases_have_every_operation_that_the_table_has() -> None:
    assert {(situation.spurt.phase, operation) for situation, _, operation in CASES} == {
        (phase, operation) for phase, row in OPERATIONS.items() for operation in row
    }
    assert {operation for row in OPERATIONS.values() for operation in row} == set(Operation)


SOUND = CODEC.encoder(1).encode(np.full_like(silent_frame(), 0.3))
ARRIVALS = st.builds(
    MediaPacket,
    st.just(ME),
    st.integers(0, 60),
    st.sampled_from(
        [b"", CODEC.encoder(1).encode(np.full_like(silent_frame(), 0.3)), CODEC.encoder(1).encode(silent_frame())]
    ),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(st.tuples(st.lists(ARRIVALS, max_size=4), st.floats(0, 3)), max_size=60), st.booleans())
def test_whatever_comes_a_stream_moves_as_the_table_says(
    turns: list[tuple[list[MediaPacket], float]], halves: bool
) -> None:
    stream, out, now = ReceiveStream(CODEC.decoder(), halves=halves), silent_frame(), 0.0
    spurt, decided, decide = stream._spurt, list[tuple[Phase, Operation]](), stream._spurt.decide

    def watched(late: float) -> Operation:
        decided.append((spurt.phase, decide(late)))
        return decided[-1][1]

    spurt.decide = watched  # type: ignore[method-assign]
    moved = {(before, after) for before, after, _ in PACKETS}
    for packets, pause in turns:
        for packet in packets:
            before = spurt.phase
            stream.put(packet, now)
            assert spurt.phase is before or (before, spurt.phase) in moved
        now += pause
        decided.clear()
        stream.pull(now, out)
        phases = [*(phase for phase, _ in decided[1:]), spurt.phase]
        for (phase, operation), following in zip(decided, phases, strict=True):
            assert following in OPERATIONS[phase][operation]
        assert [operation.sounds for _, operation in decided] == [False] * (len(decided) - 1) + [True]
