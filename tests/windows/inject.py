"""Input as from a keyboard or a mouse, for Windows' Python: a key or button goes down or up, whoever has the focus.

    python.exe inject.py key 0x78 down
    python.exe inject.py button 0x80 down 1

What stands behind "button" is MOUSEEVENTF_ flags and, after the word, the data of SendInput's MOUSEINPUT.
"""

import ctypes
import sys
from ctypes import wintypes

_KEYUP = 2


class _Key(ctypes.Structure):
    _fields_ = (
        ("key", wintypes.WORD),
        ("scan", wintypes.WORD),
        ("flags", wintypes.DWORD),
        ("time", wintypes.DWORD),
        ("extra", ctypes.c_void_p),
    )


class _Mouse(ctypes.Structure):
    _fields_ = (
        ("x", wintypes.LONG),
        ("y", wintypes.LONG),
        ("data", wintypes.DWORD),
        ("flags", wintypes.DWORD),
        ("time", wintypes.DWORD),
        ("extra", ctypes.c_void_p),
    )


class _Any(ctypes.Union):
    _fields_ = (("key", _Key), ("mouse", _Mouse))


class _Input(ctypes.Structure):
    _fields_ = (("kind", wintypes.DWORD), ("it", _Any))


def inject(what: str, number: int, edge: str, data: int = 0) -> None:
    """Have it happen. OSError if Windows does not take it."""
    if what == "key":
        happened = _Input(1, _Any(key=_Key(number, 0, _KEYUP * (edge == "up"), 0, None)))
    else:
        happened = _Input(0, _Any(mouse=_Mouse(0, 0, data, number, 0, None)))
    if ctypes.CDLL("user32").SendInput(1, ctypes.byref(happened), ctypes.sizeof(happened)) != 1:
        raise OSError("SendInput took nothing")


if __name__ == "__main__":
    inject(sys.argv[1], int(sys.argv[2], 16), sys.argv[3], *map(int, sys.argv[4:]))
