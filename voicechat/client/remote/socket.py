"""What voicechat-ctl reaches: a local socket on which one line asks and one line answers.

`commands` does what a request says; `RemoteProtocol` and `Remote` bring it from the socket. Whoever
connects can hold a connection for some seconds and nothing else: one
request each, of bounded length, from the same user, from a few at a time.
"""

import contextlib
import os
from typing import Any, Final

import msgspec
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import LineOnlyReceiver

from voicechat.carriage.clock import Timer
from voicechat.client.remote import runtime
from voicechat.client.remote.commands import Commands
from voicechat.client.remote.words import LONGEST_LINE
from voicechat.errors import ConfigError

SECONDS: Final = 3.0
"""From connecting to the end: a request takes a millisecond."""

MOST_AT_ONCE: Final = 8
"""Connections: a key that repeats has one or two."""


class RemoteProtocol(LineOnlyReceiver):
    """One connection: one request, one answer, the end."""

    delimiter = b"\n"
    MAX_LENGTH = LONGEST_LINE
    transport: Any  # a UNIX server's

    def __init__(self, remote: "Remote") -> None:
        self._remote = remote
        self._limit = Timer(remote.clock, self._take_too_long)
        self._answered = False

    def connectionMade(self) -> None:
        """Let nobody else in, nor too many, nor for long."""
        self._limit.start(SECONDS)
        self._remote.open.add(self)
        if len(self._remote.open) > MOST_AT_ONCE or not runtime.is_ours(self.transport.socket):
            self._answered = True
            self.transport.abortConnection()

    def _take_too_long(self) -> None:
        self.transport.abortConnection()

    def lineReceived(self, line: bytes) -> None:
        """The request."""
        if not self._answered:
            self._answered = True
            self.transport.write(msgspec.json.encode(self._remote.commands.do(line)) + b"\n")
            self.transport.loseConnection()

    def lineLengthExceeded(self, line: bytes) -> None:
        """More than any request."""
        self._answered = True
        self.transport.abortConnection()

    def connectionLost(self, reason: object = None) -> None:
        """It is over."""
        self._remote.open.discard(self)
        self._limit.stop()


class Remote(ServerFactory):
    """The socket of this client. ``start`` listens, ``stop`` removes it."""

    noisy = False

    def __init__(self, reactor: Any, commands: Commands) -> None:
        self.clock = reactor
        self.commands = commands
        self.open: set[RemoteProtocol] = set()
        self._port: Any = None

    def start(self) -> str:
        """Listen; where. Sockets that dead clients left are removed. ConfigError, OSError if it cannot be."""
        with contextlib.suppress(ConfigError):  # another folder than ours may be somebody else's
            runtime.find(os.environ)
        path = runtime.path_in(runtime.own_folder(os.environ))
        self._port = self.clock.listenUNIX(path, self, backlog=MOST_AT_ONCE, mode=0o600)
        return path

    def stop(self) -> None:
        """Listen no more; the socket's file is gone."""
        port, self._port = self._port, None
        if port is not None:
            port.stopListening()
        for connection in list(self.open):
            connection.transport.loseConnection()

    def buildProtocol(self, addr: IAddress | None) -> RemoteProtocol:
        """One connection."""
        return RemoteProtocol(self)
