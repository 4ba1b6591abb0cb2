"""The device's beat, alone: times of calls in, and when the next block will be taken out."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.audio.beat import BEATS, MOST_TOGETHER, STALLED, TOGETHER, DeviceBeat
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, SAMPLE_RATE

START = 1000.0
NEVER_SOONER = 1e-9
"""Seconds: floats at 1000 s have no more digits."""


def calls_of(period: int, blocks: int) -> list[float]:
    """When a device with periods of so many samples takes each block: at the first period that has room for it."""
    return [START + -(-number * BLOCK_SAMPLES // period) * period / SAMPLE_RATE for number in range(1, blocks + 1)]


@pytest.mark.parametrize("period", [64, 128, 256, 480, 512, 960, 1024, 2048])
@pytest.mark.parametrize("offset", [0, 7, 31])
def test_a_period_of_its_own_is_learnt_in_one_pattern(period: int, offset: int) -> None:
    beat = DeviceBeat()
    times = calls_of(period, 5 * BEATS)[offset:]
    for at in times[:BEATS]:
        beat.called(at)
    met = 0
    for at in times[BEATS:]:
        needed_at = beat.needed_at(0)
        assert needed_at <= at + NEVER_SOONER, "no block is taken before it is needed"
        met += at <= needed_at + NEVER_SOONER
        beat.called(at)
    assert met >= (len(times) - BEATS) // BEATS, "and no sooner than need be: one in each pattern is taken just then"
    assert beat.together == min(max(1, -(-period // BLOCK_SAMPLES)), MOST_TOGETHER)


class Plain:
    """The same, told in the plainest way."""

    def __init__(self) -> None:
        self.beats: deque[float] = deque((0.0,), maxlen=BEATS)
        self.calls = 0

    def called(self, now: float, together: int) -> None:
        """A call."""
        self.calls += 1
        beat = now - self.calls * BLOCK_SECONDS
        if beat - min(self.beats) > (together + 1) * BLOCK_SECONDS:
            self.beats.clear()
        self.beats.append(beat)


gaps = st.floats(0, 3 * BLOCK_SECONDS) | st.sampled_from([0.0, BLOCK_SECONDS, 2 * BLOCK_SECONDS, 0.5])


@given(st.lists(gaps, max_size=4 * BEATS))
def test_the_beat_is_the_soonest_of_the_last_calls(passed: list[float]) -> None:
    beat, plain, now = DeviceBeat(), Plain(), START
    for gap in passed:
        now += gap
        plain.called(now, beat.together)
        beat.called(now)
        assert beat.needed_at(0) == pytest.approx(min(plain.beats) + (plain.calls + 1) * BLOCK_SECONDS, abs=1e-6)
        assert beat.needed_at(3) - beat.needed_at(0) == pytest.approx(3 * BLOCK_SECONDS)
        assert 1 <= beat.together <= MOST_TOGETHER


@given(st.lists(gaps, min_size=2, max_size=2 * BEATS))
def test_a_stall_and_blocks_taken_together_are_told_by_the_last_gap(passed: list[float]) -> None:
    beat, before = DeviceBeat(), START
    for number, gap in enumerate(passed):
        now = before + gap
        assert beat.called(now) == (number > 0 and now - before > STALLED)
        assert not beat.stalled(now)
        assert beat.stalled(now + 1.01 * STALLED)
        assert beat.in_a_row == (number > 0 and now - before < TOGETHER)
        before = now


@pytest.mark.parametrize("run", [1, 2, 3, MOST_TOGETHER, 3 * MOST_TOGETHER])
def test_how_many_it_takes_together_is_known_at_once_and_forgotten_after_two_patterns(run: int) -> None:
    beat, now = DeviceBeat(), START
    for _ in range(run):
        beat.called(now)
    assert beat.together == min(run, MOST_TOGETHER)
    for _ in range(2 * BEATS):
        now += BLOCK_SECONDS
        beat.called(now)
    assert beat.together == 1


def test_a_beat_that_two_threads_spoilt_is_told_anew_within_a_pattern() -> None:
    """While one card takes over from another both may call at once, and one's note may be lost."""
    beat, now = DeviceBeat(), START
    for number in range(3 * BEATS):
        now += BLOCK_SECONDS
        beat.called(now)
        if number == BEATS:
            beat._soonest -= BLOCK_SECONDS
    assert beat.needed_at(0) == pytest.approx(now + BLOCK_SECONDS)


@given(st.lists(st.floats(0, 0.9 * BLOCK_SECONDS), min_size=1, max_size=4 * BEATS), st.integers(0, BEATS - 1))
def test_the_one_call_that_was_sooner_counts_for_as_long_as_a_pattern(lates: list[float], first: int) -> None:
    """A regular device with calls that are late; what leaves the window counts no longer, wherever it stood in it."""
    beat, plain = DeviceBeat(), Plain()
    late_by = [5e-3] * first + [0.0] + [5e-3] * (BEATS + 1) + lates
    for number, late in enumerate(late_by, 1):
        now = START + number * BLOCK_SECONDS + late
        plain.called(now, beat.together)
        beat.called(now)
        assert beat.needed_at(0) == pytest.approx(min(plain.beats) + (plain.calls + 1) * BLOCK_SECONDS, abs=1e-6)
