"""A terminal's picture shows each letter in its place, in its colours."""

from pathlib import Path
from typing import Any

import numpy as np
import pyte
import pytest
from matplotlib.image import imread
from numpy.typing import NDArray

from demo import browsershot, screenshot
from demo.painting import CELL, COLOURS, INK, MARGIN, PAPER, paint
from tests.docs.pages import ROOT


def painted(tmp_path: Path, written: str) -> NDArray[Any]:
    """The picture of a terminal of 20 x 3 with ``written`` on it: rows, columns; red, green, blue of 0 to 255."""
    screen = pyte.Screen(20, 3)
    pyte.Stream(screen).feed(written)
    paint(tmp_path / "screen.png", [[screen.buffer[row][column] for column in range(20)] for row in range(3)])
    picture: NDArray[Any] = np.round(imread(tmp_path / "screen.png")[:, :, :3] * 255).astype(int)
    return picture


def colours(picture: NDArray[Any], row: int, column: int) -> set[str]:
    """The colours within one letter's place."""
    left, top = round(MARGIN + column * CELL[0]), round(MARGIN + row * CELL[1])
    place = picture[top + 1 : top + int(CELL[1]) - 1, left + 1 : left + int(CELL[0]) - 1].reshape(-1, 3)
    return {"#{:02x}{:02x}{:02x}".format(*pixel) for pixel in place}


def test_a_picture_is_as_large_as_its_letters(tmp_path: Path) -> None:
    assert painted(tmp_path, "").shape == (3 * CELL[1] + 2 * MARGIN, 20 * CELL[0] + 2 * MARGIN, 3)


def test_a_letter_is_drawn_where_it_stands_and_nowhere_else(tmp_path: Path) -> None:
    picture = painted(tmp_path, "\r\n   █")
    assert colours(picture, 1, 3) == {INK}
    empty = [(row, column) for row in range(3) for column in range(20) if (row, column) not in ((1, 2), (1, 3), (1, 4))]
    assert {colour for place in empty for colour in colours(picture, *place)} == {PAPER}


def test_colours_are_the_terminals(tmp_path: Path) -> None:
    picture = painted(tmp_path, "\x1b[32m█\x1b[0m \x1b[7m \x1b[0m \x1b[38;5;16;48;5;77m \x1b[0m")
    assert colours(picture, 0, 0) == {COLOURS["green"]}
    assert colours(picture, 0, 2) == {INK}, "reversed"
    assert colours(picture, 0, 4) == {"#5fd75f"}, "one of 256"


def test_a_letter_that_the_font_lacks_is_told(tmp_path: Path) -> None:
    """Else it would be a box; tests take warnings for errors, so the screen's own letters are all there."""
    with pytest.warns(UserWarning, match="missing from font"):
        painted(tmp_path, "\ue123")
    painted(tmp_path, "ČěПλ─█·•|")


def test_make_pictures_makes_every_picture() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\npictures:")[2].partition("\n\n")[0]
    made = {module.PICTURE for module in (browsershot, screenshot) if f"-m {module.__name__}\n" in recipe + "\n"}
    assert {ROOT / picture for picture in made} == {*(ROOT / "docs" / "pictures").iterdir()}
