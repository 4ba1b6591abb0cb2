"""Exit codes of the client, after sysexits.h where it has one. Imports next to nothing."""

from enum import IntEnum
from typing import Final


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


BECAUSE: Final = {
    Exit.OK: "all went well; also after SIGTERM",
    Exit.TROUBLE: "the echo test or the doctor found something to mend, and said what",
    Exit.USAGE: "an option is wrong",
    Exit.UNREACHABLE: "the server cannot be reached (before the first login; later it tries again for ever)",
    Exit.NO_DEVICE: "a named device or WAV file cannot be used",
    Exit.TRY_LATER: "the server or the room is full (before the first login; later it waits for a seat), your address "
    "is banned for a while, or another client took over your seat",
    Exit.PROTOCOL: "the other side speaks another version, or is no voicechat server",
    Exit.PASSWORD: "the password was refused",
    Exit.CONFIG: "the configuration or the link is wrong: no password, a name that is too long, a file that cannot be "
    "written",
    Exit.INTERRUPTED: "Ctrl-C",
}
"""What it ends with each for, as docs/reference.md has it."""
