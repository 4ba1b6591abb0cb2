"""The console's window on Windows: Ctrl-C, Ctrl-Break, and its closing, told to the reactor.

Python's own signals do not do here: a reactor that waits for sockets is not woken by them, and when the window
is closed Windows ends the process as soon as the C library has noted the signal. A handler of ours (wincon.h,
SetConsoleCtrlHandler) is called on a thread that Windows makes, and the process lives until it returns.
"""

import ctypes
import threading
from collections.abc import Callable
from ctypes import wintypes
from typing import Any, Final

from voicechat.client.windows.system import last_error, library

CTRL_C, CTRL_BREAK, CLOSE, LOGOFF, SHUTDOWN = 0, 1, 2, 5, 6
"""What happened to the console (wincon.h)."""

CLOSE_WITHIN: Final = 4.5
"""Seconds that the handler waits for the process to end by itself, which takes `client.leaving.END_WITHIN` at most;
after 5 s Windows ends it and says that it does not answer (HandlerRoutine's manual)."""

STD_INPUT_HANDLE: Final = -10
"""Standard input, for GetStdHandle (processenv.h)."""

ENABLE_ECHO_INPUT: Final = 0x0004
"""Mode of a console in which it shows what is typed (consoleapi.h)."""

_HANDLER: Final = ctypes.CFUNCTYPE(wintypes.BOOL, wintypes.DWORD)

_kept: list[Any] = []
"""Handlers that Windows knows: they must live as long as the process."""


def obey(interrupted: Callable[[], object], leave: Callable[[], object]) -> None:
    """Have Ctrl-C call ``interrupted``, and Ctrl-Break and every closing ``leave``: on a thread of Windows' own."""
    handler = _HANDLER(lambda event: obeyed(event, interrupted, leave))
    if not library("kernel32").SetConsoleCtrlHandler(handler, True):
        raise last_error()
    _kept.append(handler)


def obeyed(
    event: int,
    interrupted: Callable[[], object],
    leave: Callable[[], object],
    wait: Callable[[float], object] = lambda seconds: threading.Event().wait(seconds),
) -> bool:
    """Do what an event asks for; whether it was one of those known. Waits where returning would end the process."""
    if event == CTRL_C:
        interrupted()
    elif event in (CTRL_BREAK, CLOSE, LOGOFF, SHUTDOWN):
        leave()
    else:
        return False
    if event in (CLOSE, LOGOFF, SHUTDOWN):
        wait(CLOSE_WITHIN)
    return True


def echo(*, on: bool) -> None:
    """Have the console show what is typed, or not; where standard input is no console there is nothing to show."""
    kernel32 = library("kernel32")
    kernel32.GetStdHandle.restype = wintypes.HANDLE
    console, mode = wintypes.HANDLE(kernel32.GetStdHandle(STD_INPUT_HANDLE)), wintypes.DWORD()
    if kernel32.GetConsoleMode(console, ctypes.byref(mode)):
        changed = mode.value | ENABLE_ECHO_INPUT if on else mode.value & ~ENABLE_ECHO_INPUT
        kernel32.SetConsoleMode(console, wintypes.DWORD(changed))
