"""A third carriage: strings handed over in memory, without framing, sockets or Twisted. This file is all of it.

What a carriage has to supply is `ICarriage`; what it calls is `Connection`. Registering it is one
line where connections begin: ``MemoryCarriage(RemoteClient(hub, address).connection)``.
"""

from collections import deque

from voicechat.carriage.connection import Connection


class MemoryCarriage:
    """One end's carriage. The other end takes from `strings`, and calls `deliver`, `block` and `lose`."""

    overhead = 0

    def __init__(self, connection: Connection, host: str | None = None) -> None:
        self.connection = connection
        self.host = host
        self.strings: deque[bytes] = deque()
        """On their way to the other end."""
        self.open = True
        self.reads = True
        connection.connected(self)

    # -- what the other end does ------------------------------------------------------

    def deliver(self, string: bytes) -> None:
        """A string arrives here, if it may have this length."""
        if not self.open:
            return
        self.connection.received(len(string))
        if len(string) > self.connection.longest:
            self.connection.too_long(len(string))
        else:
            self.connection.string_received(string)

    def block(self, blocked: bool) -> None:
        """The other end takes nothing for now, or takes all again."""
        if self.open:
            self.connection.paused(blocked)

    def lose(self) -> None:
        """The connection is lost."""
        if self.open:
            self.open = False
            self.connection.disconnected()

    # -- what the connection asks for: ICarriage ----------------------------------------

    def send_string(self, string: bytes) -> None:
        """Hand a string over."""
        self.strings.append(string)

    def reading(self, on: bool) -> None:
        """Read no more for now, or go on."""
        self.reads = on

    def close(self) -> None:
        """What is on its way arrives; then it is over."""
        self.open = False

    def abort(self) -> None:
        """What is on its way is lost."""
        self.strings.clear()
        self.open = False
