"""The lines that README has for a newcomer, and the figures that stand beside them.

What lives here: ``marked``, ``commands``, ``with_figures`` and ``check``. May import the standard library and
``winpack.tools``. Who rewrites README keeps these comments, each before the block or the line that it means:

    <!-- newcomer: host -->      a block of lines: from nothing to a server
    <!-- newcomer: friend -->    from nothing to the call
    <!-- newcomer: talk -->      what the host types besides, to be heard
    <!-- newcomer: figures -->   a paragraph that is written by `make newcomer WRITE=1`
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from winpack.tools import BuildFailed

HOST: Final = "host"
FRIEND: Final = "friend"
TALK: Final = "talk"

_BLOCK: Final = re.compile(r"<!-- newcomer: ([a-z]+) -->\n+(```[a-z]*\n[\s\S]*?\n```|(?: {4}.*\n)+)")
_FIGURES: Final = re.compile(r"<!-- newcomer: figures -->\n+((?:.+\n)+)")


_BETWEEN: Final = ("&&", "||", ";", "&")
"""What stands between two commands of a line."""


@dataclass(frozen=True)
class Counted:
    """What one newcomer typed, and the seconds until they ``reached`` what they wanted."""

    commands: int
    seconds: float
    reached: str


def marked(page: str) -> dict[str, list[str]]:
    """The lines of each marked block, remarks left out; BuildFailed if one of the three is not there."""
    blocks = {who: _lines(text) for who, text in _BLOCK.findall(page)}
    for who in (HOST, FRIEND, TALK):
        if not blocks.get(who):
            raise BuildFailed(f"README.md has no block behind <!-- newcomer: {who} -->")
    return blocks


def commands(lines: list[str]) -> int:
    """How many commands a block has: each line, and each part of one that && or ; joins; a pipe is one."""
    count = 0
    for line in lines:
        words = shlex.shlex(line, posix=True, punctuation_chars="&|;")
        words.whitespace_split = True
        found = [*words, ";"]
        count += sum(word in _BETWEEN and found[at - 1] not in _BETWEEN for at, word in enumerate(found) if at)
    return count


def with_figures(page: str, counted: Mapping[str, Counted]) -> str:
    """The page, with its figures written anew; BuildFailed if it has no place for them."""
    host, friend = counted[HOST], counted[FRIEND]
    told = (
        f"On a Debian 12 with no more than git, make and Python the host types {host.commands} commands and serves\n"
        f"after {host.seconds:.0f} seconds; the friend types {friend.commands} and hears the first word after\n"
        f"{friend.seconds:.0f} seconds (`make newcomer`).\n"
    )
    old = _figures(page)
    return page[: old.start(1)] + told + page[old.end(1) :]


def check(page: str, counted: Mapping[str, Counted]) -> None:
    """BuildFailed if the page counts other commands; the seconds are those of the machine that wrote them."""
    told = re.findall(r"types (\d+)", _figures(page)[1])
    if told != [str(counted[who].commands) for who in (HOST, FRIEND)]:
        raise BuildFailed("README.md counts other commands; make newcomer WRITE=1 writes these")


def _figures(page: str) -> re.Match[str]:
    found = _FIGURES.search(page)
    if not found:
        raise BuildFailed("README.md has no line behind <!-- newcomer: figures -->")
    return found


def _lines(text: str) -> list[str]:
    text = re.sub(r"^```.*$", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    found = (re.split(r"(?:^|\s)#\s", line.strip(), maxsplit=1)[0].strip() for line in text.splitlines())
    return [line for line in found if line]
