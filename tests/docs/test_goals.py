"""Each goal of docs/goals.md is shown by what stands beside it: tests of its name, or a part of the bench."""

import re

import pytest

from bench.__main__ import EVERY
from tests.docs.pages import ROOT, spans, table
from tests.mutations.table import MUTATIONS

PAGE = (ROOT / "docs" / "goals.md").read_text(encoding="utf-8")
ROWS = [*table(PAGE, "goal"), *table(PAGE, "fault")]

ELSEWHERE = {"R20": "test_a_hundred_who_come_at_once", "F18": "test_r10_"}
"""Goals whose tests bear another name."""


def test_every_goal_and_every_fault_has_its_row() -> None:
    goals = [f"R{number}" for number in range(1, 21) if number != 18]
    assert [row[0] for row in ROWS] == [*goals, *(f"F{number}" for number in range(1, 21))]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_it_is_shown_by_what_stands_beside_it(row: list[str]) -> None:
    goal, shown = row[0], spans(row[-1])
    files = [span for span in shown if span.endswith(".py")]
    name = ELSEWHERE.get(goal, f"test_{goal.lower()}_")
    assert any(re.search(rf"^ *def {name}", (ROOT / file).read_text(), re.MULTILINE) for file in files), name
    measured = [span.removeprefix("python -m bench ") for span in shown if span not in files]
    assert set(measured) <= set(EVERY)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_breakage_of_it_is_noticed_by_what_stands_beside_it(row: list[str]) -> None:
    goal, shown = row[0], spans(row[-1])
    for mutation in MUTATIONS:
        if goal in mutation.of.split():
            assert {test.partition("::")[0] for test in mutation.tests} & set(shown), mutation.what
