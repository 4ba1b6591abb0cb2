"""Figures and tables: medians with their spread, as text that a page and a terminal can show.

Pure; may import the standard library.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

NONE = "-"
"""Where there is no figure."""


@dataclass(frozen=True)
class Table:
    """Rows under a head; ``note`` says how it was made."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def text(self) -> str:
        """Markdown, its columns aligned so that it can be read as it is."""
        lines = [self.head, *self.rows]
        widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(self.head))]
        bars = tuple("-" * width for width in widths)
        told = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
            for line in (self.head, bars, *self.rows)
        ]
        note = f"\n{self.note}\n" if self.note else ""
        return f"**{self.title}**\n\n" + "\n".join(told) + "\n" + note

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"title": self.title, "head": self.head, "rows": self.rows, "note": self.note}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Table":
        """What `plain` gave."""
        rows = tuple(tuple(row) for row in plain["rows"])
        return cls(plain["title"], tuple(plain["head"]), rows, plain["note"])


def told(values: Iterable[float | None], digits: int = 0) -> str:
    """The median, and (lowest to highest) where there are several values."""
    known = [value for value in values if value is not None]
    if not known:
        return NONE
    middle = f"{median(known):.{digits}f}"
    low, high = f"{min(known):.{digits}f}", f"{max(known):.{digits}f}"
    return middle if len(known) == 1 or low == high else f"{middle} ({low} to {high})"


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The value below which so many percent lie (nearest rank); None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else None
