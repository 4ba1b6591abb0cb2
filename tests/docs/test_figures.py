"""Figures that stand in sentences are those of the bench's tables."""

from pathlib import Path

import pytest

from bench import report
from bench.quoted import quoted
from tests.docs.pages import ROOT

FIGURES = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
MARK = "<!-- figure: "
TABLE = """\
<!-- bench:other -->
| what | delay |
| ---- | ----- |
| up   | 7     |
<!-- /bench:other -->

<!-- bench:latency -->
| what    | delay         | worst |
| ------- | ------------- | ----- |
| up, all | 45 (41 to 48) | -     |
| down    | 3582          | 1.5   |

| what | growth |
| ---- | ------ |
| up   | -0.06  |
<!-- /bench:latency -->
"""


@pytest.mark.parametrize(
    ("where", "number"),
    [
        ("latency; up; delay", "45"),
        ("latency; down; worst", "1.5"),
        ("latency; up; growth", "-0.06"),
        ("other; up; delay", "7"),
        ("latency; down; delay; 1000", "3.6"),
        ("latency; up; delay; 0.6", "75"),
    ],
)
def test_a_figure_is_the_first_number_of_its_cell(where: str, number: str) -> None:
    page = f"It takes {MARK}{where} -->99<!-- / --> ms, and 99 more."
    assert quoted(page, TABLE) == f"It takes {MARK}{where} -->{number}<!-- / --> ms, and 99 more."


@pytest.mark.parametrize(
    "where", ["latency; side; delay", "latency; up; width", "nothing; up; delay", "latency; up; worst"]
)
def test_a_figure_that_there_is_not_is_told(where: str) -> None:
    with pytest.raises(LookupError, match=where):
        quoted(f"{MARK}{where} --><!-- / -->", TABLE)


def test_a_report_writes_figures_into_sentences(tmp_path: Path) -> None:
    page, sentence = tmp_path / "figures.md", tmp_path / "README.md"
    page.write_text(TABLE)
    sentence.write_text(f"{MARK}latency; up; delay --><!-- / -->")
    report.write(tmp_path / "none", tmp_path / "none", [page], [sentence])
    assert sentence.read_text() == f"{MARK}latency; up; delay -->45<!-- / -->"


@pytest.mark.parametrize("page", report.QUOTING, ids=str)
def test_what_a_page_quotes_is_what_the_tables_have(page: Path) -> None:
    """If not: python -m bench report."""
    told = (ROOT / page).read_text(encoding="utf-8")
    assert MARK in told
    assert quoted(told, FIGURES) == told


def test_a_page_that_has_figures_is_among_those_that_are_filled() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    having = {page.relative_to(ROOT) for page in pages if MARK in page.read_text(encoding="utf-8")}
    assert having == set(report.QUOTING)
