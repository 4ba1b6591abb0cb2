"""Exit codes of the client, after sysexits.h where it has one. Imports nothing."""

from enum import IntEnum


class Exit(IntEnum):
    """Why the client ended."""

    OK = 0
    """Also after SIGTERM, --duration and a goodbye."""
    TROUBLE = 1
    """The echo test, or the doctor, found something to mend, and said what."""
    USAGE = 2
    UNREACHABLE = 69
    NO_DEVICE = 74
    TRY_LATER = 75
    """Room full, banned, or the seat was taken over."""
    PROTOCOL = 76
    """Another version, or not a voicechat server."""
    PASSWORD = 77
    CONFIG = 78
    INTERRUPTED = 130
    """Ctrl-C."""
