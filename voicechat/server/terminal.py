"""The terminal that the server was started in, and whether it is still there.

Who closes the window of `twistd -n` has closed the server, and believes the port to be
closed. SIGHUP alone does not tell: it is also sent by hand, to have the password read again.
"""

import errno
import os
from typing import Final

CONTROLLING: Final = "/dev/tty"
"""A process' own terminal, whatever its outputs were redirected to (tty(4)); there is none for a daemon."""

_GONE: Final = (errno.ENXIO, errno.EIO)
"""What opening it gives after its end; others, such as a folder of root's without it, tell nothing."""


class Terminal:
    """The controlling terminal at the time of its making, if there was one."""

    def __init__(self, path: str = CONTROLLING) -> None:
        self._path = path
        self._was_there = self._error() == 0

    @property
    def gone(self) -> bool:
        """There was one, and there is none any more."""
        return self._was_there and self._error() in _GONE

    def _error(self) -> int | None:
        """The number of the error that opening it gives, 0 for none."""
        try:
            os.close(os.open(self._path, os.O_RDONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0)))
        except OSError as error:
            return error.errno
        return 0
