"""Figures in prose: a number between two marks is the one that a table of docs/performance.md has.

    <!-- figure: PART; ROW; COLUMN -->45<!-- / -->
    <!-- figure: PART; ROW; COLUMN; 1000 -->3.6<!-- / -->

PART is a part of the bench, ROW begins the row's first cell, COLUMN is a column's head. The number is the first of the
cell, a median; or two digits of what is left when it is divided by the last word. `python -m bench report` writes them
into the pages whenever it writes the tables, so that no figure is typed by hand. What lives here: ``quoted``. Pure.
"""

import re
from collections.abc import Iterator
from typing import Final

_MARK: Final = re.compile(r"(?P<mark><!-- figure: (?P<where>[^>]+?) -->)(?P<old>[^<]*)<!-- / -->")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")


def quoted(page: str, figures: str) -> str:
    """``page`` with its figures as the page ``figures`` has them now; LookupError if one of them is not there."""
    return _MARK.sub(lambda found: f"{found['mark']}{_figure(found['where'], figures)}<!-- / -->", page)


def _figure(where: str, figures: str) -> str:
    part, row, column, *divisor = (word.strip() for word in where.split(";"))
    for head, cells in _rows(part, figures):
        if column in head and cells[0].startswith(row):
            number = _NUMBER.search(cells[head.index(column)])
            if number:
                return f"{float(number[0]) / float(divisor[0]):.2g}" if divisor else number[0]
    raise LookupError(f"no figure {where!r}")


def _rows(part: str, figures: str) -> Iterator[tuple[list[str], list[str]]]:
    """All rows of the tables of a part, each with its table's head."""
    block = figures.partition(f"<!-- bench:{part} -->\n")[2].partition(f"<!-- /bench:{part} -->")[0]
    head: list[str] = []
    for line in block.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells or not head:
            head = cells
        elif set(cells[0]) != {"-"}:
            yield head, cells
