"""The mix is the plain sum, nobody leaks into it, and the limiter bounds it without breaking it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, TICKS_PER_SECOND, Frame
from voicechat.media.mixer import CEILING, SHORTEST_FALL_SAMPLES, THRESHOLD, Frames, GainMatrix, Limiter, bend, mix

LSB = 1 / 32768
"""The smallest step of 16 bits."""


@st.composite
def mixes(draw: st.DrawFn, most: int = 6) -> tuple[GainMatrix, Frames]:
    """Random gains, rows by talkers, and as many frames as talkers."""
    rows, talkers = draw(st.integers(1, most)), draw(st.integers(1, most))
    gains = draw(hnp.arrays(np.float32, (rows, talkers), elements=st.floats(0, 4, width=32)))
    seed = draw(st.integers(0, 2**32 - 1))
    frames = np.random.default_rng(seed).uniform(-1, 1, (talkers, FRAME_SAMPLES)).astype(np.float32)
    return gains, frames


def mixed(gains: GainMatrix, frames: Frames) -> Frames:
    out = np.full((len(gains), FRAME_SAMPLES), np.nan, np.float32)
    mix(gains, frames, out)
    return out


def limited(frames: Frames) -> Frames:
    """The frames after one limiter, which they pass one after the other."""
    limiter, out = Limiter(), frames.copy()
    for frame in out:
        limiter.apply(frame)
    return out


def noise(frames: int, peak: float, seed: int = 1) -> Frames:
    return np.random.default_rng(seed).uniform(-peak, peak, (frames, FRAME_SAMPLES)).astype(np.float32)


def tones(seconds: int, *hertz: float, amplitude: float) -> Frames:
    """The sum of sines of ``amplitude`` each, as frames."""
    time = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    summed = sum(amplitude * np.sin(2 * np.pi * frequency * time) for frequency in hertz)
    return np.asarray(summed, np.float32).reshape(-1, FRAME_SAMPLES)


# The mix


@settings(deadline=None)
@given(mixes(most=4))
def test_the_mix_equals_the_naive_sum(drawn: tuple[GainMatrix, Frames]) -> None:
    gains, frames = drawn
    expected = np.zeros((len(gains), FRAME_SAMPLES))
    for row in range(len(gains)):
        for talker in range(len(frames)):
            expected[row] += float(gains[row, talker]) * frames[talker].astype(np.float64)
    assert np.abs(mixed(gains, frames) - expected).max() < 1e-5


@settings(deadline=None)
@given(mixes(), st.data())
def test_a_row_does_not_hear_a_talker_whose_gain_is_0(drawn: tuple[GainMatrix, Frames], data: st.DataObject) -> None:
    gains, frames = drawn
    row = data.draw(st.integers(0, gains.shape[0] - 1))
    talker = data.draw(st.integers(0, gains.shape[1] - 1))
    gains[row, talker] = 0
    before = mixed(gains, frames)[row]
    frames[talker] = noise(1, 1.0, seed=7)[0]
    assert (mixed(gains, frames)[row] == before).all()


@settings(deadline=None)
@given(mixes(), st.data())
def test_the_order_of_talkers_changes_nothing(drawn: tuple[GainMatrix, Frames], data: st.DataObject) -> None:
    gains, frames = drawn
    order = data.draw(st.permutations(range(len(frames))))
    assert np.abs(mixed(gains, frames) - mixed(gains[:, order].copy(), frames[order].copy())).max() < 1e-5


def test_f14_nobody_hears_himself_when_the_diagonal_is_0() -> None:
    gains = np.ones((4, 4), np.float32) - np.eye(4, dtype=np.float32)
    for talker in range(4):
        frames = np.zeros((4, FRAME_SAMPLES), np.float32)
        frames[talker] = noise(1, 1.0)[0]
        rows = mixed(gains, frames)
        assert not rows[talker].any()
        assert all((rows[other] == frames[talker]).all() for other in range(4) if other != talker)


# The limiter: what passes


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.89))
def test_below_the_threshold_nothing_changes(seed: int, peak: float) -> None:
    frames = noise(3, peak, seed)
    assert (limited(frames) == frames).all()


def test_the_threshold_is_1_db_below_full_scale_and_the_knee_begins_there() -> None:
    assert 20 * np.log10(THRESHOLD) == pytest.approx(-1)
    below = np.linspace(-THRESHOLD, THRESHOLD, 2001).astype(np.float32)
    bent = below.copy()
    bend(bent)
    assert np.abs(bent - below).max() <= LSB


def test_f5_the_sum_of_full_scale_talkers_never_flips_a_sign() -> None:
    for talkers in range(1, 65):
        whole = np.random.default_rng(talkers).integers(-32768, 32768, (talkers, FRAME_SAMPLES))
        whole[:, :40] = 32767
        whole[:, -40:] = -32768
        exact = whole.sum(axis=0)
        row = mixed(np.ones((1, talkers), np.float32), (whole * LSB).astype(np.float32))
        Limiter().apply(row[0])
        assert np.abs(row).max() < 1
        assert (np.sign(row[0]) == np.sign(exact)).all(), talkers
        if np.abs(exact).max() * LSB <= THRESHOLD:
            assert np.abs(row[0] - exact * LSB).max() <= LSB


def test_f5_quiet_talkers_are_summed_exactly() -> None:
    whole = np.random.default_rng(5).integers(-400, 401, (64, FRAME_SAMPLES))
    row = mixed(np.ones((1, 64), np.float32), (whole * LSB).astype(np.float32))
    Limiter().apply(row[0])
    assert np.abs(row[0] - whole.sum(axis=0) * LSB).max() <= LSB


def test_f5_two_loud_tones_stay_two_tones() -> None:
    """A sum that wraps in 16 bits keeps 3.5 % of the power in the tones (measured)."""
    heard = limited(tones(3, 440, 1130, amplitude=20_000 / 32768)).ravel()[SAMPLE_RATE:]
    power = np.abs(np.fft.rfft(heard * np.hanning(heard.size))) ** 2
    hertz = np.fft.rfftfreq(heard.size, 1 / SAMPLE_RATE)
    fundamental = (np.abs(hertz - 440) < 3) | (np.abs(hertz - 1130) < 3)
    assert power[fundamental].sum() / power.sum() > 0.999


# The limiter: what it bounds


@settings(deadline=None)
@given(
    hnp.arrays(np.float32, (3, FRAME_SAMPLES), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)),
)
def test_any_finite_frame_is_bounded(frames: Frames) -> None:
    out = limited(frames)
    assert np.abs(out).max() <= CEILING


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
def test_any_course_of_loudness_is_bounded_and_keeps_its_signs(seed: int, peaks: list[float]) -> None:
    frames = np.concatenate([noise(1, peak, seed) for peak in peaks])
    out = limited(frames)
    assert np.abs(out).max() <= CEILING
    assert (out * frames >= 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_becomes_silence_and_is_forgotten(bad: float) -> None:
    limiter = Limiter()
    frame, good = noise(1, 0.5)[0], noise(1, 0.5)[0]
    frame[100] = bad
    limiter.apply(frame)
    assert not frame.any()
    after = good.copy()
    limiter.apply(after)
    assert (after == good).all()


@settings(deadline=None)
@given(hnp.arrays(np.float32, 200, elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_the_knee_keeps_the_order_of_samples(samples: Frame) -> None:
    ordered = np.sort(samples)
    bend(ordered)
    assert (np.diff(ordered) >= 0).all()
    assert np.abs(ordered).max() <= CEILING


def test_the_knee_has_no_flat_top() -> None:
    """Up to 64 full-scale talkers, half a talker more is still louder."""
    louder = np.arange(0.5, 64.5, 0.5, dtype=np.float32)
    bend(louder)
    assert (np.diff(louder) > 0).all()


def test_a_loud_sine_keeps_its_shape_from_the_second_frame_on() -> None:
    """No flat top: a limited sine is a sine, with less than 0.1 % of anything else."""
    loud = tones(1, 250, amplitude=3.0)
    out = limited(loud)[5:].ravel()
    gain = out.dot(loud[5:].ravel()) / loud[5:].ravel().dot(loud[5:].ravel())
    assert gain == pytest.approx(THRESHOLD / 3.0, rel=1e-3)
    assert np.abs(out - gain * loud[5:].ravel()).max() < 1e-3


# The limiter: how its gain moves


def gain_course(frames: Frames) -> Frame:
    """The gain of each sample; the frames must not reach the knee."""
    return (limited(frames) / frames).ravel()


def test_the_gain_has_no_step_at_frame_borders() -> None:
    """Each frame's first millisecond is quiet, so the gain is seen alone; 1/48 is its most from sample to sample."""
    peaks = [0.5, 2.0, 0.7, 8.0, 0.3, 0.3, 1.5, 0.9, 0.2, 0.2, 64.0, 0.1, 0.1]
    frames = np.repeat(np.array(peaks, np.float32)[:, None], FRAME_SAMPLES, axis=1)
    frames[:, : SHORTEST_FALL_SAMPLES + 1] = 0.01
    steps = np.abs(np.diff(gain_course(frames)))
    assert steps.max() <= 1 / SHORTEST_FALL_SAMPLES + 1e-6
    at_borders = steps[FRAME_SAMPLES - 1 :: FRAME_SAMPLES]
    assert at_borders.max() <= 1 / SHORTEST_FALL_SAMPLES + 1e-6


