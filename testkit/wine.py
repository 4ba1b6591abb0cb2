"""Windows programs on this machine, by Wine, without a screen.

What lives here: ``Wine``, a Windows of its own in a folder (a prefix), and the moment that a time of its clock is on
ours. May import the standard library and the kit's own programs.

What Debian 12's Wine 8 wants (each seen to fail without): the version set to Windows 10; no regular file as a
program's standard stream, else Python ends with "init_sys_streams"; and Wine's own services started beforehand, with
outputs of their own. The first program of a prefix starts them; they hold open what it was given, and who reads that
program to its end would wait for ever.
"""

import os
import subprocess
import time
from pathlib import Path
from typing import Final

PATIENCE: Final = 120.0
"""Seconds for a prefix to be made; it takes five on two idle cores."""


class Wine:
    """A Windows in ``prefix``; ``start`` it before, ``close`` it after."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        """The folder: ``drive_c`` in it is drive C."""

    def start(self) -> None:
        """Make the prefix and start what its programs share; it stays until `close`."""
        self.prefix.mkdir(parents=True)
        for words in (["wineserver", "-p"], ["wine", "wineboot", "-i"], ["wine", "winecfg", "-v", "win10"]):
            self._run(*words)
        self._run("wine", "cmd", "/c", "exit")

    def close(self) -> None:
        """End all its programs."""
        self._run("wineserver", "-k", check=False)
        self._run("wineserver", "-w", check=False)

    @property
    def variables(self) -> dict[str, str]:
        """What a program needs in its environment, besides ours."""
        return {"WINEPREFIX": str(self.prefix), "WINEDEBUG": "-all", "DISPLAY": "", "WAYLAND_DISPLAY": ""}

    @staticmethod
    def path(path: Path) -> str:
        """How a Windows program names a file of ours."""
        return "Z:" + str(path.absolute()).replace("/", "\\")

    def _run(self, *words: str, check: bool = True) -> None:
        null, where = subprocess.DEVNULL, os.environ | self.variables
        subprocess.run(words, env=where, stdin=null, stdout=null, stderr=null, check=check, timeout=PATIENCE)


def ours(nanoseconds: int) -> int:
    """A time that a Windows program's time.perf_counter_ns gave, on our CLOCK_MONOTONIC.

    Wine counts on CLOCK_MONOTONIC_RAW, which nobody slews; the two differ by what was slewed since the start.
    """
    return nanoseconds + time.clock_gettime_ns(time.CLOCK_MONOTONIC) - time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
