"""Cues between the reactor's thread and the device's, by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.audio.bridge import CUE_WITHIN, AudioBridge
from voicechat.client.audio.cueing import MOST_WAITING, CueQueue
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, FRAME_SAMPLES, SILENT_BLOCK, Samples
from voicechat.media.gate import TalkGate


def cue(*values: float) -> Samples:
    """A block of each value."""
    return np.repeat(np.array(values, np.float32), BLOCK_SAMPLES)


def block(value: float) -> bytes:
    return np.full(BLOCK_SAMPLES, value, np.float32).tobytes()


def value_of(sound: bytes) -> float:
    samples = np.frombuffer(sound, np.float32)
    assert samples.size == BLOCK_SAMPLES
    assert (samples == samples[0]).all()
    return round(float(samples[0]), 6)


@given(st.lists(st.one_of(st.none(), st.integers(1, 12)), max_size=40))
def test_cues_are_played_one_after_the_other_and_a_flood_leaves_the_newest(steps: list[int | None]) -> None:
    """None takes a block, a number is a cue of so many blocks; each has its own value."""
    queue, waiting = CueQueue(), list[list[float]]()
    for number, step in enumerate(steps, 1):
        if step is None:
            want = waiting[0].pop(0) if waiting else 0.0
            if waiting and not waiting[0]:
                del waiting[0]
            got = value_of(queue.mixed(SILENT_BLOCK) if queue.waiting else SILENT_BLOCK)
            assert got == round(want, 6)
        else:
            values = [number / 100 + at / 10_000 for at in range(step)]
            if len(waiting) >= MOST_WAITING:
                waiting.pop()
            waiting.append(values)
            queue.put(cue(*values))
        assert len(queue.waiting) <= MOST_WAITING


def test_a_cue_is_mixed_with_what_is_heard_and_leaves_no_range() -> None:
    queue = CueQueue()
    queue.put(cue(0.25, 0.25, 0.25))
    assert [value_of(queue.mixed(block(value))) for value in (0.5, -0.5, 0.9)] == [0.75, -0.25, 1.0]
    assert queue.mixed(SILENT_BLOCK) is SILENT_BLOCK, "nothing left"


class Bridge(AudioBridge):
    """A bridge whose device calls by hand."""

    def __init__(self) -> None:
        self.wakes = self.wanted = 0
        self.now = 1000.0
        super().__init__(self._woken, TalkGate(), lambda: self.now)
        self.on_wanted = self._want

    def _woken(self, call: object) -> None:
        self.wakes += 1

    def _want(self) -> None:
        self.wanted += 1

    def blocks(self, count: int) -> list[bytes]:
        taken = []
        for _ in range(count):
            self.now += BLOCK_SECONDS
            taken.append(self.exchange(SILENT_BLOCK))
        return taken


def test_a_cue_is_heard_in_silence_and_costs_nothing_before_and_after() -> None:
    bridge = Bridge()
    assert all(block is SILENT_BLOCK for block in bridge.blocks(10)), "the very block: nothing is made"
    bridge.cue(cue(0.1, 0.2))
    assert bridge.cueing
    assert [value_of(block) for block in bridge.blocks(2)] == [0.1, 0.2]
    assert not bridge.cueing
    assert all(block is SILENT_BLOCK for block in bridge.blocks(10))
    assert bridge.wakes == 0, "the reactor has nothing to do with it"
    assert bridge.underruns == 0


def test_a_cue_is_heard_beside_a_voice() -> None:
    bridge = Bridge()
    bridge.blocks(2)
    bridge.play()
    bridge.provide(np.full(FRAME_SAMPLES, 0.5, np.float32).tobytes())
    bridge.cue(cue(0.1))
    assert [value_of(block) for block in bridge.blocks(2)] == [0.6, 0.5]


def test_what_the_stages_are_told_was_played_has_the_cue_in_it() -> None:
    played: list[float] = []

    class Stage:
        def process(self, microphone: bytes, loudspeaker: bytes) -> bytes:
            played.append(value_of(loudspeaker))
            return microphone

    bridge = AudioBridge(lambda call: None, TalkGate(), lambda: 1000.0, stages=[Stage()])
    bridge.exchange(SILENT_BLOCK)
    bridge.cue(cue(0.1))
    bridge.exchange(SILENT_BLOCK)
    bridge.exchange(SILENT_BLOCK)
    assert played == [0.0, 0.0, 0.1], "an echo canceller must know it, too"


def test_a_device_that_rests_is_started_and_one_that_hangs_is_not_waited_for() -> None:
    bridge = Bridge()
    bridge.blocks(2)
    bridge.now += CUE_WITHIN
    bridge.cue(cue(0.1))
    assert not bridge.cueing
    assert bridge.wanted == 0
    bridge.resting = True
    bridge.cue(cue(0.1))
    assert bridge.wanted == 1
    bridge.resting = False
    assert value_of(bridge.blocks(1)[0]) == 0.1
