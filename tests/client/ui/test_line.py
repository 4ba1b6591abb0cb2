"""Lines on a terminal, or wherever they go."""

import io
from typing import Any

import pytest

from voicechat.client.options import KINDS
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


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_kinds_that_are_wanted_are_told_and_answers_and_last_words_always(kind: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err, told=frozenset({kind}))
    console.people("Ben joined")
    console.chat("Ben: hello")
    console.talk("Ben talks")
    console.trouble("the line broke")
    console.warn("no microphone found")
    told = {
        "joins": (["Ben joined"], []),
        "text": (["Ben: hello"], []),
        "talk": (["Ben talks"], []),
        "trouble": (["the line broke"], ["voicechat-client: no microphone found"]),
    }
    assert (out.getvalue().splitlines(), err.getvalue().splitlines()) == told[kind]
    console.say("you are in as Ann")
    console.end()
    console.warn("the password was refused")
    assert out.getvalue().splitlines()[-1] == "you are in as Ann"
    assert err.getvalue().splitlines()[-1] == "voicechat-client: the password was refused"
