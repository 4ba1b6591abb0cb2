"""The files by which running clients are found: `client-NUMBER.SUFFIX`, with the process' number in it.

Imports next to nothing: voicechat-ctl is bound to a key and has to be quick.
"""

import os
import sys

PREFIX = "client-"

LONGEST_NUMBER = 7
"""Digits of a process' number: 2^22 is the most of Linux (proc(5), pid_max), and Windows' are no longer."""


def ours(suffix: str) -> str:
    """The name of this process' file."""
    return f"{PREFIX}{os.getpid()}{suffix}"


def among(names: list[str], suffix: str) -> list[str]:
    """Those that are clients'."""
    return sorted(name for name in names if name.startswith(PREFIX) and name.endswith(suffix))


def lives(path: str) -> bool:
    """Whether there is a process of the number in a file's name, other than this one: it may be about to listen."""
    number = os.path.basename(path)[len(PREFIX) :].rpartition(".")[0]
    if not (number.isascii() and number.isdigit()) or int(number) == os.getpid():
        return False
    if sys.platform == "win32":  # where os.kill would end it
        from voicechat.client.windows.system import runs

        return runs(int(number))
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # somebody else's
    return True
