"""Packages and sources of a Debian release, by apt lists of the build's own.

What lives here: ``Archive``. May import the standard library, ``locks`` and ``tools``. The system's own lists,
cache and sources are never touched; they are asked only for the mirror that this machine uses. apt checks the
release's signature with Debian's archive keyring, and each file's sum.
"""

import platform
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from winpack.locks import RELEASE, Package, Source
from winpack.tools import BuildFailed, run, say, sha256

KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

ARCHITECTURE: Final = "amd64"
"""Of the packages: their Python runs here, at build time."""


class Archive:
    """A release's packages, for an architecture by Debian's name; what was fetched stays in ``cache``."""

    def __init__(self, cache: Path, architecture: str = ARCHITECTURE, release: str = RELEASE) -> None:
        self._cache = cache.absolute()
        self._release = release
        self._architecture = architecture
        self._fresh = False
        self.notes: list[str] = []
        """What is not as it was pinned."""

    def packages(self, pinned: Iterable[Package]) -> dict[Package, Path]:
        """One file for each name; a pinned one if it is here or on the mirror, else what apt vouches for."""
        versions: dict[str, list[Package]] = {}
        for package in pinned:
            versions.setdefault(package.name, []).append(package)
        return dict(self._package(name, known) for name, known in versions.items())

    def source(self, pinned: Source) -> Path:
        """A source's tarball, exactly as pinned."""
        folder = self._made("sources")
        file = folder / pinned.file
        if not file.exists():
            say(f"fetching the source of {pinned.name}")
            self._update()
            run([*self._apt("source"), "--download-only", "--only-source", pinned.name], folder=folder)
            if not file.exists():
                there = ", ".join(sorted(each.name for each in folder.glob(f"{pinned.name}_*")))
                raise BuildFailed(
                    f"Debian {self._release} has no {pinned.file} any more, but {there}; see docs/releasing.md, Pins"
                )
        if sha256(file) != pinned.sha256:
            raise BuildFailed(f"{file} is not the file that is pinned; remove it and try again")
        return file

    def newest(self, name: str) -> Package:
        """What the mirror has now."""
        file = self.fetch(name)
        return Package(name, version(file), sha256(file))

    def _package(self, name: str, known: list[Package]) -> tuple[Package, Path]:
        for package in known:
            for file in self._made("packages").glob(f"{name}_*.deb"):
                if sha256(file) == package.sha256:
                    return package, file
        file = self.fetch(name)
        found = Package(name, version(file), sha256(file))
        if found not in known:
            pins = ", ".join(package.version for package in known)
            self.notes.append(
                f"{name} is {found.version} on the mirror, and {pins} is pinned: the bytes will be others"
            )
        return found, file

    def fetch(self, name: str) -> Path:
        """The file of what the mirror has now."""
        say(f"fetching {name} of Debian {self._release}")
        self._update()
        folder = self._made("packages")
        file = folder / Path(run([*self._apt("download"), "--print-uris", name]).split()[1]).name
        if not file.exists():
            run([*self._apt("download"), name], folder=folder)
        if not file.exists():
            raise BuildFailed(f"apt-get download {name} left no {file.name}")
        return file

    def _update(self) -> None:
        if self._fresh:
            return
        if self._architecture == ARCHITECTURE and platform.machine() != "x86_64":
            raise BuildFailed(f"this machine is {platform.machine()}; Debian's Python for {ARCHITECTURE} must run here")
        if not KEYRING.exists():
            raise BuildFailed(f"{KEYRING} is missing; apt-get install debian-archive-keyring")
        self._made("lists/partial"), self._made("cache/archives/partial")
        (self._cache / "status").touch()
        (self._cache / "empty").mkdir(exist_ok=True)
        line = f"[arch={self._architecture} signed-by={KEYRING}] {mirror()} {self._release} main\n"
        (self._cache / "sources.list").write_text(f"deb {line}deb-src {line}")
        run([*self._apt("update"), "--error-on=any"])
        self._fresh = True

    def _apt(self, verb: str) -> list[str]:
        it, empty = self._cache, self._cache / "empty"
        options = {
            "Dir::Etc::sourcelist": it / "sources.list",
            "Dir::Etc::sourceparts": empty,
            "Dir::Etc::preferences": empty / "none",
            "Dir::Etc::preferencesparts": empty,
            "Dir::State::lists": it / "lists",
            "Dir::State::status": it / "status",
            "Dir::Cache": it / "cache",
            "APT::Architecture": self._architecture,
            "APT::Architectures": self._architecture,
            "APT::Sandbox::User": "root",  # the folders are ours, and may lie where _apt may not read
            "Acquire::Retries": 3,
        }
        return ["apt-get", "-q", *(word for name, value in options.items() for word in ("-o", f"{name}={value}")), verb]

    def _made(self, name: str) -> Path:
        folder = self._cache / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def version(file: Path) -> str:
    """The version that a package's file says it has."""
    return run(["dpkg-deb", "--field", file, "Version"]).strip()


def mirror() -> str:
    """Where this machine's own Debian packages come from."""
    with Path("/etc/os-release").open() as file:
        codename = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line).get("VERSION_CODENAME", "")
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    rows = [
        line.split() for line in run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines()
    ]
    found = [row[0] for row in rows if row[1:] == [codename, "main"] and re.match("https?:", row[0])]
    if not found:
        raise BuildFailed("apt knows no mirror of this Debian release; the build needs one in /etc/apt")
    return found[0]
