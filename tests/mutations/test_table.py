"""The table of breakages fits the tree of today, and what runs it tells red from green."""

import ast

import pytest

from tests.mutations.__main__ import noticed, sound
from tests.mutations.mutation import ROOT, Mutation
from tests.mutations.nodes import missing
from tests.mutations.table import MUTATIONS

IDS = [f"{number}: {mutation.what}" for number, mutation in enumerate(MUTATIONS, 1)]

CLOCK = "voicechat/carriage/clock.py"
SECONDS = "tests/carriage/test_clock.py::test_seconds_become_ticks"


def program(text: str, file: str) -> str:
    """What a text does, as far as it is Python: another remark makes no other program."""
    return ast.dump(ast.parse(text)) if file.endswith(".py") else text


@pytest.mark.parametrize("mutation", MUTATIONS, ids=IDS)
def test_what_is_broken_stands_in_the_program_once_and_is_then_another_program(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text(encoding="utf-8")
    assert program(mutation.broken(ROOT), mutation.file) != program(text, mutation.file)


def test_every_test_that_must_go_red_exists(found: frozenset[str]) -> None:
    assert missing((test for mutation in MUTATIONS for test in mutation.tests), found) == []
    assert missing(["tests/carriage/test_clock.py::test_no_such_thing"], found), "and one that does not is missed"


def test_each_threat_has_a_breakage() -> None:
    assert {row for mutation in MUTATIONS for row in mutation.of.split()} >= {f"T{n}" for n in range(1, 25)}


def test_text_that_is_gone_or_stands_twice_is_told() -> None:
    for old in ("no such text", "def "):
        with pytest.raises(ValueError, match="not once"):
            Mutation("F1", "nothing", CLOCK, old, "", ()).broken(ROOT)


def test_a_breakage_is_noticed_by_a_test_that_goes_red_and_by_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    slow = Mutation("F1", "slow", CLOCK, "/ TICK_SECONDS", "/ 2 / TICK_SECONDS", (SECONDS,))
    assert sound([slow])
    assert noticed(1, slow)
    assert not noticed(2, slow._replace(new="/ 1 / TICK_SECONDS")), "it is another program, and does the same"
    assert not noticed(3, slow._replace(new="/ / TICK_SECONDS")), "a program that cannot be loaded shows nothing"
    assert not noticed(4, slow._replace(tests=(SECONDS, "tests/test_format.py::test_each_silent_frame_is_a_new_one")))
    told = capsys.readouterr().out
    assert [told.count(word) for word in (" red ", "STAYS GREEN", "CANNOT RUN")] == [1, 2, 1]
