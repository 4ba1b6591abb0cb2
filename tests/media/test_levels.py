"""Levels convert both ways; fades and crossfades begin and end where they should, without a step."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, Frame, Samples, silent_frame
from voicechat.media.levels import (
    FADE_SAMPLES,
    QUIETEST_DBFS,
    crossfade,
    dbfs_of,
    fade_in,
    gain_of,
    mean_square,
    mean_square_of,
)

frames = hnp.arrays(np.float32, FRAME_SAMPLES, elements=st.floats(-1, 1, width=32))

STEEPEST = math.pi / 2 / FADE_SAMPLES * 1.01
"""Largest step of a raised cosine over the fade, and a little."""


def ones() -> Frame:
    return np.ones(FRAME_SAMPLES, np.float32)


@settings(deadline=None)
@given(frames)
def test_mean_square_equals_the_plain_one(frame: Frame) -> None:
    expected = sum(float(sample) ** 2 for sample in frame) / FRAME_SAMPLES
    assert mean_square(frame) == pytest.approx(expected, rel=1e-5, abs=1e-12)


def test_mean_square_of_nothing_is_silence() -> None:
    assert mean_square(np.zeros(0, np.float32)) == 0.0


def test_a_full_scale_square_is_0_dbfs_and_a_sine_3_less() -> None:
    sine = np.sin(2 * np.pi * 500 / SAMPLE_RATE * np.arange(FRAME_SAMPLES)).astype(np.float32)
    assert dbfs_of(mean_square(ones())) == pytest.approx(0.0, abs=1e-6)
    assert dbfs_of(mean_square(sine)) == pytest.approx(-3.01, abs=0.01)


@settings(deadline=None)
@given(st.floats(QUIETEST_DBFS + 0.01, 20))
def test_dbfs_converts_both_ways(dbfs: float) -> None:
    assert dbfs_of(mean_square_of(dbfs)) == pytest.approx(dbfs, abs=1e-6)
    assert dbfs_of(gain_of(dbfs) ** 2) == pytest.approx(dbfs, abs=1e-6)


@pytest.mark.parametrize("silence", [0.0, 1e-30, -1.0, math.nan])
def test_silence_has_the_quietest_level(silence: float) -> None:
    assert dbfs_of(silence) == QUIETEST_DBFS


def test_a_fade_in_rises_over_10_ms_and_leaves_the_rest() -> None:
    frame = ones()
    fade_in(frame)
    assert frame[0] < 1e-4
    assert (np.diff(frame[:FADE_SAMPLES]) > 0).all()
    assert np.abs(np.diff(frame)).max() <= STEEPEST
    assert (frame[FADE_SAMPLES:] == 1).all()


@settings(deadline=None)
@given(frames, frames, st.integers(0, FRAME_SAMPLES))
def test_a_crossfade_stays_between_the_two_and_ends_in_the_new(old: Frame, new: Frame, samples: int) -> None:
    out = silent_frame()
    crossfade(old, new, out, samples)
    low, high = np.minimum(old, new), np.maximum(old, new)
    assert (out >= low - 1e-6).all()
    assert (out <= high + 1e-6).all()
    assert (out[samples:] == new[samples:]).all()


@settings(deadline=None)
@given(frames, frames, st.integers(0, FRAME_SAMPLES))
def test_a_crossfade_may_write_over_either_side(old: Frame, new: Frame, samples: int) -> None:
    expected, over_old, over_new = silent_frame(), old.copy(), new.copy()
    crossfade(old, new, expected, samples)
    crossfade(over_old, new, over_old, samples)
    crossfade(old, over_new, over_new, samples)
    assert (over_old == expected).all()
    assert (over_new == expected).all()


@settings(deadline=None)
@given(frames)
def test_a_crossfade_between_equals_changes_nothing(frame: Frame) -> None:
    out = silent_frame()
    crossfade(frame, frame.copy(), out)
    assert (out == frame).all()


def test_a_crossfade_has_no_step() -> None:
    out: Samples = silent_frame()
    crossfade(-ones(), ones(), out)
    assert out[0] < -0.999
    assert np.abs(np.diff(out)).max() <= 2 * STEEPEST
