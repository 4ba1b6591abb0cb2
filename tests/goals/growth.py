"""What grows: the objects of this process by their type, and what a program holds of the machine.

What lives here: ``census`` and ``more``, ``Held`` and ``slope``. In a census only types
of voicechat's and Twisted's are counted: a test keeps lists of its own.
"""

import gc
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import linear_regression
from typing import NamedTuple, Self

from testkit.children import Program


def census() -> Counter[str]:
    """How many objects there are of each type."""
    gc.collect()
    names: Counter[str] = Counter()
    for thing in gc.get_objects():
        module: object = type(thing).__module__  # some have a property there
        if isinstance(module, str) and module.startswith(("voicechat.", "twisted.")) and "testing" not in module:
            names[f"{module}.{type(thing).__qualname__}"] += 1
    return names


def more(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """Types of which there are more than before, and how many."""
    return dict(after - before)


class Held(NamedTuple):
    """What a program holds at a moment."""

    at: float
    """Monotonic seconds."""
    memory: int
    """Bytes of RAM."""
    descriptors: int
    threads: int

    @classmethod
    def by(cls, program: Program) -> Self:
        """Now."""
        folder = Path(f"/proc/{program.pid}")
        descriptors, threads = (len(list((folder / name).iterdir())) for name in ("fd", "task"))
        return cls(time.monotonic(), program.memory(), descriptors, threads)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By how much the second figure of the points grows when the first one grows by 1."""
    return linear_regression(*zip(*points, strict=True)).slope if len(points) > 1 else 0.0
