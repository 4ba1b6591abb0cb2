"""Text files as editors write them.

Some put a byte-order mark before it, Windows' own write UTF-16 when asked for "Unicode". Imports next to nothing.
"""

import codecs
from typing import Final

from voicechat.errors import ConfigError

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_of(data: bytes) -> str:
    """The text of a file, without a byte-order mark. ConfigError, that goes on after the file's name, if it is none."""
    if data.startswith(_UTF_16) or b"\0" in data:
        raise ConfigError("is not UTF-8 text but, it seems, UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8 text; save it as UTF-8") from None
