"""Volumes: how loud each friend is for me, remembered by name.

They are kept in a small file of the user's, with no rights for others, since it tells
whom they do not want to hear. A file that cannot be read or written costs the memory
and nothing else.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from voicechat.errors import ConfigError

MOST_NAMES: Final = 200
"""Names remembered; the one set longest ago is forgotten first. More friends than anybody has."""

LOUDEST_DB: Final = 12.0
SOFTEST_DB: Final = -30.0
"""Range of a friend's volume: below, muting them is meant; above, the limiter would be all that is heard."""

LONGEST_FILE: Final = 64 * 1024
"""Bytes of the file that are read: 200 names of 128 bytes, 32 of them escaped, and their numbers are 40 000."""

_Level = Annotated[float, Meta(ge=SOFTEST_DB, le=LOUDEST_DB)]


class _Kept(msgspec.Struct):
    """The file: JSON."""

    volumes: dict[str, _Level | None]
    """In dB by name; null is muted."""


def place() -> Path | None:
    """Where this platform keeps such a file; None where platformdirs is not installed, or nobody has a home."""
    try:
        import platformdirs
    except ImportError:
        return None
    try:
        folder = platformdirs.user_state_path("voicechat", appauthor=False)
    except RuntimeError:  # no home
        return None
    return folder / "volumes.json" if folder.is_absolute() else None  # older releases take relative ones


class Volumes:
    """In dB by name; None is muted for me, 0 for whom nothing was said. ``path`` is the file; without one none is."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._by_name: dict[str, float | None] = {}

    def load(self) -> None:
        """Take what the file says. ConfigError if there is one and it cannot be understood; then nothing is taken."""
        if self._path is None:
            return
        try:
            with self._path.open("rb") as stream:
                kept = msgspec.json.decode(stream.read(LONGEST_FILE), type=_Kept)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            if not os.path.lexists(self._path):  # its folder is none, or cannot be looked into
                return
            why = error.strerror if isinstance(error, OSError) else error
            raise ConfigError(f"your friends' volumes cannot be read from {self._path}: {why}") from None
        for name, db in list(kept.volumes.items())[-MOST_NAMES:]:
            self.set(name, db)

    def save(self) -> None:
        """Write the file anew, whole or not at all. ConfigError if it cannot be written."""
        if self._path is None:
            return
        kept = _Kept({name: db for name, db in self._by_name.items() if db != 0})
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                fresh.unlink()
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(msgspec.json.encode(kept))
            fresh.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink()
            raise ConfigError(f"your friends' volumes cannot be written to {self._path}: {error.strerror}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def get(self, name: str) -> float | None:
        """A friend's volume."""
        return self._by_name.get(name, 0.0)

    def items(self) -> Iterator[tuple[str, float | None]]:
        """All that was set, 0 dB too, in the order in which it was."""
        return iter(list(self._by_name.items()))

    def set(self, name: str, db: float | None) -> None:
        """Remember a friend's volume."""
        self._by_name.pop(name, None)
        self._by_name[name] = db
        while len(self._by_name) > MOST_NAMES:
            del self._by_name[next(iter(self._by_name))]
