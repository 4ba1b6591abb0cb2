"""The bridge between two threads, without any thread: blocks in and out by hand."""

import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.audio.beat import BEATS, MOST_TOGETHER, STALLED
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.audio.capture import MOST_CAPTURED, Captured
from voicechat.client.audio.playout import MOST_READY
from voicechat.format import BLOCK_BYTES, BLOCK_SAMPLES, BLOCK_SECONDS, FRAME_SAMPLES, SILENT_BLOCK
from voicechat.media.gate import PRE_ROLL_FRAMES, GateMode, TalkGate

LOUD, QUIET = 0.25, 0.0


def block(value: float) -> bytes:
    return np.full(BLOCK_SAMPLES, value, np.float32).tobytes()


def frame(value: float) -> bytes:
    return 2 * block(value)


def value_of(sound: bytes) -> float:
    samples = np.frombuffer(sound, np.float32)
    assert (samples == samples[0]).all()
    return float(samples[0])


class Bridge(AudioBridge):
    """A bridge that counts how often it wakes the reactor; its device calls once a block, as regularly as can be."""

    def __init__(self) -> None:
        self.wakes = 0
        self.now = 1000.0
        super().__init__(self._wake, TalkGate(), lambda: self.now)

    def exchange(self, block: bytes) -> bytes:
        """Time goes on, and the device calls."""
        self.now += BLOCK_SECONDS
        return super().exchange(block)

    def exchanges(self, times: int) -> None:
        """Silence for so many blocks."""
        for _ in range(times):
            self.exchange(SILENT_BLOCK)

    def together(self, times: int) -> None:
        """So many calls at once, after as long as they take."""
        self.now += (times - 1) * BLOCK_SECONDS
        self.exchange(SILENT_BLOCK)
        for _ in range(times - 1):
            super().exchange(SILENT_BLOCK)

    def _wake(self, call: Callable[[], None]) -> None:
        self.wakes += 1
        call()

    def hear(self, *values: float) -> None:
        """The microphone's frames."""
        for value in values:
            for _ in range(2):
                self.exchange(block(value))

    def all_captured(self) -> list[tuple[int, float | None]]:
        """What the reactor finds."""
        found: list[Captured] = []
        while (captured := self.captured()) is not None:
            found.append(captured)
        return [(tick, None if samples is None else float(samples[0])) for tick, samples, _ in found]


@pytest.fixture
def bridge() -> Bridge:
    return Bridge()


def test_silence_wakes_nobody(bridge: Bridge) -> None:
    bridge.hear(*[QUIET] * 500)
    assert bridge.wakes == 0
    assert bridge.captured() is None


def test_talk_comes_with_its_pre_roll_and_wakes_once_a_frame(bridge: Bridge) -> None:
    bridge.hear(*[QUIET] * 10, LOUD, LOUD, LOUD)
    assert bridge.wakes == 3
    early = [(10 - back, QUIET) for back in range(PRE_ROLL_FRAMES, 0, -1)]
    assert bridge.all_captured() == [*early, (10, LOUD), (11, LOUD), (12, LOUD)]


def test_frames_come_with_their_mean_square(bridge: Bridge) -> None:
    bridge.hear(0.001, 0.002, LOUD, 0.5)
    found = [bridge.captured() for _ in range(4)]
    assert [one and one.mean_square for one in found] == [pytest.approx(v**2) for v in (0.001, 0.002, LOUD, 0.5)]


def test_a_spurt_ends_with_none_and_ticks_run_through_silence(bridge: Bridge) -> None:
    bridge.hear(*[LOUD] * 10, *[QUIET] * 60, LOUD)
    captured = bridge.all_captured()
    ticks = [tick for tick, _ in captured]
    assert ticks == sorted(set(ticks)), "each once, in order"
    ends = [tick for tick, value in captured if value is None]
    assert len(ends) == 1
    assert captured[-1] == (70, LOUD)
    assert 20 < ends[0] < 50, "a hang-over"


def test_a_block_of_an_unfinished_frame_waits(bridge: Bridge) -> None:
    bridge.exchange(block(LOUD))
    assert bridge.captured() is None
    bridge.exchange(block(LOUD))
    captured = bridge.captured()
    assert captured is not None
    assert captured.frame is not None
    assert captured.frame.shape == (FRAME_SAMPLES,)


