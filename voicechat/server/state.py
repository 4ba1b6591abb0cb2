"""The state folder: what the server keeps from one start to the next, today a password that it made, and its port.

Beside them lie what the host said about the router (`router.choice`), and what to take back there (`router.memory`).
Everything in it is its owner's alone, and whole or not there. Imports little.
"""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from voicechat.errors import ConfigError
from voicechat.security import secret

PASSWORD: Final = "password"  # noqa: S105
"""The file of the password."""

PORT: Final = "port"
"""The file of the port that the server had when it was started last."""

_LONGEST_PORT: Final = 8
"""Bytes that are read of it."""

_OWNER_ONLY: Final = 0o700


def usual(environ: Mapping[str, str]) -> Path:
    """The folder where none was named: systemd's StateDirectory=, else the platform's place. ConfigError if neither is.

    Below the client's, which keeps its friends' volumes there.
    """
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    import platformdirs

    try:
        folder = platformdirs.user_state_path("voicechat", appauthor=False) / "server"
    except RuntimeError:  # no home
        folder = Path()
    if not folder.is_absolute():
        raise ConfigError("no usual place for the password is known (HOME is not set); name one with --state DIR")
    return folder


def located(text: str) -> Path:
    """The folder that a text names, in which ``~`` is the home folder; whole, since a daemon goes elsewhere."""
    try:
        return Path(text).expanduser().absolute()
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"cannot find {text}: {error}") from None


def first_password(path: Path) -> bool:
    """Have a password in a file; whether it was made just now, since there was none. ConfigError if it cannot be."""
    return not os.path.lexists(path) and _kept(path, replace=False)


def new_password(path: Path) -> None:
    """Put a new password into a file, in place of what is there. ConfigError if that cannot be."""
    _kept(path, replace=True)


def remember_port(folder: Path, port: int) -> None:
    """Keep the port, for `invite`. OSError if that cannot be."""
    keep(folder / PORT, str(port))


def keep(path: Path, line: str) -> None:
    """Keep a line of ASCII in a file, in place of what is there. OSError if that cannot be."""
    _written(path, line, replace=True)


def remembered_port(folder: Path) -> int | None:
    """The port of the last start; None if none is known."""
    try:
        with (folder / PORT).open("rb") as file:
            text = file.read(_LONGEST_PORT).decode("ascii").strip()
        return int(text) if text.isdecimal() and 0 < int(text) < 65_536 else None
    except (OSError, UnicodeError):
        return None


def _kept(path: Path, *, replace: bool) -> bool:
    """Whether a new password was written: of two that begin at once, one finds the other's."""
    try:
        return _written(path, secret.generate().reveal(), replace=replace)
    except OSError as error:
        raise ConfigError(
            f"cannot keep a password in {path.parent}: {error.strerror}; "
            "give --password-file FILE, or another folder with --state DIR"
        ) from None


def _written(path: Path, line: str, *, replace: bool) -> bool:
    """Whether a line was: not if there is a file, unless it is to be replaced. The file is whole, or there is none."""
    draft = None
    try:
        path.parent.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # its owner's alone
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(draft).replace(path)
        else:
            return _linked(draft, path)
    finally:
        if draft is not None:
            with suppress(OSError):
                Path(draft).unlink()
    return True


def _linked(draft: str, path: Path) -> bool:
    """Whether it has the name now; not if something has it already."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    return True
