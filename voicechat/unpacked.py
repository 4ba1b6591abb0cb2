"""Whether this is the folder for Windows, which is unpacked and not installed: who runs it has no pip.

Imports next to nothing.
"""

import os
import sys
from typing import Final

AGAIN: Final = "unpack the whole zip again"


def is_unpacked() -> bool:
    """The programs of that folder are Python themselves; installed ones are started by a Python of that name."""
    return os.path.basename(sys.executable or "").lower().startswith("voicechat-")  # noqa: PTH119  imports nothing


def instead_of(line: str, there: str = AGAIN) -> str:
    """What to do about something that is missing: ``line`` where it can be typed, in that folder ``there``."""
    return there if is_unpacked() else line
