"""What the screen is made of: urwid's parts, changed where they are not as we need them.

Imported by ``screen`` only. Knows rows of styled text and keys, nothing of calls and friends.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import urwid
from urwid.str_util import calc_width

from voicechat.client.ui import rows
from voicechat.wire.text import MOST_TEXT

_BLACK, _WHITE, _GRAY, _GREEN, _RED, _YELLOW, _NIGHT = "h16", "h231", "h252", "h77", "h160", "h221", "h235"
"""Colours of the cube and the grays of 256 (xterm): the same in every theme, which may change the first sixteen."""

PALETTE: Final = [
    ("title", "standout", "", "standout", _BLACK, _GRAY),
    ("lost", "standout,bold", "", "standout", f"{_RED},standout,bold", _WHITE),
    ("talks", "bold", "", "bold", f"{_BLACK},bold", _GREEN),
    ("alarm", "standout,bold", "", "bold", f"{_WHITE},bold", _RED),
    ("trouble", "bold", "", "bold", _BLACK, _YELLOW),
    ("meter", "", "", "", _GREEN, _NIGHT),
    ("dim", "", "", "", "", ""),
    ("chosen", "bold", "", "bold", "bold", ""),
    ("key", "bold", "", "bold", "bold", ""),
]
"""Style; foreground and background with 16 colours; what it is without colours; foreground and background with 256.

Nobody knows what a theme makes of the first sixteen, nor on which background: bright black (SGR 90) has a contrast of
1.0 in Solarized Dark and 2.4 in Ubuntu's, green 1.6 on white. So no text has one of them. It is in the terminal's own
colour, bold or reversed, or in a pair of fixed ones with a contrast of 4.5 and more (WCAG 2.2, 1.4.3)."""


def colours(environ: Mapping[str, str]) -> Literal[1, 16, 256]:
    """How many colours the terminal is taken to have: 1 where NO_COLOR asks for none, 256, or 16."""
    if environ.get("NO_COLOR"):
        return 1
    many = "256color" in environ.get("TERM", "") or environ.get("COLORTERM") or os.name == "nt"
    return 256 if many else 16


Size = tuple[()] | tuple[int] | tuple[int, int]


INDENT: Final = 2
"""Columns by which a line of news that is too long for one row is set in from its second on."""


class _Hanging(urwid.StandardTextLayout):
    """So that no text, however it is spaced, puts what looks like another line at the beginning of a row."""

    def layout(self, text: Any, width: int, align: Any, wrap: Any) -> Any:
        """Where the rows of a text begin and end."""
        if calc_width(text, 0, len(text)) <= width or width <= 2 * INDENT:
            return super().layout(text, width, align, wrap)
        first, *rest = super().layout(text, width - INDENT, align, wrap)
        return [first, *([(INDENT, None), *row] for row in rest)]


class Page(urwid.Widget):
    """Draws rows: those above at the top, the news from the bottom upward, as much as there is room for."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, above: Callable[[int, int], list[rows.Row]], news: Callable[[], list[rows.Row]]) -> None:
        super().__init__()
        self._above = above
        self._news = news

    def keypress(self, size: Size, key: str) -> str:
        """Keys are the screen's."""
        return key

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:
        """Everything but the last line."""
        width, height = size if len(size) == 2 else (0, 0)
        above = [_canvas(row, width, wrap="clip") for row in self._above(width, height)[:height]]
        below: deque[urwid.Canvas] = deque()
        left = height - len(above)
        for row in reversed(self._news()):
            if left <= 0:
                break
            canvas = _canvas(row, width, wrap="space", layout=_Hanging())
            if canvas.rows() > left:
                canvas.trim(canvas.rows() - left)
            left -= canvas.rows()
            below.appendleft(canvas)
        if left > 0:
            below.append(urwid.SolidCanvas(" ", width, left))
        return urwid.CanvasCombine([(canvas, None, False) for canvas in (*above, *below)])


def _canvas(row: rows.Row, width: int, **laid: Any) -> urwid.CompositeCanvas:
    return urwid.CompositeCanvas(urwid.Text(list(row) or "", **laid).render((width,)))


class Sheet(urwid.Frame[Any, Any, Any]):
    """The whole screen; each key passes ``before``, which may change or swallow it."""

    def __init__(self, before: Callable[[str], str | None], body: Page) -> None:
        super().__init__(body)
        self._before = before

    def keypress(self, size: Any, key: str) -> str | None:
        """A key."""
        passed = self._before(key)
        return None if passed is None else super().keypress(size, passed)


class Entry(urwid.Edit):
    """Where a text line is typed; never longer than one may be."""

    def valid_char(self, ch: str) -> bool:
        """Room for one more."""
        return len(self.edit_text) < MOST_TEXT and super().valid_char(ch)


class Loop(urwid.TwistedEventLoop):
    """urwid's reactor, but that an error in a callback is told to ``failed`` and not only logged."""

    def __init__(self, reactor: Any, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        super().__init__(reactor, manage_reactor=False)

    def handle_exit(self, f: Callable[..., Any], enable_idle: bool = True) -> Callable[..., Any]:
        """Called by urwid for everything that it has the reactor call."""

        def guarded(*args: Any) -> Any:
            try:
                return f(*args)
            except Exception as error:  # noqa: BLE001  handed on
                self._failed(error)
                return None

        return super().handle_exit(guarded, enable_idle)


class Drawing(urwid.MainLoop):
    """urwid's loop, but that it draws only when it ``may``."""

    def __init__(self, may: Callable[[], bool], *rest: Any, **named: Any) -> None:
        self._may = may
        super().__init__(*rest, **named)

    def draw_screen(self) -> None:
        """Called by urwid after keys, too."""
        if self._may():
            super().draw_screen()


def no_flow_control(keyboard: int) -> None:
    """Ctrl-S is no command to stand still; urwid puts back what was before. On Windows it never is one."""
    if sys.platform == "win32":
        return
    import termios

    settings = termios.tcgetattr(keyboard)
    settings[0] &= ~termios.IXON
    termios.tcsetattr(keyboard, termios.TCSANOW, settings)
