"""Text as editors and files of variables leave it.

Some editors put a byte-order mark before it, Windows' own write UTF-16 when asked for "Unicode", and lines that end
with CR LF leave the CR in a variable. Imports next to nothing.
"""

import codecs
from collections.abc import Mapping
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


def variable(environ: Mapping[str, str], name: str) -> str:
    """The value of a variable, without a line's end; '' if there is none."""
    return environ.get(name, "").rstrip("\r\n")
