"""Lines that a player types, where the client prints lines: read from the terminal, and from nothing else.

From a pipe nothing is read: what a script has for the program's standard input may be a password
(``--password-file -``), or the rest of a file, and is not meant for friends. Nor is the end of the input the end of
the call: it comes when a terminal's window was closed under ``nohup``, and Ctrl-D is pressed by mistake.

`TerminalLines` is POSIX's. A terminal gives whole lines, so it is read only when it has one, and without making it
non-blocking, which `twisted.internet.stdio` would do to every program that has it, the shell too. Where consoles
cannot be waited for, another class with the same two methods does.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, Final, Protocol

from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from voicechat.carriage.clock import Timer

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


@implementer(IReadDescriptor)
class TerminalLines:
    """The lines of the terminal ``descriptor``, of text in ``encoding``."""

    def __init__(self, reactor: Any, descriptor: int, encoding: str) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._encoding = encoding
        self._rest = b""
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
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-MOST_AT_ONCE:]
        for line in lines:
            self._line(line.decode(self._encoding, "replace"))

    def connectionLost(self, reason: object) -> None:
        """Nobody holds the terminal's other end any more."""
        self._end()

    def _ours(self) -> bool:
        """Whoever reads a terminal in the background is stopped by it (SIGTTIN), and the call would be."""
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # no terminal of this session's
            return True

    def _wait(self) -> None:
        self._reactor.removeReader(self)
        self._again.start(LOOK_AGAIN)


def of_terminal(reactor: Any) -> ILines | None:
    """The lines of standard input; None if that is no terminal, or one that cannot be waited for."""
    if os.name != "posix" or not sys.stdin.isatty():
        return None
    return TerminalLines(reactor, sys.stdin.fileno(), sys.stdin.encoding or "utf-8")
