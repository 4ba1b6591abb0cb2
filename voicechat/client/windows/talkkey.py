"""A key that works while another window has the keyboard: on Windows, by Raw Input.

A window that nobody sees asks for the input of all keyboards, or mice, also while another window has it
(RIDEV_INPUTSINK). It gets a copy: the game has the key too, nothing is swallowed, and no hook makes every key
wait for us. All keys but the one that was chosen are thrown away here, unread.

The window needs a thread that waits for its messages; what the key does is told to the reactor. While nobody
types, or moves the mouse if one of its buttons was chosen, the thread sleeps.
"""

import ctypes
import threading
from collections.abc import Callable
from ctypes import wintypes
from typing import Any, Final

from voicechat.client.windows.keynames import key_named
from voicechat.client.windows.rawinput import HEADER
from voicechat.client.windows.system import last_error, library
from voicechat.errors import ConfigError

START_WITHIN: Final = 5.0
"""Seconds for the window to be made: some milliseconds, unless the desktop stands still."""

MOST_BYTES: Final = 1024
"""Bytes of one input that are taken: a keyboard's are 40, a mouse's 48, and no other devices are asked for."""

_WM_CLOSE: Final = 0x0010
_WM_INPUT: Final = 0x00FF
_HWND_MESSAGE: Final = -3
"""The parent of windows that only get messages."""
_RID_INPUT: Final = 0x10000003
_RIDEV_INPUTSINK: Final = 0x00000100
_PAGE_DESKTOP, _USAGE_MOUSE, _USAGE_KEYBOARD = 1, 2, 6
"""HID usages: generic desktop controls; mouse; keyboard."""


class _Device(ctypes.Structure):
    """RAWINPUTDEVICE."""

    _fields_ = (
        ("page", wintypes.USHORT),
        ("usage", wintypes.USHORT),
        ("flags", wintypes.DWORD),
        ("window", wintypes.HWND),
    )


class RawInputKey:
    """The key of a name: ``down`` and ``up`` are called, on the reactor's thread, when it is pressed and let go.

    ``lost`` is called, with a line for the player, when the window has gone. ConfigError says why the key cannot be
    watched.
    """

    def __init__(
        self,
        reactor: Any,
        key: str,
        down: Callable[[], None],
        up: Callable[[], None],
        lost: Callable[[str], None],
    ) -> None:
        self._reactor = reactor
        self._down = down
        self._up = up
        self._lost = lost
        self._user = _declared(library("user32"))
        self._key = key_named(key, self._by_layout)
        self._buffer = ctypes.create_string_buffer(MOST_BYTES)
        self._window: int | None = None
        self._problem = "its window is not made in time"
        self._over = False
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), name="talk key", daemon=True).start()
        ready.wait(START_WITHIN)
        if self._window is None:
            self._over = True
            raise ConfigError(f"the talk key cannot be watched: {self._problem}")

    def stop(self) -> None:
        """Watch no more."""
        self._over = True
        self._user.PostMessageW(self._window, _WM_CLOSE, 0, 0)

    def _by_layout(self, sign: str) -> int | None:
        """The virtual key of a sign on the keyboard's layout; what must be held with it does not matter."""
        told = self._user.VkKeyScanW(sign)
        return None if told == -1 else told & 0xFF

    # -- the thread of the window ------------------------------------------------------------

    def _run(self, ready: threading.Event) -> None:
        try:
            self._window = self._made()
        except OSError as error:
            self._problem = error.strerror or str(error)
        ready.set()
        message = wintypes.MSG()
        while not self._over and self._window is not None:
            if self._user.GetMessageW(ctypes.byref(message), None, 0, 0) <= 0:
                self._reactor.callFromThread(self._gone)
                return
            if message.message == _WM_INPUT:
                self._input(message.lParam)
            self._user.DispatchMessageW(ctypes.byref(message))  # which frees the input, and closes the window

    def _made(self) -> int:
        """The window, which gets the input from now on; OSError if it cannot be. It lives as long as this thread."""
        window = self._user.CreateWindowExW(0, "STATIC", None, 0, 0, 0, 0, 0, _HWND_MESSAGE, None, None, None)
        if not window:
            raise last_error()
        usage = _USAGE_MOUSE if self._key.mouse else _USAGE_KEYBOARD
        device = _Device(_PAGE_DESKTOP, usage, _RIDEV_INPUTSINK, window)
        if not self._user.RegisterRawInputDevices(ctypes.byref(device), 1, ctypes.sizeof(device)):
            raise last_error()
        return int(window)

    def _input(self, handle: int) -> None:
        size = wintypes.UINT(MOST_BYTES)
        got = self._user.GetRawInputData(handle, _RID_INPUT, self._buffer, ctypes.byref(size), HEADER.size)
        if 0 < got <= MOST_BYTES:
            for down in self._key.fed(self._buffer.raw[:got]):
                self._reactor.callFromThread(self._down if down else self._up)

    def _gone(self) -> None:
        self._up()
        self._lost("the window of the talk key is gone, and the key with it")


def _declared(user: Any) -> Any:
    """user32 with the types of what is called: without them, handles of 64 bits are cut."""
    handle, number, pointer = wintypes.HANDLE, wintypes.UINT, ctypes.c_void_p
    numbers = [ctypes.c_int] * 4
    user.CreateWindowExW.argtypes = [number, *[wintypes.LPCWSTR] * 2, number, *numbers, *[handle] * 3, pointer]
    user.CreateWindowExW.restype = handle
    user.PostMessageW.argtypes = [handle, number, wintypes.WPARAM, wintypes.LPARAM]
    user.GetMessageW.argtypes = [pointer, handle, number, number]
    user.GetRawInputData.argtypes = [handle, number, pointer, pointer, number]
    user.GetRawInputData.restype = number
    user.VkKeyScanW.argtypes = [wintypes.WCHAR]
    user.VkKeyScanW.restype = ctypes.c_short
    return user
