"""What voicechat-ctl reaches: a local socket or port on which one line asks and one line answers.

`commands` does what a request says; `RemoteProtocol` and `Remote` bring it from the socket. Whoever
connects can hold a connection for some seconds and nothing else: one
request each, of bounded length, from the same user, from a few at a time.
"""

import os
from typing import Any, Final

import msgspec
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import LineOnlyReceiver

from voicechat.carriage.clock import Timer
from voicechat.client.remote.commands import Commands
from voicechat.client.remote.doors import door
from voicechat.client.remote.words import LONGEST_LINE
from voicechat.errors import PasswordRefused

SECONDS: Final = 3.0
"""From connecting to the end: a request takes a millisecond."""

MOST_AT_ONCE: Final = 8
"""Connections: a key that repeats has one or two."""


class RemoteProtocol(LineOnlyReceiver):
    """One connection: one request, one answer, the end."""

    delimiter = b"\n"
    transport: Any  # that of a local socket or port

    def __init__(self, remote: "Remote") -> None:
        self.MAX_LENGTH = LONGEST_LINE + remote.door.overhead
        self._remote = remote
        self._limit = Timer(remote.clock, self._take_too_long)
        self._answered = False

    def connectionMade(self) -> None:
        """Let nobody else in, nor too many, nor for long."""
        self._limit.start(SECONDS)
        self._remote.open.add(self)
        try:
            self._guest = self._remote.door.guest(self.transport.socket)
        except PasswordRefused:
            self._refuse()
        if len(self._remote.open) > MOST_AT_ONCE:
            self._refuse()

    def _take_too_long(self) -> None:
        self.transport.abortConnection()

    def lineReceived(self, line: bytes) -> None:
        """The request; before it, where the system does not tell who it is, what they prove it by."""
        if self._answered:
            return
        try:
            answer, request = self._guest.said(line)
        except PasswordRefused:
            self._refuse()
            return
        self.transport.write(answer)
        if request is not None:
            self._answered = True
            self.transport.write(msgspec.json.encode(self._remote.commands.do(request)) + b"\n")
            self.transport.loseConnection()

    def lineLengthExceeded(self, line: bytes) -> None:
        """More than any request."""
        self._refuse()

    def _refuse(self) -> None:
        """Answer nothing."""
        self._answered = True
        self.transport.abortConnection()

    def connectionLost(self, reason: object = None) -> None:
        """It is over."""
        self._remote.open.discard(self)
        self._limit.stop()


class Remote(ServerFactory):
    """The door of this client. ``start`` listens, ``stop`` removes it."""

    noisy = False

    def __init__(self, reactor: Any, commands: Commands) -> None:
        self.clock = reactor
        self.commands = commands
        self.open: set[RemoteProtocol] = set()
        self.door = door()
        self._port: Any = None

    def start(self) -> str:
        """Listen; the file by which voicechat-ctl finds it. ConfigError, OSError, CannotListenError if it cannot be."""
        path, self._port = self.door.open(self.clock, self, MOST_AT_ONCE, os.environ)
        return path

    def stop(self) -> None:
        """Listen no more; the file is gone."""
        port, self._port = self._port, None
        if port is not None:
            port.stopListening()
            self.door.close()
        for connection in list(self.open):
            connection.transport.loseConnection()

    def buildProtocol(self, addr: IAddress | None) -> RemoteProtocol:
        """One connection."""
        return RemoteProtocol(self)
