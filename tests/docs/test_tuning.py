"""docs/tuning.md has every number that was chosen by measuring, and a way to measure it again."""

import ast
import itertools
import re
import shlex
from collections.abc import Iterator

import pytest

from bench.__main__ import EVERY, TUNABLE
from bench.tuned import changed, varied
from tests.docs.pages import ROOT, blocks, spans, tables
from voicechat.media.tuning import TUNING

PAGE = (ROOT / "docs" / "tuning.md").read_text(encoding="utf-8")
ROWS = [row for rows in tables(PAGE) for row in rows[1:]]
TOLD = {name for row in ROWS for span in spans(row[-1]) for name in span.split(" * ")}
NO_NUMBERS = {"client.lean.OPENSSL", "client.lean.PYOPENSSL"}
"""Measured, but not to choose a number."""
MEASURED = re.compile(r"\(measured|measured\)|was\s+measured")


def measured() -> Iterator[str]:
    """The public constants whose docstring says that they were measured."""
    for module in sorted((ROOT / "voicechat").rglob("*.py")):
        parts = module.relative_to(ROOT / "voicechat").with_suffix("").parts
        for statement, after in itertools.pairwise(ast.parse(module.read_text(encoding="utf-8")).body):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                docstring = ast.unparse(after) if isinstance(after, ast.Expr) else ""
                name = ".".join([*parts, statement.target.id])
                if MEASURED.search(docstring) and "._" not in name and name not in NO_NUMBERS:
                    yield name


def test_every_number_of_the_tuning_is_told() -> None:
    fields = {
        f"media.tuning.TUNING.{part}.{field}"
        for part in TUNING.__struct_fields__
        for field in getattr(TUNING, part).__struct_fields__
    }
    assert {name for name in TOLD if name.startswith("media.tuning.")} == fields


def test_every_constant_that_was_measured_is_told() -> None:
    assert set(measured()) - TOLD == set()


def test_what_measures_a_number_is_a_part_of_the_bench() -> None:
    for row in ROWS:
        assert set(spans(row[1])) <= set(EVERY), row
        assert spans(row[1]) or row[1] == "a day's script", row


def test_the_commands_change_a_number() -> None:
    commands = [
        shlex.split(line) for block in blocks(PAGE) for line in block.lines if line.startswith("python -m bench ")
    ]
    assert commands
    for _, _, _, part, *options in commands:
        assert part in TUNABLE
        assert set(options[::2]) == {"--tune"}
        assert sorted(changed(varied(options[1::2]))) == sorted(options[1::2])


@pytest.mark.parametrize(
    "change", ["playout", "playout.late=1", "nothing.deepest=1", "gate.windows=1.5", "gate.windows="]
)
def test_a_number_that_is_none_is_refused(change: str) -> None:
    with pytest.raises(ValueError, match=change.replace(".", r"\.")):
        varied([change])
