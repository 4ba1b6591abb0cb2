"""What blocks, such as opening a sound device: in a thread, one job at a time, each a Deferred with a timeout.

A thread cannot be stopped. So a job that hangs is given up after STUCK seconds: its Deferred fails, and another
job may be tried beside it; what it still gives is dropped.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from voicechat.client.audio.card import FIRST_WITHIN
from voicechat.errors import DeviceError

STUCK: Final = 9 * FIRST_WITHIN + 3.5
"""Seconds after which a job is given up: the longest honest one tries nine pairs of devices, each for FIRST_WITHIN.
In one of two restarts of PipeWire the first job after it hangs (measured)."""

MOST_STUCK: Final = 3
"""Jobs given up that still hang; each holds a thread. With more of them nothing is tried until one ends."""

T = TypeVar("T")


def in_thread(work: Callable[[], None]) -> None:
    """Have something done that may block for ever: the program's end does not wait for it."""
    threading.Thread(target=work, name="opening sound", daemon=True).start()


class Jobs:
    """Jobs of one run. ``apart`` has a job done in a thread."""

    def __init__(self, reactor: Any, apart: Callable[[Callable[[], None]], None] = in_thread) -> None:
        self._reactor = reactor
        self._apart = apart
        self._threads = 0
        self.running = False
        """A job is under way, and was not given up."""

    @property
    def hang(self) -> bool:
        """Too many that were given up still hang: nothing is to be tried."""
        return self._threads - self.running > MOST_STUCK

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """What ``work`` gives; DeviceError if it raises, twisted's TimeoutError if it takes longer than STUCK."""
        done: Deferred[T] = Deferred()
        done.addTimeout(STUCK, self._reactor)
        done.addBoth(self._over)

        def do() -> None:
            result: T | Failure = Failure(DeviceError("something unforeseen happened"))
            try:
                result = work()
            except DeviceError:
                result = Failure()
            finally:  # what else it raises the thread tells of
                self._reactor.callFromThread(self._finished, done, result)

        self._threads += 1
        self.running = True
        try:
            self._apart(do)
        except RuntimeError:  # the system has no thread left for us
            self._finished(done, Failure(DeviceError("the system starts no thread for us to open it in")))
        return done

    def _finished(self, done: Deferred[T], result: T | Failure) -> None:
        self._threads -= 1
        done.callback(result)  # nothing, for one that was given up

    def _over(self, result: T) -> T:
        self.running = False
        return result
