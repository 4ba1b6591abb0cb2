"""The terminal screen: draws `view` with urwid, turns keys into what `Controls` does.

Imported only for this screen: urwid takes 0.2 s and 7 MB. It costs next to nothing
while nobody looks at it: it is drawn when something has changed, at most
DRAWS_A_SECOND times a second, and the level meter moves only while we talk and for
METER_FOR seconds after a key was pressed. In silence nothing is called at all.

The reactor is the call's own; urwid only reads the keyboard by it. The terminal is
given back by `end`, which every way out of the client passes.
"""

import os
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec
import urwid
from twisted.internet.interfaces import IDelayedCall

from voicechat.client.call.controls import Controls
from voicechat.client.call.status import FriendStatus
from voicechat.client.call.volumes import LOUDEST_DB, SOFTEST_DB
from voicechat.client.network.outage import Outage
from voicechat.client.ui import view
from voicechat.client.ui.display import Display
from voicechat.client.ui.line import LAST_MOMENT, Console
from voicechat.client.ui.patient import PatientWriter
from voicechat.client.ui.widgets import PALETTE, Drawing, Entry, Loop, Page, Sheet, no_flow_control
from voicechat.errors import ControlError

DRAWS_A_SECOND: Final = 5.0
"""Enough for the eye to follow a meter, and 1 % of a core at most."""

METER_FOR: Final = 20.0
"""Seconds that the meter moves after a key was pressed, though we do not talk: enough to set a microphone by it."""

COUNTED_EVERY: Final = 1.0
"""Seconds between two drawings while nobody hears us, and the seconds until the next try are counted."""

BEGUN: Final = 0.05
"""Seconds after which a try whose time has come has begun."""

MOST_NEWS: Final = 200
"""Lines kept: some large screens full."""

VOLUME_STEP: Final = 3.0
"""dB of one key press: plainly heard, and ten of them are all the way."""


def _next_count(outage: Outage) -> float:
    return COUNTED_EVERY if outage.next_s is None else min(COUNTED_EVERY, outage.next_s + BEGUN)


