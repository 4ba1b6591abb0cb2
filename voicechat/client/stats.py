"""The file that --stats names: whether it could be written, and written at the end."""

import errno
import json
import os
from typing import Any

from voicechat.client import configuration
from voicechat.errors import ConfigError


def check(path: str) -> None:
    """ConfigError if the figures could not be written there at the end: better now than after an evening."""
    place = configuration.located(path)
    try:
        problem = errno.EISDIR if place.is_dir() else 0 if place.parent.is_dir() else errno.ENOENT
    except OSError as error:  # a folder that is not for us
        problem = error.errno or errno.EACCES
    if problem:
        raise ConfigError(f"cannot write {path}: {os.strerror(problem)}")


def write(path: str, figures: dict[str, Any]) -> None:
    """Write the figures as JSON; ConfigError if the file cannot be written."""
    place = configuration.located(path)
    try:
        place.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    except ValueError as error:  # a name that the system's encoding lacks
        raise ConfigError(f"cannot write {path}: {error}") from None
