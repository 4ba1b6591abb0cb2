"""Lines for readers who read, stand still, or are gone."""

import io
import os
from collections.abc import Iterator
from typing import TextIO

import pytest

from voicechat.client.ui.lines import MOST_WAITING, Lines

SOON = 10.0


class Pipe:
    """A pipe, its end to write to as a stream as sys.stdout is one."""

    def __init__(self) -> None:
        self.out, into = os.pipe()
        self.stream: TextIO = io.TextIOWrapper(io.BufferedWriter(io.FileIO(into, "w")), encoding="utf-8")

    def fill(self) -> int:
        """Until no byte more fits; how many it took."""
        descriptor = self.stream.fileno()
        os.set_blocking(descriptor, False)
        count = 0
        try:
            while True:
                count += os.write(descriptor, bytes(4096))
        except BlockingIOError:
            os.set_blocking(descriptor, True)
        return count

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        data = b""
        while len(data) < count:
            data += os.read(self.out, count - len(data))
        return data

    def close(self) -> None:
        os.close(self.out)
        self.stream.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    held = Pipe()
    yield held
    held.close()


def test_lines_come_in_their_order_and_in_their_encoding(pipe: Pipe) -> None:
    lines = Lines(pipe.stream)
    for line in ("Ben joined", "\u017dofie joined", "\udcff"):
        lines.put(line)
    lines.flush(SOON)
    assert os.read(pipe.out, 1000) == "Ben joined\n\u017dofie joined\n?\n".encode()


@pytest.mark.parametrize("blocking", [True, False])
def test_a_full_pipe_holds_nobody_up_and_what_is_left_out_is_counted(pipe: Pipe, blocking: bool) -> None:
    filled = pipe.fill()
    os.set_blocking(pipe.stream.fileno(), blocking)
    lines = Lines(pipe.stream)
    lines.put("first")
    with lines._changed:  # the thread has it, and stands still
        assert lines._changed.wait_for(lambda: lines._writing, SOON)
    for number in range(MOST_WAITING + 12):
        lines.put(f"line {number}")
    lines.flush(0.0)
    pipe.read(filled)
    expected = ["first", *(f"line {number}" for number in range(MOST_WAITING)), "(12 lines were left out)", ""]
    text = "\n".join(expected).encode()
    assert pipe.read(len(text)) == text
    lines.put("on we go")
    lines.flush(SOON)
    assert os.read(pipe.out, 1000) == b"on we go\n"


def test_a_reader_who_is_gone_ends_the_writing_and_no_more(pipe: Pipe) -> None:
    os.close(pipe.out)
    lines = Lines(pipe.stream)
    for _ in range(3):
        lines.put("Ben joined")
        lines.flush(SOON)
    assert not lines._waiting
    pipe.out = os.open(os.devnull, os.O_RDONLY)


def test_a_buffer_has_its_lines_at_once() -> None:
    buffer = io.StringIO()
    lines = Lines(buffer)
    lines.put("Ben joined")
    assert buffer.getvalue() == "Ben joined\n"
    lines.flush(0.0)


def test_a_buffer_ends_its_lines_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a text stream makes CR LF of each LF; a CR of ours before it would be one too many."""
    monkeypatch.setattr(os, "linesep", "\r\n")
    held = io.BytesIO()
    stream = io.TextIOWrapper(held, encoding="utf-8", newline="\r\n")
    Lines(stream).put("Ben joined")
    assert held.getvalue() == b"Ben joined\r\n"


def test_a_descriptor_has_the_ends_of_line_of_the_system(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "linesep", "\r\n")
    lines = Lines(pipe.stream)
    lines.put("Ben joined")
    lines.flush(SOON)
    assert os.read(pipe.out, 1000) == b"Ben joined\r\n"
