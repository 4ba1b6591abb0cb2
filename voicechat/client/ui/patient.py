"""A terminal to draw on that is never waited for: a thread of ours does the writing.

A terminal that stands still (a network that stalls under SSH, a window that is frozen)
blocks whoever writes to it, and with the reactor the call. What is drawn belongs
together and may not be left out in the middle, so there is one drawing on its way at a
time: while it is `busy` nothing more is drawn.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from voicechat.client.ui.lines import raw_of, write_whole


class PatientWriter:
    """What urwid writes to. ``free`` is called, on the thread, when a drawing has left."""

    def __init__(self, stream: TextIO, free: Callable[[], object]) -> None:
        self._raw = raw_of(stream)
        self._encoding = stream.encoding or "utf-8"
        self._free = free
        self._parts: list[str] = []
        self._waiting = b""
        self._busy = False
        self._changed = threading.Condition()
        threading.Thread(target=self._write_all, name="screen", daemon=True).start()

    @property
    def busy(self) -> bool:
        """A drawing has not left yet."""
        return self._busy

    def fileno(self) -> int:
        """The terminal."""
        return int(self._raw.fileno())

    def write(self, data: str) -> None:
        """A part of a drawing."""
        self._parts.append(data)

    def flush(self) -> None:
        """The drawing is whole: let it go."""
        data = "".join(self._parts).encode(self._encoding, "replace")
        self._parts.clear()
        if data:
            with self._changed:
                self._waiting += data
                self._busy = True
                self._changed.notify_all()

    def settle(self, seconds: float) -> None:
        """Wait until all has left, for so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, seconds)

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                data, self._waiting = self._waiting, b""
            with suppress(OSError, ValueError):  # nobody looks any more; the keyboard's end tells the screen
                write_whole(self._raw, data)
            with self._changed:
                self._busy = bool(self._waiting)
                self._changed.notify_all()
            self._free()
