"""What a check of `doctor` found: one line, and what it means for a call. Pure."""

from enum import Enum
from typing import NamedTuple

from voicechat.client.exits import Exit


class Verdict(Enum):
    """What a check found."""

    OK = "ok"
    WARNING = "warning"
    FAIL = "fail"


class Finding(NamedTuple):
    """One line."""

    verdict: Verdict
    text: str
    code: Exit = Exit.OK
    """What the client would end with, where the verdict is FAIL."""
