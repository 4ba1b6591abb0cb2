"""Links of invitations for the desktop: a click on one in a chat or a browser starts the client in a terminal.

What lives here: ``install``, behind ``--install-desktop``. May import the standard library and the errors. It writes
one file into the user's own folder (XDG Base Directory and Desktop Entry specifications, freedesktop.org), and asks the
desktop to take it for voicechat:// links; nothing is written for others, and nothing that needs root.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from voicechat.errors import ConfigError

NAME: Final = "voicechat.desktop"

SCHEME: Final = "x-scheme-handler/voicechat"

ASK_SECONDS: Final = 10.0
"""For a program of the desktop; they take a tenth of a second."""

_ENTRY: Final = """\
[Desktop Entry]
Type=Application
Name=voicechat
Comment=Talk with your friends through a voicechat server
Exec={command} %u
Terminal=true
Categories=Network;
MimeType={scheme};
"""

_RESERVED: Final = " \t\n\"'\\><~|&;$*?#()`"
"""Characters for which an argument of Exec is quoted (Desktop Entry Specification, The Exec key)."""


def install(environment: Mapping[str, str]) -> str:
    """Write the entry, and make it the one for links; what was done, in lines. ConfigError if it cannot be."""
    if sys.platform in ("win32", "darwin"):
        raise ConfigError("--install-desktop is for desktops of Linux")
    folder = place(environment)
    target = folder / NAME
    told = entry(program())
    try:
        before = target.read_text("utf-8", "replace")
    except OSError:
        before = None
    if before != told:
        try:
            _write(target, told)
        except OSError as error:
            raise ConfigError(f"cannot write {target}: {error.strerror}") from None
    lines = [f"{'already there' if before == told else 'written'}: {target}"]
    if _asked("update-desktop-database", str(folder)) and _asked("xdg-mime", "default", NAME, SCHEME):
        lines.append("a click on a voicechat:// link starts voicechat-client now")
    else:
        lines.append("links may need one line more, of the package xdg-utils: xdg-mime default " + f"{NAME} {SCHEME}")
    return "\n".join(lines) + "\n"


def place(environment: Mapping[str, str]) -> Path:
    """Where a user's entries are; ConfigError without a home folder."""
    data = environment.get("XDG_DATA_HOME", "")
    if not os.path.isabs(data):  # noqa: PTH117  "" too; the specification has relative ones ignored
        home = environment.get("HOME", "")
        if not home:
            raise ConfigError("no home folder is known: set HOME")
        data = str(Path(home) / ".local" / "share")
    return Path(data) / "applications"


def program() -> str:
    """The client that runs now, by its whole path: a desktop knows nothing of virtual environments."""
    started = Path(sys.argv[0])
    return (
        str(started.absolute())
        if started.name == "voicechat-client"
        else str(Path(sys.prefix) / "bin/voicechat-client")
    )


def entry(command: str) -> str:
    """The file's text."""
    return _ENTRY.format(command=quoted(command), scheme=SCHEME)


def quoted(word: str) -> str:
    """A word as Exec has it: in quotes if it must be; a percent sign twice. ConfigError if it has a line's end."""
    if "\n" in word or "\r" in word:
        raise ConfigError("the program's path has a line's end in it")
    word = word.replace("%", "%%")
    if set(word) & set(_RESERVED):
        for sign in '\\"`$':
            word = word.replace(sign, f"\\{sign}")
        word = f'"{word}"'.replace("\\", "\\\\")  # values escape backslashes once more
    return word


def _write(target: Path, text: str) -> None:
    """All of it or nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        half.write_text(text, "utf-8")
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def _asked(*words: str) -> bool:
    """Have a program of the desktop do something; False if it is not there, or fails."""
    found = shutil.which(words[0])
    if found is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603  a program of the desktop, with words of ours
            [found, *words[1:]], stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
