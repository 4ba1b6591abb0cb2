"""What a name, a room and a text line may be: short, NFC, nothing that controls a terminal or hides from the eye.

A name, and a room's, is refused for a sign that does not belong there; the error names it. A line, which may be pasted
from anywhere, is refused for what could control a terminal, and loses without a word what nobody sees.
"""

import re
import unicodedata
from collections.abc import Callable, Collection
from typing import Final

from voicechat.errors import WireError
from voicechat.wire import signs

MOST_NAME: Final = 32
"""Letters of a participant's name (`signs.letters`)."""

MOST_NAME_BYTES: Final = 128
"""Bytes of UTF-8 of it: as many letters of any script, while they have no marks. With all that is around it still fits
into a request (`handshake.MAX_REQUEST`), for a room with a short name."""

MOST_ROOM: Final = 64
"""Letters of a room's name."""

MOST_ROOM_BYTES: Final = 128
"""Bytes of UTF-8 of it; a request has no place for more."""

MOST_TEXT: Final = 500
"""Characters of one line between friends."""

MOST_MARKS: Final = 4
"""Marks on one letter that take no place of their own: more are a pile that hides the lines above and below
(UTS #39 5.4 advises this number)."""

_COMMANDS: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
"""Categories of characters that are refused: control, format (bidi overrides), surrogate, private, and the breaks of
lines and paragraphs. Unassigned ones (Cn) pass: they are the letters and emoji of a friend's newer Python."""

_LATER_FORMATS: Final = re.compile("[\U00013439-\U0001343f]")
"""Format characters of Unicode 15.0: an older Python takes them for unassigned, and would pass them on to a newer one,
which would end its connection at them."""

_BELONG_SOMEWHERE: Final = re.compile("[\u200c\u200d\U000e0020-\U000e007f]")
"""Format characters that emoji and scripts need: joiners and tags."""

_SPACES: Final = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
"""Unicode's spaces (Zs); several are one to the eye."""

_NUMBERED: Final = re.compile(r"\(\s*\d+\s*\)$")
"""How a name ends that the server had to make another one of."""


def check(text: str, what: str, most_bytes: int | None = None) -> None:
    """WireError if a terminal could take part of the text for a command, if it hides joiners that belong nowhere.

    Or if it is longer than ``most_bytes`` of UTF-8. That is what a receiver asks of names; letters it does not count,
    since its Unicode may be an older one.
    """
    if most_bytes is not None and len(text) > most_bytes // 4 and len(text.encode(errors="replace")) > most_bytes:
        raise WireError(f"{what} has more than {most_bytes} bytes")
    if text.isprintable():
        return
    wrong = frozenset(signs.misplaced(text, unknown=True))
    for at, sign in enumerate(text):
        if _commands(sign) and (at in wrong or not _BELONG_SOMEWHERE.match(sign)):
            raise _refused(sign, what)


def _commands(sign: str) -> bool:
    return unicodedata.category(sign) in _COMMANDS or _LATER_FORMATS.match(sign) is not None


def _refused(sign: str, what: str) -> WireError:
    if unicodedata.category(sign) == "Cc":
        return WireError(f"{what} has control characters ({signs.called(sign)})")
    return WireError(f"{what} may not have {signs.called(sign)}")


def name(text: str) -> str:
    """A participant's name, tidied; WireError if it is empty, too long, or has what nobody could read."""
    text = _title(text, "the name")
    if not text or _too_long(text, MOST_NAME, MOST_NAME_BYTES):
        raise WireError(f"a name has 1 to {MOST_NAME} letters, in at most {MOST_NAME_BYTES} bytes")
    if not any(unicodedata.category(sign)[0] in "LN" for sign in text):
        raise WireError("a name has a letter or a digit")
    return text


def chosen_name(text: str) -> str:
    """A name that somebody asks for: one that does not end with a number in brackets.

    Those are the server's, for one whose friend has the name already.
    """
    text = name(text)
    if _NUMBERED.search(likeness(text)):
        raise WireError("a name does not end with a number in brackets: the server adds those")
    return text


def room(text: str) -> str:
    """A room's name, tidied; it may be empty (the room everybody enters by default)."""
    text = _title(text, "the room's name")
    if _too_long(text, MOST_ROOM, MOST_ROOM_BYTES):
        raise WireError(f"a room's name has at most {MOST_ROOM} letters, in at most {MOST_ROOM_BYTES} bytes")
    return text


def line(text: str) -> str:
    """A text line, tidied; WireError if it is empty, too long or not printable."""
    text = unicodedata.normalize("NFC", _without_unseen(unicodedata.normalize("NFC", text))).strip()
    check(text, "the text")
    for at in signs.misplaced(text):
        if not signs.selects(text[at]):
            raise _refused(text[at], "the text")
    if not any(_visible(sign) for sign in text) or len(text) > MOST_TEXT:
        raise WireError(f"a text has 1 to {MOST_TEXT} characters")
    return text


def likeness(name: str) -> str:
    """What two names have in common that look alike: case, width, and what the eye misses are left out."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(signs.seen(folded).split())


def distinct(name: str, taken: Collection[str], short: Callable[[str, int], str]) -> str:
    """The name, or the first of ``name (2)``, ``name (3)`` ... that is like none of the ``taken`` likenesses.

    ``short(name, less)`` shortens it so that ``less`` more letters of ASCII may follow.
    """
    number, suffix, base, like = 1, "", name, likeness(name)
    while (like + suffix).strip() in taken:
        number += 1
        longer = f" ({number})"
        if len(longer) > len(suffix):
            base = short(name, len(longer))
            like = likeness(base)
        suffix = longer
    return base + suffix


def short_name(name: str, less: int = 0) -> str:
    """As much of a name as may be one, with ``less`` letters of ASCII behind it."""
    return signs.shortened(name, MOST_NAME - less, MOST_NAME_BYTES - less)


def _title(text: str, what: str) -> str:
    """What the names of people and of rooms have in common."""
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()
    check(text, what)
    for at in signs.misplaced(text, within_words=True):
        raise _refused(text[at], what)
    marks = 0
    for at, sign in enumerate(text):
        if signs.blank(sign) or signs.no_character(sign) or (signs.mark(sign) and (not at or text[at - 1] == " ")):
            raise _refused(sign, what)
        marks = _marks(marks, sign)
        if marks > MOST_MARKS:
            raise WireError(f"{what} may not have more than {MOST_MARKS} marks on a letter ({signs.called(sign)})")
    return text


def _marks(before: int, sign: str) -> int:
    """How many marks are piled up when this sign has come, after so many; what nobody sees ends no pile."""
    if sign.isascii():
        return 0
    if signs.unseen(sign):
        return before
    return before + 1 if signs.piles(sign) else 0


def _too_long(text: str, most: int, most_bytes: int) -> bool:
    return len(signs.letters(text)) > most or len(text.encode()) > most_bytes


def _without_unseen(text: str) -> str:
    """A line without signs that nobody sees, and without marks that are one too many.

    Format characters stay, to be refused. So does the selector behind a sign: it may choose the shape of a letter.
    """
    if text.isascii():
        return text
    wrong, kept, marks = frozenset(signs.misplaced(text)), "", 0
    for at, sign in enumerate(text):
        chosen = signs.selects(sign) and kept and _visible(kept[-1])
        if at in wrong and not chosen and not _commands(sign):
            continue
        marks = _marks(marks, sign)
        if marks <= MOST_MARKS:
            kept += sign
    return kept


def _visible(sign: str) -> bool:
    return not (sign.isspace() or signs.unseen(sign) or signs.blank(sign) or signs.mark(sign))
