"""The terminal that a server was started in, and whether it is still there.

Who closes the window of `twistd -n` has closed the server, and believes the port to be
closed. SIGHUP alone does not tell: it is also sent by hand, to have the password read again;
and not everybody gets it whose window is closed. The kernel sends it to the leader of the
session, mostly a shell, which hands it on to its jobs; where make is the leader, it waits
for them instead.
"""

import errno
import os
from contextlib import suppress
from typing import Final

CONTROLLING: Final = "/dev/tty"
"""A process' own terminal, whatever its outputs were redirected to (tty(4)); there is none for a daemon."""

LOOK_EACH: Final = 2.0
"""Seconds between two looks at it: the port is to be closed within five."""

_GONE: Final = (errno.ENXIO, errno.EIO)
"""What opening it gives after its end; others, such as a root folder without it, tell nothing."""


class Terminal:
    """The controlling terminal at the time of its making, if there was one."""

    def __init__(self, path: str = CONTROLLING) -> None:
        self._path = path
        self._ours = False
        """At the last look we were its foreground."""
        self.was_there = self._look() == 0
        """There was one."""

    @property
    def gone(self) -> bool:
        """There was one, and there is none any more."""
        return self.was_there and self._look() in _GONE

    @property
    def taken_from_us(self) -> bool:
        """It is gone, and we were its foreground to the last: no shell has been told to let us live without it."""
        return self.gone and self._ours

    def _look(self) -> int | None:
        """The number of the error that opening it gives, 0 for none."""
        try:
            terminal = os.open(self._path, os.O_RDONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            return error.errno
        with suppress(OSError):
            self._ours = os.tcgetpgrp(terminal) == os.getpgrp()
        os.close(terminal)
        return 0
