"""What a name, a room and a text line may be: short, NFC, nothing that controls a terminal."""

import unicodedata
from typing import Final

from voicechat.errors import WireError

MOST_NAME: Final = 32
"""Bytes of UTF-8 of a participant's name."""

MOST_ROOM: Final = 64
"""Bytes of UTF-8 of a room's name."""

MOST_TEXT: Final = 500
"""Characters of one line between friends."""

_COMMANDS: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
"""Categories of characters that are refused: control, format (bidi overrides), surrogate, private, and the breaks of
lines and paragraphs. Unassigned ones (Cn) pass: they are the letters and emoji of a friend's newer Python."""


def check(text: str, what: str) -> None:
    """WireError if a terminal could take part of the text for a command."""
    if not text.isprintable() and any(unicodedata.category(c) in _COMMANDS for c in text):
        raise WireError(f"{what} has control characters")


def _printable(text: str, what: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    check(text, what)
    return text


def name(text: str) -> str:
    """A participant's name, tidied; WireError if it is empty, too long or not printable."""
    text = _printable(text, "the name")
    if not text or len(text.encode()) > MOST_NAME:
        raise WireError(f"a name has 1 to {MOST_NAME} bytes")
    return text


def room(text: str) -> str:
    """A room's name, tidied; it may be empty (the room everybody enters by default)."""
    text = _printable(text, "the room's name")
    if len(text.encode()) > MOST_ROOM:
        raise WireError(f"a room's name has at most {MOST_ROOM} bytes")
    return text


def line(text: str) -> str:
    """A text line, tidied; WireError if it is empty, too long or not printable."""
    text = _printable(text, "the text")
    if not text or len(text) > MOST_TEXT:
        raise WireError(f"a text has 1 to {MOST_TEXT} characters")
    return text
