"""The beat: while it is needed, each tick once, never a burst, and not ended by an exception."""

from twisted.internet.task import Clock
from twisted.logger import Logger

from tests.server.house import Log
from voicechat.format import TICK_SECONDS
from voicechat.media.ticks import MOST_AT_ONCE
from voicechat.server.eventlog import EventLog
from voicechat.server.metrics import Metrics
from voicechat.server.ticker import Ticker


class Beat:
    """Counts the ticks it is called for, as long as it is told to."""

    def __init__(self, clock: Clock) -> None:
        self.ticks: list[int] = []
        self.until = 1 << 30
        self.log = Log()
        self.metrics = Metrics()
        self.ticker = Ticker(clock, self, self.metrics, EventLog(self.metrics, Logger("test", observer=self.log)))

    def __call__(self, tick: int) -> bool:
        self.ticks.append(tick)
        if tick == 13:
            raise ZeroDivisionError("unlucky")
        return len(self.ticks) < self.until


def test_ten_seconds_have_five_hundred_ticks_each_once() -> None:
    clock = Clock()
    clock.advance(100.0)
    beat = Beat(clock)
    beat.ticker.wake()
    for _ in range(1000):
        clock.advance(TICK_SECONDS / 2)
    assert beat.ticks == list(range(5001, 5501))


def test_it_runs_while_it_is_needed_only() -> None:
    clock = Clock()
    clock.advance(100.0)
    beat = Beat(clock)
    assert not clock.getDelayedCalls()
    beat.until = 5
    beat.ticker.wake()
    beat.ticker.wake()
    for _ in range(20):
        clock.advance(TICK_SECONDS)
    assert len(beat.ticks) == 5
    assert not beat.ticker.running
    assert not clock.getDelayedCalls()
    beat.until = 7
    beat.ticker.wake()
    for _ in range(20):
        clock.advance(TICK_SECONDS)
    assert len(beat.ticks) == 7
    assert beat.metrics.ticks_total.value == 7


def test_after_a_stall_the_latest_ticks_run_and_the_others_are_counted() -> None:
    clock = Clock()
    clock.advance(100.0)
    beat = Beat(clock)
    beat.ticker.wake()
    clock.advance(TICK_SECONDS)
    clock.advance(2.0)
    assert beat.ticks == [5001, 5099, 5100, 5101]
    assert len(beat.ticks) == 1 + MOST_AT_ONCE
    assert beat.metrics.ticks_skipped_total.value == 97
    late = beat.metrics.tick_late_seconds
    assert late.counts[-2] == 1, "one was 40 ms late, by another clock's reckoning"
    assert late.value == 4


def test_an_exception_does_not_end_it_for_good() -> None:
    clock = Clock()
    beat = Beat(clock)
    beat.ticker.wake()
    for _ in range(50):
        clock.advance(TICK_SECONDS)
    assert beat.ticks[-1] == 50
    assert 13 in beat.ticks
    assert len(beat.ticks) >= 48
    assert len(beat.log.failures) == 1


def test_stop_stops_it() -> None:
    clock = Clock()
    beat = Beat(clock)
    beat.ticker.stop()
    beat.ticker.wake()
    beat.ticker.stop()
    clock.advance(1)
    assert not beat.ticks