def test_what_the_reactor_does_not_fetch_is_dropped_oldest_first(bridge: Bridge) -> None:
    bridge.hear(*[LOUD] * (MOST_CAPTURED + 7))
    assert bridge.overruns == 7
    assert [tick for tick, _ in bridge.all_captured()] == list(range(7, MOST_CAPTURED + 7))


def test_a_muted_microphone_captures_nothing(bridge: Bridge) -> None:
    bridge.gate.mode = GateMode.MUTED
    bridge.hear(*[LOUD] * 50)
    assert bridge.captured() is None
    assert bridge.level == pytest.approx(LOUD**2), "its level is shown all the same"


def test_a_microphone_that_is_closed_teaches_the_gate_nothing(bridge: Bridge) -> None:
    noise = 0.01
    bridge.hear(*[noise] * 500)
    bridge.all_captured()
    floor, tick = bridge.gate.floor, bridge.tick
    assert floor > 0
    for _ in range(2 * 500):
        bridge.exchange(SILENT_BLOCK)
    assert bridge.gate.floor == floor
    assert bridge.tick == tick + 500
    bridge.hear(noise)
    assert bridge.captured() is None, "the noise of the room is no talk"
    bridge.hear(LOUD)
    bridge.all_captured()
    for _ in range(2 * 100):
        bridge.exchange(SILENT_BLOCK)
    assert bridge.all_captured()[-1][1] is None, "but it ends a spurt"


def test_at_rest_silence_is_played_and_nothing_asked_for(bridge: Bridge) -> None:
    assert [bridge.exchange(block(0)) for _ in range(5)] == [SILENT_BLOCK] * 5
    assert bridge.underruns == 0
    assert not bridge.asked
    assert bridge.wakes == 0


def test_what_is_provided_is_played_and_more_is_asked_for_in_time(bridge: Bridge) -> None:
    turns: list[bool] = []
    bridge.on_turn = lambda: turns.append(bridge.asked)
    bridge.play()
    bridge.provide(frame(0.5))
    assert value_of(bridge.exchange(block(0))) == 0.5
    assert turns == [], "a block is left"
    assert value_of(bridge.exchange(block(0))) == 0.5
    assert turns == [True], "while the last block is played"
    bridge.provide(frame(0.6))
    assert not bridge.asked
    assert [value_of(bridge.exchange(block(0))) for _ in range(2)] == [pytest.approx(0.6)] * 2
    assert bridge.underruns == 0


def test_a_regular_device_needs_the_next_block_when_that_is_over(bridge: Bridge) -> None:
    bridge.exchanges(5)
    assert bridge.needed_at == pytest.approx(bridge.now + BLOCK_SECONDS)
    bridge.play()
    bridge.provide(frame(0.5))
    assert bridge.needed_at == pytest.approx(bridge.now + 3 * BLOCK_SECONDS), "after what is ready"


@given(st.lists(st.floats(0, 0.9 * BLOCK_SECONDS), min_size=1, max_size=3 * BEATS))
def test_no_block_is_taken_before_it_is_needed_but_one_that_is_sooner_than_all_before(lates: list[float]) -> None:
    bridge = Bridge()
    start = bridge.now
    bridge.exchanges(1)
    for number, late in enumerate(lates, 2):
        expected = bridge.needed_at
        bridge.now = start + (number - 1) * BLOCK_SECONDS + late
        bridge.exchange(SILENT_BLOCK)
        assert bridge.now >= expected - 1e-9
        assert expected <= start + number * BLOCK_SECONDS + max(lates[-BEATS:]) + 1e-9


def test_a_device_that_takes_blocks_together_is_asked_for_them_in_time(bridge: Bridge) -> None:
    bridge.together(3)
    bridge.play()
    for _ in range(2):
        bridge.provide(frame(0.5))
    assert not bridge.asked
    bridge.exchange(SILENT_BLOCK)
    assert not bridge.asked, "three are left"
    bridge.exchange(SILENT_BLOCK)
    assert bridge.asked, "two are left, and it takes three"
    bridge.provide(frame(0.5))
    assert not bridge.asked
    bridge.rest()
    bridge.exchanges(2 * BEATS)
    bridge.play()
    bridge.provide(frame(0.5))
    bridge.exchange(SILENT_BLOCK)
    assert not bridge.asked, "it has not done so for a while"


