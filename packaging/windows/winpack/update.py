"""Pins anew: what the mirror and the index have now.

What lives here: ``pin`` and ``lock``. May import everything beside it. Both say what changed, and change nothing but
the locks: the next build and its tests show whether it was good.
"""

import configparser
import json
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from winpack import locks
from winpack.debian import Archive
from winpack.folder import CACHE, ROOT
from winpack.library import PACKAGES
from winpack.locks import Wheel, canonical
from winpack.tools import say
from winpack.wheels import TARGET, pip

TESTS: Final = ("colorama", "hypothesis", "pytest", "pytest-xdist", "scipy", "soundfile")
"""What the core's tests need of setup.cfg's ``test``; colorama is pytest's, on Windows alone."""

PURE: Final = ("opuslib",)
"""Packages that the index has only as a source, in which there is no C."""


def pin() -> None:
    """Pin what the mirror has of the Debian packages."""
    archive = Archive(CACHE / "debian")
    new = [archive.newest(name) for name in PACKAGES]
    _write(
        "debian.lock",
        {it.name: it.version for it in locks.packages()},
        {it.name: it.version for it in new},
        (f"{it.name} {it.version} {it.sha256}" for it in new),
    )


def lock() -> None:
    """Pin the newest wheels that setup.cfg allows."""
    wanted = requirements(ROOT / "setup.cfg")
    client = _resolve([line for line in wanted if canonical(_name(line)) not in PURE])
    tests = _resolve([*wanted_tests(), *(f"{wheel.name}=={wheel.version}" for wheel in client)])
    for name, wheels in (("client.lock", client), ("tests.lock", [wheel for wheel in tests if wheel not in client])):
        old = {wheel.name: wheel.version for wheel in locks.wheels(name)}
        _write(name, old, {wheel.name: wheel.version for wheel in wheels}, (wheel.line() for wheel in wheels))


def requirements(metadata: Path) -> list[str]:
    """What a client needs: install_requires, and the extra named client."""
    setup = configparser.ConfigParser()
    setup.read(metadata)
    texts = setup["options"]["install_requires"], setup["options.extras_require"]["client"]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def wanted_tests() -> list[str]:
    """What the tests under Windows' Python need, with the bounds of setup.cfg where it has one."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    bounds = {
        canonical(_name(line)): line for line in setup["options.extras_require"]["test"].splitlines() if line.strip()
    }
    return [bounds.get(name, name) for name in TESTS]


def _resolve(wanted: Iterable[str]) -> list[Wheel]:
    """Wheels for Windows of all that is wanted and of what that needs, by pip's own resolver."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        words = ["install", "--dry-run", "--ignore-installed", "--target", scratch, "--report", str(report), *TARGET]
        pip(*words, *wanted)
        chosen = json.loads(report.read_text("utf-8"))["install"]
    wheels = [
        Wheel(
            canonical(it["metadata"]["name"]),
            it["metadata"]["version"],
            frozenset({it["download_info"]["archive_info"]["hashes"]["sha256"]}),
        )
        for it in chosen
    ]
    return sorted(wheels, key=lambda wheel: wheel.name)


def _write(name: str, old: dict[str, str], new: dict[str, str], lines: Iterable[str]) -> None:
    locks.write(name, lines)
    changed = locks.differences(old, new)
    for line in changed or ["as it was"]:
        say(f"{name}: {line}")


def _name(requirement: str) -> str:
    """The package of a requirement."""
    return re.split("[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
