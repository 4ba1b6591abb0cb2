"""Wheels: fetched by pip from the index that this machine uses, checked, and unpacked.

What lives here: ``Shelf``, a folder of wheels, and ``unpack``. May import the standard library, ``locks`` and
``tools``. Nothing of a wheel is run.
"""

import re
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from winpack.locks import Wheel
from winpack.tools import BuildFailed, run, say, sha256

PYTHON: Final = "3.13"
"""The Python of the folder: the newest for which all wheels are there (PyAudio has none for 3.14)."""

TARGET: Final = (
    *("--platform", "win_amd64", "--python-version", PYTHON, "--implementation", "cp"),
    *("--abi", "cp313", "--abi", "abi3", "--abi", "none", "--only-binary", ":all:"),
)
"""What tells pip that the wheels are for that Python on Windows, not for the one that runs pip."""


class Shelf:
    """A folder of wheels and sources from the index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def fetch(self, wanted: Iterable[Wheel], *options: str) -> dict[Wheel, Path]:
        """The file of each; fetched if it is not here. ``options`` choose among several (`TARGET`)."""
        wanted = list(wanted)
        missing = [wheel for wheel in wanted if self._file(wheel) is None]
        if missing:
            say(f"fetching {', '.join(f'{wheel.name} {wheel.version}' for wheel in missing)}")
            list_ = self._folder / "missing.txt"
            list_.write_text("".join(wheel.line() + "\n" for wheel in missing))
            words = ["download", "--no-deps", "--require-hashes", "-r", str(list_), "-d", str(self._folder), *options]
            pip(*words)
            list_.unlink()
        files = {wheel: self._file(wheel) for wheel in wanted}
        for wheel, file in files.items():
            if file is None:
                raise BuildFailed(f"pip left no file of {wheel.name} {wheel.version} that is pinned")
        return {wheel: file for wheel, file in files.items() if file is not None}

    def _file(self, wheel: Wheel) -> Path | None:
        """The file that is here, if it is the pinned one."""
        pattern = f"{re.sub('[-_.]', '?', wheel.name)}-*"
        for file in self._folder.iterdir():
            if PurePosixPath(file.name.lower()).match(pattern) and sha256(file) in wheel.hashes:
                return file
        return None


def pip(*words: str, variables: Mapping[str, str] | None = None) -> str:
    """What pip prints, of the Python that runs this."""
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    return run([sys.executable, "-m", "pip", "-q", *words], variables=quiet | dict(variables or {}))


def unpack(wheel: Path, folder: Path) -> None:
    """A wheel's packages into a site-packages folder; its scripts and headers stay behind (PEP 427)."""
    with zipfile.ZipFile(wheel) as file:
        for name in file.namelist():
            place = _place(PurePosixPath(name))
            if place is not None and not name.endswith("/"):
                target = folder / place
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read(name))


def _place(name: PurePosixPath) -> PurePosixPath | None:
    """Where a wheel's file goes in site-packages, or None if it does not."""
    if name.is_absolute() or ".." in name.parts:
        raise BuildFailed(f"a wheel holds {name}, which leads out of its folder")
    if not name.parts[0].endswith(".data"):
        return name
    return PurePosixPath(*name.parts[2:]) if name.parts[1] in ("purelib", "platlib") else None


def pure_wheel(source: Path, build_tools: Path, folder: Path) -> Path:
    """The wheel of a source (a folder, or an sdist) that holds no C, built by the pinned setuptools alone."""
    if source.is_file():
        with tarfile.open(source) as file:
            file.extractall(folder / "source", filter="data")
        (source,) = (folder / "source").iterdir()
    made = folder / "wheel"
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(made)]
    pip("wheel", *options, str(source), variables={"PYTHONPATH": str(build_tools), "PIP_NO_CACHE_DIR": "1"})
    (wheel,) = made.iterdir()
    if not wheel.name.endswith("-none-any.whl"):
        raise BuildFailed(f"{wheel.name} is not for every machine")
    return wheel


def own_source(root: Path, folder: Path) -> Path:
    """A copy of what our own wheel is made from, in which setuptools may leave its traces."""
    copy = folder / "voicechat"
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        copy.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, copy / name)
    for module in (root / "voicechat").rglob("*"):
        if module.is_file() and "__pycache__" not in module.parts:
            target = copy / module.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(module, target)
    return copy
