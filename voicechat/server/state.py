"""The state folder: what the server keeps from one start to the next, today a password that it made itself.

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
    return not os.path.lexists(path) and _written(path, replace=False)


def new_password(path: Path) -> None:
    """Put a new password into a file, in place of what is there. ConfigError if that cannot be."""
    _written(path, replace=True)


def _written(path: Path, *, replace: bool) -> bool:
    """Whether it was: of two that begin at once, one finds the other's. The file is whole, or there is none."""
    draft = None
    try:
        path.parent.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # its owner's alone
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret.generate().reveal() + "\n")
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(draft).replace(path)
        else:
            return _linked(draft, path)
    except OSError as error:
        raise ConfigError(
            f"cannot keep a password in {path.parent}: {error.strerror}; "
            "give --password-file FILE, or another folder with --state DIR"
        ) from None
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
