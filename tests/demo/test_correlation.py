import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.correlation import RATE, Signal, correlations, energy, narrow
from voicechat.format import SAMPLE_RATE

SECOND = 2000
"""Samples that stand for a window: enough that noise is never alike by chance, few enough to be quick."""


def noise(seed: int, length: int) -> Signal:
    return np.random.default_rng(seed).standard_normal(length)


def sine(hertz: float, seconds: float = 1.0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)


def test_the_band_of_speech_passes_and_hum_and_hiss_do_not() -> None:
    def passed(hertz: float) -> float:
        return float(np.sqrt(2 * np.mean(narrow(sine(hertz))[RATE // 4 : 3 * RATE // 4] ** 2)))

    assert abs(passed(1000) - 1) < 0.01
    assert abs(passed(3000) - 1) < 0.01
    assert passed(50) < 0.01
    assert passed(6000) < 0.01


def test_narrowing_moves_nothing_in_time() -> None:
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[30_000] = 1
    assert int(np.argmax(np.abs(narrow(click)))) == 10_000


@given(st.integers(1, 5000))
def test_narrowing_takes_any_length(length: int) -> None:
    assert len(narrow(np.zeros(length, np.float32))) == -(-length // 3)


@given(st.integers(0, 1000), st.integers(0, 2**32 - 1), st.floats(0.01, 100))
@settings(deadline=None)
def test_a_delayed_sound_is_found_where_it_is_at_any_loudness(lag: int, seed: int, gain: float) -> None:
    said = noise(seed, SECOND)
    heard = np.concatenate([np.zeros(lag), gain * said, np.zeros(1000 - lag)])
    likeness = correlations(said, heard, 1e-9)
    assert int(np.argmax(likeness)) == lag
    assert abs(likeness[lag] - 1) < 1e-6


@given(st.integers(0, 2**32 - 1), st.integers(0, 3))
@settings(deadline=None)
def test_a_correlation_never_leaves_its_bounds(seed: int, others: int) -> None:
    given_too = [noise(seed + 1 + k, SECOND) for k in range(others)]
    fixed = noise(seed, SECOND) + sum(given_too, np.zeros(SECOND))
    likeness = correlations(fixed, noise(seed + 9, SECOND + 300), 1e-9, given_too)
    assert likeness.shape == (301,)
    assert np.all(np.abs(likeness) <= 1 + 1e-9)


def test_the_likeness_of_silences_is_nothing() -> None:
    said = noise(1, SECOND)
    assert np.all(correlations(said, np.zeros(SECOND + 10), 1e-5 * energy(said)) == 0)
    faint = 1e-4 * said
    assert float(np.max(correlations(said, faint, 1e-5 * energy(said)))) < 0.1


def test_partial_correlation_finds_a_voice_under_a_louder_one_and_only_if_it_is_there() -> None:
    loud, soft, absent = noise(1, SECOND), 0.05 * noise(2, SECOND), noise(3, SECOND)
    heard = loud + soft
    assert correlations(heard, soft, 1e-9)[0] < 0.15
    assert correlations(heard, soft, 1e-9, [loud])[0] > 0.99
    assert abs(correlations(heard, absent, 1e-9, [loud])[0]) < 0.1


def test_what_is_given_twice_counts_once() -> None:
    loud, soft = noise(1, SECOND), noise(2, SECOND)
    once = correlations(loud + soft, soft, 1e-9, [loud])
    twice = correlations(loud + soft, soft, 1e-9, [loud, 2 * loud, np.zeros(SECOND)])
    assert np.allclose(once, twice)
