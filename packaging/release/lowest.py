"""The command behind ``make lowest``: the tests that only compute, with the oldest packages that setup.cfg allows.

Makes an environment of its own in .cache/lowest, in which each package of install_requires and of the extras that
people install is at its lower bound; the tests' own tools are as new as ever. Exit status: that of pytest or of pip.
"""

import configparser
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
HOME: Final = ROOT / ".cache" / "lowest"

EXTRAS: Final = ("client", "ptt", "web", "metrics")
"""What people install; the other extras are for who works on it."""

FOLDERS: Final = ("carriage", "client", "codecs", "media", "options", "rooms", "security", "server", "session", "wire")
"""Tests that need no program, no device and no real time."""


def bounds(metadata: str) -> dict[str, str]:
    """The lower bound of each package that people install."""
    setup = configparser.ConfigParser()
    setup.read_string(metadata)
    texts = [setup["options"]["install_requires"], *(setup["options.extras_require"][extra] for extra in EXTRAS)]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    found = {}
    for line in lines:
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([\w.-]+) >= ([\w.]+)", line)
            if match is None:
                raise ValueError(f"setup.cfg: {line!r} has no lower bound alone")
            found[match[1]] = match[2]
    return found


def main() -> int:
    """Install, and test."""
    HOME.mkdir(parents=True, exist_ok=True)
    constraints, python = HOME / "constraints.txt", str(HOME / "venv" / "bin" / "python")
    pinned = bounds((ROOT / "setup.cfg").read_text("utf-8"))
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in pinned.items()), "utf-8")
    install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", str(constraints)]
    wanted = f"{ROOT}[{','.join((*EXTRAS, 'bench', 'demo', 'test'))}]"
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{each}" for each in FOLDERS)]
    lines = [[python, *install, "-e", wanted], [python, *tests]]
    if not Path(python).exists():
        lines.insert(0, [sys.executable, "-m", "venv", str(HOME / "venv")])
    for line in lines:
        done = subprocess.run(line, cwd=ROOT, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
