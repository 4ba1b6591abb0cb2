"""The reactor made monotonic, and seconds made ticks.

Twisted's reactors tell time by the wall clock: stepping it back by two seconds
silenced a 20 ms LoopingCall for two seconds (measured; Twisted issue 2424). Both
entry points call `monotonic_reactor` before anything is scheduled.

The clock is time.perf_counter. On Linux and macOS that is time.monotonic under another
name; on Windows before Python 3.13 the latter moves in steps of 15.6 ms, more than a
block of sound lasts.
"""

import time
from typing import Any

from twisted.internet.interfaces import IReactorTime

from voicechat.format import TICK_SECONDS


def monotonic_reactor() -> Any:
    """The running process' reactor, on a clock from now on that nobody sets."""
    from twisted.internet import reactor  # noqa: TID251  installing it is this function's task

    reactor.seconds = time.perf_counter  # type: ignore[method-assign]
    return reactor


def ticks(clock: IReactorTime) -> float:
    """Now, in ticks."""
    return float(clock.seconds()) / TICK_SECONDS
