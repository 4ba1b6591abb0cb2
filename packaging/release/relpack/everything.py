"""All that goes out, into dist/, with its sums.

What lives here: ``build`` and what it can build. May import everything beside it.
"""

import configparser
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from relpack import own, pyaudio
from relpack.checkout import Checkout
from winpack.folder import ZIP
from winpack.tools import BuildFailed, run, say, sha256

ROOT: Final = Path(__file__).parents[3]

CACHE: Final = ROOT / ".cache" / "release"
"""What was fetched; git ignores it, and `make clean` leaves it."""

SUMS: Final = "SHA256SUMS"

PLACEHOLDER: Final = ".invalid/"


class Release:
    """One commit's release."""

    def __init__(self, root: Path, cache: Path, scratch: Path) -> None:
        self._root = root
        self._cache = cache
        self._scratch = scratch
        self.checkout = Checkout(root, scratch / "checkout")
        self._tools = own.setuptools(cache, scratch / "tools")

    def sdist(self) -> Path:
        """Our source distribution."""
        return own.sdist(self.checkout, self._tools)

    def wheel(self) -> Path:
        """Our wheel."""
        return own.wheel(self.checkout, self._tools)

    def pyaudio(self) -> Path:
        """PyAudio's wheel for Debian 12."""
        return pyaudio.wheel(self._tools, self._cache, self._scratch, self.checkout.variables)

    def windows(self) -> Path:
        """The Windows folder's zip, of the commit's files by what was fetched for the working folder's."""
        cache = self._root / ".cache" / "windows"
        cache.mkdir(parents=True, exist_ok=True)
        (self.checkout.folder / ".cache").mkdir()
        (self.checkout.folder / ".cache" / "windows").symlink_to(cache)
        run([sys.executable, "packaging/windows/build.py"], folder=self.checkout.folder)
        return self.checkout.folder / ZIP.relative_to(ROOT)


OWN: Final = (Release.sdist, Release.wheel)
"""What is ours alone: some seconds."""

WHOLE: Final = (*OWN, Release.pyaudio, Release.windows)
"""All of it."""


def build(parts: Sequence[Callable[[Release], Path]], root: Path = ROOT, cache: Path = CACHE) -> None:
    """Make ``parts`` of the last commit, and the sums of them; nothing changes in dist/ if one of them fails."""
    target = root / "dist"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="voicechat-dist-") as folder:
        release = Release(root, cache, Path(folder))
        made = sorted((part(release) for part in parts), key=lambda file: file.name)
        _forget(target)
        for file in made:
            os.utime(file, (release.checkout.epoch,) * 2)
            shutil.copy2(file, target)
    lines = [f"{sha256(target / file.name)}  {file.name}\n" for file in made]
    (target / SUMS).write_text("".join(lines), "ascii")
    for line in lines:
        say(line.rstrip())
    if release.checkout.changed:
        say("NOTE: what is not committed is not in it")
    if PLACEHOLDER in address(root):
        say("NOTE: setup.cfg has no address of the repository yet: links on the package's page lead nowhere")


def address(root: Path) -> str:
    """Where the repository is, as setup.cfg says."""
    metadata = configparser.ConfigParser()
    metadata.read(root / "setup.cfg", "utf-8")
    return metadata["metadata"]["url"]


def _forget(target: Path) -> None:
    """Remove what an earlier build left, and nothing else."""
    target.mkdir(exist_ok=True)
    try:
        lines = (target / SUMS).read_text("ascii").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        name = line.partition("  ")[2]
        if not name or "/" in name:
            raise BuildFailed(f"{target / SUMS} was not written by make dist; move it away")
        (target / name).unlink(missing_ok=True)
