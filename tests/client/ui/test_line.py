"""Lines on a terminal, or wherever they go."""

import io
from typing import Any

from voicechat.client.ui.line import Console


class Broken(io.StringIO):
    """A pipe whose reader is gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


class Counting(io.StringIO):
    """Counts how often lines are pushed on."""

    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def test_news_goes_to_one_output_and_trouble_to_the_other() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err)
    console.say("Ben joined")
    console.warn("no microphone found")
    assert out.getvalue() == "Ben joined\n"
    assert err.getvalue() == "voicechat-client: no microphone found\n"


def test_each_line_is_there_at_once() -> None:
    out = Counting()
    console = Console(out, out)
    console.say("one")
    console.say("two")
    assert out.flushes == 2


def test_a_name_that_the_terminal_cannot_write_is_written_as_well_as_it_can() -> None:
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, encoding="ascii")
    Console(terminal, io.StringIO()).say("Zoë joined")
    assert raw.getvalue() == b"Zo? joined\n"


def test_a_reader_who_is_gone_does_not_end_the_call() -> None:
    broken: Any = Broken()
    Console(broken, broken).say("Ben joined")
    closed = io.StringIO()
    closed.close()
    Console(closed, closed).warn("Ben joined")
