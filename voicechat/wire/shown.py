"""How the names and texts of others stand in a line for a person, on a terminal or in a log. Pure.

A name could read like the rest of a line ("Ben left (shut down). Ann"), so all but a single
word stands in quotes, in which its own are marked. Right-to-left text would draw what stands
beside it to its own side (UAX #9), so it is isolated; text without it is not, since a terminal
that knows nothing of directions may draw the isolates.
"""

import re
import unicodedata
from typing import Final

from voicechat.wire import signs

_FSI, _PDI = "\u2068", "\u2069"
"""FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE: what stands between has its own direction, and gives none."""

_RIGHT_TO_LEFT: Final = frozenset(("R", "AL", "AN"))
"""Bidirectional classes: Hebrew and its like, Arabic and its like, Arabic digits."""

_NUMBER: Final = re.compile(r" \(\d+\)$", re.ASCII)
"""What the server puts behind a name that another one has; nobody can ask for it."""

_IN_WORDS: Final = "-_'’.@"
"""Punctuation of names that are one word all the same: Jean-Luc, O'Brien, max.muster@example."""

_WORDS: Final = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "So", "Sk", "Cn"))
"""Categories: letters, marks, digits, pictures, tones of skin, and letters that this Python does not know yet."""


def isolated(text: str) -> str:
    """The text with marks around that keep its direction inside, if it has right-to-left letters."""
    if text.isascii() or not any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in text):
        return text
    return f"{_FSI}{text}{_PDI}"


def closed(text: str) -> str:
    """A text that was cut, with no isolate left open."""
    return text + _PDI * (text.count(_FSI) - text.count(_PDI))


def legible(name: str) -> str:
    """A name with what nobody sees of it as escapes: a server of 0.1.0 lets such names pass."""
    hidden = frozenset(signs.misplaced(name, within_words=True))
    return "".join(
        sign.encode("unicode_escape").decode() if at in hidden or signs.blank(sign) else sign
        for at, sign in enumerate(name)
    )


def quoted(text: str) -> str:
    """A name or a text in quotes that it cannot end itself, as ``repr`` does it, but with every letter as it is."""
    quote = '"' if "'" in text and '"' not in text else "'"
    inner = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return quote + isolated(legible(inner)) + quote


def named(name: str) -> str:
    """A name in a line: bare if it is one word, with the server's number perhaps; else in quotes."""
    word = _NUMBER.sub("", name)
    if word and word[0].isalnum() and word[-1] != "." and all(map(_in_word, word)) and legible(name) == name:
        return isolated(name)
    return quoted(name)


def _in_word(sign: str) -> bool:
    return sign in _IN_WORDS or signs.unseen(sign) or unicodedata.category(sign) in _WORDS
