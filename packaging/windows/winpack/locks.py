"""What is pinned: files beside this package, one thing a line.

What lives here: reading and writing them. May import the standard library and ``tools``.

    python.lock client.lock tests.lock build.lock    requirements as pip has them, with hashes
    dlls.lock                            SHA256 NAME, of what is taken out of python.lock's wheel
    debian.lock                          NAME VERSION SHA256, a package of RELEASE; several versions of one may stand
    sources.lock                         NAME FILE SHA256, a source of RELEASE

Wheels and sources must be what is pinned: they stay where they are. A Debian package does not: its mirror has one
version at a time. So another than a pinned one is taken, if apt vouches for it, and said loudly; `update` pins it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from winpack.tools import BuildFailed

HERE: Final = Path(__file__).parents[1]

RELEASE: Final = "trixie"
"""The Debian release whose Python is 3.13."""

_REQUIREMENT: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?P<hashes>(\s+--hash=sha256:[0-9a-f]{64})+)"
)


@dataclass(frozen=True)
class Wheel:
    """A file of a package index: any of the hashes."""

    name: str
    version: str
    hashes: frozenset[str]

    def line(self) -> str:
        """As pip reads it."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{one}" for one in sorted(self.hashes))])


@dataclass(frozen=True)
class Package:
    """A version of a Debian package."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Source:
    """A tarball of a Debian source package."""

    name: str
    file: str
    sha256: str


def wheels(lock: str) -> list[Wheel]:
    """The requirements of a lock; BuildFailed for a line that pins nothing."""
    found = []
    for line in _lines(lock):
        match = _REQUIREMENT.fullmatch(line)
        if match is None:
            raise BuildFailed(f"{lock}: {line!r} is not NAME==VERSION --hash=sha256:...")
        found.append(
            Wheel(canonical(match["name"]), match["version"], frozenset(re.findall("[0-9a-f]{64}", match["hashes"])))
        )
    return found


def canonical(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub("[-_.]+", "-", name).lower()


def dlls() -> dict[str, str]:
    """The sum of each DLL by its name."""
    return {name: sum_ for sum_, name in _fields("dlls.lock", 2)}


def packages() -> list[Package]:
    """All pinned versions of all packages."""
    return [Package(*fields) for fields in _fields("debian.lock", 3)]


def sources(lock: str = "sources.lock") -> list[Source]:
    """The pinned sources."""
    return [Source(*fields) for fields in _fields(lock, 3)]


def write(lock: str, lines: Iterable[str]) -> None:
    """Replace what a lock holds; its comments stay."""
    path = HERE / lock
    comments = [line for line in path.read_text("utf-8").splitlines() if line.startswith("#")]
    path.write_text("\n".join([*comments, *lines]) + "\n", "utf-8")


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """What changed between two tables of names and versions, a line each."""
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return [f"{name}: {old.get(name, 'none')} -> {new.get(name, 'none')}" for name in changed]


def _lines(lock: str) -> list[str]:
    text = (HERE / lock).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _fields(lock: str, count: int) -> list[list[str]]:
    rows = [line.split() for line in _lines(lock)]
    for row in rows:
        if len(row) != count:
            raise BuildFailed(f"{lock}: {' '.join(row)!r} has {len(row)} words in place of {count}")
    return rows
