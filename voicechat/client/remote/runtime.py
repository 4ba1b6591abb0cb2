"""Where a running client can be told what to do, on POSIX: a local socket that only its user can open.

``$XDG_RUNTIME_DIR/voicechat/client-PID.sock``; where there is no such folder of ours,
``voicechat-UID/client-PID.sock`` in the temporary directory. A folder that somebody else
made, or may write to, is never used. Imports next to nothing: voicechat-ctl is bound to a
key and has to be quick.
"""

import contextlib
import os
import socket
import stat
import struct
import sys
from collections.abc import Iterator, Mapping

from voicechat.client.remote import names
from voicechat.client.remote.names import LONGEST_NUMBER, PREFIX
from voicechat.errors import ConfigError

assert sys.platform != "win32"

SUFFIX = ".sock"

LONGEST_PATH = 107 if sys.platform == "linux" else 103
"""Bytes of a socket's path: with its final zero 108 (unix(7), sun_path), on BSD and macOS 104."""

CREDENTIALS = struct.Struct("3i")
"""Process, user and group, as Linux tells them of the other end (unix(7), SO_PEERCRED)."""


def own_folder(environ: Mapping[str, str]) -> str:
    """The folder for this user's sockets; made if it is not there. ConfigError if none can be used.

    One that cannot be made (a disk that is full or read-only) leaves the next place; one that is there and not
    ours alone does not.
    """
    problem = "there is no folder for a local socket, or its path is too long"
    for folder in _folders(environ):
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            pass
        except OSError as error:
            problem = f"cannot make {folder}: {error.strerror}"
            continue
        check(folder)
        return folder
    raise ConfigError(problem)


def check(folder: str) -> None:
    """ConfigError unless the folder is ours alone; OSError if there is none, or it cannot be looked at."""
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ConfigError(f"{folder} is not a folder of yours: somebody else made it")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(f"{folder} is open to other users; chmod 700 it")


def _folders(environ: Mapping[str, str]) -> Iterator[str]:
    """Where sockets may be, the best place first; none whose path is too long for one."""
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    temporary = environ.get("TMPDIR", "")
    places = []
    with contextlib.suppress(OSError):
        if os.path.isabs(runtime) and os.stat(runtime).st_uid == os.geteuid():
            places.append(os.path.join(runtime, "voicechat"))
    if not (os.path.isabs(temporary) and os.path.isdir(temporary) and _has_room(temporary)):
        temporary = "/tmp"  # noqa: S108  checked
    places.append(os.path.join(temporary, f"voicechat-{os.geteuid()}"))
    yield from filter(_has_room, places)


def _has_room(folder: str) -> bool:
    """Whether a socket in the folder can have a path."""
    return len(os.fsencode(folder)) + len("/" + PREFIX + SUFFIX) + LONGEST_NUMBER <= LONGEST_PATH


def path_in(folder: str) -> str:
    """This process' socket."""
    return os.path.join(folder, names.ours(SUFFIX))


def find(environ: Mapping[str, str]) -> list[str]:
    """The sockets of all living clients of this user; those of dead ones are removed.

    A folder that is not ours alone is left aside; ConfigError about it if there is no living client elsewhere.
    """
    living: list[str] = []
    refused: ConfigError | None = None
    for folder in _folders(environ):
        try:
            check(folder)
            every = os.listdir(folder)
        except OSError:
            continue
        except ConfigError as error:
            refused = error
            continue
        living += [path for name in names.among(every, SUFFIX) if not is_dead(path := os.path.join(folder, name))]
    if refused is not None and not living:
        raise refused
    return living


def is_dead(path: str) -> bool:
    """Nobody listens there. The socket of a process that is no more is removed."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            return False  # its queue is full: somebody is there
        except OSError:
            if not names.lives(path):
                with contextlib.suppress(OSError):
                    os.unlink(path)
            return True
    return False


def is_ours(connected: socket.socket) -> bool:
    """Whether the same user is at the other end; True where the system does not tell."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    told = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    user: int = CREDENTIALS.unpack(told)[1]
    return user == os.geteuid()


def ask(path: str, request: bytes, seconds: float) -> socket.socket:
    """Send a request to the client of a socket; the connection on which it answers.

    OSError says why that cannot be: PermissionError if the other end is another user, who is told nothing.
    """
    with contextlib.ExitStack() as held:
        connection = held.enter_context(socket.socket(socket.AF_UNIX))
        connection.settimeout(seconds)
        connection.connect(path)
        if not is_ours(connection):
            raise PermissionError
        connection.sendall(request)
        held.pop_all()
    return connection
