"""Names and texts as 0.1.0 takes them, for whoever does not say that it takes more (`messages.LETTERS`).

0.1.0 ends its connection at any joiner or tag that it receives, and knows names of 32 bytes
and rooms of 64. What it shows instead is the same text without them: a family becomes its
people, England's flag a black one.
"""

import unicodedata
from typing import Final

import msgspec

from voicechat.wire import messages, signs

MOST_NAME_BYTES: Final = 32
MOST_ROOM_BYTES: Final = 64
"""Of UTF-8, as 0.1.0 limits them."""


def line(text: str) -> str:
    """A text without joiners and tags."""
    kept = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    return unicodedata.normalize("NFC", kept).strip()


def name(text: str, less: int = 0) -> str:
    """A name, shortened so that ``less`` bytes may follow."""
    return signs.shortened(line(text), MOST_NAME_BYTES, MOST_NAME_BYTES - less)


def room(name: str) -> str:
    """A room's name."""
    return signs.shortened(line(name), MOST_ROOM_BYTES, MOST_ROOM_BYTES)


def request(asked: messages.Request) -> messages.Request:
    """A request that a server of 0.1.0 grants."""
    return msgspec.structs.replace(asked, name=name(asked.name), room=room(asked.room))
