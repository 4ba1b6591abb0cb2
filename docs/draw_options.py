"""Draw the tables of docs/reference.md from those in the code.

``python -m docs.draw_options`` writes them into the page, between their markers; a test
fails if the page is stale. May import what declares options, exit codes, words and keys.
"""

import itertools
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from voicechat.client import cli
from voicechat.client.remote.program import CTL
from voicechat.client.ui import view
from voicechat.options.option import Option, Options, Program
from voicechat.server import command

PAGE: Final = Path(__file__).with_name("reference.md")

PROGRAMS: Final = {"client": cli.PROGRAM, "server": command.PROGRAM, "ctl": CTL}

EVERY: Final = Option("", "").between
"""The span of numbers that is worth no word."""

_BLOCK: Final = re.compile(r"(<!-- begin (\w+): (\w+) -->\n)(?:.*?\n)??(<!-- end \2 -->)", re.DOTALL)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("| ---", "|---").replace("--- |", "---|") for line in lines)


def _row(option: Option) -> tuple[str, ...]:
    flags = _code(f"--{option.name} {option.value}".strip())
    flags += f" `--no-{option.name}`" if option.negatable else ""
    flags += f", `-{option.short}`" if option.short else ""
    least, most = option.between
    span = f"; {least:g} to {most:.15g}" if option.kind in (int, float) and option.between != EVERY else ""
    return flags, _code(option.usual), _code(option.kept * option.variable), option.help + span


def options(these: Options) -> str:
    """A table, or one for each group with its heading."""
    head = ("option", "default", "environment", "")
    parts = []
    for group, those in itertools.groupby(these, lambda option: option.group):
        heading = f"### {group[0].upper()}{group[1:]}\n\n" if group else ""
        parts.append(heading + _table(head, map(_row, those)))
    return "\n\n".join(parts)


def exits(program: Program) -> str:
    """The exit codes of a program."""
    return _table(("code", "because"), ((str(int(code)), why) for code, why in program.exits.items()))


def own(program: Program) -> str:
    """What its commands take besides what the program itself does."""
    head = ("command", "option", "")
    return _table(
        head,
        (
            (_code(word), flags, told)
            for word, command in program.commands.items()
            for flags, _, _, told in map(_row, command.options)
            if flags not in {_row(option)[0] for option in program.options}
        ),
    )


def commands(program: Program) -> str:
    """The words that a program takes before all options."""
    rows = ((_code(f"{word} {command.values}".strip()), command.help) for word, command in program.commands.items())
    return _table(("word", ""), rows)


def keys(_: Program) -> str:
    """The keys of the client's screen."""
    return _table(("key", ""), view.KEYS)


DRAWN: Final[dict[str, Callable[[Program], str]]] = {
    "options": lambda program: options(program.options),
    "codes": exits,
    "commands": commands,
    "own": own,
    "keys": keys,
}


def updated(page: str) -> str:
    """The page with its tables drawn anew."""
    return _BLOCK.sub(lambda block: f"{block[1]}{DRAWN[block[2]](PROGRAMS[block[3]])}\n{block[4]}", page)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
