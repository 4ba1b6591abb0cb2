"""Whose work is inside, and on which terms: the folder licences, and versions.txt.

What lives here: ``Licences``. May import the standard library, ``locks`` and ``tools``. A part whose licence text is
not found fails the build: nobody is to find that out later.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from winpack.locks import HERE, Wheel, canonical
from winpack.tools import BuildFailed

_TEXT: Final = re.compile("licen[cs]e|copying|copyright|notice|authors", re.IGNORECASE)
"""Names of files that tell terms or owners."""

ADDED: Final = HERE / "licences"
"""Texts that a part is distributed under and does not bring along: NAME.txt or NAME-more.txt."""


class Licences:
    """The folder of licence texts, and the list of what it is about."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[tuple[str, str]] = []

    def add(self, name: str, version: str, texts: Mapping[str, Path]) -> None:
        """A part with its texts, by the names that they are to have, and with those that are added for it."""
        added = {text.name: text for text in (*ADDED.glob(f"{name}.txt"), *ADDED.glob(f"{name}-*.txt"))}
        if not texts and not added:
            raise BuildFailed(f"{name} brings no licence text along; put one into {ADDED / name}.txt")
        for wanted, text in {**texts, **added}.items():
            target = self._folder / name / (wanted if Path(wanted).suffix in (".txt", ".md") else f"{wanted}.txt")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.read_bytes())
        self._parts.append((name, version))

    def add_wheel(self, wheel: Wheel, packages: Path) -> None:
        """An unpacked wheel, with the texts of its dist-info."""
        (info,) = (it for it in packages.glob("*.dist-info") if canonical(it.name.split("-")[0]) == wheel.name)
        texts = (text for text in info.rglob("*") if text.is_file() and _TEXT.search(text.name))
        self.add(wheel.name, wheel.version, {"-".join(text.relative_to(info).parts): text for text in texts})

    def versions(self) -> str:
        """Each part and its version, a line each."""
        return "".join(f"{name} {version}\n" for name, version in sorted(self._parts))
