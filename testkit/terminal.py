"""A program on a terminal of its own: keys go in, and what its screen shows can be read.

What lives here: ``Terminal``, a pseudo terminal whose other end is understood by pyte,
a terminal emulator. Waiting is for what the screen shows, with a deadline.
"""

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pyte

from testkit.children import SOON
from testkit.processes import command, environment

FULL_SCREEN: Final = b"\x1b[?1049h"
"""A terminal's second page is shown (xterm, ctlseqs)."""
WHOLE_AGAIN: Final = b"\x1b[?1049l"


class Terminal:
    """``arguments`` running on a terminal of ``columns`` x ``rows``; ``controlling``: of a session of their own."""

    def __init__(
        self,
        arguments: Sequence[str],
        columns: int,
        rows: int,
        *,
        folder: Path,
        variables: dict[str, str],
        controlling: bool = False,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        """All that the program wrote."""
        self._master, self._slave = os.openpty()
        self._size(columns, rows)
        self._before = self.settings()
        self.process = subprocess.Popen(
            [*(["setsid", "--ctty"] if controlling else []), command(arguments[0]), *arguments[1:]],
            cwd=folder,
            env=environment() | {"TERM": "xterm-256color"} | variables,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=not controlling,  # else setsid would start another process for it
        )

    def hang_up(self) -> None:
        """The window is closed. ``controlling``: a session of its own has lost its terminal, and gets SIGHUP."""
        os.close(self._master)
        self._master = -1

    def settings(self) -> list[Any]:
        """How the terminal treats keys."""
        return termios.tcgetattr(self._slave)

    @property
    def restored(self) -> bool:
        """The terminal is as it was before: its settings, its page, its cursor."""
        pages = self.written.rfind(FULL_SCREEN), self.written.rfind(WHOLE_AGAIN)
        return self.settings() == self._before and pages[0] < pages[1] and not self._screen.cursor.hidden

    @property
    def lines(self) -> list[str]:
        """What is shown."""
        return [line.rstrip() for line in self._screen.display]

    def cells(self, row: int) -> list[Any]:
        """The characters of a row with their colours."""
        return [self._screen.buffer[row][column] for column in range(self._screen.columns)]

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def until(self, *texts: str, without: str = "", seconds: float = SOON) -> None:
        """Read until all ``texts`` are shown, and ``without`` is not."""
        self.wait(lambda: all(t in self.shown for t in texts) and (not without or without not in self.shown), seconds)

    def wait(self, enough: Callable[[], bool], seconds: float = SOON) -> None:
        """Read until ``enough()``."""
        deadline = time.monotonic() + seconds
        while not enough():
            left = deadline - time.monotonic()
            assert left > 0, f"not so within {seconds} s:\n{self.shown}"
            self._read(left)

    @property
    def shown(self) -> str:
        """What is shown, as one text."""
        return "\n".join(self.lines)

    def resize(self, columns: int, rows: int) -> None:
        """The window gets another size."""
        self._size(columns, rows)
        self._screen.resize(rows, columns)
        os.kill(self.process.pid, signal.SIGWINCH)

    def end(self, seconds: float = SOON) -> int:
        """Wait for the program's end and read its last words; its status."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            left = deadline - time.monotonic()
            assert left > 0, f"it did not end within {seconds} s\n{self.shown}"
            self._read(min(left, 0.1))
        while self._read(0.0):
            pass
        return self.process.returncode

    def close(self) -> None:
        """Whatever it does, it is over."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)

    def _size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        data = os.read(self._master, 65_536)
        self.written += data
        self._stream.feed(data)
        return True
