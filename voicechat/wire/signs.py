"""The signs of Unicode that nobody sees, where they belong all the same, and what a letter is. Pure.

Python's ``unicodedata`` says nothing of what is invisible, nor of emoji, so two tables stand
here; the rest is derived from it. It may be older or newer than the other side's: what it does
not know (Cn) is taken for a visible sign, since it will be a letter or an emoji one day.

Sources: DerivedCoreProperties.txt of Unicode 16.0 (Default_Ignorable_Code_Point; unchanged since
14.0), UTS #51 1.4 (sequences of emoji), RFC 5892 appendix A.1 and A.2 (joiners). Joiners are let
pass a little more freely than there: between any letters of a script that joins, since Persian is
typed so, and before a virama, since Bengali is. They make no name another one:
`voicechat.wire.text.likeness` leaves them out.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

ZWNJ: Final = "\u200c"
ZWJ: Final = "\u200d"

_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point: shown as nothing."""

_BLANK: Final = frozenset("\u2800\ufffc\U00013441\U00013442\U00016fe4\U0001d159")
"""Signs whose shape is empty, though Unicode calls them symbols or letters: of UnicodeData.txt 16.0 the BLANKs, NULLs
and FILLERs that are drawn as nothing, and OBJECT REPLACEMENT CHARACTER. Spaces have a category of their own (Zs)."""

_SELECTORS: Final = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Variation selectors: which shape the sign before is to have."""

_PICTURE: Final = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff\U0001fc00-\U0001fffd]"
)
"""Extended_Pictographic of emoji-data.txt 16.0, and what else is in its blocks; with those kept for emoji to come."""

_ELEMENT: Final = f"{_PICTURE}(?:[\ufe0e\ufe0f]|[\U0001f3fb-\U0001f3ff])?"
"""A picture as text or as emoji, or with a tone of skin."""

_PIECE: Final = re.compile(
    # a flag of a part of a country: ISO 3166-2 in tags; England is gbeng
    "\U0001f3f4[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,3}\U000e007f"
    "|[0-9#*]\ufe0f\u20e3"  # a keycap
    f"|{_ELEMENT}(?:{ZWJ}{_ELEMENT})*"
    "|[\U0001f1e6-\U0001f1ff]{2}"  # a flag of a country
    "|.",
    re.DOTALL,
)
"""A sign, or several that are one emoji."""

_JOINED: Final = re.compile(
    "[\u0600-\u07ff\u0840-\u08ff\u1800-\u18af\ua840-\ua87f"
    "\U00010ac0-\U00010aff\U00010b80-\U00010baf\U00010d00-\U00010d3f\U00010f30-\U00010fdf\U0001e900-\U0001e95f]"
)
"""Blocks of the scripts whose letters are written joined (ArabicShaping.txt 16.0): Arabic, Syriac, N'Ko, Mandaic,
Mongolian, Phags-pa, Manichaean, Psalter Pahlavi, Hanifi Rohingya, Sogdian and what came after it, Adlam."""

_VIRAMA: Final = 9
"""The canonical combining class of the signs that make two letters one in the scripts of India."""


def called(sign: str) -> str:
    """How a sign is named to a person, in ASCII: ``U+3164 HANGUL FILLER``."""
    return f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".rstrip()


def unseen(sign: str) -> bool:
    """Shown as nothing, wherever it stands."""
    return _UNSEEN.match(sign) is not None


def blank(sign: str) -> bool:
    """Shown as an empty place, and no space."""
    return sign in _BLANK


def no_character(sign: str) -> bool:
    """One of the 66 code points that never will be a character."""
    return ord(sign) & 0xFFFE == 0xFFFE or "\ufdd0" <= sign <= "\ufdef"


def selects(sign: str) -> bool:
    """A variation selector."""
    return _SELECTORS.match(sign) is not None


def mark(sign: str) -> bool:
    """Belongs to the letter before it: accents, vowels, what encloses."""
    return unicodedata.category(sign) in ("Mn", "Mc", "Me")


def piles(sign: str) -> bool:
    """A mark that takes no place of its own, so that any number of them stand on one letter."""
    return unicodedata.category(sign) in ("Mn", "Me")


def misplaced(text: str, *, within_words: bool = False, unknown: bool = False) -> Iterator[int]:
    """Where signs stand that nobody sees, but those that belong there.

    ``within_words``: a joiner at the end of an Arabic word, which is typed but does nothing, does not belong there.
    ``unknown``: beside a sign that this Python does not know it does. So a receiver judges, whose Unicode may be older
    than the sender's; a sender does not, since the receiver's may be newer.
    """
    if not _UNSEEN.search(text):
        return
    at = 0
    for piece in _PIECE.findall(text):
        if len(piece) == 1 and unseen(piece) and not _belongs(text, at, within_words, unknown):
            yield at
        at += len(piece)


def _belongs(text: str, at: int, within_words: bool, unknown: bool) -> bool:
    """A joiner that no emoji holds: it comes after a letter that joins, or stands beside a virama."""
    if text[at] not in (ZWNJ, ZWJ) or at == 0:
        return False
    before, after = text[at - 1], text[at + 1 : at + 2]
    if _JOINED.match(before) and (_JOINED.match(after) or not within_words):
        return True
    if unicodedata.combining(before) == _VIRAMA or (after and unicodedata.combining(after) == _VIRAMA):
        return True
    return unknown and any(unicodedata.category(sign) == "Cn" and not unseen(sign) for sign in before + after)


def letters(text: str) -> list[str]:
    """The text in letters as people count them: each with its marks, an emoji or a flag as one."""
    found: list[str] = []
    for piece in _PIECE.findall(text):
        if found and (mark(piece[0]) or unseen(piece[0])):
            found[-1] += piece
        else:
            found.append(piece)
    return found


def shortened(text: str, most: int, most_bytes: int) -> str:
    """As many whole letters of the text as are allowed; of a letter too long for all the bytes what fits."""
    kept = ""
    for letter in letters(text)[:most]:
        if len((kept + letter).encode()) > most_bytes:
            break
        kept += letter
    return (kept or text.encode()[:most_bytes].decode(errors="ignore")).strip()


def seen(text: str) -> str:
    """The text without what an eye may miss.

    That is what is shown as nothing or empty, viramas, which may have no shape of their own, and what this Python does
    not know: a font may not know it either.
    """
    return "".join(
        sign
        for sign in text
        if not (unseen(sign) or blank(sign))
        and unicodedata.combining(sign) != _VIRAMA
        and unicodedata.category(sign) != "Cn"
    )
