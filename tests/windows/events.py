"""A client in which Windows' console tells of an event, once a file is there: for Windows' Python.

Started with the event, the file, and the client's words. The event takes the way that it takes on a thread of the
system's: `CtrlRoutine`, which calls the handlers that programs have set. Wine 8 sends no other event than Ctrl-C by
itself.
"""

import ctypes
import os
import sys
import threading
from pathlib import Path

from voicechat.client import cli

LOOKS = 300
"""Looks for the file, ten a second."""


def happen(event: int, wanted: Path) -> None:
    """Wait for the file, and have the event."""
    routine = ctypes.CDLL("kernelbase").CtrlRoutine
    routine.argtypes = [ctypes.c_void_p]
    pause = threading.Event()
    for _ in range(LOOKS):
        if wanted.exists():
            routine(event)
            sys.stdout.write("the handler has returned\n")
            sys.stdout.flush()
            return
        pause.wait(0.1)


if __name__ == "__main__":
    threading.Thread(target=happen, args=(int(sys.argv[1]), Path(sys.argv[2])), daemon=True).start()
    status = cli.main(sys.argv[3:])
    sys.stdout.flush()
    os._exit(status)
