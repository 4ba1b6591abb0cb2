"""Each threat of docs/security.md is answered by something that the tests beside it notice when it is broken."""

import pytest

from tests.docs.pages import ROOT, spans, table
from tests.mutations.nodes import missing
from tests.mutations.table import MUTATIONS

ROWS = table((ROOT / "docs" / "security.md").read_text(encoding="utf-8"), "", "threat", "answer", "shown by")


def test_every_threat_has_its_row() -> None:
    assert [row[0] for row in ROWS] == [f"T{number}" for number in range(1, 26)]


def test_what_stands_beside_a_threat_is_a_test_that_exists(found: frozenset[str]) -> None:
    assert missing((test for row in ROWS for test in spans(row[-1])), found) == []


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_beside_a_threat_stand_tests_that_go_red_when_its_answer_is_broken(row: list[str]) -> None:
    threat, shown = row[0], spans(row[-1])
    red = {test for mutation in MUTATIONS if threat in mutation.of.split() for test in mutation.tests}
    assert shown
    assert set(shown) <= red
