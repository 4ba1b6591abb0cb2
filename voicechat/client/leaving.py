"""Leaving: the program ends within a second, whatever stands still.

A sound system, a disk, a terminal and a name server may each keep a call waiting for
ever, and Python cannot interrupt them. So what may block at the end is done apart, for
as long as there is time, and if something unforeseen blocks all the same, the process
is ended from outside of it.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final

END_WITHIN: Final = 0.9
"""Seconds from the decision to leave to the end of the process: who presses Ctrl-C waits no longer than a second."""

SHARE: Final = 0.75
"""Seconds of those in which files and devices get done; the rest is for the last words."""


class Leaving:
    """The last second of a run. ``end_process`` ends it at once, with its exit code, and does not come back."""

    def __init__(
        self,
        end_process: Callable[[int], object] = os._exit,
        seconds: Callable[[], float] = time.monotonic,
        timer: Callable[[float, Callable[[], None]], Any] = threading.Timer,
    ) -> None:
        self._end_process = end_process
        self._seconds = seconds
        self._timer = timer
        self._limit: Any = None
        self._until = 0.0
        self._code = 0

    def begin(self, code: int) -> None:
        """The decision is made: from now on there is a second. Once; ``code`` is what the process would end with."""
        if self._limit is None:
            self._code = code
            self._until = self._seconds() + SHARE
            self._limit = self._timer(END_WITHIN, self._end)
            self._limit.daemon = True
            self._limit.start()

    def _end(self) -> None:
        self._end_process(self._code)

    def over(self) -> None:
        """Everything is done, in time."""
        if self._limit is not None:
            self._limit.cancel()

    @property
    def left(self) -> float:
        """Seconds for what is still to be done."""
        return max(0.0, self._until - self._seconds())

    def do(self, work: Callable[[], object], what: str, most: float = SHARE) -> bool:
        """Do what may block, while there is time, ``most`` seconds of it; whether it was done. Raises what it does."""
        return apart(work, what, min(most, self.left))


def apart(work: Callable[[], object], what: str, seconds: float | None = None) -> bool:
    """Do ``work`` on a thread that nobody waits for at the end, for so long at most; whether it was done.

    The waiting can be interrupted by Ctrl-C, which a call into C cannot. What the work raises is raised here.
    """
    done = threading.Event()
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  handed on
            raised.append(error)
        done.set()

    threading.Thread(target=run, name=what, daemon=True).start()
    finished = done.wait(seconds)
    if raised:
        raise raised[0]
    return finished
