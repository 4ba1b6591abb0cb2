"""The reactor made monotonic, and seconds made ticks.

Twisted's reactors tell time by the wall clock: stepping it back by two seconds
silenced a 20 ms LoopingCall for two seconds (measured; Twisted issue 2424). Both
entry points call `monotonic_reactor` before anything is scheduled.
"""

import time
from typing import Any

from twisted.internet.interfaces import IReactorTime

from voicechat.format import TICK_SECONDS


def monotonic_reactor() -> Any:
    """The running process' reactor, on CLOCK_MONOTONIC from now on."""
    from twisted.internet import reactor  # noqa: TID251  installing it is this function's task

    reactor.seconds = time.monotonic  # type: ignore[method-assign]
    return reactor


def ticks(clock: IReactorTime) -> float:
    """Now, in ticks."""
    return float(clock.seconds()) / TICK_SECONDS
