"""What the system lacks, and the line that installs it: for libraries that come from no Python package.

What lives here: ``install``, ``own_package`` and the table of lines. Imports next to nothing; asked for when something
is missing only. The names are those of the distributions' packages (packages.debian.org, packages.fedoraproject.org,
archlinux.org/packages, formulae.brew.sh).
"""

import shlex
import sys
from collections.abc import Mapping
from enum import Enum
from typing import Final

from voicechat.unpacked import instead_of


class Lack(Enum):
    """What can be missing."""

    OPUS = "Opus"
    PORTAUDIO = "PortAudio"
    COMPILER = "what PyAudio is compiled with"


_SYSTEMS: Final = {
    "debian": "Debian, Ubuntu",
    "fedora": "Fedora",
    "arch": "Arch",
    "macos": "macOS",
}
"""By the ID of os-release(5)."""

_APT, _DNF, _PACMAN, _BREW = "sudo apt install", "sudo dnf install", "sudo pacman -S", "brew install"

LINES: Final[Mapping[Lack, Mapping[str, str]]] = {
    Lack.OPUS: {
        "debian": f"{_APT} libopus0",
        "fedora": f"{_DNF} opus",
        "arch": f"{_PACMAN} opus",
        "macos": f"{_BREW} opus",
    },
    Lack.PORTAUDIO: {
        "debian": f"{_APT} libportaudio2",
        "fedora": f"{_DNF} portaudio",
        "arch": f"{_PACMAN} portaudio",
        "macos": f"{_BREW} portaudio",
    },
    Lack.COMPILER: {
        "debian": f"{_APT} gcc python3-dev portaudio19-dev",
        "fedora": f"{_DNF} gcc python3-devel portaudio-devel",
        "arch": f"{_PACMAN} gcc portaudio",
        "macos": f"{_BREW} portaudio",
    },
}
"""What a person types, by what is missing and where."""

_OS_RELEASE: Final = "/etc/os-release"


def install(lack: Lack) -> str:
    """What to do, within a line: this system's line first, and those of the others behind it."""
    return instead_of(told(lack, system()))


def told(lack: Lack, here: str | None) -> str:
    """The line of a system, and those of the others in brackets; all of them where it is none of these (None)."""
    lines = LINES[lack]
    others = "; ".join(f"{name}: {lines[it]}" for it, name in _SYSTEMS.items() if it != here)
    return f"{lines[here]} ({others})" if here else others


def own_package() -> str:
    """What installs voicechat with all that a player needs, into where it is installed now."""
    if "/pipx/" in sys.prefix:
        return "pipx install --force 'voicechat[client]'"
    return f"{shlex.quote(sys.executable)} -m pip install 'voicechat[client]'"


def system() -> str | None:
    """Which of the systems that have a line this is; None for another."""
    if sys.platform == "darwin":
        return "macos"
    try:
        with open(_OS_RELEASE, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  imports nothing
            return named(file.read(65_536))
    except OSError:
        return None


def named(os_release: str) -> str | None:
    """Which of the systems such a file names: its ID, else what it says it is like, the nearest first."""
    fields = dict(line.partition("=")[::2] for line in os_release.splitlines())
    ids = " ".join(fields.get(name, "").strip().strip("\"'") for name in ("ID", "ID_LIKE")).split()
    return next((it for it in ids if it in _SYSTEMS), None)
