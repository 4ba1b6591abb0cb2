"""Arrivals: a frame counts once, whatever brought it, and what is over begins nothing."""

from hypothesis import given
from hypothesis import strategies as st

from voicechat.media.arrivals import RESET_AFTER, Arrivals
from voicechat.media.jitter import CAPACITY
from voicechat.media.tuning import TUNING

BURST = TUNING.stream.warm_with + 1


def test_a_frame_comes_for_the_first_time_once() -> None:
    arrivals = Arrivals()
    assert arrivals.first_time(7, recovered=True)
    assert not arrivals.first_time(7, recovered=False)
    assert arrivals.newest == 7


def test_a_frame_that_its_redundancy_overtook_is_told_apart_from_a_duplicate_once() -> None:
    arrivals = Arrivals()
    arrivals.first_time(7, recovered=True)
    arrivals.first_time(8, recovered=False)
    assert [arrivals.follows_copy(tick) for tick in (7, 7, 8)] == [True, False, False]


@given(st.lists(st.integers(0, 300), max_size=300))
def test_copies_are_bounded(ticks: list[int]) -> None:
    arrivals = Arrivals()
    for tick in ticks:
        arrivals.first_time(tick, recovered=True)
    assert len(arrivals._copies) <= CAPACITY


def test_a_burst_lasts_for_some_ticks_from_the_marker_on() -> None:
    arrivals = Arrivals()
    arrivals.marker = 100
    assert [tick for tick in range(90, 120) if arrivals.in_burst(tick)] == list(range(100, 100 + BURST))


def test_what_is_older_than_the_end_straggles_and_a_marker_is_judged_by_what_was_played() -> None:
    arrivals = Arrivals()
    assert arrivals.straggles(99, 100, marker=False)
    assert not arrivals.straggles(100, 100, marker=False)
    assert not arrivals.straggles(100 - CAPACITY, 100, marker=False), "so far back it is another clock"
    assert not arrivals.straggles(99, 100, marker=True), "nothing was played"
    arrivals.played_to = 95
    assert arrivals.straggles(94, 100, marker=True)
    assert not arrivals.straggles(95, 100, marker=True)


def test_after_a_minute_without_anything_all_is_forgotten() -> None:
    arrivals = Arrivals()
    assert arrivals.stale(0.0)
    arrivals.last = 5.0
    assert not arrivals.stale(5.0 + RESET_AFTER)
    assert arrivals.stale(5.1 + RESET_AFTER)
    arrivals.first_time(3, recovered=False)
    arrivals.forget()
    assert arrivals.first_time(3, recovered=False)
