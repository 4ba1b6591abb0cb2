"""What grows: the objects of this process by their type, and what a program holds of the machine.

What lives here: ``census`` and ``more``. Only types of voicechat's and Twisted's are
counted: a test keeps lists of its own.
"""

import gc
from collections import Counter


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
