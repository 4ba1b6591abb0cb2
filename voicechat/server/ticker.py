"""The beat: a LoopingCall of 20 ms that runs only while somebody must be mixed for."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from voicechat.carriage.clock import Timer
from voicechat.format import TICK_SECONDS
from voicechat.media.ticks import TickSchedule
from voicechat.server.eventlog import EventLog
from voicechat.server.metrics import Metrics


class Ticker:
    """Calls ``beat(tick)`` for every tick that is due, until ``beat`` says that nobody needs it any more."""

    def __init__(self, clock: IReactorTime, beat: Callable[[int], bool], metrics: Metrics, events: EventLog) -> None:
        self._clock = clock
        self._beat = beat
        self._metrics = metrics
        self._events = events
        self._schedule = TickSchedule()
        self._loop = LoopingCall(self._due)
        self._loop.clock = clock
        self._first = Timer(clock, self._start)
        self._late = 0.0

    @property
    def running(self) -> bool:
        """The beat goes."""
        return self._first.runs or bool(self._loop.running)

    def due_in(self) -> float:
        """Seconds until the next beat, below 0 if it is late; infinity while there is none."""
        call = self._loop.call
        return self._first.left if call is None else float(call.getTime() - self._clock.seconds())

    @property
    def late(self) -> float:
        """Seconds by which the beat is late, or was when it last came; 0 while there is none."""
        return max(0.0, self._late, -self.due_in()) if self.running else 0.0

    def wake(self) -> None:
        """Somebody must be mixed for: start, unless it runs already."""
        if not self.running:
            now = self._clock.seconds()
            self._schedule.resume(now)
            self._late = 0.0
            self._first.start(self._schedule.next_at - now)

    def _start(self) -> None:
        self._loop.start(TICK_SECONDS).addErrback(self._ended)

    def stop(self) -> None:
        """No more beats."""
        self._first.stop()
        if self._loop.running:
            self._loop.stop()

    def _due(self) -> None:
        now = self._clock.seconds()
        self._late = now - self._schedule.next_at  # of those that are left out, too
        due = self._schedule.due(now)
        needed = True
        for tick in due:
            self._metrics.tick_late_seconds.observe(now - tick * TICK_SECONDS)
            needed = self._beat(tick)
        self._metrics.ticks_total.value += len(due)
        self._metrics.ticks_skipped_total.value = self._schedule.skipped
        if not needed:
            self.stop()

    def _ended(self, failure: Failure) -> None:
        """An exception ends a LoopingCall for good, and only here is it told."""
        self._events.failure("the tick failed", self._clock.seconds(), failure)
        self.wake()
