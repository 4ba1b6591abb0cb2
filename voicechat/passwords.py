"""Where a password comes from, and how it leaves no trace on the machine.

From the first that is given: ``--password-file`` (``-`` is standard input),
``--password``, ``$CREDENTIALS_DIRECTORY/password`` (systemd's LoadCredential),
``$VOICECHAT_PASSWORD_FILE``, ``$VOICECHAT_PASSWORD`` (empty, they are none). The argument list and the
environment of a process can be read by others (``ps``, ``/proc``), so the password is
overwritten in both (`voicechat.hiding`).
"""

import os
import stat
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from voicechat.errors import ConfigError
from voicechat.hiding import hide
from voicechat.plain import text_of, variable
from voicechat.security.secret import SHORT, Secret

LONGEST_FILE: Final = 1024
"""Bytes of a password file that are read; whatever is longer is not a password."""

_OTHERS: Final = 0o077


def find(text: str | None, file: str | None, environ: MutableMapping[str, str]) -> Secret | None:
    """The password from options ``text`` and ``file`` or the environment; None if there is none. ConfigError."""
    from_environment = environ.pop("VOICECHAT_PASSWORD", "").removesuffix("\n").removesuffix("\r")
    hide()
    name = file_of(text, file, environ)
    if name is not None:
        return from_file(name)
    if text is not None:
        return Secret(text)
    return Secret(from_environment) if from_environment else None


def file_of(text: str | None, file: str | None, environ: Mapping[str, str]) -> str | None:
    """The file that `find` reads, None if it reads none."""
    if file or text is not None:
        return file or None
    credential = Path(environ.get("CREDENTIALS_DIRECTORY", "")) / "password"
    if environ.get("CREDENTIALS_DIRECTORY"):
        with suppress(OSError):  # there is none, or the folder is not for us
            credential.stat()
            return str(credential)
    return variable(environ, "VOICECHAT_PASSWORD_FILE") or None


def from_file(name: str) -> Secret:
    """The line of a file (``~`` is the home folder), or of standard input if ``name`` is '-'. ConfigError says why."""
    try:
        if name == "-":
            data = sys.stdin.buffer.readline(LONGEST_FILE + 1)
        else:
            with Path(name).expanduser().open("rb") as stream:
                data = stream.read(LONGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(f"cannot read the password file {name}: {error.strerror}") from None
    except (ValueError, RuntimeError) as error:  # a name that the system's encoding lacks; nobody's home
        raise ConfigError(f"cannot read the password file {name}: {error}") from None
    if len(data) > LONGEST_FILE:
        raise ConfigError(f"{name} is too long to be a password file")
    try:
        line = text_of(data).removesuffix("\n").removesuffix("\r")
    except ConfigError as error:
        raise ConfigError(f"{name} {error}") from None
    if "\n" in line:
        raise ConfigError(f"{name} has more than one line; a password file has one")
    return Secret(line)


def from_file_again(name: str) -> Secret:
    """The same while the server runs, which cannot wait: of a pipe nobody may write the other end any more."""
    with suppress(OSError):
        if not stat.S_ISREG(Path(name).stat().st_mode):
            raise ConfigError(f"{name} is no file that can be read again")
    return from_file(name)


def warnings(secret: Secret, name: str | None) -> list[str]:
    """What the host should mend: a password that is short, a file that others can read."""
    lines = []
    if secret.is_short:
        lines.append(f"the password is shorter than {SHORT} characters; strangers may try ten each 2 minutes")
    if name and name != "-" and readable_by_others(name):
        lines.append(f"other users of this machine can read {name}; chmod 600 it")
    return lines


def readable_by_others(name: str) -> bool:
    """May other users of this machine read the file? Worth a warning; files of containers are like that."""
    try:
        return os.name == "posix" and bool(Path(name).expanduser().stat().st_mode & _OTHERS)
    except (OSError, ValueError, RuntimeError):
        return False
