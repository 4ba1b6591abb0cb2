"""Rows of styled text, as the screen shows them: fitted to a width, and kept to be read back. Pure.

Widths are columns of a terminal, in which a letter may take two (the tables are urwid's).
"""

from collections import deque
from typing import Final

import msgspec
from urwid.str_util import calc_text_pos, calc_width

from voicechat.wire import shown

Row = list[tuple[str, str]]
"""(style, text) after (style, text)."""

MOST_NEWS: Final = 200
"""Lines kept: some large screens full."""


class Look(msgspec.Struct, frozen=True):
    """What the player has done to the screen."""

    chosen: int = 0
    """Which friend, by their place in the list."""
    help: bool = False
    fancy: bool = True
    """The terminal can draw more than ASCII."""
    newer: int = 0
    """Lines of news below those that are shown."""


class Backlog:
    """Lines of news, the newest MOST_NEWS. What is read back does not run away when new ones come."""

    def __init__(self) -> None:
        self._rows: deque[Row] = deque(maxlen=MOST_NEWS)
        self._back = 0
        """The newest lines that are not shown, since older ones are read."""

    def add(self, row: Row) -> None:
        """One more."""
        self._rows.append(row)
        self._back = min(self._back + 1, len(self._rows) - 1) if self._back else 0

    def leaf(self, lines: int) -> None:
        """Show so many lines older, or newer."""
        self._back = max(0, min(len(self._rows) - 1, self._back + lines))

    def newest(self) -> None:
        """Show the newest again."""
        self._back = 0

    @property
    def newer(self) -> int:
        """How many lines there are below those that are shown."""
        return self._back

    def shown(self) -> list[Row]:
        """From the oldest to the last one that is shown."""
        return list(self._rows)[: len(self._rows) - self._back]


def fit(text: str, width: int, *, fancy: bool = True) -> str:
    """The text padded or cut to ``width`` columns; isolates of right-to-left text take none, and stay closed."""
    columns = calc_width(text, 0, len(text))
    if columns <= width:
        return text + " " * (width - columns)
    end, columns = calc_text_pos(text, 0, len(text), max(0, width - 1))
    return shown.closed(text[:end]) + ("…" if fancy else ".") * (width > 0) + " " * (width - 1 - columns)
