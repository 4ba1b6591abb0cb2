"""A terminal that stands still holds up nobody."""

import io
import os
import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from voicechat.client.ui.patient import PatientWriter

LONG = "x" * 1_000_000
"""More than a pipe holds."""


class Pipe:
    """A reader who may be slow."""

    def __init__(self) -> None:
        self.read, write = os.pipe()
        self.stream = os.fdopen(write, "w", encoding="utf-8")
        self.free = threading.Event()
        self.writer = PatientWriter(self.stream, self.free.set)

    def take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            assert select.select([self.read], [], [], 10.0)[0], "no more comes"
            data += os.read(self.read, count - len(data))
        return data


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    it = Pipe()
    yield it
    os.close(it.read)
    it.writer.settle(10.0)
    it.stream.close()


def test_a_drawing_leaves_whole_when_it_is_flushed(pipe: Pipe) -> None:
    pipe.writer.write("grü")
    pipe.writer.write("ße")
    assert not pipe.writer.busy
    pipe.writer.flush()
    assert pipe.take(7).decode() == "grüße"
    assert pipe.free.wait(10.0)
    pipe.writer.settle(10.0)
    assert not pipe.writer.busy


def test_nobody_waits_for_a_reader_who_does_not_read(pipe: Pipe) -> None:
    pipe.writer.write(LONG)
    pipe.writer.flush()
    pipe.writer.write("end")
    pipe.writer.flush()
    assert pipe.writer.busy
    pipe.writer.settle(0.0)
    assert pipe.writer.busy
    assert pipe.take(len(LONG) + 3).endswith(b"xend")
    pipe.writer.settle(10.0)
    assert not pipe.writer.busy


def test_a_reader_who_goes_away_ends_the_waiting(pipe: Pipe) -> None:
    pipe.writer.write(LONG)
    pipe.writer.flush()
    spare = os.dup(pipe.read)
    os.close(spare)
    os.dup2(os.open(os.devnull, os.O_RDONLY), pipe.read)  # the pipe has no reader any more
    pipe.writer.settle(10.0)
    assert not pipe.writer.busy


def test_what_is_below_the_stream_writes_and_not_the_descriptor() -> None:
    """On Windows that is what knows a console; the descriptor would take the bytes for the console's code page."""
    written = threading.Event()

    class Console(io.RawIOBase):
        """Takes three bytes at a time."""

        taken = b""

        def writable(self) -> bool:
            return True

        def fileno(self) -> int:
            return 10_000_000  # no descriptor of this process

        def write(self, data: Any) -> int:
            self.taken += bytes(data[:3])
            return min(3, len(data))

    raw = Console()
    writer = PatientWriter(io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8"), written.set)
    writer.write("grüße 🎧")
    writer.flush()
    assert written.wait(10.0)
    assert raw.taken.decode() == "grüße 🎧"


def test_a_terminal_that_somebody_made_non_blocking_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.writer.fileno(), False)
    pipe.writer.write(LONG)
    pipe.writer.flush()
    assert pipe.take(len(LONG)) == LONG.encode()
    assert pipe.free.wait(10.0)
