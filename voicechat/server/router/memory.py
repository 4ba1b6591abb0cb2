"""What is to be taken back, and what an invitation says of the way in: one line of the state folder.

It is written before a router is asked, so that what was opened is known after a crash. Whoever can write to the folder
has the password, too; what is wrong in the file counts as nothing.
"""

from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import msgspec

from voicechat.server import state
from voicechat.server.router.wire import NONCE_BYTES, Address

FILE: Final = "router"
IPV6: Final = "ipv6"
"""The folder below the state folder where the same stands of IPv6."""

LONGEST: Final = 1000
"""Bytes that are read of it."""


class Remembered(msgspec.Struct, frozen=True):
    """What was asked of a router, and what came of it."""

    router: str
    """Its address, '' if it is not known."""
    inner: int
    nonce: str
    way: str = ""
    """How it was opened, '' if that is not known."""
    outer: int = 0
    address: str = ""

    @property
    def reached_at(self) -> tuple[Address, int] | None:
        """By which address and port it is reached from outside."""
        with suppress(ValueError):
            return (ip_address(self.address), self.outer) if self.outer else None
        return None


def remember(folder: Path, it: Remembered) -> None:
    """Keep it. OSError if that cannot be."""
    state.keep(folder / FILE, msgspec.json.encode(it).decode("ascii"))


def remembered(folder: Path) -> Remembered | None:
    """What was kept; None if there is nothing, or nothing that makes sense."""
    try:
        with (folder / FILE).open("rb") as file:
            it = msgspec.json.decode(file.read(LONGEST), type=Remembered)
        good = 0 < it.inner < 65_536 and 0 <= it.outer < 65_536 and len(bytes.fromhex(it.nonce)) == NONCE_BYTES
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    return it if good else None


def is_left(folder: Path | None) -> bool:
    """Whether something may have to be taken back."""
    return folder is not None and any((place / FILE).exists() for place in (folder, folder / IPV6))


def forget(folder: Path) -> None:
    """There is nothing to be taken back."""
    with suppress(OSError):
        (folder / FILE).unlink()
