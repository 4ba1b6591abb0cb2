"""A microphone that returns my voice is found, and conversations are left alone."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, TICKS_PER_SECOND, Samples
from voicechat.media.echo_detector import AGAIN_AFTER, LONGEST_LAG, EchoDetector, correlations
from voicechat.media.gate import PRE_ROLL_FRAMES, TalkGate
from voicechat.media.levels import gain_of, mean_square_of

VOICES_FOLDER = Path(__file__).parents[2] / "demo" / "voices"
VOICES = ("cs_f1", "cs_m1", "en_f2", "en_f3", "en_m4", "it_m2")

Levels = NDArray[np.float64]
"""Mean squares, one a tick; 0 where nothing was sent."""


@cache
def recorded(voice: str) -> Samples:
    samples: Samples = soundfile.read(VOICES_FOLDER / f"{voice}.flac", dtype="float32")[0]
    return samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES]


def levels_of(samples: Samples) -> Levels:
    levels: Levels = np.mean(samples.reshape(-1, FRAME_SAMPLES).astype(np.float64) ** 2, axis=1)
    return levels


def sent(levels: Levels, noise_dbfs: float = -68.0) -> Levels:
    """What passes a gate in a room with some noise, with the pre-roll."""
    gate, levels = TalkGate(), levels + mean_square_of(noise_dbfs)
    open_ = np.array([gate.push(level) for level in levels])
    for _ in range(PRE_ROLL_FRAMES):
        open_[:-1] |= open_[1:]
    return np.where(open_, levels, 0.0)


def room(seconds: float) -> Samples:
    """What a room does to a sound: first the straight way, then an echo that is 60 dB down after ``seconds``."""
    rng = np.random.default_rng(1)
    echo = rng.normal(size=SAMPLE_RATE // 2) * 10 ** (-3 * np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE / seconds)
    echo[100] += 8
    response: Samples = (echo / np.sqrt(np.sum(echo**2))).astype(np.float32)
    return response


def warnings(mine: Levels, theirs: Levels) -> list[float]:
    """Seconds at which the watch speaks up."""
    watch, found = EchoDetector(), []
    for tick, (said, heard) in enumerate(zip(mine, theirs, strict=True)):
        if said:
            watch.spoke(tick, said)
        if heard and watch.heard(7, tick, heard):
            found.append(tick / TICKS_PER_SECOND)
    return found


@pytest.mark.parametrize(
    ("voice", "echo", "below_db", "late"),
    [(voice, *((0.3, 15, 12), (0.5, 20, 20), (0.8, 15, 40))[k % 3]) for k, voice in enumerate(VOICES)],
)
def test_a_friend_without_headphones_is_named(voice: str, echo: float, below_db: float, late: int) -> None:
    """Half a minute of talk; a friend's microphone has it some dB softer, with their room on it, a little later."""
    said = np.tile(recorded(voice), 3)[: 30 * SAMPLE_RATE]
    returned = fftconvolve(said, room(echo))[: said.size].astype(np.float32) * np.float32(gain_of(-below_db))
    theirs = np.concatenate([np.zeros(late), levels_of(returned)[:-late]])
    assert len(warnings(sent(levels_of(said)), sent(theirs))) == 1


def spoken(voice: str, ticks: int, talk: tuple[float, float], pause: tuple[float, float], seed: int) -> Levels:
    """One who talks and pauses for so many seconds, from and to, again and again."""
    rng, said, levels = np.random.default_rng(seed), np.zeros(ticks), levels_of(recorded(voice))
    tick = position = 0
    while tick < ticks:
        count = min(round(rng.uniform(*talk) * TICKS_PER_SECOND), ticks - tick)
        said[tick : tick + count] = np.take(levels, range(position, position + count), mode="wrap")
        position += count
        tick += count + round(rng.uniform(*pause) * TICKS_PER_SECOND)
    return said


