"""The server's log, wherever it goes, without ever waiting for it.

A terminal stopped by Ctrl-S, a pipe that nobody reads, a disk or a syslog that hangs block
whoever writes to them, and to make them non-blocking would change them for every other
program that has them, the shell too. So lines are made where something happens, and written
by a thread of ours; what it cannot get rid of is bounded, and what is left out is counted
and told when it flows again.

May import `sinks`; knows nothing else of the server.
"""

import atexit
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, cast

from twisted.application.service import MultiService
from twisted.logger import ILogObserver, LogEvent, Logger
from twisted.python.components import Componentized
from zope.interface import implementer

from voicechat.server import sinks

MOST_WAITING: Final = 500
"""Lines: half a minute of the most that people and strangers can cause (`eventlog`), and ten screens full."""

LAST_MOMENT: Final = 1.0
"""Seconds in all that the last lines get at the end: a disk takes a thousandth, a stopped terminal never will."""

_Item = sinks.LogLine | int | None
"""A line; or how many were left out there; or, None, a new file is to begin there."""


@implementer(ILogObserver)
class PatientLog:
    """Called with events, from any thread; another one, begun by `begin`, has them written by ``sink``."""

    def __init__(self, sink: sinks.LogSink) -> None:
        self._sink = sink
        self._waiting: deque[_Item] = deque()
        self._writing = False
        self._lost = 0
        """Lines left out that were not told yet; the thread's."""
        self._until: float | None = None
        """Lines are waited for, at the end, until then (`time.monotonic`)."""
        self._thread: threading.Thread | None = None
        # reentrant: a destructor may log in the midst of another line
        self._changed = threading.Condition(threading.RLock())

    def __call__(self, event: LogEvent) -> None:
        """Have an event written as soon as may be; never waits, but for a moment at the end."""
        line = self._sink.line(event)
        with self._changed:
            if line is not None:
                self._put(line)
            self._wait()

    def begin(self) -> None:
        """Write from now on, what came before too. Not before the last fork: no thread outlives one.

        RuntimeError if the system lets us start no thread.
        """
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._write_all, name="log", daemon=True)
                thread.start()
                self._thread = thread

    def rotate(self) -> None:
        """Begin a new file, if it is one."""
        with self._changed:
            if None not in self._waiting:
                self._waiting.append(None)
                self._changed.notify_all()

    def end(self, seconds: float = LAST_MOMENT) -> None:
        """The end is near: wait for what is left and for each line to come, for so long at most in all."""
        with self._changed:
            if self._until is None:
                self._until = time.monotonic() + seconds
            if self._waiting:
                try:
                    self.begin()
                except RuntimeError:  # then whoever ends has to, or nobody learns why
                    while self._waiting:
                        self._write(self._waiting.popleft())
            self._wait()

    def _put(self, line: sinks.LogLine) -> None:
        last = self._waiting[-1] if self._waiting else None
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(line)
        elif isinstance(last, int):
            self._waiting[-1] = last + 1
        else:
            self._waiting.append(1)
        self._changed.notify_all()

    def _wait(self) -> None:
        if self._until is not None:
            left = max(0.0, self._until - time.monotonic())
            self._changed.wait_for(lambda: not (self._waiting or self._writing), left)

    def _write_all(self) -> None:
        """The thread."""
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting)
                item = self._waiting.popleft()
                self._writing = True
            self._write(item)

    def _write(self, item: _Item) -> None:
        try:
            if item is None:
                self._sink.rotate()
                return
            if isinstance(item, int):
                self._lost += item
            if self._lost:
                self._sink.write(self._note())
                self._lost = 0
            if not isinstance(item, int):
                self._sink.write(item)
        except Exception:  # noqa: BLE001  nobody reads any more, or the disk is full; perhaps not for ever
            self._lost += not isinstance(item, int | None)

    def _note(self) -> sinks.LogLine:
        lines: list[sinks.LogLine | None] = []
        noting = cast(ILogObserver, lambda event: lines.append(self._sink.line(event)))
        Logger("voicechat", observer=noting).warn("{count} lines were left out", count=self._lost)
        return cast(sinks.LogLine, lines[0])


class CannotLog(SystemExit, Exception):
    """Ends twistd with one line; an Exception, too, as `service.CannotListen` is."""


class LoggedServices(MultiService):
    """Services that bring their log to the application that they are put in, and begin it when they are started."""

    def __init__(self, log: PatientLog) -> None:
        super().__init__()
        self._log = log

    def setServiceParent(self, parent: Any) -> None:
        """Put them in an application; twistd asks it for its log."""
        super().setServiceParent(parent)
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._log)

    def privilegedStartService(self) -> None:
        """In the process that will serve, and before its first line that may be of a fault."""
        try:
            self._log.begin()
        except RuntimeError:
            raise CannotLog(
                "voicechat: cannot begin: the system starts no thread for us; allow more processes (ulimit -u)"
            ) from None
        super().privilegedStartService()


def of_twistd(options: Mapping[str, Any], line: sinks.Written | None = None) -> PatientLog:
    """The log that twistd's options ask for; its last lines get their moment, however the program ends. OSError."""
    log = PatientLog(sinks.chosen(options, line))
    atexit.register(log.end)
    return log
