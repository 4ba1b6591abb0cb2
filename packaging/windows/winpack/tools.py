"""Programs run in the same surroundings each time, and failures in one line.

What lives here: ``BuildFailed``, ``run``, ``sha256`` and ``say``. May import the standard library.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

DATE: Final = "2026-01-01 00:00:00"
"""The date of every file: any will do that a zip can hold (from 1980 on) and that nobody takes for news."""

EPOCH: Final = "1767225600"
"""`DATE` in seconds, for what asks SOURCE_DATE_EPOCH."""

_KEPT: Final = (
    *("PATH", "HOME", "XDG_CONFIG_HOME"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)
"""Variables that a program keeps of ours, and those of pip and of certificates: which mirror, by which way."""

_KEPT_FAMILIES: Final = ("PIP_", "SSL_", "REQUESTS_")


class BuildFailed(Exception):
    """The build cannot go on; the text is what happened and what to do, in a line or a few."""


def say(line: str) -> None:
    """A line for who waits."""
    sys.stderr.write(f"build: {line}\n")
    sys.stderr.flush()


def run(
    words: Sequence[str | Path],
    *,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
    told: str = "",
) -> str:
    """What a program prints; BuildFailed with its last lines if it fails. ``told`` goes to its standard input."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_FAMILIES)}
    same = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "SOURCE_DATE_EPOCH": EPOCH, "PYTHONHASHSEED": "0"}
    command = [str(word) for word in words]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=kept | same | dict(variables or {}),
            input=told,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise BuildFailed(
            f"{command[0]} cannot be started: {error.strerror}; .ci/prepare windows dist installs it"
        ) from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
        raise BuildFailed("\n".join([f"{' '.join(command)[:200]} failed ({done.returncode}):", *lines]))
    return done.stdout


def sha256(path: Path) -> str:
    """A file's sum, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