def in_turn(one: str, other: str, ticks: int, seed: int) -> tuple[Levels, Levels]:
    """Two who take turns, sometimes a little too early."""
    rng, said = np.random.default_rng(seed), (np.zeros(ticks), np.zeros(ticks))
    tick, who, positions = 0, 0, [0, 0]
    while tick < ticks:
        count = min(round(rng.uniform(0.8, 6) * TICKS_PER_SECOND), ticks - tick)
        levels = levels_of(recorded((one, other)[who]))
        part = np.take(levels, range(positions[who], positions[who] + count), mode="wrap")
        said[who][tick : tick + count] = part
        positions[who] += count
        tick = max(0, tick + count + round(rng.uniform(-0.5, 0.8) * TICKS_PER_SECOND))
        who = 1 - who
    return said


PAIRS = [(VOICES[k], VOICES[k - step]) for k in range(6) for step in (1, 2)]
TEN_MINUTES = 10 * 60 * TICKS_PER_SECOND


@pytest.mark.parametrize("seed", [0, 7])
def test_ten_minutes_of_taking_turns_raise_no_alarm(seed: int) -> None:
    mine, theirs = in_turn(*PAIRS[seed], TEN_MINUTES, seed)
    assert warnings(sent(mine), sent(theirs)) == []


@pytest.mark.parametrize("seed", range(0, len(PAIRS), 3))
def test_ten_minutes_of_talking_at_once_raise_no_alarm(seed: int) -> None:
    one, other = PAIRS[seed]
    mine = spoken(one, TEN_MINUTES, (1, 5), (0.3, 2), seed)
    theirs = spoken(other, TEN_MINUTES, (1, 5), (0.3, 2), seed + 100)
    assert warnings(sent(mine), sent(theirs)) == []


def test_the_same_friend_is_not_named_all_the_time() -> None:
    mine = np.tile(levels_of(recorded("it_m2")), 60)[:TEN_MINUTES]
    theirs = np.concatenate([np.zeros(15), mine[:-15] / 100])
    found = warnings(mine, theirs)
    assert len(found) == 2
    assert found[1] - found[0] >= AGAIN_AFTER / TICKS_PER_SECOND


def test_a_number_that_is_somebody_elses_now_begins_anew() -> None:
    watch, mine = EchoDetector(), np.tile(levels_of(recorded("it_m2")), 3)
    found = []
    for tick in range(15, 1200):
        watch.spoke(tick, mine[tick])
        if watch.heard(7, tick, mine[tick - 15] / 100):
            found.append(tick)
            watch.forget(7)
    assert len(found) >= 2


def test_correlations_are_those_of_numpy() -> None:
    rng = np.random.default_rng(3)
    long, short = rng.normal(size=80).astype(np.float32), rng.normal(size=60).astype(np.float32)
    expected = [np.corrcoef(long[k : k + 60], short)[0, 1] for k in range(21)]
    assert correlations(long, short) == pytest.approx(expected, abs=1e-5)
    assert not correlations(np.zeros(80, np.float32), short).any()
    assert not correlations(long, np.zeros(60, np.float32)).any()


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 400), st.floats() | st.sampled_from([0.0, 0.01])),
        max_size=60,
    )
)
def test_no_course_of_frames_and_no_number_spoils_it(course: list[tuple[bool, int, float]]) -> None:
    """Gaps, ticks that come again, NaN: afterwards an echo is found as before."""
    watch, tick = EchoDetector(), 0
    for mine, after, level in course:
        tick += after
        if mine:
            watch.spoke(tick, level)
        else:
            watch.heard(7, max(0, tick - 3), level)
    voice = np.tile(levels_of(recorded("it_m2")), 2)
    start, named = tick + 2 * LONGEST_LAG, False
    for ahead in range(15, voice.size):
        watch.spoke(start + ahead, voice[ahead])
        named |= watch.heard(7, start + ahead, voice[ahead - 15] / 100)
    assert named
