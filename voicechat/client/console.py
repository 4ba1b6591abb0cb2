"""The line interface: one line for each thing that happened, on standard output.

Control characters of others never get here: the protocol refuses them. Trouble goes
to standard error. Lines are flushed, so that a pipe or a screen reader has them at once.
"""

import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from voicechat.client.controls import Controls


class Console:
    """Prints lines."""

    fault: Exception | None = None
    """A fault of ours that ended the call; only where more than lines is shown."""

    def __init__(self, out: TextIO | None = None, trouble: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._trouble = trouble or sys.stderr

    def say(self, text: str) -> None:
        """Something happened."""
        self._print(self._out, text)

    def said(self, text: str) -> None:
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
        self._print(self._trouble, f"voicechat-client: {text}")

    @staticmethod
    def _print(stream: TextIO, text: str) -> None:
        try:
            stream.write(text.encode(stream.encoding or "utf-8", "replace").decode(stream.encoding or "utf-8") + "\n")
            stream.flush()
        except (OSError, ValueError):
            return  # nobody reads any more: the call goes on
