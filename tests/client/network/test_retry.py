"""When the next try is due."""

from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.network.retry import FIRST_SECONDS, FIRST_TRIES, QUICK, QUICK_FOR, SLOWEST, Retry


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def longest(low: float, high: float) -> float:
    assert 0 < low <= high
    return high


def test_before_the_first_login_it_gives_up_after_three_tries() -> None:
    retry = Retry(middle, 100.0)
    delays = [retry.delay(100.0) for _ in range(FIRST_TRIES)]
    assert None not in delays[:-1]
    assert delays[-1] is None


def test_before_the_first_login_it_gives_up_after_five_seconds() -> None:
    assert Retry(middle, 100.0).delay(100.0 + FIRST_SECONDS) is None


def test_all_first_tries_fit_into_the_time() -> None:
    retry, now = Retry(longest, 0.0), 0.0
    while (delay := retry.delay(now)) is not None:
        now += delay
    assert now < FIRST_SECONDS


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_after_a_login_it_never_gives_up_and_slows_down(dice: list[float]) -> None:
    rolls = iter(dice)
    retry = Retry(lambda low, high: low + (high - low) * next(rolls), 0.0)
    retry.success()
    retry.broke(10.0)
    now = 10.0
    for _ in dice:
        delay = retry.delay(now)
        assert delay is not None
        assert QUICK[0] <= delay <= (QUICK[1] if now - 10.0 <= QUICK_FOR else SLOWEST)
        now += delay


def test_far_into_a_night_it_tries_twice_a_minute() -> None:
    retry = Retry(longest, 0.0)
    retry.success()
    retry.broke(0.0)
    delays = [retry.delay(8 * 3600.0) for _ in range(2000)]
    assert delays[:3] == [3.0, 6.0, 12.0]
    assert set(delays[5:]) == {SLOWEST}


def test_a_login_makes_it_quick_again() -> None:
    retry = Retry(longest, 0.0)
    retry.success()
    retry.broke(0.0)
    for _ in range(10):
        retry.delay(3600.0)
    retry.success()
    retry.broke(4000.0)
    assert retry.delay(4001.0) == QUICK[1]


def test_a_hundred_clients_do_not_come_back_in_one_moment() -> None:
    import random

    uniform = random.Random(3).uniform
    delays = []
    for _ in range(100):
        retry = Retry(uniform, 0.0)
        retry.success()
        retry.broke(50.0)
        delays.append(retry.delay(50.0) or 0.0)
    for start in (0.1, 0.5, 0.9, 1.3):
        assert sum(start <= delay < start + 0.2 for delay in delays) < 30
