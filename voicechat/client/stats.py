"""The file that --stats names: whether it could be written, and written at the end."""

import json
from typing import Any

from voicechat.client import configuration
from voicechat.errors import ConfigError


def check(path: str) -> None:
    """ConfigError if the figures could not be written there at the end: better now than after an evening.

    A file is opened for it, as it is then, and nothing is changed; one that was made is removed. Where a pipe or a
    device is named, nobody may be at its other end yet.
    """
    place = configuration.located(path)
    try:
        there = place.exists()
        if there and not (place.is_file() or place.is_dir()):
            return
        with place.open("ab"):
            pass
        if not there:
            place.unlink()
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    except ValueError as error:  # a name that the system's encoding lacks
        raise ConfigError(f"cannot write {path}: {error}") from None


def write(path: str, figures: dict[str, Any]) -> None:
    """Write the figures as JSON; ConfigError if the file cannot be written."""
    place = configuration.located(path)
    try:
        place.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    except ValueError as error:  # a name that the system's encoding lacks
        raise ConfigError(f"cannot write {path}: {error}") from None
