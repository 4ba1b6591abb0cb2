"""A key that works while another window has the keyboard: on X11, by XInput 2's raw events.

The only importer of Xlib (python-xlib, in the extra ``ptt``). Nothing is grabbed, so the
game gets the key, too. Raw events of every key come to us; all but the one that was
chosen are thrown away here, unread. There is no thread: the reactor watches the display's
socket.

XInput 2.1 is asked for, since before that version raw events stop while another program
has grabbed the keyboard, which games do (X Input Extension 2.x, section 8, "raw events").
Wayland lets no program see keys that are not meant for it; there a key of the desktop
itself has to call voicechat-ctl.
"""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from voicechat.errors import ConfigError

ELSEWHERE: Final = "bind a key of your desktop to 'voicechat-ctl ptt-down' and 'ptt-up', or to 'ptt-toggle'"

BUTTONS: Final = ("mouse1", "mouse2", "mouse3", "mouse8", "mouse9")
"""Names of the mouse's buttons, as X numbers them: 8 and 9 are those at the side; 4 to 7 are the wheel."""

_RAW_KEY_PRESS: Final = 13
_RAW_KEY_RELEASE: Final = 14
_RAW_BUTTON_PRESS: Final = 15
_RAW_BUTTON_RELEASE: Final = 16
"""Event types of XI2.h."""

_DETAIL: Final = slice(6, 10)
"""Where an xXIRawEvent names the key or button: behind the event type, u16 device, u32 time, u32 detail."""


class HotKey:
    """``key`` of the display: ``down`` and ``up`` are called when it is pressed and let go.

    ``lost`` is called, with a line for the player, when the display has gone away.
    ConfigError says why the key cannot be watched.
    """

    def __init__(
        self,
        reactor: Any,
        key: str,
        down: Callable[[], None],
        up: Callable[[], None],
        lost: Callable[[str], None],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._reactor = reactor
        self._down = down
        self._up = up
        self._lost = lost
        self._display = _connect(environment)
        try:
            self._detail = self._number(key)
            self._press = _RAW_BUTTON_PRESS if key in BUTTONS else _RAW_KEY_PRESS
            self._release = _RAW_BUTTON_RELEASE if key in BUTTONS else _RAW_KEY_RELEASE
            self._select()
        except BaseException:
            self._close()
            raise
        reactor.addReader(self)

    def _number(self, key: str) -> int:
        """X's number of a key or button."""
        if key in BUTTONS:
            return int(key.removeprefix("mouse"))
        from Xlib import XK

        code = self._display.keysym_to_keycode(XK.string_to_keysym(key))
        if not code:
            raise ConfigError(
                f"this keyboard has no key {key!r}; keys are named as xev shows them: F9, Pause, Control_R, v; "
                f"buttons are {', '.join(BUTTONS)}"
            )
        return int(code)

    def _select(self) -> None:
        from Xlib.ext import xinput

        core = self._display.display
        if not self._display.has_extension(xinput.extname):
            raise ConfigError(f"this X server has no XInput 2; {ELSEWHERE}")
        opcode = core.get_extension_major(xinput.extname)
        xinput.XIQueryVersion(display=core, opcode=opcode, major_version=2, minor_version=1)
        mask = (1 << self._press) | (1 << self._release)
        self._display.screen().root.xinput_select_events([(xinput.AllMasterDevices, mask)])
        self._display.flush()

    def stop(self) -> None:
        """Watch no more."""
        self._reactor.removeReader(self)
        self._close()

    # -- a reader of the reactor ----------------------------------------------------------

    def fileno(self) -> int:
        """The display's socket."""
        return int(self._display.fileno())

    def doRead(self) -> None:
        """Events have come."""
        from Xlib.error import ConnectionClosedError

        try:
            while self._display.pending_events():
                self._event(self._display.next_event())
        except (ConnectionClosedError, OSError):
            self.stop()
            self._up()
            self._lost("the display is gone, and the talk key with it")

    def connectionLost(self, reason: object) -> None:
        """The reactor stops, or the socket failed."""
        self._close()

    def _close(self) -> None:
        from Xlib.error import ConnectionClosedError

        with suppress(ConnectionClosedError, OSError):
            self._display.close()
        self._display.display.socket.close()  # python-xlib leaves it open when the other end is gone

    def logPrefix(self) -> str:
        """For the reactor's log."""
        return "hotkey"

    def _event(self, event: Any) -> None:
        kind = getattr(event, "evtype", None)
        if kind not in (self._press, self._release):
            return
        if int.from_bytes(event.data[_DETAIL], sys.byteorder) == self._detail:
            (self._down if kind == self._press else self._up)()


def _connect(environment: Mapping[str, str]) -> Any:
    if environment.get("WAYLAND_DISPLAY") or environment.get("XDG_SESSION_TYPE") == "wayland":
        raise ConfigError(f"Wayland lets no program watch a key: {ELSEWHERE}")
    if not environment.get("DISPLAY"):
        raise ConfigError(f"--ptt-key needs X11, and there is no display here; elsewhere {ELSEWHERE}")
    try:
        from Xlib import error
        from Xlib.display import Display
    except ImportError:
        raise ConfigError("python-xlib is not installed: install this package's ptt extra") from None
    try:
        return Display(environment["DISPLAY"])
    except (error.DisplayError, error.XError, OSError, OverflowError) as problem:
        raise ConfigError(f"the display {environment['DISPLAY']} cannot be used: {problem}") from None
