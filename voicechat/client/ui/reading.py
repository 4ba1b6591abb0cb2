"""Lines that a player types, where the client prints lines: read from the terminal, and from nothing else.

From a pipe nothing is read: what a script has for the program's standard input may be a password
(``--password-file -``), or the rest of a file, and is not meant for friends. Nor is the end of the input the end of
the call: it comes when a terminal's window was closed under ``nohup``, and Ctrl-D is pressed by mistake.

`TerminalLines` is POSIX's. A terminal gives whole lines, so it is read only when it has one, and without making it
non-blocking, which `twisted.internet.stdio` would do to every program that has it, the shell too. A console of Windows
cannot be waited for beside sockets: `ConsoleLines` has a thread that stands in a read of it.
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from voicechat import standard
from voicechat.carriage.clock import Timer
from voicechat.client.ui.lines import raw_of

MOST_AT_ONCE: Final = 4096
"""Bytes of a read; a terminal's line has no more (N_TTY_BUF_SIZE, Linux), nor has the longest text (512 letters)."""

LOOK_AGAIN: Final = 1.0
"""Seconds until it is looked again whether the terminal is ours: in the background another program has it."""


class ILines(Protocol):
    """Where typed lines come from."""

    def start(self, line: Callable[[str], None], end: Callable[[], None]) -> None:
        """Call ``line`` with each line from now on, on the reactor's thread; ``end``, once, when there are no more."""

    def stop(self) -> None:
        """Read no more."""


class Split:
    """Bytes as they come, cut into lines of text in ``encoding``; what is no line yet is bounded."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._rest = b""

    def lines(self, data: bytes) -> list[str]:
        """The lines that are whole now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-MOST_AT_ONCE:]
        return [line.removesuffix(b"\r").decode(self._encoding, "replace") for line in lines]


@implementer(IReadDescriptor)
class TerminalLines:
    """The lines of the terminal ``descriptor``, of text in ``encoding``."""

    def __init__(self, reactor: Any, descriptor: int, encoding: str) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._split = Split(encoding)
        self._line: Callable[[str], None] = lambda _line: None
        self._end: Callable[[], None] = lambda: None
        self._again = Timer(reactor, lambda: reactor.addReader(self))

    def start(self, line: Callable[[str], None], end: Callable[[], None]) -> None:
        """Read."""
        self._line, self._end = line, end
        self._reactor.addReader(self)

    def stop(self) -> None:
        """Read no more."""
        self._line, self._end = lambda _line: None, lambda: None
        self._reactor.removeReader(self)
        self._again.stop()

    def fileno(self) -> int:
        """The terminal."""
        return self._descriptor

    def logPrefix(self) -> str:
        """Twisted's name of this in its log."""
        return "typed lines"

    def doRead(self) -> None:
        """The terminal has a line, or has gone."""
        if not self._ours():
            self._wait()
            return
        try:
            data = os.read(self._descriptor, MOST_AT_ONCE)
        except OSError:  # its window was closed
            data = b""
        if not data:
            self._reactor.removeReader(self)
            self._end()
            return
        for line in self._split.lines(data):
            self._line(line)

    def connectionLost(self, reason: object) -> None:
        """Nobody holds the terminal's other end any more."""
        self._end()

    def _ours(self) -> bool:
        """Whoever reads a terminal in the background is stopped by it (SIGTTIN), and the call would be."""
        if sys.platform == "win32":
            return True
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # no terminal of this session's
            return True

    def _wait(self) -> None:
        self._reactor.removeReader(self)
        self._again.start(LOOK_AGAIN)


class ConsoleLines:
    """The lines of a console: ``raw`` is what Python has below its stream, and gives UTF-8.

    The thread is left behind in its read at the end, and holds nothing that the end waits for: a stream's buffer
    would have a lock.
    """

    def __init__(self, reactor: Any, raw: Any) -> None:
        self._reactor = reactor
        self._raw = raw
        self._line: Callable[[str], None] = lambda _line: None
        self._end: Callable[[], None] = lambda: None

    def start(self, line: Callable[[str], None], end: Callable[[], None]) -> None:
        """Read."""
        self._line, self._end = line, end
        threading.Thread(target=self._read_all, name="typed lines", daemon=True).start()

    def stop(self) -> None:
        """Nobody wants to know any more."""
        self._line, self._end = lambda _line: None, lambda: None

    def _read_all(self) -> None:
        split = Split("utf-8")
        while True:
            try:
                data = self._raw.read(MOST_AT_ONCE)
            except (OSError, ValueError):  # its window was closed
                data = b""
            if not data:
                self._reactor.callFromThread(self._tell_end)
                return
            for line in split.lines(data):
                self._reactor.callFromThread(self._tell, line)

    def _tell(self, line: str) -> None:
        self._line(line)

    def _tell_end(self) -> None:
        self._end()


def of_terminal(reactor: Any, platform: str = sys.platform) -> ILines | None:
    """The lines of standard input; None if that is no terminal."""
    if not standard.is_terminal("stdin"):
        return None
    if platform == "win32":
        return ConsoleLines(reactor, raw_of(sys.stdin))
    return TerminalLines(reactor, sys.stdin.fileno(), sys.stdin.encoding or "utf-8")


class UnseenLine:
    """One line that is not shown while it is typed, as a password is. ``lines`` are those of the terminal."""

    def __init__(self, lines: ILines) -> None:
        self._lines = lines
        self._asking = False

    def ask(self, answer: Callable[[str], None], end: Callable[[], None]) -> None:
        """Call ``answer`` with the line, or ``end`` if there is none."""
        self._asking = True
        echo(sys.stdin.fileno(), on=False)
        self._lines.start(lambda line: self._done(lambda: answer(line)), lambda: self._done(end))

    def stop(self) -> None:
        """Ask no more; the terminal shows again what is typed. Safe at any time."""
        if self._asking:
            self._asking = False
            self._lines.stop()
            echo(sys.stdin.fileno(), on=True)

    def _done(self, then: Callable[[], None]) -> None:
        if self._asking:
            self.stop()
            then()


def echo(descriptor: int, *, on: bool) -> None:
    """Have a terminal show what is typed, or only the ends of lines (POSIX: ECHO, ECHONL)."""
    if sys.platform == "win32":
        from voicechat.client.windows import console

        console.echo(on=on)
        return
    import termios

    settings = termios.tcgetattr(descriptor)
    settings[3] = settings[3] | termios.ECHO if on else settings[3] & ~termios.ECHO | termios.ECHONL
    if on:
        settings[3] &= ~termios.ECHONL
    termios.tcsetattr(descriptor, termios.TCSANOW, settings)
