"""What became of frames: of one when it was asked for, and of all so far.

Pure: keeps numbers. May import nothing of voicechat.
"""

import enum

import msgspec


class FrameKind(enum.Enum):
    """What a pull gave."""

    PLAYED = "played"
    RECOVERED = "recovered"
    CONCEALED = "concealed"
    SILENT = "silent"


class Counts(msgspec.Struct):
    """Frames of one or more streams, by what became of them."""

    played: int = 0
    recovered: int = 0
    concealed: int = 0
    silent: int = 0
    late: int = 0
    """Came after their turn."""
    dropped: int = 0
    """Thrown away by us: skipped, merged, or beyond the buffer."""
