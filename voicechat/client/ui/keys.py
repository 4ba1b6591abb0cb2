"""Keys: what each one does on the screen, the line that is typed, and the friend whom keys are for.

Knows no terminal and draws nothing: keys come by urwid's names, and what they do is done by `Controls`.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import urwid

from voicechat.client.call.controls import Controls
from voicechat.client.call.status import FriendStatus
from voicechat.client.call.volumes import LOUDEST_DB, SOFTEST_DB
from voicechat.client.ui import rows, view
from voicechat.client.ui.widgets import Entry, Page, Sheet
from voicechat.errors import ControlError

VOLUME_STEP: Final = 3.0
"""dB of one key press: plainly heard, and ten of them are all the way."""

PAGE_LINES: Final = 5
"""Lines of news of one key press."""

LEAVES: Final = ("page up", "page down")
"""Keys that show older and newer lines: also while a line is typed."""


class Keys:
    """The player's hands on the keyboard. ``warn`` says why something cannot be done."""

    def __init__(self, page: Page, news: rows.Backlog, warn: Callable[[str], None], *, fancy: bool) -> None:
        self._news = news
        self._warn = warn
        self._controls: Controls | None = None
        self.frame: Any = Sheet(self._before, page)
        """What urwid draws: the page, and below it the line that is typed, or a hint."""
        self.look = rows.Look(fancy=fancy)
        self._chosen = 0
        """The number of the friend whom keys are for."""
        self._entry = Entry("> ", wrap="any")
        self._pasting = False

    def begin(self, controls: Controls) -> None:
        """Keys do something from now on."""
        self._controls = controls
        self._stop_typing()

    def press(self, key: str) -> None:
        """A key that the entry had no use for."""
        if self._typing and key not in LEAVES:
            self._typed(key)
        elif self.look.help:
            self.look = msgspec.structs.replace(self.look, help=False)
        else:
            action = self.actions().get(key)
            if action is not None:
                action()

    def actions(self) -> dict[str, Callable[[], None]]:
        """What is done for each key while nothing is typed."""
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
            "page up": lambda: self._news.leaf(PAGE_LINES),
            "page down": lambda: self._news.leaf(-PAGE_LINES),
            "enter": self._start_typing,
            "t": self._start_typing,
            "?": self._help,
            "h": self._help,
            "f1": self._help,
        }

    def _help(self) -> None:
        self.look = msgspec.structs.replace(self.look, help=True)

    # -- typing -------------------------------------------------------------------------

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
        return bool(self.frame.focus_position == "footer")

    def _start_typing(self) -> None:
        self.frame.footer = self._entry
        self.frame.focus_position = "footer"

    def _stop_typing(self) -> None:
        self.frame.focus_position = "body"
        self.frame.footer = urwid.BoxAdapter(Page(lambda width, _height: [self._hint(width)], list), 1)

    def _hint(self, width: int) -> rows.Row:
        return view.hint(width, self.look, "" if self._controls is None else self._controls.status().talk)

    def _typed(self, key: str) -> None:
        if key == "enter" and self._entry.edit_text.strip():
            if not self._try(lambda controls: controls.send_text(self._entry.edit_text)):
                return
            self._news.newest()
        elif key not in ("enter", "esc"):
            return
        self._entry.set_edit_text("")
        self._stop_typing()

    # -- the chosen friend --------------------------------------------------------------

    def choose_among(self, people: list[FriendStatus]) -> None:
        """These are here now: the choice stays with the friend, wherever in the list they are."""
        self.look = msgspec.structs.replace(self.look, chosen=self._place(people))

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

    def _set_volume(self, friend: FriendStatus, db: float | None) -> None:
        self._try(lambda controls: controls.volume(friend.name, db))

    def _retry(self) -> None:
        self._try(Controls.retry)

    def _try(self, action: Callable[[Controls], None]) -> bool:
        """Do it, or say why not."""
        assert self._controls is not None
        try:
            action(self._controls)
        except ControlError as error:
            self._warn(str(error))
            return False
        return True
