"""Lines for a pipe or a terminal that may stand still, without ever waiting for it.

A full pipe and a terminal stopped by Ctrl-S block whoever writes to them, and to make
them non-blocking would change them for every other program that has them, the shell too.
So a thread writes; what it cannot get rid of is bounded, and what is left out is counted.
"""

import io
import os
import select
import threading
from collections import deque
from typing import Any, Final, TextIO

MOST_WAITING: Final = 200
"""Lines: ten seconds of the most that a room can make (`call.chat.MOST_LINES`), and a few screens full."""


class Lines:
    """Writes lines to a stream. Called from one thread; another one, of ours, does the writing.

    A stream without a descriptor (a text buffer) is written to at once.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = stream.encoding or "utf-8"
        self._raw = raw_of(stream)
        self._waiting: deque[str] = deque()
        self._left_out = 0
        self._writing = False
        self._gone = False
        """Nobody reads any more."""
        self._changed = threading.Condition()
        if self._raw is not None:
            threading.Thread(target=self._write_all, name="lines", daemon=True).start()

    def put(self, line: str) -> None:
        """Write a line, without its end, as soon as may be; never waits."""
        if self._raw is None:
            self._write_now(line)
            return
        with self._changed:
            if self._gone:
                return
            if len(self._waiting) >= MOST_WAITING:
                self._left_out += 1
                return
            self._tell_left_out()
            self._waiting.append(line)
            self._changed.notify_all()

    def flush(self, seconds: float) -> None:
        """Wait until everything is written, for so long at most."""
        with self._changed:
            self._tell_left_out()
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._gone or not (self._waiting or self._writing), seconds)

    def _tell_left_out(self) -> None:
        if self._left_out and self._raw is not None:
            self._waiting.append(f"({self._left_out} lines were left out)")
            self._left_out = 0

    def _encoded(self, line: str) -> bytes:
        return (line + os.linesep).encode(self._encoding, "replace")

    def _write_now(self, line: str) -> None:
        """What a text stream does to an end of line is its own affair."""
        try:
            self._stream.write(line.encode(self._encoding, "replace").decode(self._encoding) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return  # nobody reads any more: the call goes on

    def _write_all(self) -> None:
        """The thread: a batch after the other."""
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting)
                data = b"".join(map(self._encoded, self._waiting))
                self._waiting.clear()
                self._writing = True
                self._changed.notify_all()
            try:
                write_whole(self._raw, data)
            except (OSError, ValueError):
                with self._changed:
                    self._gone = True
                    self._waiting.clear()
                    self._changed.notify_all()
                return


def write_whole(raw: Any, data: bytes) -> None:
    """Write it all to what `raw_of` gave, however long that takes. OSError or ValueError if nobody reads any more."""
    while data:
        written = raw.write(data)
        if written is None:  # somebody made it non-blocking
            select.select([], [raw], [])
        data = data[written or 0 :]


def raw_of(stream: TextIO) -> Any:
    """What is below a stream; None if that is no descriptor.

    The buffer is left aside: a thread that stands still would hold its lock when the program ends. On Windows this is
    what knows a console: bytes that went to the descriptor itself would be shown in the console's code page.
    """
    try:
        stream.fileno()
        stream.flush()
    except (OSError, ValueError, AttributeError):
        return None
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)
    return raw if isinstance(raw, io.RawIOBase) else None
