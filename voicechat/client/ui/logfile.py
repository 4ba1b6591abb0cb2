"""The file of --log: what happened in a call, to be sent with a bug report.

All lines that the player is told, with their time; faults with where they came from; the program's version, its
options and its figures. No password, no link, and of text lines only their length: it will be read by strangers.
It is its owner's alone until they send it. A disk that stands still holds up nothing (`lines`), and the file
is no longer than MOST_BYTES.
"""

import errno
import io
import json
import os
import platform
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from voicechat import __version__
from voicechat.client import configuration
from voicechat.client.notices import INotices
from voicechat.client.options import OPTIONS
from voicechat.client.ui.lines import Lines
from voicechat.errors import ConfigError

MOST_BYTES: Final = 4 << 20
"""Bytes: an evening has some thousand lines of a hundred; what a bug report may have on the usual sites is more."""


def now() -> str:
    """The wall clock here, to the millisecond."""
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


@implementer(ILogObserver)
class LogFile:
    """The file ``path``, begun anew, with what was ``chosen``, by the options' fields. ConfigError if it cannot be.

    Twisted's warnings, and faults, are written until `close`.
    """

    def __init__(self, path: str, chosen: Mapping[str, Any], wall_clock: Callable[[], str] = now) -> None:
        self._wall_clock = wall_clock
        self._left = MOST_BYTES
        self._stream = _opened(path)
        self._lines = Lines(self._stream)
        self.write("voicechat", f"{__version__} on {platform.platform()}, Python {platform.python_version()}")
        for option in OPTIONS:
            if not option.secret and chosen.get(option.field) not in (None, option.default):
                self.write("option", f"{option.name} = {chosen[option.field]}")
        globalLogPublisher.addObserver(self)

    def write(self, kind: str, text: str) -> None:
        """A line, or several; whatever is in the way of it, the call goes on."""
        for line in text.splitlines() or [""]:
            told = f"{self._wall_clock()} {kind:10} {line}"
            self._left -= len(told.encode("utf-8", "replace")) + len(os.linesep)
            if self._left < 0:
                return
            self._lines.put(told)

    def __call__(self, event: dict[str, Any]) -> None:
        """Something that Twisted tells."""
        if event.get("log_level", LogLevel.info) < LogLevel.warn:
            return
        failure = event.get("log_failure")
        self.write("fault", formatEvent(event) + ("" if failure is None else f"\n{failure.getTraceback()}"))

    def end(self, code: int, figures: Mapping[str, Any]) -> None:
        """How it ended, and the figures."""
        self.write("figures", json.dumps(figures))
        self.write("ended", str(int(code)))

    def close(self, seconds: float) -> None:
        """Let the last lines out, for so long at most."""
        with suppress(ValueError):
            globalLogPublisher.removeObserver(self)
        self._lines.flush(seconds)


class Logged:
    """Notices that a file gets, too. Of text lines it gets no word."""

    def __init__(self, notices: INotices, log: LogFile) -> None:
        self._notices = notices
        self._log = log

    def say(self, text: str) -> None:
        """Something happened."""
        self._log.write("say", text)
        self._notices.say(text)

    def chat(self, text: str) -> None:
        """A text line of somebody."""
        self._log.write("chat", f"(a line of {len(text)} letters)")
        self._notices.chat(text)

    def talk(self, text: str) -> None:
        """Somebody starts or stops talking."""
        self._log.write("talk", text)
        self._notices.talk(text)

    def people(self, text: str) -> None:
        """Somebody came, left, or changed something about themselves."""
        self._log.write("people", text)
        self._notices.people(text)

    def trouble(self, text: str) -> None:
        """The connection was lost, is back, or takes another way."""
        self._log.write("trouble", text)
        self._notices.trouble(text)

    def warn(self, text: str) -> None:
        """Something is not as it should be, or the last word."""
        self._log.write("warn", text)
        self._notices.warn(text)


def _opened(path: str) -> io.TextIOWrapper:
    """A file that nobody else can read, empty; a device or a pipe as it is."""
    place = configuration.located(path)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(place, flags, 0o600)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            with suppress(OSError):  # somebody else's, or a file system without
                place.chmod(0o600)
    except (OSError, ValueError) as error:  # a name that the system's encoding lacks
        why = "nobody reads this pipe" if getattr(error, "errno", None) == errno.ENXIO else ""
        raise ConfigError(f"cannot write {path}: {why or getattr(error, 'strerror', None) or error}") from None
    return open(descriptor, "w", encoding="utf-8")  # noqa: PTH123  open as long as the program runs
