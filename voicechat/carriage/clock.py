"""The reactor made monotonic, seconds made ticks, and a timer.

Twisted's reactors tell time by the wall clock: stepping it back by two seconds
silenced a 20 ms LoopingCall for two seconds (measured; Twisted issue 2424). Both
entry points call `monotonic_reactor` before anything is scheduled.

The clock is time.perf_counter. On Linux and macOS that is time.monotonic under another
name; on Windows before Python 3.13 the latter moves in steps of 15.6 ms, more than a
block of sound lasts.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from voicechat.format import TICK_SECONDS


def monotonic_reactor() -> Any:
    """The running process' reactor, on a clock from now on that nobody sets."""
    from twisted.internet import reactor  # noqa: TID251  installing it is this function's task

    reactor.seconds = time.perf_counter  # type: ignore[method-assign]
    return reactor


def ticks(clock: IReactorTime) -> float:
    """Now, in ticks."""
    return float(clock.seconds()) / TICK_SECONDS


NEVER: Final = float("inf")


class Timer:
    """Has ``call`` called once at a time that can be moved. Rests until it is started, and after each call."""

    def __init__(self, clock: IReactorTime, call: Callable[[], object]) -> None:
        self._clock = clock
        self._call = call
        self._delayed: IDelayedCall | None = None
        self.at = NEVER
        """When it calls, in seconds of the clock; infinity while it rests."""

    @property
    def runs(self) -> bool:
        """It was started, and has not called yet."""
        return self._delayed is not None

    @property
    def left(self) -> float:
        """Seconds until it calls; infinity while it rests."""
        return self.at - self._clock.seconds()

    def start(self, seconds: float) -> None:
        """Call in so many seconds, and not when it would have."""
        self._start(seconds, self._clock.seconds() + seconds)

    def start_at(self, at: float) -> None:
        """Call at this time, or soon if it is past; infinity: never."""
        if at == NEVER:
            self.stop()
        else:
            self._start(max(0.0, at - self._clock.seconds()), at)

    def _start(self, seconds: float, at: float) -> None:
        self.at = at
        if self._delayed is None:
            self._delayed = self._clock.callLater(seconds, self._due)
        else:
            self._delayed.reset(seconds)

    def stop(self) -> None:
        """Do not call."""
        self.at = NEVER
        delayed, self._delayed = self._delayed, None
        if delayed is not None:
            delayed.cancel()

    def _due(self) -> None:
        self._delayed = None
        self.at = NEVER
        self._call()
