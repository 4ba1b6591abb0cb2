"""The last second of a run, whatever stands still."""

import threading
from collections.abc import Iterator

import pytest

from voicechat.client.leaving import END_WITHIN, SHARE, Leaving, apart
from voicechat.client.run import LAST_WORDS, STATS_WITHIN
from voicechat.client.ui.line import LAST_MOMENT
from voicechat.errors import DeviceError

SOON = 10.0


class Timer:
    """A timer that the test lets run out."""

    def __init__(self, seconds: float, work: object) -> None:
        self.seconds, self.work = seconds, work
        self.daemon = self.started = self.cancelled = False

    def start(self) -> None:
        self.started = True

    def cancel(self) -> None:
        self.cancelled = True


class Case:
    """A run that leaves, its clock, its timers, and how its process was ended."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []
        self.ended: list[int] = []
        self.leaving = Leaving(self.ended.append, lambda: self.now, self._timer)

    def _timer(self, seconds: float, work: object) -> Timer:
        self.timers.append(Timer(seconds, work))
        return self.timers[-1]


@pytest.fixture
def case() -> Case:
    return Case()


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """Work that blocks waits for it."""
    event = threading.Event()
    yield event
    event.set()


def test_a_process_that_does_not_end_is_ended_with_its_own_code(case: Case) -> None:
    case.leaving.begin(130)
    (timer,) = case.timers
    assert timer.started
    assert timer.daemon, "a timer that were waited for would hold up the end itself"
    timer.work()  # type: ignore[operator]
    assert case.ended == [130]


def test_the_first_decision_counts_and_an_end_in_time_is_left_alone(case: Case) -> None:
    case.leaving.begin(0)
    case.leaving.begin(1)
    assert len(case.timers) == 1
    case.leaving.over()
    assert case.timers[0].cancelled


def test_time_is_shared_by_all_that_is_done(case: Case) -> None:
    case.leaving.begin(0)
    assert case.leaving.left == SHARE
    case.now += SHARE - 0.1
    assert case.leaving.left == pytest.approx(0.1)
    case.now += 5
    assert case.leaving.left == 0


def test_everything_that_may_stand_still_fits_into_the_second() -> None:
    """A terminal, the goodbye, the figures; the devices have what is left of SHARE; the last lines."""
    assert LAST_MOMENT + LAST_WORDS + STATS_WITHIN < SHARE
    assert SHARE + LAST_MOMENT <= 1.0
    assert SHARE < END_WITHIN < 1.0


def test_what_blocks_is_left_behind_and_what_does_not_is_done(case: Case, stuck: threading.Event) -> None:
    case.leaving.begin(0)
    assert not case.leaving.do(stuck.wait, "a disk that stands still", 0.01)
    case.now += SHARE - 0.01
    assert not case.leaving.do(stuck.wait, "a sound system that hangs")
    done: list[int] = []
    assert apart(lambda: done.append(1), "an honest one", SOON)
    assert done == [1]


def test_what_it_raises_is_raised_here() -> None:
    def fail() -> None:
        raise DeviceError("no such device")

    with pytest.raises(DeviceError, match="no such device"):
        apart(fail, "looking for sound")
