"""How a running client is open to voicechat-ctl: by a local socket, or by a port where everybody proves themselves."""

import contextlib
import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voicechat.client.remote import loopback, meeting
from voicechat.errors import ConfigError, PasswordRefused
from voicechat.security import proof

if sys.platform != "win32":
    from voicechat.client.remote import runtime


class Guest:
    """Whoever has come in, and has nothing to prove: the system has told who they are."""

    def said(self, line: bytes) -> tuple[bytes, bytes | None]:
        """What is to be sent for a line at once; and what it asks for, None if it is not the request yet.

        PasswordRefused if it proves nothing.
        """
        return b"", line


class Stranger(Guest):
    """Anybody on this machine, until they have proved that they hold the key."""

    def __init__(self, key: bytes) -> None:
        self._host = proof.Host(key)
        self._welcome = False

    def said(self, line: bytes) -> tuple[bytes, bytes | None]:
        """A hello, or the request."""
        if self._welcome:
            return b"", self._host.opened(line)
        self._welcome = True
        return self._host.welcome(line) + b"\n", None


class Door(ABC):
    """Opened once and closed once; whoever comes in is a guest."""

    overhead = 0
    """Bytes of a line beside the request."""

    @abstractmethod
    def open(self, reactor: Any, factory: Any, most: int, environ: Mapping[str, str]) -> tuple[str, Any]:
        """Listen, with ``most`` at once in the queue; the file by which the client is found, and the port to stop.

        What dead clients left is removed. ConfigError, OSError or CannotListenError if it cannot be.
        """

    @abstractmethod
    def close(self) -> None:
        """The port is stopped: nobody is to find the client any more."""

    @abstractmethod
    def guest(self, connected: socket.socket) -> Guest:
        """Who has connected. PasswordRefused if they are another user."""


if sys.platform != "win32":

    class SocketDoor(Door):
        """A local socket. The system tells who is at the other end."""

        def open(self, reactor: Any, factory: Any, most: int, environ: Mapping[str, str]) -> tuple[str, Any]:
            """Listen on a path."""
            with contextlib.suppress(ConfigError):  # another folder than ours may be somebody else's
                runtime.find(environ)
            path = runtime.path_in(runtime.own_folder(environ))
            return path, reactor.listenUNIX(path, factory, backlog=most, mode=0o600)

        def close(self) -> None:
            """The socket's file went with the port."""

        def guest(self, connected: socket.socket) -> Guest:
            """The same user."""
            if not runtime.is_ours(connected):
                raise PasswordRefused("another user")
            return Guest()


class PortDoor(Door):
    """A port of this machine, and the file that tells the user's programs of it."""

    overhead = proof.OVERHEAD

    def __init__(self) -> None:
        self._key = proof.new_key()
        self._path = ""

    def open(self, reactor: Any, factory: Any, most: int, environ: Mapping[str, str]) -> tuple[str, Any]:
        """Listen on any free port."""
        loopback.find(environ)
        port = reactor.listenTCP(0, factory, backlog=most, interface=loopback.HERE)
        try:
            self._path = loopback.tell(port.getHost().port, self._key, environ)
        except BaseException:
            port.stopListening()
            raise
        return self._path, port

    def close(self) -> None:
        """The file goes."""
        with contextlib.suppress(OSError):
            Path(self._path).unlink()

    def guest(self, connected: socket.socket) -> Guest:
        """Anybody."""
        return Stranger(self._key)


def door() -> Door:
    """The one that this system has."""
    if sys.platform != "win32" and meeting.local_sockets():
        return SocketDoor()
    return PortDoor()