def test_the_gain_has_arrived_when_the_loud_sample_comes() -> None:
    """With room in the frame the knee is never used: the loud sample gets exactly the gain that it needs."""
    frame = np.full((1, FRAME_SAMPLES), 0.5, np.float32)
    frame[0, 600] = 4.0
    gain = gain_course(frame)
    assert (gain[:300] == 1).all()
    assert gain[600] == pytest.approx(THRESHOLD / 4, rel=1e-5)
    assert (np.diff(gain) <= 0).all()


def test_the_release_takes_about_150_ms_and_ends_at_exactly_1() -> None:
    limiter = Limiter()
    loud, quiet = np.full(FRAME_SAMPLES, 2.0, np.float32), np.full(FRAME_SAMPLES, 0.1, np.float32)
    limiter.apply(loud)
    missing = [1 - limiter.gain]
    for _ in range(TICKS_PER_SECOND * 2):
        limiter.apply(quiet.copy())
        missing.append(1 - limiter.gain)
    assert missing[0] > 0.5
    assert 0.3 < missing[8] / missing[0] < 0.42  # 1/e is reached after 7.5 ticks
    assert all(later <= earlier for earlier, later in pairwise(missing))
    assert limiter.gain == 1.0


def test_the_gain_stays_down_while_it_stays_loud() -> None:
    limiter = Limiter()
    gains = []
    for frame in tones(1, 300, amplitude=2.0):
        limiter.apply(frame)
        gains.append(limiter.gain)
    assert max(gains[1:]) - min(gains[1:]) < 1e-3
