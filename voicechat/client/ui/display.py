"""The terminal as urwid knows it, of a size that can be drawn on.

A terminal may say that it has no columns and rows (serial lines, some containers and editors),
or more than any has. Imported by ``screen`` only.
"""

import os
from typing import Any, Final

import urwid

USUAL: Final = (80, 24)
"""Columns and rows where the terminal does not say: those of a VT100, as everywhere (shutil.get_terminal_size)."""

MOST: Final = 1000
"""Columns, and rows, that are drawn: three times as many as a wall of small letters has. What is beyond stays blank;
urwid makes a canvas of all of it, and takes the number for a signed one of 16 bit."""


def size_of(columns: int, rows: int) -> tuple[int, int]:
    """The size to draw at, of what a terminal says that it has."""
    if not columns or not rows:
        return USUAL
    return tuple(MOST if number < 0 else min(number, MOST) for number in (columns, rows))  # type: ignore[return-value]


class Display(urwid.display.raw.Screen):
    """urwid's, with a size that can be."""

    def _console_window_size(self) -> tuple[int, int] | None:
        """What urwid asks on Windows, ten times a second too; its own asks nobody unless it writes to sys.stdout."""
        output: Any = self._term_output_file
        try:
            return os.get_terminal_size(output.fileno())
        except OSError:
            return None

    def get_cols_rows(self) -> tuple[int, int]:
        """Columns and rows."""
        size = size_of(*super().get_cols_rows())
        self.maxrow = size[1]
        return size
