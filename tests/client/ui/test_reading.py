"""Lines typed on a terminal: a real pseudo terminal, and a reactor that the test plays."""

import os
from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock

from voicechat.client.ui.reading import LOOK_AGAIN, MOST_AT_ONCE, TerminalLines, of_terminal


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
    assert len(typist.reading._rest) <= MOST_AT_ONCE


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
