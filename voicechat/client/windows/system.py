"""Windows' own libraries, and its words for errors. With a neighbour that needs them, all that is called by ctypes.

Can be imported anywhere: what is not there shows when it is called.
"""

import ctypes
import errno
import os
import sys
from ctypes import wintypes
from typing import Any, Final

_QUERY_LIMITED_INFORMATION: Final = 0x1000
_STILL_ACTIVE: Final = 259
"""An exit code of one that has not ended (processthreadsapi.h)."""


def library(name: str) -> Any:
    """A library of Windows. OSError where there is none.

    On a 64-bit Windows there is one calling convention, so CDLL is WinDLL.
    """
    return ctypes.CDLL(name, use_last_error=True)


def last_error() -> OSError:
    """Why the last call into a `library` failed, as Windows says it."""
    if sys.platform == "win32":
        return ctypes.WinError(ctypes.get_last_error())
    return OSError("this is no Windows")


def words_of(number: int) -> str:
    """The system's words for an error's number: of errno here, on Windows also of its own, as sockets have them."""
    if sys.platform == "win32":
        told = ctypes.FormatError(number).strip().rstrip(".")
        return f"Windows' error {number}" if told.startswith("<") else told
    return os.strerror(number)


def runs(number: int) -> bool:
    """Whether there is a process of this number, of whomever."""
    kernel = library("kernel32")
    kernel.OpenProcess.restype = wintypes.HANDLE
    process = wintypes.HANDLE(kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, False, number))
    if process.value is None:
        return last_error().errno == errno.EACCES
    code = wintypes.DWORD()
    kernel.GetExitCodeProcess(process, ctypes.byref(code))
    kernel.CloseHandle(process)
    return code.value == _STILL_ACTIVE
