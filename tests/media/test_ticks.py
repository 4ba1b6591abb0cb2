"""TickSchedule: every tick once, none owed for ever, floats or not."""

from hypothesis import given
from hypothesis import strategies as st

from voicechat.format import TICK_SECONDS, TICKS_PER_SECOND
from voicechat.media.ticks import MOST_AT_ONCE, TickSchedule


def test_ten_minutes_of_floats_lose_no_tick() -> None:
    schedule, now = TickSchedule(), 0.0
    schedule.resume(now)
    run: list[int] = []
    for _ in range(600 * TICKS_PER_SECOND):
        now += TICK_SECONDS
        run += schedule.due(now)
    assert run == list(range(1, 600 * TICKS_PER_SECOND + 1))
    assert schedule.skipped == 0


@given(st.floats(0, 1e6), st.lists(st.floats(0, 0.5), max_size=50))
def test_ticks_come_once_in_order_and_few_at_a_time(start: float, steps: list[float]) -> None:
    schedule, now, last = TickSchedule(), start, None
    schedule.resume(start)
    first = int(start / TICK_SECONDS + 1e-6)
    run = 0
    for step in steps:
        now += step
        due = schedule.due(now)
        assert len(due) <= MOST_AT_ONCE
        for tick in due:
            assert last is None or tick > last
            assert tick <= now / TICK_SECONDS + 1e-5
            last = tick
        run += len(due)
    assert run + schedule.skipped == int(now / TICK_SECONDS + 1e-6) - first


def test_a_stall_is_skipped_but_for_the_latest() -> None:
    schedule = TickSchedule()
    schedule.resume(1.0)
    assert list(schedule.due(3.0)) == [148, 149, 150]
    assert schedule.skipped == 97
    assert list(schedule.due(3.0)) == []
    assert list(schedule.due(3.021)) == [151]


def test_what_lay_between_two_beats_is_not_owed() -> None:
    schedule = TickSchedule()
    schedule.resume(1.0)
    schedule.due(1.02)
    schedule.resume(9.0)
    assert list(schedule.due(9.02)) == [451]
    assert schedule.skipped == 0


def test_a_clock_that_stands_still_or_steps_back_owes_nothing() -> None:
    schedule = TickSchedule()
    schedule.resume(5.0)
    assert list(schedule.due(4.0)) == []
    assert list(schedule.due(5.02)) == [251]
    assert list(schedule.due(4.99)) == []
    assert list(schedule.due(5.04)) == [252]
    assert schedule.skipped == 0
