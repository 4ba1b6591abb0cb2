"""From blocks to frames of talk, without a device: whatever the gate does, nothing is lost, doubled or out of order."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.audio.capture import MOST_CAPTURED, Captured, CaptureQueue
from voicechat.format import BLOCK_BYTES, BLOCK_SAMPLES, SILENT_BLOCK
from voicechat.media.gate import PRE_ROLL_FRAMES, GateMode, TalkGate


def block(value: float) -> bytes:
    return np.full(BLOCK_SAMPLES, value, np.float32).tobytes()


def all_of(queue: CaptureQueue) -> list[Captured]:
    return list(iter(queue.pop, None))


spurts = st.lists(st.tuples(st.sampled_from([0.0, 0.0001, 0.3]), st.integers(1, 60)), max_size=12)


@given(spurts)
def test_each_frame_comes_at_most_once_in_order_and_each_spurt_whole(heard: list[tuple[float, int]]) -> None:
    """A frame's samples are its number, so that none can be taken for another."""
    queue, came, frames = CaptureQueue(TalkGate()), list[Captured](), 0
    for level, count in heard:
        for _ in range(count):
            value = level * (1 + frames / 10_000)
            frames += 1
            fetch = [queue.push(block(value)), queue.push(block(value))]
            assert fetch[0] is False, "half a frame wakes nobody"
            new = all_of(queue)
            assert bool(new) == fetch[1]
            came += new
            if new and new[-1].frame is not None:
                assert new[-1].tick == frames - 1
                assert new[-1].frame[0] == np.float32(value)
    ticks = [one.tick for one in came if one.frame is not None]
    assert ticks == sorted(set(ticks))
    assert queue.tick == frames
    assert queue.overruns == 0
    for before, after in itertools.pairwise(came):
        if before.frame is not None:
            assert after.tick == before.tick + 1, "a spurt has no holes"
        else:
            assert after.frame is not None, "a spurt ends once"
            assert after.tick >= before.tick, "what comes next may begin with the very frame that was too quiet"
    ends = sum(one.frame is None for one in came)
    begins = sum(one.frame is not None and (not n or came[n - 1].frame is None) for n, one in enumerate(came))
    assert begins == ends + queue.talking


@given(st.integers(0, 3 * MOST_CAPTURED))
def test_what_nobody_fetches_is_dropped_and_counted(frames: int) -> None:
    gate = TalkGate()
    gate.mode = GateMode.OPEN
    queue = CaptureQueue(gate)
    for _ in range(2 * frames):
        queue.push(block(0.3))
    assert queue.overruns == max(0, frames - MOST_CAPTURED)
    assert [one.tick for one in all_of(queue)] == list(range(frames))[-MOST_CAPTURED:]


def test_a_spurt_begins_with_the_frames_before_it() -> None:
    queue = CaptureQueue(TalkGate())
    for number in range(10):
        for _ in range(2):
            queue.push(block(number / 1e6))
    for _ in range(2):
        queue.push(block(0.3))
    came = all_of(queue)
    assert len(came) == PRE_ROLL_FRAMES + 1
    assert [float(one.frame[0]) for one in came[:-1] if one.frame is not None] == [
        pytest.approx(number / 1e6) for number in range(10 - PRE_ROLL_FRAMES, 10)
    ]


@pytest.mark.parametrize("muted", range(1, PRE_ROLL_FRAMES + 3))
def test_no_frame_of_one_spurt_comes_again_before_the_next(muted: int) -> None:
    gate = TalkGate()
    queue = CaptureQueue(gate)
    for mode, frames in ((GateMode.SHUT, 5), (GateMode.OPEN, 5), (GateMode.MUTED, muted), (GateMode.OPEN, 1)):
        gate.mode = mode
        for _ in range(2 * frames):
            queue.push(block(queue.tick / 1000))
    frames_of_talk = [(one.tick, one.frame) for one in all_of(queue) if one.frame is not None]
    assert all(frame[0] == np.float32(tick / 1000) for tick, frame in frames_of_talk)
    ticks = [tick for tick, _ in frames_of_talk]
    assert ticks == sorted(set(ticks))
    assert ticks[-1] == 10 + muted


def test_a_closed_microphone_is_no_frame_for_the_gate_but_time_goes_on() -> None:
    queue = CaptureQueue(TalkGate())
    for _ in range(100):
        assert queue.push(SILENT_BLOCK) is False
    assert queue.tick == 50
    assert queue.level == 0.0


def test_what_was_played_waits_beside_what_was_heard() -> None:
    queue = CaptureQueue(TalkGate(), keep_played=True)
    sounds = [bytes([n]) * BLOCK_BYTES for n in (1, 2, 3)]
    soft = np.full(BLOCK_SAMPLES, 1e-4, np.float32).tobytes()
    for played in (SILENT_BLOCK, SILENT_BLOCK, sounds[0], sounds[1], SILENT_BLOCK, sounds[2]):
        queue.push(soft, played)
    first, second = queue.pop_played(), queue.pop_played()
    assert first is not None
    assert second is not None
    assert (first.tick, first.sound, first.opened) == (1, (sounds[0], sounds[1]), False)
    assert (second.tick, second.sound) == (2, (SILENT_BLOCK, sounds[2]))
    assert queue.pop_played() is None, "nothing is kept where nobody was heard"


def test_where_nobody_cancels_nothing_that_was_played_is_kept() -> None:
    queue = CaptureQueue(TalkGate())
    for _ in range(4):
        queue.push(SILENT_BLOCK, bytes([1]) * BLOCK_BYTES)
    assert queue.pop_played() is None
