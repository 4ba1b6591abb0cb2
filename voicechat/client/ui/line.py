"""The line interface: one line for each thing that happened, on standard output.

What is told is chosen by its kind (`options.KINDS`). Control characters of others never get here: the protocol
refuses them. Trouble goes to standard error. A pipe or a screen reader has each line at once; one that stands still
never holds up the call (`lines`).
"""

import os
import sys
import time
from typing import TYPE_CHECKING, Final, TextIO

from voicechat.client.options import KINDS
from voicechat.client.ui.lines import Lines

if TYPE_CHECKING:
    from voicechat.client.call.controls import Controls

LAST_MOMENT: Final = 0.25
"""Seconds that readers get for the last lines: a pipe that is read takes a thousandth, one that is not never will."""


ON_TERMINAL: Final = frozenset(KINDS) - {"talk"}
"""What is told on a terminal: each sentence of a friend is two lines about who talks, and a screen reader speaks them
over the friend's voice. A program behind a pipe is told all."""


class Console:
    """Prints lines, those of the ``told`` kinds."""

    draws = False
    """It has the terminal to itself, and its keys."""
    fault: Exception | None = None
    """A fault of ours that ended the call; only where more than lines is shown."""

    def __init__(
        self, out: TextIO | None = None, trouble: TextIO | None = None, told: frozenset[str] = frozenset(KINDS)
    ) -> None:
        out, trouble = out or sys.stdout, trouble or sys.stderr
        self._told = told
        self._over = False
        """Last words follow, whatever is told."""
        self._out = Lines(out)
        self._trouble = self._out if _are_one(out, trouble) else Lines(trouble)

    def say(self, text: str) -> None:
        """Something happened."""
        self._out.put(text)

    def chat(self, text: str) -> None:
        """A text line of somebody."""
        if "text" in self._told:
            self.say(text)

    def talk(self, text: str) -> None:
        """Somebody starts or stops talking."""
        if "talk" in self._told:
            self.say(text)

    def people(self, text: str) -> None:
        """Somebody came, left, or changed something about themselves."""
        if "joins" in self._told:
            self.say(text)

    def trouble(self, text: str) -> None:
        """The connection was lost, is back, or takes another way."""
        if "trouble" in self._told:
            self.say(text)

    def begin(self, controls: "Controls") -> None:
        """The call begins; what a player can do with it is in ``controls``."""

    def end(self) -> None:
        """The call is over; last words may follow."""
        self._over = True

    def warn(self, text: str) -> None:
        """Something is not as it should be, or the last word."""
        if self._over or "trouble" in self._told:
            self._trouble.put(f"voicechat-client: {text}")

    def close(self) -> None:
        """The last words are said; they get a moment to leave."""
        self.flush(LAST_MOMENT)

    def flush(self, seconds: float) -> None:
        """Wait until all lines have left, so long at most for both outputs."""
        until = time.monotonic() + seconds
        for lines in (self._out, self._trouble):
            lines.flush(max(0.0, until - time.monotonic()))


def _are_one(first: TextIO, second: TextIO) -> bool:
    """The same terminal or file, whose lines are to keep their order."""
    try:
        return os.path.sameopenfile(first.fileno(), second.fileno())
    except (OSError, ValueError):
        return False
