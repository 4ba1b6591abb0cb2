"""Where the server's log can go: a stream, a file that is begun anew when it is long, syslog.

Each has what twistd's own has, but that a sign which the encoding lacks is escaped, that a
file is its owner's alone, and that a fault, such as a full disk, does not end it. ``line`` is
called where something happens, ``write`` and ``rotate`` on a thread of the log's, as they may block.
"""

import codecs
import os
import select
import stat
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from twisted.logger import LogEvent, LogLevel, eventAsText, formatEventAsClassicLogText, formatTime
from twisted.python.logfile import LogFile

OWNER_ONLY: Final = 0o600
"""The log names people and addresses."""

LONGEST: Final = 20_000
"""Characters of one line, a traceback of a hundred calls; what is longer is cut, as so many may wait."""

OURS: Final = "voicechat"
"""The namespace of what the server itself says."""

_CUT: Final = " ... (cut)"


class LogLine(NamedTuple):
    """One event, ready to be written."""

    text: str
    priority: int = 0
    """Of syslog's."""


class LogSink(Protocol):
    """Where lines go."""

    def line(self, event: LogEvent) -> LogLine | None:
        """What is to be written of an event; None if there is nothing."""

    def write(self, line: LogLine) -> None:
        """Write one; may block. OSError or ValueError if it cannot be."""

    def rotate(self) -> None:
        """Begin a new file, if it is one; may block. OSError if it cannot be."""


Written = Callable[[LogEvent], LogLine | None]
"""What is to be written of an event."""


class Stream:
    """A descriptor: a terminal, a pipe, whatever else is open.

    ``encoding`` is the terminal's; ``line`` says what is written of an event, `classic` unless given.
    """

    def __init__(self, descriptor: int, encoding: str, line: Written | None = None) -> None:
        self.line = line or classic
        self._descriptor = descriptor
        self._encode = codecs.getincrementalencoder(encoding)("backslashreplace").encode

    def write(self, line: LogLine) -> None:
        """Write all of it, past Python's buffers: whoever stands still in one keeps its lock to the end."""
        data = self._encode(line.text)
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # somebody made it non-blocking
                select.select([], [self._descriptor], [])

    def rotate(self) -> None:
        """A stream stays."""


class File:
    """A file that its owner alone can read; at a megabyte it becomes ``path.1``, as Twisted does it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: LogFile | None = self._opened()

    def line(self, event: LogEvent) -> LogLine | None:
        """As twistd has it."""
        return classic(event)

    def write(self, line: LogLine) -> None:
        """Write one. After a fault the file is opened anew, as Twisted leaves it closed in the midst of a rotation."""
        self._do(lambda file: file.write(line.text.encode("utf-8", "backslashreplace")))

    def rotate(self) -> None:
        """Begin a new one, also where the old one was moved away, as logrotate(8) does it.

        OSError, and the old one stays, where there can be none: its folder has gone, too.
        """
        if Path(self._path).exists():
            self._do(lambda file: file.rotate())
            return
        fresh = self._opened()
        self.close()
        self._file = fresh

    def close(self) -> None:
        """Let it go; the next line opens it again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _do(self, what: Callable[[LogFile], object]) -> None:
        if self._file is None:
            self._file = self._opened()
        try:
            what(self._file)
        except (OSError, ValueError):
            self.close()
            raise

    def _opened(self) -> LogFile:
        return LogFile(Path(self._path).name, str(Path(self._path).parent), defaultMode=OWNER_ONLY)


class Syslog:
    """The system's log; each line of a traceback is one of syslog's."""

    def __init__(self, prefix: str) -> None:
        import syslog

        syslog.openlog(prefix)
        self._syslog = syslog.syslog
        self._priorities = syslog.LOG_INFO, syslog.LOG_ALERT

    def line(self, event: LogEvent) -> LogLine | None:
        """What part, what; when is syslog's affair. A fault is an alert, as with Twisted's own."""
        text = eventAsText(event, includeTimestamp=False)
        return LogLine(cut(text), self._priorities["log_failure" in event]) if text else None

    def write(self, line: LogLine) -> None:
        """Write one."""
        text = line.text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
        for part in text.splitlines():
            self._syslog(line.priority, part)

    def rotate(self) -> None:
        """Syslog's affair, too."""


def classic(event: LogEvent) -> LogLine | None:
    """A line of text with its end, or some."""
    text = formatEventAsClassicLogText(event)
    return LogLine(cut(text.removesuffix("\n")) + "\n") if text else None


def brief(event: LogEvent) -> LogLine | None:
    """When and what, for a person who looks on: of Twisted itself only what is wrong."""
    if event.get("log_namespace") != OURS and event.get("log_level", LogLevel.info) < LogLevel.warn:
        return None
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    if not text:
        return None
    when = formatTime(event.get("log_time"), "%Y-%m-%d %H:%M:%S", default="-")
    return LogLine(cut(f"{when} {text.rstrip()}") + "\n")


def cut(text: str) -> str:
    """At most so much that many may wait."""
    return text if len(text) <= LONGEST else text[: LONGEST - len(_CUT)] + _CUT


def chosen(options: Mapping[str, Any], line: Written | None = None) -> LogSink:
    """Where the options of twistd say. OSError if it cannot be."""
    if options.get("syslog"):
        return Syslog(options.get("prefix") or "")
    path = options.get("logfile")
    if path == "-" or (not path and options.get("nodaemon", True)):
        return Stream(sys.stdout.fileno(), sys.stdout.encoding, line)
    return opened(path or "twistd.log")


def opened(path: str) -> LogSink:
    """A file that is there or will be; of a terminal, a pipe or a device neither mode nor name is ours to change.

    A link is followed first: what /dev/stdout stands for may be any of them.
    """
    real = os.path.realpath(path)
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(Path(real).stat().st_mode):
            # for reading too: a pipe then opens without a reader, and does not break when one leaves
            return Stream(os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_NOCTTY", 0)), "utf-8")
    return File(real)
