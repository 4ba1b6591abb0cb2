"""Standard streams and signals, as whoever started the program left them: closed, broken, full, ignored.

A shell closes descriptors (``<&-``), and so do services and desktops; a reader goes away when
it has seen enough (``| head -1``); ``nohup`` and scripts have signals ignored. None of that is
a fault of the program's. Imports next to nothing: voicechat-ctl is bound to a key.
"""

import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from voicechat.errors import DeviceError

_NAMES = ("stdin", "stdout", "stderr")


def open_closed() -> None:
    """Open descriptors 0, 1 and 2 on nothing where they are closed, and have Python's streams for them.

    Python has None for those. What is opened gets the lowest number that is free, so this is to be
    called before anything else is: a socket that became number 1 would be sent all that is printed.
    """
    for name in _NAMES:
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def write(text: str) -> None:
    """Write to standard output, at once. A sign that its encoding lacks is escaped.

    Who reads no more misses the rest, and that is all; DeviceError if there is no room for it.
    """
    try:
        _write("stdout", text)
    except BrokenPipeError:
        return
    except OSError as error:
        raise DeviceError(f"cannot write to standard output: {error.strerror or error}") from None


def warn(text: str) -> None:
    """Write to standard error, at once. If that cannot be, there is nobody to tell."""
    with suppress(OSError):
        _write("stderr", text)


def _write(name: str, text: str) -> None:
    stream = getattr(sys, name)
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError:
        silence(name)
        raise


def silence(name: str) -> None:
    """Let what is still to be written to 'stdout' or 'stderr' go nowhere, or the interpreter tries again at its end."""
    with suppress(OSError, ValueError):
        number = getattr(sys, name).fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, number)
        os.close(null)


def obey(number: int, do: Callable[..., object]) -> None:
    """Have a signal call ``do``, unless whoever started the program had it ignored."""
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, do)


def is_terminal(name: str, platform: str = sys.platform) -> bool:
    """Whether somebody types what is read from 'stdin', or sees what is written to 'stdout'.

    On Windows NUL says that it is a terminal, too; what Python has below a console's stream is no file.
    """
    stream = getattr(sys, name)
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return bool(stream.isatty()) and not (platform == "win32" and isinstance(raw, io.FileIO))
