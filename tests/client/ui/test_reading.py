"""Lines typed on a terminal: a real pseudo terminal, and a reactor that the test plays."""

import io
import os
import queue
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from voicechat.client.ui.reading import LOOK_AGAIN, MOST_AT_ONCE, ConsoleLines, Split, TerminalLines, of_terminal


class Reactor(Clock):
    """Holds readers; the test says when one may read."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[TerminalLines] = set()

    def addReader(self, reader: TerminalLines) -> None:
        self.readers.add(reader)

    def removeReader(self, reader: TerminalLines) -> None:
        self.readers.discard(reader)


class Typist:
    """A terminal at which somebody types."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.master, self.slave = os.openpty()
        self.lines: list[str] = []
        self.ends = 0
        self.reading = TerminalLines(self.reactor, self.slave, "utf-8")
        self.reading.start(self.lines.append, self._end)

    def _end(self) -> None:
        self.ends += 1

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def read(self) -> None:
        """The reactor finds the terminal readable."""
        assert self.reactor.readers == {self.reading}
        self.reading.doRead()

    def close(self) -> None:
        for descriptor in (self.master, self.slave):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def typist() -> Iterator[Typist]:
    it = Typist()
    yield it
    it.close()


def test_a_line_comes_when_it_is_whole(typist: Typist) -> None:
    typist.type("héllo\n/mute\n".encode())
    typist.read()
    typist.read()
    assert typist.lines == ["héllo", "/mute"]
    assert os.get_blocking(typist.slave), "the shell has it, too"


def test_what_is_no_text_is_replaced(typist: Typist) -> None:
    typist.type(b"caf\xe9\n")
    typist.read()
    assert typist.lines == ["caf\ufffd"]


def test_ctrl_d_ends_the_reading_once(typist: Typist) -> None:
    typist.type(b"\x04")
    typist.read()
    assert typist.ends == 1
    assert typist.reactor.readers == set()


def test_a_window_that_is_closed_ends_it_too(typist: Typist) -> None:
    os.close(typist.master)
    typist.master = -1
    typist.read()
    assert typist.ends == 1


def test_in_the_background_nothing_is_read_until_the_terminal_is_ours(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads there is stopped (SIGTTIN)."""
    monkeypatch.setattr(os, "tcgetpgrp", lambda _descriptor: os.getpgrp() + 1)
    typist.type(b"for the shell\n")
    for _ in range(3):
        typist.read()
        assert typist.reactor.readers == set(), "it would be readable, again and again"
        typist.reactor.advance(LOOK_AGAIN)
    assert typist.lines == []
    monkeypatch.setattr(os, "tcgetpgrp", lambda _descriptor: os.getpgrp())
    typist.read()
    assert typist.lines == ["for the shell"]


def test_a_line_that_never_ends_takes_no_memory(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "read", lambda _descriptor, most: b"x" * most)
    for _ in range(50):
        typist.read()
    assert len(typist.reading._split._rest) <= MOST_AT_ONCE


def test_after_the_end_nothing_is_waited_for(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "tcgetpgrp", lambda _descriptor: os.getpgrp() + 1)
    typist.read()
    typist.reading.stop()
    assert typist.reactor.getDelayedCalls() == []
    assert typist.reactor.readers == set()


def test_a_pipe_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    with open(ours, encoding="utf-8") as stdin:  # noqa: PTH123
        monkeypatch.setattr("sys.stdin", stdin)
        assert of_terminal(Reactor()) is None
    os.close(theirs)


# A console of Windows, in whose place a pipe stands: what is below its stream blocks likewise


class Console:
    """A console at which somebody types; what its thread tells the reactor is done by the test."""

    def __init__(self) -> None:
        out, into = os.pipe()
        self.told: queue.Queue[tuple[Callable[..., None], tuple[str, ...]]] = queue.Queue()
        self.raw = io.FileIO(out)
        self.keys = io.FileIO(into, "w")
        self.lines: list[str] = []
        self.ends = 0
        self.reading = ConsoleLines(
            SimpleNamespace(callFromThread=lambda do, *words: self.told.put((do, words))), self.raw
        )
        self.reading.start(self.lines.append, self._end)

    def _end(self) -> None:
        self.ends += 1

    def turn(self) -> None:
        """The reactor does what it was told."""
        do, words = self.told.get(timeout=10.0)
        do(*words)

    def close(self) -> None:
        self.keys.close()
        self.told.get(timeout=10.0)  # its thread has ended
        self.raw.close()


@pytest.fixture
def console() -> Iterator[Console]:
    it = Console()
    yield it
    it.close()


def test_a_consoles_lines_come_on_the_reactors_thread_and_without_their_ends(console: Console) -> None:
    console.keys.write("grüße 🎧\r\n/mute\r\nno line yet".encode())
    console.turn()
    assert console.lines == ["grüße 🎧"]
    console.turn()
    assert console.lines == ["grüße 🎧", "/mute"]


def test_who_has_stopped_a_console_is_told_nothing_more(console: Console) -> None:
    console.reading.stop()
    console.keys.write(b"hello\r\n")
    console.turn()
    assert console.lines == []


def test_the_end_of_a_consoles_input_is_told_once(console: Console) -> None:
    console.keys.close()
    console.turn()
    assert console.ends == 1
    console.told.put((print, ()))


def test_which_lines_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    with open(slave, encoding="utf-8") as stdin:  # noqa: PTH123
        monkeypatch.setattr("sys.stdin", stdin)
        assert isinstance(of_terminal(Reactor(), "linux"), TerminalLines)
        assert isinstance(of_terminal(Reactor(), "win32"), ConsoleLines)
    os.close(master)


@given(parts=st.lists(st.text(alphabet="aé\r", max_size=5), max_size=5), cut=st.integers(min_value=1, max_value=4))
def test_lines_are_the_same_however_their_bytes_come(parts: list[str], cut: int) -> None:
    split = Split("utf-8")
    data = "".join(f"{part}\r\n" for part in parts).encode()
    got = [line for at in range(0, len(data), cut) for line in split.lines(data[at : at + cut])]
    assert got == parts
