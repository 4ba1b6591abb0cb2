"""The terminal screen: draws `view` with urwid, hands keys on to `keys`.

Imported only for this screen: urwid takes 0.2 s and 7 MB. It costs next to nothing
while nobody looks at it: it is drawn when something has changed, at most
DRAWS_A_SECOND times a second, and the level meter moves only while we talk and for
METER_FOR seconds after a key was pressed. In silence nothing is called at all.

The reactor is the call's own; urwid only reads the keyboard by it. The terminal is
given back by `end`, which every way out of the client passes.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec
import urwid

from voicechat.carriage.clock import Timer
from voicechat.client.call.controls import Controls
from voicechat.client.network.outage import Outage
from voicechat.client.ui import rows, view
from voicechat.client.ui.display import Display
from voicechat.client.ui.keys import Keys
from voicechat.client.ui.line import LAST_MOMENT, Console
from voicechat.client.ui.patient import PatientWriter
from voicechat.client.ui.widgets import PALETTE, Drawing, Loop, Page, colours, no_flow_control

DRAWS_A_SECOND: Final = 5.0
"""Enough for the eye to follow a meter, and 1 % of a core at most."""

METER_FOR: Final = 20.0
"""Seconds that the meter moves after a key was pressed, though we do not talk: enough to set a microphone by it."""

COUNTED_EVERY: Final = 1.0
"""Seconds between two drawings while nobody hears us, and the seconds until the next try are counted."""

BEGUN: Final = 0.05
"""Seconds after which a try whose time has come has begun."""


def _next_count(outage: Outage) -> float:
    return COUNTED_EVERY if outage.next_s is None else min(COUNTED_EVERY, outage.next_s + BEGUN)


class Screen(Console):
    """A console that fills the terminal between `begin` and `end`; before and after it prints lines.

    ``display`` is urwid's, the terminal if it is not given. ``gone`` is called when the
    terminal has gone away, with nobody left to tell.
    """

    draws = True

    def __init__(self, reactor: Any, gone: Callable[[], None], display: Any = None) -> None:
        super().__init__()
        self._reactor = reactor
        self._gone = gone
        self._display = display
        self._controls: Controls | None = None
        self._news = rows.Backlog()
        self._page = Page(self._above, self._below)
        fancy = str(getattr(sys.stdout, "encoding", "")).lower().startswith("utf")
        self.keys = Keys(self._page, self._news, self.warn, fancy=fancy)
        self._loop: urwid.MainLoop | None = None
        self._drawing = Timer(reactor, self._draw)
        self._drawn_at = float("-inf")
        self._meter_until = 0.0
        self._writer: PatientWriter | None = None
        self._count_in: float | None = None
        """Seconds until another number is shown: while nobody hears us, they are counted."""
        self._owed = False
        """Something has changed that is not drawn, since the terminal stands still."""

    # -- a console ----------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Something happened."""
        self._tell("", text, super().say)

    def chat(self, text: str) -> None:
        """A text line."""
        self._tell("", text, super().chat)

    def talk(self, text: str) -> None:
        """Who starts and stops stands beside their name."""

    def warn(self, text: str) -> None:
        """Something is not as it should be, or the last word."""
        self._tell("trouble", text, super().warn)

    def _tell(self, style: str, text: str, line: Callable[[str], None]) -> None:
        """On the screen; as a line, too, while there is none."""
        if self._loop is None:
            line(text)
        if not self._over:
            self._add(style, text)

    def _add(self, style: str, text: str) -> None:
        self._news.add([(style, text)])
        self.redraw()

    # -- the terminal -------------------------------------------------------------------

    def begin(self, controls: Controls) -> None:
        """Take the terminal."""
        self._controls = controls
        controls.watch(self.redraw)
        self.flush(LAST_MOMENT)
        if self._display is None:
            self._writer = PatientWriter(sys.stdout, lambda: self._reactor.callFromThread(self._free))
            self._display = Display(output=self._writer, bracketed_paste_mode=True, focus_reporting=False)
            self._display.set_terminal_properties(colors=colours(os.environ))
        self._loop = Drawing(
            self._may_draw,
            self.keys.frame,
            PALETTE,
            self._display,
            handle_mouse=False,
            unhandled_input=self._key,
            event_loop=Loop(self._reactor, self._failed),
        )
        self.keys.begin(controls)
        self._loop.start()
        if self._writer is not None:
            no_flow_control(sys.stdin.fileno())
        self._look_again()

    def end(self) -> None:
        """Give the terminal back; safe at any time."""
        self._over = True
        self._drawing.stop()
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.stop()
            if self._writer is not None:
                self._writer.settle(LAST_MOMENT)

    def _failed(self, error: Exception) -> None:
        """The keyboard is gone, or a fault of ours: no screen any more."""
        if self._over:
            return
        if not isinstance(error, urwid.display.common.InputClosedError):
            self.fault = error
        self._gone()

    # -- drawing ------------------------------------------------------------------------

    def _may_draw(self) -> bool:
        """The last drawing has left; else this one is made when it has."""
        self._owed = self._writer is not None and self._writer.busy
        return not self._owed

    def _free(self) -> None:
        """A drawing has left."""
        if self._owed:
            self.redraw()

    def redraw(self, within: float = 0.0) -> None:
        """Something has changed, or will have: draw within so many seconds, or soon."""
        if self._loop is None:
            return
        wait = max(0.0, within, self._drawn_at + 1 / DRAWS_A_SECOND - self._reactor.seconds())
        if self._drawing.left > wait:
            self._drawing.start(wait)

    def _draw(self) -> None:
        if self._loop is None:
            return
        self._drawn_at = self._reactor.seconds()
        try:
            self._page._invalidate()  # noqa: SLF001  urwid's name for a public thing
            self._loop.draw_screen()
        except Exception as error:  # noqa: BLE001  handed on
            self._failed(error)
            return
        if self._drawn_at < self._meter_until or (self._controls is not None and self._controls.talking):
            self.redraw()
        elif self._count_in is not None:
            self.redraw(self._count_in)

    def _look_again(self) -> None:
        """Somebody is looking: let the meter move."""
        self._meter_until = self._reactor.seconds() + METER_FOR
        self._page._invalidate()  # noqa: SLF001  urwid draws after each key, too
        self.redraw()

    def _above(self, width: int, height: int) -> list[rows.Row]:
        assert self._controls is not None
        status = self._controls.status()
        self._count_in = None if status.outage is None else _next_count(status.outage)
        self.keys.choose_among(status.friends)
        look = msgspec.structs.replace(self.keys.look, newer=self._news.newer)
        if look.help:
            return [view.title(status, width, look), view.own(status, width, look), *view.help_rows(look)]
        return view.top(status, width, height, look)

    def _below(self) -> list[rows.Row]:
        return [] if self.keys.look.help else self._news.shown()

    # -- keys ---------------------------------------------------------------------------

    def _key(self, key: Any) -> bool:
        """A key that the entry had no use for."""
        if not isinstance(key, str) or self._controls is None:
            return False
        self._look_again()
        self.keys.press(key)
        return True
