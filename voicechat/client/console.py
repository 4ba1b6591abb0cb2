"""The line interface: one line for each thing that happened, on standard output.

Control characters of others never get here: the protocol refuses them. Trouble goes
to standard error. Lines are flushed, so that a pipe or a screen reader has them at once.
"""

import sys
from typing import TextIO


class Console:
    """Prints lines."""

    def __init__(self, out: TextIO | None = None, trouble: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._trouble = trouble or sys.stderr

    def say(self, text: str) -> None:
        """Something happened."""
        self._print(self._out, text)

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
