"""The change-over: the new path goes on at the same word, nothing jumps, and the delay that costs is given back."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, Frame, Samples, silent_frame
from voicechat.media.changeover import DEEPER, MOST_SAMPLES, TEMPLATE_SAMPLES, PlaybackPath, find
from voicechat.media.levels import crossfade
from voicechat.media.timescale import QUIET
from voicechat.media.tuning import TUNING

KEPT_FOR = TUNING.changeover.kept_for
LONGEST = TUNING.changeover.longest
PIECE_EVERY = TUNING.changeover.piece_every

WINDOW = SAMPLE_RATE // 200
PITCHES = st.floats(80, 400)


def voice(seconds: float, seed: int, pitch: float = 120.0) -> Samples:
    """What resembles a voice: pulses of a wandering pitch through a wandering filter, all of it loud."""
    random = np.random.default_rng(seed)
    count = int(seconds * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    knots = np.arange(0, seconds + 1, 0.1)
    drift = np.interp(time, knots, random.uniform(0.8, 1.25, len(knots)))
    phase = 2 * np.pi * np.cumsum(pitch * drift) / SAMPLE_RATE
    sound = np.zeros(count)
    for harmonic in range(1, 9):
        loud = np.interp(time, knots, random.uniform(0.1, 1, len(knots)))
        sound += loud / harmonic * np.sin(harmonic * phase + harmonic)
    return (0.2 * sound).astype(np.float32)


def tone(seconds: float, pitch: float) -> Samples:
    return (0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


def cut(sound: Samples, tick: int, lag: int) -> Frame:
    """The frame of a tick, on a path that is so many samples late."""
    start = tick * FRAME_SAMPLES - lag
    return sound[start : start + FRAME_SAMPLES]


def play(path: PlaybackPath, frame: Frame | None, out: Frame) -> None:
    """One tick of one path alone."""
    path.begin()
    if frame is not None:
        path.add(frame, concealed=False)
    path.end()
    out[:] = path.output(FRAME_SAMPLES)
    path.give_back(out)


def handed_over(sound: Samples, lags: tuple[int, int], after: int) -> tuple[Samples, PlaybackPath]:
    """From a path with the one lag to a path with the other: what was heard of 20 ticks and ``after`` more."""
    old, new, out = PlaybackPath(), PlaybackPath(), silent_frame()
    heard = []
    for tick in range(10, 30):
        play(old, cut(sound, tick, lags[0]), out)
        heard.append(out.copy())
    for past in range(25, 30):
        new.keep(cut(sound, past, lags[1]))
    for path, lag in ((old, lags[0]), (new, lags[1])):
        path.begin()
        path.add(cut(sound, 30, lag), concealed=False)
        path.end()
    new.join(old)
    crossfade(old.output(FRAME_SAMPLES), new.output(FRAME_SAMPLES), out)
    heard.append(out.copy())
    for tick in range(31, 31 + after):
        play(new, cut(sound, tick, lags[1]), out)
        heard.append(out.copy())
    return np.concatenate(heard), new


def levels(sound: Samples) -> NDArray[np.float64]:
    """Level in dB of each 5 ms, wherever they begin."""
    energy = np.concatenate([np.zeros(1), np.cumsum(sound.astype(np.float64) ** 2)])
    decibels: NDArray[np.float64] = 10 * np.log10((energy[WINDOW:] - energy[:-WINDOW]) / WINDOW + 1e-9)
    return decibels


@given(st.integers(0, 1_000), PITCHES, st.integers(0, 400), st.integers(0, FRAME_SAMPLES // 4).map(lambda n: 8 * n))
def test_to_the_sooner_way_nothing_is_louder_softer_or_later_than_it_was(
    seed: int, pitch: float, lag: int, more: int
) -> None:
    sound = voice(1.0, seed, pitch)
    heard, new = handed_over(sound, (lag + more, lag), 5)
    assert new.delay <= more + 1  # or less, by whole periods, where the voice repeats itself
    start = 10 * FRAME_SAMPLES - lag - more
    if new.delay == more:
        assert np.abs(heard - sound[start : start + len(heard)]).max() < 1e-4
    said, got = levels(sound), levels(heard)
    assert got.max() <= said.max() + 1
    assert got.min() >= said.min() - 6


@given(st.integers(0, 1_000), PITCHES, st.integers(0, 400), st.integers(0, 2 * FRAME_SAMPLES))
@example(68, 91.0, 291, 29)  # half alike in 10 ms, and not at all in the 3 ms where both are heard
@example(417, 259.471780371728, 306, 1850)
def test_to_the_later_way_a_piece_is_heard_twice_that_fits(seed: int, pitch: float, lag: int, more: int) -> None:
    sound = voice(1.0, seed, pitch)
    heard, new = handed_over(sound, (lag, lag + more), 5)
    assert 0 <= new.delay <= max(DEEPER, MOST_SAMPLES - TEMPLATE_SAMPLES)
    said = levels(sound[9 * FRAME_SAMPLES :])
    got = levels(heard)
    assert got.max() <= said.max() + 1
    assert got.min() >= said.min() - 3


@given(PITCHES, st.integers(0, 400), st.integers(-2 * FRAME_SAMPLES, 2 * FRAME_SAMPLES))
def test_a_steady_tone_stays_steady_whichever_way_is_later(pitch: float, lag: int, more: int) -> None:
    lags = (lag, lag + more) if more > 0 else (lag - more, lag)
    heard, _ = handed_over(tone(1.0, pitch), lags, 5)
    periods = max(1, round(pitch / 200))
    window = round(periods * SAMPLE_RATE / pitch)
    energy = np.convolve(heard.astype(np.float64) ** 2, np.ones(window) / window, "valid")
    assert 10 * np.log10(energy.max() / energy.min()) < 6


@given(st.integers(0, 1_000), st.integers(100, 2 * FRAME_SAMPLES))
def test_delay_stays_for_a_while_and_is_given_back_at_once_in_a_pause(seed: int, more: int) -> None:
    sound = voice(1.0, seed)
    _, new = handed_over(sound, (more, 0), 0)
    assume(new.delay)  # a whole period earlier it says the same
    out, quiet = silent_frame(), silent_frame()
    for _ in range(KEPT_FOR):
        play(new, quiet, out)
        assert new.delay
    play(new, quiet, out)
    assert new.delay == 0


@pytest.mark.parametrize("more", [100, 480, 1_266, 1_900])
def test_without_a_pause_it_is_given_back_piece_by_piece_without_a_step(more: int) -> None:
    ticks = LONGEST + 12 * PIECE_EVERY
    sound = voice((ticks + 40) / 50, 3)
    heard, new = handed_over(sound, (more, 0), ticks)
    assert new.delay == 0
    before, said, got = levels(heard[: LONGEST * FRAME_SAMPLES]), levels(sound), levels(heard)
    assert before.min() >= said.min() - 1
    assert got.max() <= said.max() + 1
    assert got.min() >= said.min() - 6
    assert np.abs(heard[-FRAME_SAMPLES:] - cut(sound, 30 + ticks, 0)).max() < 1e-6


@given(st.integers(0, 1_000), st.integers(1, 2 * FRAME_SAMPLES))
@example(595, 1061)  # its last samples are faded, at 0.001
def test_when_talk_ends_its_rest_is_heard_and_the_delay_is_over(seed: int, more: int) -> None:
    sound = voice(1.0, seed)
    _, new = handed_over(sound, (more, 0), 2)
    delay, out, rest = new.delay, silent_frame(), []
    assume(delay)  # a whole period earlier it says the same
    for _ in range(5):
        play(new, None, out)
        rest.append(out.copy())
    assert new.delay == 0
    tail = np.concatenate(rest)
    expected = sound[33 * FRAME_SAMPLES - delay : 33 * FRAME_SAMPLES]
    whole = delay // FRAME_SAMPLES * FRAME_SAMPLES
    last = expected[whole:]
    faded = last @ last < QUIET * (FRAME_SAMPLES + delay)  # a few samples in the last frame are a pause
    assert np.array_equal(tail[:whole], expected[:whole])
    assert np.abs(tail[whole:delay] - last).max(initial=0) <= (np.abs(last).max(initial=0) if faded else 0) + 1e-6
    assert not tail[delay:].any()


def test_where_nothing_is_alike_the_last_known_distance_holds() -> None:
    sound, old, new = voice(2.0, 1), PlaybackPath(), PlaybackPath()
    for path, ahead in ((old, -700), (new, 700)):
        path.ahead = ahead
    for tick in range(10, 18):
        old.keep(cut(voice(2.0, 99, 237.0), tick, 0))
        new.keep(cut(sound, tick, 0))
    new.join(old)
    assert new.delay == 700


@given(st.integers(0, 500), st.integers(0, 3_000))
def test_a_piece_is_found_where_it_was_cut(seed: int, lag: int) -> None:
    sound = voice(0.2, seed)
    end = len(sound) - lag
    found, likeness = find(sound[end - TEMPLATE_SAMPLES : end], sound, lag)
    assert abs(found - lag) <= 1
    assert likeness > 0.99


def test_silence_is_like_nothing_and_too_little_is_not_searched() -> None:
    assert find(np.zeros(960, np.float32), np.zeros(4_000, np.float32), 0)[1] == 0
    assert find(voice(0.1, 1), voice(0.05, 1), 7) == (0, 0.0)
