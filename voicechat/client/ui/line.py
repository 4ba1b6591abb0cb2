"""The line interface: one line for each thing that happened, on standard output.

Control characters of others never get here: the protocol refuses them. Trouble goes
to standard error. A pipe or a screen reader has each line at once; one that stands still
never holds up the call (`lines`).
"""

import os
import sys
import time
from typing import TYPE_CHECKING, Final, TextIO

from voicechat.client.ui.lines import Lines

if TYPE_CHECKING:
    from voicechat.client.call.controls import Controls

LAST_MOMENT: Final = 0.25
"""Seconds that readers get for the last lines: a pipe that is read takes a thousandth, one that is not never will."""


class Console:
    """Prints lines."""

    fault: Exception | None = None
    """A fault of ours that ended the call; only where more than lines is shown."""

    def __init__(self, out: TextIO | None = None, trouble: TextIO | None = None) -> None:
        out, trouble = out or sys.stdout, trouble or sys.stderr
        self._out = Lines(out)
        self._trouble = self._out if _are_one(out, trouble) else Lines(trouble)

    def say(self, text: str) -> None:
        """Something happened."""
        self._out.put(text)

    def chat(self, text: str) -> None:
        """A text line of somebody."""
        self.say(text)

    def talk(self, text: str) -> None:
        """Somebody starts or stops talking."""
        self.say(text)

    def begin(self, controls: "Controls") -> None:
        """The call begins; what a player can do with it is in ``controls``."""

    def end(self) -> None:
        """The call is over; last words may follow."""

    def warn(self, text: str) -> None:
        """Something is not as it should be, or the last word."""
        self._trouble.put(f"voicechat-client: {text}")

    def close(self) -> None:
        """The last words are said; they get a moment to leave, one for both outputs."""
        until = time.monotonic() + LAST_MOMENT
        for lines in (self._out, self._trouble):
            lines.flush(max(0.0, until - time.monotonic()))


def _are_one(first: TextIO, second: TextIO) -> bool:
    """The same terminal or file, whose lines are to keep their order."""
    try:
        return os.path.sameopenfile(first.fileno(), second.fileno())
    except (OSError, ValueError):
        return False
