"""The documentation as tests read it: pages, their blocks, their tables, and the code that they name."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^```(.*)$")
_SPAN = re.compile(r"`([^`\n]+)`")
_NUMBER = re.compile(r"(?<!\S)-?\d+(?:\.\d+)?|\d+(?:\.\d+)?")


class Block(NamedTuple):
    """A fenced or indented block; ``info`` is what stands behind the fence."""

    info: str
    lines: list[str]


def blocks(page: str) -> Iterator[Block]:
    """All blocks of a page."""
    fenced: Block | None = None
    indented: list[str] = []
    for line in page.splitlines():
        fence = _FENCE.match(line)
        if fenced is not None:
            if fence:
                yield fenced
                fenced = None
            else:
                fenced.lines.append(line)
        elif fence:
            fenced = Block(fence[1].strip(), [])
        elif line.startswith("    ") or (indented and not line.strip()):
            indented.append(line.strip())
        elif indented:
            yield Block("", indented)
            indented = []
    assert fenced is None, "a block is not closed"
    if indented:
        yield Block("", indented)


def named(page: str) -> dict[str, Block]:
    """The fenced blocks by what stands behind their fences."""
    return {block.info: block for block in blocks(page) if block.info}


def hexadecimal(block: Block) -> bytes:
    """The bytes of an example; remarks begin with #."""
    return bytes.fromhex("".join(line.partition("#")[0] for line in block.lines))


def spans(text: str) -> list[str]:
    """What stands between backticks."""
    return _SPAN.findall(text)


def prose(page: str) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)


def tables(page: str) -> Iterator[list[list[str]]]:
    """All tables, each a list of rows of cells; the first row is the head."""
    rows: list[list[str]] = []
    for line in [*prose(page).splitlines(), ""]:
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not all(set(cell) <= set("-: ") for cell in cells):
                rows.append(cells)
        elif rows:
            yield rows
            rows = []


def table(page: str, *head: str) -> list[list[str]]:
    """The rows of the table whose head begins with ``head``."""
    (found,) = [rows[1:] for rows in tables(page) if rows[0][: len(head)] == list(head)]
    return found


def numbers(cell: str) -> list[float]:
    """The numbers in a cell."""
    return [float(number) for number in _NUMBER.findall(cell)]


def figure(dotted: str) -> float:
    """A number of the code by its name below ``voicechat``; a limit by its class' name; one of a pair by [0]."""
    dotted, _, index = dotted.removesuffix("]").partition("[")
    parts = dotted.split(".")
    value: object = None
    for cut in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(["voicechat", *parts[:cut]]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            value = getattr(value() if isinstance(value, type) and issubclass(value, msgspec.Struct) else value, part)
        break
    if index:
        assert isinstance(value, tuple)
        value = value[int(index)]
    assert isinstance(value, int | float), f"{dotted} is not a number of the code"
    return float(value)
