"""When the canceller sleeps, and when it wakes."""

from itertools import pairwise

import numpy as np
import pytest

from bench.echo_scenes import AGAIN, BOTH, FAR, NEAR, Scene, Staged, Voices, stage
from bench.parts.echo import frame_of
from demo.script import VOICES
from voicechat.format import TICKS_PER_SECOND
from voicechat.media.echo_watch import CHANGES, JUDGE_EVERY, JUDGEMENTS, LAGS, SHARE_OF, WINDOW, EchoState, EchoWatch
from voicechat.media.gate import TalkGate
from voicechat.media.levels import mean_square, mean_square_of


def watched(staged: Staged, watch: EchoWatch, *, first: float = FAR, last: float = BOTH) -> list[float]:
    """Seconds at which the state changes."""
    gate, changes = TalkGate(), []
    for tick in range(round(first * TICKS_PER_SECOND), round(last * TICKS_PER_SECOND)):
        heard = mean_square(frame_of(staged.microphone, tick))
        opened = gate.push(heard)
        played = frame_of(staged.far, tick)
        if played.any() and watch.frame(mean_square(played), heard, opened=opened):
            changes.append(tick / TICKS_PER_SECOND)
    return changes


def asleep(watch: EchoWatch) -> bool:
    return watch.state is EchoState.ASLEEP


def room(echo_db: float, **more: object) -> Staged:
    return stage(Scene("watch", "en_m4", "en_f2", echo_db=echo_db, **more), Voices(VOICES))  # type: ignore[arg-type]


def test_it_begins_awake_and_sleeps_after_the_first_sentence_in_headphones() -> None:
    watch = EchoWatch()
    assert not asleep(watch)
    changes = watched(room(-60.0), watch)
    assert asleep(watch)
    assert len(changes) == 1
    assert changes[0] < 5


@pytest.mark.parametrize("echo_db", [0.0, -10.0, -20.0, -30.0])
def test_it_stays_awake_where_the_microphone_hears_the_loudspeaker(echo_db: float) -> None:
    watch = EchoWatch()
    staged = room(echo_db)
    for _ in range(5):
        assert watched(staged, watch) == []
    assert watch.state is EchoState.AWAKE


def test_it_wakes_when_the_headphones_come_off() -> None:
    watch = EchoWatch()
    watched(room(-60.0), watch)
    assert asleep(watch)
    changes = watched(room(-10.0), watch)
    assert not asleep(watch)
    assert changes[0] <= 5


def test_it_sleeps_on_while_two_talk_at_once_in_headphones() -> None:
    watch = EchoWatch()
    staged = room(-60.0)
    watched(staged, watch)
    for _ in range(3):
        assert watched(staged, watch, first=BOTH, last=NEAR) == []
    assert watched(staged, watch, first=AGAIN, last=AGAIN + 8) == []
    assert watch.state is EchoState.ASLEEP


def test_a_share_and_not_a_count() -> None:
    """Nine loud frames of ten with the gate shut are an echo, however long the call lasts."""
    watch = EchoWatch()
    loud, soft = mean_square_of(-20.0), mean_square_of(-50.0)
    for tick in range(60 * TICKS_PER_SECOND):
        assert not watch.frame(loud, soft, opened=tick % 10 == 0)
    for _ in range(SHARE_OF - 1):
        watch.frame(loud, soft, opened=False)
    assert watch.state is EchoState.ASLEEP


def test_soft_frames_tell_nothing() -> None:
    watch = EchoWatch()
    for _ in range(60 * TICKS_PER_SECOND):
        watch.frame(mean_square_of(-40.0), 0.0, opened=False)
    assert watch.state is EchoState.AWAKE


def test_asleep_it_judges_only_what_opened_the_gate() -> None:
    watch = EchoWatch()
    rng = np.random.default_rng(3)
    for _ in range(SHARE_OF):
        watch.frame(mean_square_of(-20.0), mean_square_of(-70.0), opened=False)
    levels = rng.uniform(-45, -20, WINDOW + LAGS + (JUDGEMENTS + 1) * JUDGE_EVERY)
    for level in levels:
        assert not watch.frame(mean_square_of(level), mean_square_of(level - 20), opened=False)
    for level in levels:
        watch.frame(mean_square_of(level), mean_square_of(level - 20), opened=True)
    assert watch.state is EchoState.AWAKE


def test_a_new_device_wakes_it() -> None:
    watch = EchoWatch()
    assert not watch.wake()
    for _ in range(SHARE_OF):
        watch.frame(mean_square_of(-20.0), 0.0, opened=False)
    assert watch.wake()
    assert watch.state is EchoState.AWAKE


def test_every_change_is_in_the_table() -> None:
    assert set(CHANGES) == set(EchoState)
    states = [EchoState.AWAKE, EchoState.ASLEEP, EchoState.AWAKE]
    assert all(to in CHANGES[state] for state, to in pairwise(states))
