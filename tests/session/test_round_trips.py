"""RoundTrips: how uneven a line is, by its last round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.session.round_trips import KEPT, TOGETHER, RoundTrips


def test_nothing_is_known_before_two_answers() -> None:
    round_trips = RoundTrips()
    assert round_trips.lateness() == []
    round_trips.note(0.1, 1.0)
    assert round_trips.lateness() == []


@given(st.lists(st.floats(0.001, 2.0), max_size=3 * KEPT))
def test_it_is_how_much_later_than_the_fastest_each_of_the_last_was_but_the_longest(took: list[float]) -> None:
    round_trips = RoundTrips()
    for number, trip in enumerate(took):
        round_trips.note(trip, number * TOGETHER * 1.01)
    last = sorted(took[-KEPT:])
    assert round_trips.lateness() == pytest.approx([trip - last[0] for trip in last[:-1]])


@given(st.floats(0.05, 2.0), st.integers(2, 10))
def test_a_line_that_stands_still_once_is_not_uneven(stall: float, probes: int) -> None:
    round_trips, now = RoundTrips(), 0.0
    for number in range(2 * KEPT):
        sent = number * 0.1
        held = sent if not 1.0 <= sent < 1.0 + stall else max(sent, 1.0 + stall)
        now = max(now, held + 0.03)
        round_trips.note(now - sent, now)
    assert max(round_trips.lateness()) < 0.05 + 1e-9
