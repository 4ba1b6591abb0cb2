"""Everybody comes out equally loud, slowly, and never clipped."""

import math
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, TICKS_PER_SECOND, Frame, Samples
from voicechat.media.levels import QUIETEST_DBFS, dbfs_of, gain_of, mean_square, mean_square_of
from voicechat.media.loudness import FIRST_TICKS, MARGIN_DB, Loudness
from voicechat.media.mixer import CEILING
from voicechat.media.tuning import TUNING

MOST_DB = TUNING.loudness.most_db
STEP_DB = TUNING.loudness.step_db
TARGET_DBFS = TUNING.loudness.target_dbfs

VOICES_FOLDER = Path(__file__).parents[2] / "demo" / "voices"
VOICES = ("cs_f1", "cs_m1", "en_f2", "en_f3", "en_m4", "it_m2")


@cache
def talk(voice: str) -> Samples:
    """A recorded voice in frames, without its pauses, as a gate would leave it."""
    samples: Samples = soundfile.read(VOICES_FOLDER / f"{voice}.flac", dtype="float32")[0]
    frames = samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    spoken: Samples = frames[np.mean(frames**2, axis=1) > mean_square_of(-56)]
    return spoken


def active_level(frames: Samples) -> float:
    """Level of the frames that carry speech: those down to 15.9 dB below it (ITU-T P.56)."""
    levels = np.mean(frames.astype(np.float64) ** 2, axis=1)
    active = float(levels.max())
    for _ in range(50):
        active = float(levels[levels > active * mean_square_of(-MARGIN_DB)].mean())
    return dbfs_of(active)


def at_level(frames: Samples, dbfs: float) -> Samples:
    """A voice at an active level, its peaks cut off as a microphone's are."""
    changed: Samples = np.clip(frames * np.float32(gain_of(dbfs - active_level(frames))), -1, 1)
    return changed


def passed(loudness: Loudness, frames: Samples) -> Samples:
    return np.stack([loudness.apply(frame, mean_square(frame)).copy() for frame in frames])


def sine(dbfs: float) -> Frame:
    """A frame of a tone of this level."""
    phase = 2 * math.pi * 500 / SAMPLE_RATE * np.arange(FRAME_SAMPLES)
    tone: Frame = (math.sqrt(2) * gain_of(dbfs) * np.sin(phase)).astype(np.float32)
    return tone


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("dbfs", [-32.0, -26.0, -20.0, -14.0, -8.0])
def test_after_ten_seconds_of_talk_a_voice_is_at_the_target(voice: str, dbfs: float) -> None:
    loudness = Loudness()
    frames = np.concatenate([at_level(talk(voice), dbfs)] * 3)
    passed(loudness, frames[: 10 * TICKS_PER_SECOND])
    assert active_level(passed(loudness, frames[10 * TICKS_PER_SECOND :])) == pytest.approx(TARGET_DBFS, abs=1)


@pytest.mark.parametrize("voice", VOICES)
def test_the_gain_rests_once_it_is_found(voice: str) -> None:
    """No pumping: over a whole talk it wanders by less than a decibel."""
    loudness = Loudness()
    frames = np.concatenate([at_level(talk(voice), -29)] * 4)
    passed(loudness, frames[: 10 * TICKS_PER_SECOND])
    gains = []
    for frame in frames[10 * TICKS_PER_SECOND :]:
        loudness.apply(frame, mean_square(frame))
        gains.append(loudness.gain_db)
    assert max(gains) - min(gains) < 1


def test_what_is_too_soft_is_raised_by_12_db_and_no_more() -> None:
    loudness = Loudness()
    passed(loudness, np.concatenate([at_level(talk("it_m2"), -45)] * 3))
    assert loudness.gain_db == pytest.approx(MOST_DB, abs=0.6)
    assert loudness.gain_db <= MOST_DB == 12


def test_the_first_syllables_are_left_alone() -> None:
    loudness = Loudness()
    tone = sine(-30)
    for _ in range(FIRST_TICKS - 1):
        assert loudness.apply(tone, mean_square(tone)) is tone
    assert loudness.apply(tone, mean_square(tone)) is not tone


def test_pauses_within_a_spurt_move_nothing() -> None:
    """Frames that are no speech beside the talk, as in a gate's hang-over, are not learnt from."""
    alone, with_pauses = Loudness(), Loudness()
    pause = sine(-60)
    for index in range(20 * TICKS_PER_SECOND):
        tone = sine(-28)
        alone.apply(tone, mean_square(tone))
        with_pauses.apply(tone, mean_square(tone))
        if index % 50 < 15:
            with_pauses.apply(pause, mean_square(pause))
    assert with_pauses.gain_db == pytest.approx(alone.gain_db, abs=0.1) == pytest.approx(8, abs=0.6)


def test_a_bang_is_forgotten_soon() -> None:
    loudness = Loudness()
    for level, seconds in ((-3, 0.2), (-30, 10)):
        tone = sine(level)
        for _ in range(round(seconds * TICKS_PER_SECOND)):
            loudness.apply(tone, mean_square(tone))
    assert loudness.active_dbfs == pytest.approx(-30, abs=0.1)
    assert loudness.gain_db == pytest.approx(10, abs=0.6)


def test_a_shout_out_of_soft_talk_is_limited_and_not_clipped() -> None:
    """12 dB up, then a full-scale tone: the limiter bends nothing flat and lets nothing out of range."""
    loudness = Loudness()
    soft, shout = sine(-36), sine(-4)
    for _ in range(10 * TICKS_PER_SECOND):
        loudness.apply(soft, mean_square(soft))
    out = passed(loudness, np.stack([shout] * 100))
    assert np.abs(out).max() <= CEILING
    flat = (np.diff(out.ravel()) == 0) & (np.abs(out.ravel()[1:]) > 0.8)
    assert not flat.any()


def test_nothing_is_known_before_there_was_speech() -> None:
    assert Loudness().active_dbfs == QUIETEST_DBFS
    assert Loudness().gain_db == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-120, 0), st.sampled_from([1, 30, 120])), max_size=12), st.integers(0, 2**32 - 1))
def test_whatever_is_said_the_gain_is_bounded_and_changes_slowly(course: list[tuple[float, int]], seed: int) -> None:
    loudness = Loudness()
    shape = np.random.default_rng(seed).uniform(-1, 1, FRAME_SAMPLES).astype(np.float32)
    gains = [0.0]
    for level, ticks in course:
        frame = shape * np.float32(gain_of(level))
        for _ in range(ticks):
            assert np.abs(loudness.apply(frame, mean_square(frame))).max() <= 1
            gains.append(loudness.gain_db)
    assert max(map(abs, gains)) <= MOST_DB
    assert all(abs(after - before) <= STEP_DB + 1e-9 for before, after in pairwise(gains))


@given(st.lists(st.floats() | st.sampled_from([0.0, 1e-9, 1.0]), max_size=80))
def test_no_number_spoils_it(levels: list[float]) -> None:
    """NaN, infinity and negative numbers too: ten seconds of talk later it is as a fresh one would be."""
    loudness = Loudness()
    for level in levels:
        loudness.apply(sine(-20), level)
    tone = sine(-26)
    for _ in range(15 * TICKS_PER_SECOND):
        loudness.apply(tone, mean_square(tone))
    assert loudness.gain_db == pytest.approx(6, abs=1)
