"""A terminal that stands still holds up nobody."""

import os
import threading
from collections.abc import Iterator

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