class Screen(Console):
    """A console that fills the terminal between `begin` and `end`; before and after it keeps or prints lines.

    ``display`` is urwid's, the terminal if it is not given. ``gone`` is called when the
    terminal has gone away, with nobody left to tell.
    """

    def __init__(self, reactor: Any, gone: Callable[[], None], display: Any = None) -> None:
        super().__init__()
        self._reactor = reactor
        self._gone = gone
        self._display = display
        self._controls: Controls | None = None
        self._page = Page(self._above, self._below)
        self._frame: Any = Sheet(self._before, self._page)
        self._loop: urwid.MainLoop | None = None
        self._over = False
        self._news: deque[view.Row] = deque(maxlen=MOST_NEWS)
        self._back = 0
        """The newest lines that are not shown, since older ones are read."""
        self._chosen = 0
        """The number of the friend whom keys are for."""
        self._look = view.Look(fancy=str(getattr(sys.stdout, "encoding", "")).lower().startswith("utf"))
        self._entry = Entry("> ", wrap="clip")
        self._pasting = False
        self._draw_call: IDelayedCall | None = None
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
        self._add("dim", text) if not self._over else super().say(text)

    def chat(self, text: str) -> None:
        """A text line."""
        self._add("", text) if not self._over else super().chat(text)

    def talk(self, text: str) -> None:
        """Who starts and stops stands beside their name."""

    def warn(self, text: str) -> None:
        """Something is not as it should be, or the last word."""
        self._add("trouble", text) if not self._over else super().warn(text)

    def _add(self, style: str, text: str) -> None:
        self._news.append([(style, text)])
        self._back = min(self._back + 1, len(self._news) - 1) if self._back else 0
        self.redraw()

    # -- the terminal -------------------------------------------------------------------

    def begin(self, controls: Controls) -> None:
        """Take the terminal."""
        self._controls = controls
        controls.watch(self.redraw)
        if self._display is None:
            self._writer = PatientWriter(sys.stdout, lambda: self._reactor.callFromThread(self._free))
            self._display = Display(output=self._writer, bracketed_paste_mode=True, focus_reporting=False)
            self._display.set_terminal_properties(colors=1 if os.environ.get("NO_COLOR") else 16)
        self._loop = Drawing(
            self._may_draw,
            self._frame,
            PALETTE,
            self._display,
            handle_mouse=False,
            unhandled_input=self._key,
            event_loop=Loop(self._reactor, self._failed),
        )
        self._stop_typing()
        self._loop.start()
        if self._writer is not None:
            no_flow_control(sys.stdin.fileno())
        self._look_again()

    def end(self) -> None:
        """Give the terminal back; safe at any time."""
        self._over = True
        if self._draw_call is not None and self._draw_call.active():
            self._draw_call.cancel()
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
        if self._draw_call is None:
            self._draw_call = self._reactor.callLater(wait, self._draw)
        elif self._draw_call.getTime() > self._reactor.seconds() + wait:
            self._draw_call.reset(wait)

    def _draw(self) -> None:
        self._draw_call = None
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

    def _above(self, width: int, height: int) -> list[view.Row]:
        assert self._controls is not None
        status = self._controls.status()
        self._count_in = None if status.outage is None else _next_count(status.outage)
        look = self._look = msgspec.structs.replace(self._look, chosen=self._place(status.friends))
        return view.help_rows(look) if look.help else view.top(status, width, height, look)

    def _below(self) -> list[view.Row]:
        if self._look.help:
            return []
        return list(self._news)[: len(self._news) - self._back]

    # -- keys ---------------------------------------------------------------------------

    def _before(self, key: str) -> str | None:
        """A key on its way: what is pasted is text, never a command, and a line's end in it is a space."""
        if key in ("begin paste", "end paste"):
            self._pasting = key == "begin paste"
            return None
        if not self._pasting:
            return key
        if not self._typing:
            return None
        return " " if key in ("enter", "tab") else key

    @property
    def _typing(self) -> bool:
        return bool(self._frame.focus_position == "footer")

    def _key(self, key: Any) -> bool:
        """A key that the entry had no use for."""
        if not isinstance(key, str) or self._controls is None:
            return False
        self._look_again()
        if self._typing:
            self._typed(key)
        elif self._look.help:
            self._look = msgspec.structs.replace(self._look, help=False)
        else:
            action = self._actions().get(key)
            if action is not None:
                action()
        return True

    def _actions(self) -> dict[str, Callable[[], None]]:
        controls = self._controls
        assert controls is not None
        return {
            "m": controls.toggle_mute,
            "d": controls.toggle_deafen,
            "n": controls.next_suppress,
            " ": controls.ptt_toggle,
            "r": self._retry,
            "q": controls.quit,
            "up": lambda: self._choose(-1),
            "down": lambda: self._choose(1),
            "+": lambda: self._louder(VOLUME_STEP),
            "=": lambda: self._louder(VOLUME_STEP),
            "right": lambda: self._louder(VOLUME_STEP),
            "-": lambda: self._louder(-VOLUME_STEP),
            "left": lambda: self._louder(-VOLUME_STEP),
            "x": self._mute_friend,
            "enter": self._start_typing,
            "t": self._start_typing,
            "page up": lambda: self._leaf(5),
            "page down": lambda: self._leaf(-5),
            "?": self._help,
            "h": self._help,
            "f1": self._help,
        }

    def _help(self) -> None:
        self._look = msgspec.structs.replace(self._look, help=True)

    def _leaf(self, lines: int) -> None:
        self._back = max(0, min(len(self._news) - 1, self._back + lines))

    def _start_typing(self) -> None:
        self._frame.footer = self._entry
        self._frame.focus_position = "footer"

    def _stop_typing(self) -> None:
        self._frame.focus_position = "body"
        self._frame.footer = Page(lambda width, _height: [view.hint(width, self._look)], list)
        self._frame.footer = urwid.BoxAdapter(self._frame.footer, 1)

    def _typed(self, key: str) -> None:
        if key == "enter" and self._entry.edit_text.strip():
            if not self._try(lambda controls: controls.send_text(self._entry.edit_text)):
                return
            self._back = 0
        elif key not in ("enter", "esc"):
            return
        self._entry.set_edit_text("")
        self._stop_typing()

    # -- the chosen friend --------------------------------------------------------------

    def _place(self, people: list[FriendStatus]) -> int:
        """Where the chosen one stands in the list."""
        return next((place for place, person in enumerate(people) if person.source == self._chosen), 0)

    def _friend(self, step: int = 0) -> FriendStatus | None:
        """The chosen one, or who stands ``step`` places after them."""
        assert self._controls is not None
        people = self._controls.status().friends
        return people[(self._place(people) + step) % len(people)] if people else None

    def _choose(self, step: int) -> None:
        friend = self._friend(step)
        if friend is not None:
            self._chosen = friend.source

    def _louder(self, step: float) -> None:
        friend = self._friend()
        if friend is not None:
            before = SOFTEST_DB - VOLUME_STEP if friend.volume_db is None else friend.volume_db
            self._set_volume(friend, max(SOFTEST_DB, min(LOUDEST_DB, before + step)))

    def _mute_friend(self) -> None:
        friend = self._friend()
        if friend is not None:
            self._set_volume(friend, 0.0 if friend.volume_db is None else None)

    def _retry(self) -> None:
        self._try(Controls.retry)

    def _set_volume(self, friend: FriendStatus, db: float | None) -> None:
        self._try(lambda controls: controls.volume(friend.name, db))

    def _try(self, action: Callable[[Controls], None]) -> bool:
        """Do it, or say why not."""
        assert self._controls is not None
        try:
            action(self._controls)
        except ControlError as error:
            self.warn(str(error))
            return False
        return True
