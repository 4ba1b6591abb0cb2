"""One small breakage of the program, and the tests that must notice it."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Mutation(NamedTuple):
    """What is broken, and how: in ``file``, below the project's folder, ``old`` stands once and becomes ``new``."""

    of: str
    """Rows of docs/security.md (T1) and docs/goals.md (R1, F1) that the breakage is of."""
    what: str
    """What the broken program does."""
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    """Each must go red: as pytest names them, without parameters."""

    def broken(self, root: Path) -> str:
        """The text of the broken file. ValueError unless the old text stands in it exactly once."""
        text = (root / self.file).read_text(encoding="utf-8")
        if (times := text.count(self.old)) != 1:
            raise ValueError(f"{self.file} has this {times} times, not once: {self.old!r}")
        return text.replace(self.old, self.new)
