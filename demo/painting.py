"""What a terminal shows, as one picture.

What lives here: ``paint``. May import matplotlib (with the Agg canvas: no display, and a font of its own, so that the
picture is the same on each machine) and values of pyte's. Writes one PNG.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

FONT: Final = "DejaVu Sans Mono"
"""matplotlib brings it along."""

CELL: Final = (10.0, 21.0)
"""Pixels of a letter's place: 80 of them are as wide as a page shows."""

SIZE: Final = 12.0
"""Points of the font at 100 dots an inch: a letter is 0.602 of it wide, 10 pixels."""

MARGIN: Final = 12.0
"""Pixels around all."""

PAPER, INK = "#1d1f21", "#d8dad5"
COLOURS: Final = {
    "black": "#1d1f21",
    "red": "#e06c75",
    "green": "#8fc380",
    "brown": "#e5c07b",
    "blue": "#6fb0ef",
    "magenta": "#c78add",
    "cyan": "#5fb8c2",
    "white": "#d8dad5",
}
"""pyte's names; what is no name is six hexadecimal digits."""


def paint(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    """Write a PNG of ``rows`` of pyte's characters, each row as long as the first one."""
    width, height = len(rows[0]) * CELL[0] + 2 * MARGIN, len(rows) * CELL[1] + 2 * MARGIN
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor=PAPER)
    FigureCanvasAgg(figure)
    page = figure.add_axes((0, 0, 1, 1))
    page.set_xlim(0, width)
    page.set_ylim(height, 0)
    page.set_axis_off()
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            ink, paper = _colours(cell)
            left, top = MARGIN + column * CELL[0], MARGIN + row * CELL[1]
            if paper != PAPER:
                page.add_patch(Rectangle((left, top), *CELL, color=paper, linewidth=0, antialiased=False))
            if cell.data.strip():
                weight = "bold" if cell.bold else "normal"
                page.text(
                    left, top + 0.76 * CELL[1], cell.data, color=ink, family=FONT, size=SIZE, weight=weight
                ).set_zorder(2)
    figure.savefig(path, facecolor=PAPER, metadata={"Software": None})


def _colours(cell: Any) -> tuple[str, str]:
    """A character's own colour and the one behind it."""
    ink, paper = _hex(cell.fg, INK), _hex(cell.bg, PAPER)
    return (paper, ink) if cell.reverse else (ink, paper)


def _hex(name: str, default: str) -> str:
    if name == "default":
        return default
    return COLOURS.get(name) or f"#{name}"
