"""Seen: each of the latest ticks is new once."""

from hypothesis import given
from hypothesis import strategies as st

from voicechat.media.seen import BITS, Seen


@given(st.integers(-(1 << 20), 1 << 20), st.lists(st.integers(-BITS // 2, BITS // 2 - 1), max_size=80))
def test_within_the_window_each_tick_is_new_once(start: int, steps: list[int]) -> None:
    seen, model = Seen(), set[int]()
    for step in steps:
        tick = start + step
        assert seen.first_time(tick) == (tick not in model)
        model.add(tick)
        assert seen.newest == max(model)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=300))
def test_time_goes_on_for_ever(steps: list[int]) -> None:
    seen, tick, model = Seen(), 65_500, set[int]()
    for step in steps:
        tick += step
        assert seen.first_time(tick) == (tick not in model)
        model.add(tick)


def test_what_lies_far_away_begins_a_new_window() -> None:
    seen = Seen()
    for tick in (1000, 1000 + 10 * BITS, 1000):
        assert seen.first_time(tick)
        assert not seen.first_time(tick)


def test_what_was_forgotten_is_new() -> None:
    seen = Seen()
    seen.first_time(5)
    seen.forget()
    assert seen.first_time(5)