def test_of_how_many_blocks_a_device_takes_together_is_a_limit(bridge: Bridge) -> None:
    bridge.together(3 * MOST_TOGETHER)
    bridge.play()
    for _ in range(MOST_TOGETHER // 2):
        bridge.provide(frame(0.5))
    assert not bridge.asked


@pytest.mark.parametrize("pause", [0.03, 0.05, 0.08, 0.3, 2.0])
def test_after_a_pause_the_device_has_a_new_beat_at_once(bridge: Bridge, pause: float) -> None:
    bridge.exchanges(200)
    bridge.now += pause
    bridge.exchange(SILENT_BLOCK)
    assert bridge.needed_at == pytest.approx(bridge.now + BLOCK_SECONDS)
    assert bridge.wakes == (pause > STALLED), "what came meanwhile may begin"


@pytest.mark.parametrize("blocks", [3, 5, 9])
def test_a_device_that_makes_up_for_a_pause_has_its_old_beat(bridge: Bridge, blocks: int) -> None:
    bridge.exchanges(200)
    bridge.together(blocks)
    assert bridge.needed_at == pytest.approx(bridge.now + BLOCK_SECONDS)


def test_what_is_late_is_an_underrun_and_asked_for_once(bridge: Bridge) -> None:
    bridge.play()
    bridge.provide(frame(0.5))
    for _ in range(6):
        bridge.exchange(block(0))
    assert bridge.underruns == 4
    assert bridge.wakes == 1
    bridge.provide(frame(0.6))
    assert value_of(bridge.exchange(block(0))) == pytest.approx(0.6)


def test_after_rest_what_is_ready_is_still_played_and_its_end_is_no_underrun(bridge: Bridge) -> None:
    bridge.play()
    bridge.provide(frame(0.5))
    bridge.rest()
    assert [value_of(bridge.exchange(block(0))) for _ in range(4)] == [0.5, 0.5, 0.0, 0.0]
    assert bridge.underruns == 0
    assert bridge.wakes == 0


def test_a_first_frame_may_be_put_behind_silence(bridge: Bridge) -> None:
    bridge.play(silent_blocks=3)
    bridge.provide(frame(0.5))
    assert [value_of(bridge.exchange(block(0))) for _ in range(5)] == [0, 0, 0, 0.5, 0.5]


def test_what_is_ready_is_bounded(bridge: Bridge) -> None:
    bridge.play()
    for n in range(100):
        bridge.provide(frame(n / 100))
    values = [value_of(bridge.exchange(block(0))) for _ in range(MOST_READY)]
    assert values[-1] == pytest.approx(0.99)
    assert values[0] == pytest.approx((100 - MOST_READY / 2) / 100)
    assert bridge.exchange(block(0)) == SILENT_BLOCK


@given(st.lists(st.sampled_from(["exchange", "provide", "play", "rest", "fetch"]), max_size=300), st.booleans())
def test_whatever_happens_when_a_block_comes_out_and_nothing_grows(steps: list[str], loud: bool) -> None:
    bridge = Bridge()
    sound = block(LOUD if loud else QUIET)
    for step in steps:
        if step == "exchange":
            assert len(bridge.exchange(sound)) == BLOCK_BYTES
        elif step == "provide":
            bridge.provide(frame(0.5))
        elif step == "play":
            bridge.play()
        elif step == "rest":
            bridge.rest()
        else:
            bridge.captured()
        assert len(bridge._playout) <= MOST_READY
        assert len(bridge._capture._waiting) <= MOST_CAPTURED


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads that are interrupted as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hurried")
def test_f7_two_threads_at_once_lose_nothing_that_is_fetched_in_time() -> None:
    """The one test with threads: a device's and the reactor's, as fast as they can."""
    turns: list[int] = []
    bridge = AudioBridge(lambda call: turns.append(1), TalkGate())
    bridge.gate.mode = GateMode.OPEN
    frames = 3000
    fetched: list[int] = []
    room = threading.Semaphore(MOST_CAPTURED - 1)
    done = threading.Event()

    def device() -> None:
        for _ in range(frames):
            if not room.acquire(timeout=10):
                break
            bridge.exchange(block(LOUD))
            bridge.exchange(block(LOUD))
        done.set()

    bridge.play()
    thread = threading.Thread(target=device)
    thread.start()
    while not done.is_set() or bridge._capture._waiting:
        if bridge.asked:
            bridge.provide(frame(0.5))
        captured = bridge.captured()
        if captured is not None:
            fetched.append(captured.tick)
            room.release()
    thread.join()
    assert fetched == list(range(frames))
    assert bridge.overruns == 0
