"""Echo cancelling in a call: what was played finds its frame, and what it costs is nothing where there is no echo."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from bench.echo_scenes import Voices, at_level
from demo.script import VOICES
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.call.cancelling import LEAST_COUPLING, OVER_ECHO, TOLD, EchoCancelling, EchoMode
from voicechat.format import BLOCK_SAMPLES, FRAME_SAMPLES, SILENT_BLOCK, TICK_SECONDS, TICKS_PER_SECOND, Samples
from voicechat.media.gate import GateMode, TalkGate
from voicechat.media.levels import mean_square, mean_square_of


def voice(name: str, seconds: float, dbfs: float) -> Samples:
    count = round(seconds * TICKS_PER_SECOND) * FRAME_SAMPLES
    return at_level(Voices(VOICES).looped(name, count), dbfs).astype(np.float32)


class Room:
    """A client's bridge and canceller; the loudspeaker's sound comes back some blocks later."""

    def __init__(self, mode: EchoMode = EchoMode.AUTO, *, echo_db: float | None = -16.0, blocks: int = 6) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        gate = TalkGate()
        self.gate = gate
        self.bridge = AudioBridge(lambda turn: turn(), gate, lambda: self.now, keep_played=mode is not EchoMode.OFF)
        self.bridge.on_turn = self._turn
        self.cancelling = EchoCancelling(gate, mode, self._clock, self.lines.append)
        self.passed, self.sent = list[int](), list[int]()
        self.slow = 0.0
        self._spent = 0.0
        self._gain = 0.0 if echo_db is None else 10 ** (echo_db / 20)
        self._air = [np.zeros(BLOCK_SAMPLES, np.float32)] * blocks
        self._noise = np.random.default_rng(3)
        self._to_play: Iterator[Samples] = iter(())

    def _clock(self) -> float:
        self._spent += self.slow
        return self._spent

    def _turn(self) -> None:
        while (played := self.bridge.played()) is not None:
            self.cancelling.heard(played.tick, played.frame, played.mean_square, opened=played.opened)
        while (captured := self.bridge.captured()) is not None:
            if captured.frame is None:
                self.cancelling.rest()
                continue
            self.passed.append(captured.tick)
            if self.cancelling.treat(captured.tick, captured.frame) is not None:
                self.sent.append(captured.tick)
        if self.bridge.asked:
            frame = next(self._to_play, None)
            if frame is not None:
                self.bridge.provide(frame.tobytes())

    def run(self, far: Samples | None, near: Samples, *, muted: bool = False) -> None:
        """As long as ``near`` is; ``far`` is what friends say meanwhile."""
        self._to_play = iter(()) if far is None else iter(far.reshape(-1, FRAME_SAMPLES))
        if far is not None:
            self.bridge.play()
            self._turn()
        for block in near.reshape(-1, BLOCK_SAMPLES):
            heard = block + self._air.pop(0) * np.float32(self._gain)
            heard = heard + self._noise.normal(0, 10 ** (-65 / 20), BLOCK_SAMPLES).astype(np.float32)
            out = self.bridge.exchange(SILENT_BLOCK if muted else heard.astype(np.float32).tobytes())
            self._air.append(np.frombuffer(out, np.float32))
            self.now += TICK_SECONDS / 2
        self.bridge.rest()


SECONDS = 8
QUIET = np.zeros(SECONDS * TICKS_PER_SECOND * FRAME_SAMPLES, np.float32)
FAR = voice("en_m4", SECONDS, -20.0)
NEAR = voice("en_f2", SECONDS, -26.0)


def test_a_friend_out_of_the_loudspeaker_is_not_sent_and_the_player_is_told_once() -> None:
    room = Room()
    room.run(FAR, QUIET)
    assert len(room.passed) > 100
    assert room.sent == []
    assert room.cancelling.withheld == len(room.passed)
    assert room.lines == [TOLD]
    room.run(FAR, QUIET)
    assert room.lines == [TOLD]


def test_without_cancelling_they_are() -> None:
    room = Room(EchoMode.OFF)
    room.run(FAR, QUIET)
    assert room.sent == room.passed != []
    assert room.bridge.played() is None


def test_whoever_is_near_is_sent_also_while_a_friend_talks() -> None:
    room = Room()
    room.run(FAR, QUIET)
    room.run(FAR, NEAR)
    alone = Room(EchoMode.OFF, echo_db=None)
    alone.run(None, QUIET)
    alone.run(None, NEAR)
    assert len(set(room.sent) & set(alone.sent)) > 0.7 * len(alone.sent)


def test_nobody_heard_costs_nothing_and_no_delay() -> None:
    room = Room()
    seen: list[object] = []
    treat: Callable[..., object] = room.cancelling.treat

    def noted(tick: int, frame: Samples) -> object:
        made = treat(tick, frame)
        seen.append(made is frame)
        return made

    room.cancelling.treat = noted  # type: ignore[method-assign, assignment]
    room.run(None, NEAR)
    assert seen
    assert all(seen)
    assert room.cancelling.cancelled == 0


def test_with_headphones_it_sleeps_after_the_first_sentence() -> None:
    room = Room(echo_db=None)
    room.run(FAR, QUIET)
    assert room.cancelling.works == "asleep"
    before = room.cancelling.cancelled
    room.run(FAR, NEAR)
    assert room.cancelling.cancelled == before
    assert len(room.sent) == len(room.passed)
    assert room.lines == []


def test_on_never_sleeps() -> None:
    room = Room(EchoMode.ON, echo_db=None)
    room.run(FAR, QUIET)
    room.run(FAR, NEAR)
    assert room.cancelling.works == "awake"
    assert room.cancelling.cancelled > 100


def test_a_new_device_wakes_it() -> None:
    room = Room(echo_db=None)
    room.run(FAR, QUIET)
    room.cancelling.new_device()
    assert room.cancelling.works == "awake"


def test_whoever_is_muted_says_nothing_about_the_room() -> None:
    """A closed microphone hears no echo: that is no sign of headphones."""
    room = Room()
    room.run(FAR, QUIET, muted=True)
    assert room.cancelling.works == "awake"


def test_a_held_key_drops_nothing_and_cancels_all_the_same() -> None:
    room = Room()
    room.gate.mode = GateMode.OPEN
    room.run(FAR, QUIET)
    assert room.sent == room.passed != []
    assert room.cancelling.cancelled > 100


def test_too_slow_a_machine_is_half_duplex_and_says_so() -> None:
    room = Room()
    room.slow = 0.3 * TICK_SECONDS
    room.run(FAR, QUIET)
    assert room.cancelling.works == "half duplex"
    assert len(room.lines) >= 1
    assert "too much for this machine" in room.lines[-1]
    spent = room.cancelling.cancelled
    sent = len(room.sent)
    room.run(FAR, QUIET)
    assert room.cancelling.cancelled == spent
    assert len(room.sent) == sent, "while friends talk their echo is not sent"
    room.run(None, NEAR)
    assert len(room.sent) > sent + 100, "and when they do not, everything is"


@pytest.mark.parametrize("over", [0.5, 2.0])
def test_in_half_duplex_only_what_is_louder_than_the_echo_passes(over: float) -> None:
    gate = TalkGate()
    cancelling = EchoCancelling(gate)
    cancelling.half_duplex = True
    far = np.full(FRAME_SAMPLES, 0.1, np.float32)
    cancelling.heard(5, far, mean_square_of(-30), opened=True)
    level = mean_square(far) * LEAST_COUPLING * OVER_ECHO * over
    frame = np.full(FRAME_SAMPLES, np.sqrt(level), np.float32)
    assert (cancelling.treat(5, frame) is frame) == (over > 1)
    assert cancelling.treat(5 + 30, frame) is frame, "long after that nothing is in the way"


def test_the_pre_roll_meets_what_was_played_at_its_time() -> None:
    """Frames from before the gate opened are cancelled with their own reference, not with that of now."""
    gate = TalkGate()
    cancelling = EchoCancelling(gate, EchoMode.ON)
    noise = np.random.default_rng(5).normal(0, 0.1, (260, FRAME_SAMPLES)).astype(np.float32)
    for tick in range(200):
        cancelling.heard(tick, noise[tick], 1e-3, opened=True)
        cancelling.treat(tick, 0.3 * noise[tick])
    for tick in range(200, 206):
        cancelling.heard(tick, noise[tick], 1e-9, opened=False)
    cancelling.heard(206, noise[206], 1e-3, opened=True)
    left = [cancelling.treat(tick, 0.3 * noise[tick]) for tick in range(203, 207)]
    assert left == [None] * 4
    assert cancelling.last is not None
    assert mean_square(cancelling.last) < mean_square(0.3 * noise[206]) / 100
