"""Each number that stands in a table of the documentation beside its name in the code is the code's."""

import math

import pytest

from tests.docs.pages import PAGES, ROOT, figure, numbers, spans, table, tables
from voicechat.server.limits import Limits

IN_THE_CODE = "in the code"
ROWS = [
    pytest.param(row[-2], spans(row[-1]), id=f"{page.name}: {row[0]}")
    for page in PAGES
    for rows in tables(page.read_text(encoding="utf-8"))
    if rows[0][-1] == IN_THE_CODE
    for row in rows[1:]
]


def value(expression: str) -> float:
    """A number of the code by its name; or the product of several."""
    return math.prod(figure(name) for name in expression.split(" * "))


@pytest.mark.parametrize(("told", "names"), ROWS)
def test_the_number_is_the_codes(told: str, names: list[str]) -> None:
    assert names
    assert numbers(told) == [pytest.approx(value(name)) for name in names]


def test_there_are_such_tables() -> None:
    assert len(ROWS) > 50


def test_every_limit_of_the_server_is_told() -> None:
    rows = table((ROOT / "docs" / "security.md").read_text(encoding="utf-8"), "limit")
    told = {name for row in rows for name in spans(row[-1])}
    assert told >= {f"server.limits.Limits.{field}" for field in Limits.__struct_fields__}


def test_a_wrong_name_is_no_number() -> None:
    with pytest.raises(AttributeError):
        value("carriage.tcp.NO_SUCH_FIGURE")
