"""A password that cannot slip out by accident, and a generator of good ones.

May import the standard library and ``voicechat.errors``. Nothing here prints,
logs or stores; no exception raised here carries the text, neither in its
message nor in its chain.

Passwords reach this class from options, files, the environment and prompts, and
from then on travel only inside it. What it guards against is carelessness: a
log line, a repr in a traceback, a pickled option, a comparison that tells by its
time how much was right. It does not hide the text from somebody who reads the
process' memory; Python cannot wipe a string.
"""

import hmac
import secrets
import unicodedata
from typing import Final, NoReturn

from voicechat.errors import ConfigError

SHORT: Final = 8
"""Passwords of fewer characters deserve a warning: guessing is limited to 10 tries in 2 minutes an address."""

ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""What generated passwords are made of: no 0 and o, no 1, l and i. 31 letters, 4.95 bits each."""

GROUPS: Final = 3
GROUP_LETTERS: Final = 4
"""Three groups of four letters: 59 bits. Each guess costs an attacker a login, so 50 bits would do."""

HIDDEN: Final = "***"
"""What stands wherever the text would have been shown."""


class Secret:
    """A password. Equal to another Secret of the same text, compared in constant time; never shown.

    The text is normalised to NFC, because one keyboard types "é" as one
    character and another as two. ConfigError when it is empty or not text at
    all (an argument of undecodable bytes).
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not text:
            raise ConfigError("the password is empty")
        # Asked beforehand: UnicodeEncodeError would carry the whole password.
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ConfigError("the password is not valid UTF-8 text")
        self._text = unicodedata.normalize("NFC", text)

    def reveal(self) -> str:
        """The text itself, for a link or a prompt that its owner asked for."""
        return self._text

    def to_bytes(self) -> bytes:
        """The text as NFC UTF-8, what the login proves knowledge of."""
        return self._text.encode()

    @property
    def is_short(self) -> bool:
        """Whether the owner should be warned."""
        return len(self._text) < SHORT

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.to_bytes(), other.to_bytes())

    __hash__ = None  # type: ignore[assignment]  # a hash would tell equal passwords apart from unequal ones

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret is not to be pickled")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not to be pickled")


def generate() -> Secret:
    """A new password such as ``k7qx-m3vt-9hrw``: 59 bits, easy to read out and to type."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LETTERS)) for _ in range(GROUPS))
    return Secret("-".join(groups))
