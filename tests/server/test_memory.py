"""The server over a third carriage, in memory: whole calls, and no line of the server knows of it."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.carriage.memory import MemoryCarriage
from tests.server.behaviour import Behaviour
from tests.server.house import Friend, House
from voicechat.server.limits import address_block
from voicechat.server.protocol import RemoteClient


class MemoryFriend(Friend):
    """A friend whose strings are handed over as they are."""

    def __init__(self, house: House, name: str, *, host: str = "192.0.2.1", **rest: Any) -> None:
        super().__init__(house, name, **rest)
        self.client = RemoteClient(house.hub, address_block(host))
        self.carriage = MemoryCarriage(self.client.connection, host)
        self._gone = False

    def begin(self) -> "MemoryFriend":
        """Send the first string."""
        self.send_string(self.session.begin())
        return self

    @property
    def connected(self) -> bool:
        """The server has not closed the connection."""
        return self.carriage.open and not self._gone

    def send_string(self, string: bytes) -> None:
        """As it is."""
        if not self._gone:
            self.carriage.deliver(string)

    def send_media(self, packet: bytes) -> None:
        """Sealed, as everything."""
        self.send_string(self.session.seal(packet))

    def deliver(self) -> bool:
        """Take in what the server sent, and tell it when the connection has ended."""
        strings = self.carriage.strings
        some = bool(strings)
        while strings:
            self._take(strings.popleft())
        if not self.carriage.open and not self._gone:
            self.break_line()
            return True
        return some

    def break_line(self) -> None:
        """Be gone without a word."""
        if not self._gone:
            self._gone = True
            self.carriage.open = False
            self.client.connection.disconnected()


class MemoryTests(Behaviour, SynchronousTestCase):
    """Everything that holds over TCP and UDP."""

    def connect(self, name: str, **rest: Any) -> MemoryFriend:
        """A friend whose HELLO, or RESUME, is on its way."""
        return MemoryFriend(self.house, name, **rest).begin()
