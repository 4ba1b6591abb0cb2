r"""Where a running client can be told what to do if the system has no local sockets (Windows): a port of 127.0.0.1.

Anybody on the machine can connect to a port, so whoever does has to prove that they can read a file that only its
user can: ``voicechat\run\client-PID.port`` in the user's own ``%LOCALAPPDATA%``, with the port's number and a key
that is new with each client. The client proves itself, too (`voicechat.security.proof`): a port may be somebody
else's by the time that its file is read. Imports next to nothing: voicechat-ctl is bound to a key and has to be quick.
"""

import contextlib
import os
import socket
from collections.abc import Mapping

from voicechat.client.remote import names
from voicechat.client.remote.lines import line_of
from voicechat.errors import ConfigError, PasswordRefused
from voicechat.security import proof

SUFFIX = ".port"

HERE = "127.0.0.1"

LONGEST_FILE = 128
"""Bytes: a port's number, a key in hexadecimal, two blanks."""

LONGEST_WELCOME = 256
"""Bytes: a proof and a nonce in hexadecimal."""

KNOCK = 0.25
"""Seconds for a port of this machine to answer: one that is open takes less than a thousandth. Windows tries one that
is not for two seconds."""


def _folder(environ: Mapping[str, str]) -> str:
    """The folder of the files. ConfigError if the user has none."""
    own = environ.get("LOCALAPPDATA", "")
    if not os.path.isabs(own):
        raise ConfigError("there is no folder of yours for it: LOCALAPPDATA is not set")
    return os.path.join(own, "voicechat", "run")


def _parsed(data: bytes) -> tuple[int, bytes]:
    """Port and key of a file. ValueError if it is none, or not whole yet."""
    port, key = data.decode("ascii").split()
    if not (port.isdigit() and 0 < int(port) < 65536 and len(key) == 2 * proof.KEY_BYTES):
        raise ValueError("not a port and a key")
    return int(port), bytes.fromhex(key)


def _read(path: str) -> tuple[int, bytes]:
    with open(path, "rb") as stream:
        return _parsed(stream.read(LONGEST_FILE))


def find(environ: Mapping[str, str]) -> list[str]:
    """The files of all living clients of this user; those of dead ones are removed."""
    with contextlib.suppress(OSError, ConfigError):
        folder = _folder(environ)
        paths = [os.path.join(folder, name) for name in names.among(os.listdir(folder), SUFFIX)]
        return [path for path in paths if not is_dead(path)]
    return []


def is_dead(path: str) -> bool:
    """Nobody listens on the port of a file. That of a process that is no more is removed."""
    try:
        port, _ = _read(path)
        socket.create_connection((HERE, port), KNOCK).close()
    except (OSError, ValueError):
        if not names.lives(path):
            with contextlib.suppress(OSError):
                os.unlink(path)
        return True
    return False


def ask(path: str, request: bytes, seconds: float) -> socket.socket:
    """Ask the client of a file; the connection on which it answers.

    OSError says why not: FileNotFoundError, ConnectionRefusedError and TimeoutError as sockets have them.
    """
    try:
        port, key = _read(path)
    except ValueError:
        raise ConnectionRefusedError from None
    with contextlib.ExitStack() as held:
        connection = held.enter_context(socket.create_connection((HERE, port), seconds))
        caller = proof.Caller(key)
        connection.sendall(caller.hello + b"\n")
        welcome = line_of(connection, LONGEST_WELCOME, seconds).rstrip(b"\n")
        try:
            proved = caller.request(welcome, request.rstrip(b"\n")) + b"\n"
        except PasswordRefused:  # the client is gone, and its port another program's
            raise ConnectionRefusedError from None
        connection.sendall(proved)
        held.pop_all()
    return connection


def tell(port: int, key: bytes, environ: Mapping[str, str]) -> str:
    """Write this process' file, which tells the user's other programs of its port; where. ConfigError or OSError."""
    folder = _folder(environ)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)  # on Windows: for the user, and the machine's administrators (os.mkdir's manual)
    path = os.path.join(folder, names.ours(SUFFIX))
    with contextlib.suppress(FileNotFoundError):  # of an earlier process that had our number
        os.unlink(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, b"%d %s\n" % (port, key.hex().encode()))
    finally:
        os.close(descriptor)
    return path
