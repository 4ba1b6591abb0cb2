"""Whether every style can be read, in the themes that people have.

What urwid sends to the terminal is read back as a terminal does, and the contrast is computed
as WCAG 2.2 has it (relative luminance, 1.4.3: 4.5 and more for text).
"""

import io
import itertools
import re
from typing import Any, Literal, NamedTuple

import pytest
import urwid

from voicechat.client.ui.widgets import PALETTE, colours

LEAST = 4.5


class Theme(NamedTuple):
    """A terminal's colours: its own text and background, and the first sixteen."""

    text: str
    background: str
    sixteen: str


THEMES = {
    "Ubuntu": Theme(
        "ffffff",
        "300a24",
        "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf "
        "555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec",
    ),
    "Solarized Dark": Theme(
        "839496",
        "002b36",
        "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 "
        "002b36 cb4b16 586e75 657b83 839496 6c71c4 93a1a1 fdf6e3",
    ),
    "Solarized Light": Theme(
        "657b83",
        "fdf6e3",
        "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 "
        "002b36 cb4b16 586e75 657b83 839496 6c71c4 93a1a1 fdf6e3",
    ),
    "Nord": Theme(
        "d8dee9",
        "2e3440",
        "3b4252 bf616a a3be8c ebcb8b 81a1c1 b48ead 88c0d0 e5e9f0 "
        "4c566a bf616a a3be8c ebcb8b 81a1c1 b48ead 8fbcbb eceff4",
    ),
    "white": Theme(
        "000000",
        "ffffff",
        "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 "
        "7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff",
    ),
    "Linux console": Theme(
        "aaaaaa",
        "000000",
        "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa "
        "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    ),
}
"""As their makers publish them."""


def luminance(colour: str) -> float:
    """Relative luminance of rrggbb."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def cube(number: int) -> str:
    """Colours 16 to 255 of xterm."""
    if number >= 232:
        return f"{8 + 10 * (number - 232):02x}" * 3
    steps = (0, 95, 135, 175, 215, 255)
    rest = number - 16
    return "".join(f"{steps[part]:02x}" for part in (rest // 36, rest // 6 % 6, rest % 6))


def shown(sgr: list[int], theme: Theme) -> tuple[str, str]:
    """Text and background, after a terminal was sent the numbers of an SGR sequence."""
    sixteen = theme.sixteen.split()
    text, background, turned = theme.text, theme.background, False
    numbers = iter(sgr)
    for number in numbers:
        if number in (38, 48):
            assert next(numbers) == 5
            which = next(numbers)
            colour = sixteen[which] if which < 16 else cube(which)
            text, background = (colour, background) if number == 38 else (text, colour)
        elif number in (0, 39):
            text = theme.text
            background, turned = (background, turned) if number else (theme.background, False)
        elif number == 49:
            background = theme.background
        elif number == 7:
            turned = True
        elif number // 10 in (3, 9):
            text = sixteen[number % 10 + 8 * (number >= 90)]
        elif number // 10 in (4, 10):
            background = sixteen[number % 10 + 8 * (number >= 100)]
        else:
            assert number in (1, 22), "bold takes no colour away; faint would"
    return (background, text) if turned else (text, background)


def sent(count: Literal[16, 256]) -> dict[str, list[int]]:
    """What a terminal is sent before a word in each style."""
    display = urwid.display.raw.Screen(input=io.StringIO(), output=io.StringIO())
    display.set_terminal_properties(colors=count)
    display.register_palette(PALETTE)
    found = {}
    for style in (entry[0] for entry in PALETTE):
        sequence: Any = display._attr_to_escape(style)
        found[style] = [int(part or 0) for part in ";".join(re.findall(r"\x1b\[([\d;]*)m", sequence)).split(";")]
    return found


@pytest.mark.parametrize(("theme", "count"), list(itertools.product(THEMES, (16, 256))))
def test_every_style_can_be_read(theme: str, count: Literal[16, 256]) -> None:
    """Where the theme's own text is fainter than that, as in Solarized Light, no style is fainter than the theme's."""
    mine = THEMES[theme]
    least = min(LEAST, contrast(mine.text, mine.background))
    told = {style: contrast(*shown(sgr, mine)) for style, sgr in sent(count).items()}
    assert {style: found for style, found in told.items() if found < least} == {}


def test_where_there_are_colours_what_counts_has_one() -> None:
    told = {style: shown(sgr, THEMES["white"]) for style, sgr in sent(256).items()}
    plain = told["dim"]
    for style in ("lost", "talks", "alarm", "trouble", "meter"):
        assert told[style] != plain
    assert len({told[style] for style in ("talks", "alarm", "trouble")}) == 3


def test_bright_black_would_be_noticed() -> None:
    """The test can fail: this is what events, delays and rules were drawn in."""
    found = {name: contrast(*shown([90], theme)) for name, theme in THEMES.items()}
    assert found["Solarized Dark"] == pytest.approx(1.0)
    assert found["Ubuntu"] < LEAST
    assert found["Nord"] < LEAST
    assert contrast(*shown([92], THEMES["white"])) < LEAST


@pytest.mark.parametrize(
    ("environ", "count"),
    [
        ({"TERM": "xterm-256color"}, 256),
        ({"TERM": "tmux-256color"}, 256),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, 256),
        ({"TERM": "linux"}, 16),
        ({"TERM": "xterm"}, 16),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, 1),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, 256),
    ],
)
def test_as_many_colours_as_the_terminal_has(environ: dict[str, str], count: int) -> None:
    assert colours(environ) == count
