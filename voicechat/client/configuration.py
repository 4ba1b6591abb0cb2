"""The configuration file: TOML, with the names of the options as its keys.

`read` gives what a file chooses, `write` makes one in which every option stands with its
default, commented out. Errors name the file, the line and the key; none shows a password.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from voicechat.client.options import KEPT
from voicechat.errors import ConfigError
from voicechat.options.option import Option, shown
from voicechat.plain import text_of

LONGEST: Final = 64 * 1024
"""Bytes of a file that are read; twenty options with their remarks need three thousand."""

_OTHERS: Final = 0o077
"""What nobody but its owner may do with a file that holds a password."""

HEAD: Final = """\
# Settings of voicechat-client. The command line wins over VOICECHAT_* in the
# environment, and that over this file. Take away the # before what you change.
"""


REMARKS: Final = {"password": "the password; other users may not be able to read this file then. Or:"}
"""What stands in the file where --help speaks of the command line."""


def place() -> Path | None:
    """Where this platform keeps such a file; None where that cannot be said.

    That is where the client extra, and so platformdirs, is not installed, where nobody has a
    home, and where ``XDG_CONFIG_HOME`` is relative, which is not valid (XDG Base Directory Specification).
    """
    try:
        import platformdirs
    except ImportError:
        return None
    try:
        folder = platformdirs.user_config_path("voicechat", appauthor=False)
    except RuntimeError:  # no home
        return None
    return folder / "client.toml" if folder.is_absolute() else None  # older releases take relative ones


def read(path: Path) -> dict[str, Any]:
    """What the file chooses, by the options' fields. ConfigError; FileNotFoundError if there is none."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LONGEST + 1)
            mode = os.fstat(stream.fileno()).st_mode
    except OSError as error:
        if not os.path.lexists(path):  # its folder is none, or cannot be looked into
            raise FileNotFoundError(error.errno, error.strerror) from None
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:  # a name that the system's encoding lacks
        raise ConfigError(f"cannot read {path}: {error}") from None
    if len(data) > LONGEST:
        raise ConfigError(f"{path} is too long to be a configuration file")
    try:
        chosen = parse(data)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    if "password" in chosen and os.name == "posix" and mode & _OTHERS:
        raise ConfigError(f"{path} holds a password, and other users may read it; chmod 600 it")
    if chosen.get("password_file", "-") != "-":
        chosen["password_file"] = str(path.parent / located(chosen["password_file"]))
    return chosen


def located(text: str) -> Path:
    """The path that a text means, in which ``~`` is the home folder, ``~ann`` Ann's. ConfigError if there is none."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(f"cannot find {text}: there is no such user, or no home folder") from None


def parse(data: bytes) -> dict[str, Any]:
    """The same of a file's bytes. ConfigError names line and key."""
    text = ""
    try:
        text = text_of(data)
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is not TOML: {error}") from None
    except ValueError:  # the limit of int()
        raise ConfigError("a number in this is too long") from None
    except RecursionError:
        raise ConfigError("this is nested too deep") from None
    chosen = {}
    for key, value in values.items():
        try:
            option = _option(key)
            chosen[option.field] = _accepted(option, value)
        except ConfigError as error:
            raise ConfigError(f"line {_line(text, key)}: {error}") from None
    return chosen


def _option(key: str) -> Option:
    if key not in KEPT:
        import difflib

        near = difflib.get_close_matches(key, KEPT, n=1)
        raise ConfigError(f"unknown key {shown(key)}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return KEPT[key]


def _accepted(option: Option, value: object) -> Any:
    try:
        return option.accept(value)
    except ConfigError as error:
        raise ConfigError(f"{option.name}: {error}") from None


def _line(text: str, key: str) -> int:
    """The line on which a key got its value: the first with which the file so far holds it."""
    lines = [f"{line}\n" for line in text.split("\n")]
    first = next((number for number, line in enumerate(lines, 1) if key in line), 1)
    for number in range(first, len(lines)):
        try:
            if key in tomllib.loads("".join(lines[:number])):
                return number
        except ValueError:
            continue  # within a value of several lines
    return len(lines)


def compose(chosen: Mapping[str, Any]) -> str:
    """A file in which the options of ``chosen`` (by field) are set, and the others stand with their defaults."""
    parts = [HEAD]
    for option in KEPT.values():
        value = chosen.get(option.field)
        mark = "#" if value is None else ""
        if value is None:
            value = option.metavar if option.default is None and option.kind is str else option.default
        if value is None:
            value = option.between[0]
        remark = REMARKS.get(option.name, option.help) + (f" ({', '.join(option.choices)})" if option.choices else "")
        parts.append(f"# {remark}\n{mark}{option.name} = {_literal(value)}\n")
    return "\n".join(parts)


def _literal(value: object) -> str:
    """A TOML value: of JSON's, but that it must not hold DEL as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def write(path: Path, chosen: Mapping[str, Any]) -> None:
    """Make the file, for its owner alone, whole or not at all. ConfigError if there is one, or it cannot be written."""
    try:
        data = compose(chosen).encode()
    except UnicodeEncodeError:  # an argument of bytes that are none
        raise ConfigError("what is to be kept is not UTF-8 text") from None
    made = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        made = True
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
    except OSError as error:
        if made:  # the disk is full, and a half of it would be in the way of the next try
            with suppress(OSError):
                path.unlink()
        if isinstance(error, FileExistsError) and path.exists():
            raise ConfigError(f"{path} is there already, and is not overwritten; edit it, or remove it") from None
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
