"""What makes a protocol of each connection that the port takes, and how many it takes at a time."""

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory

from voicechat.carriage.tcp import StringProtocol
from voicechat.server.datagrams import DatagramPort
from voicechat.server.hub import Hub
from voicechat.server.limits import address_block
from voicechat.server.protocol import RemoteClient

LET_IN: Final = 10
"""Connections taken in a turn of the reactor: 4 ms. Voices that come meanwhile wait so long; of a hundred, as Twisted
takes them, they waited a tenth of a second (measured). Fewer would keep a friend in the kernel's queue in a flood of
logins, of which each turn computes one."""


Carried = Callable[[RemoteClient], Protocol]
"""What carries a client's strings over a connection that has come."""


def by_strings(client: RemoteClient) -> Protocol:
    """Strings and nothing else: no browser, no proxy."""
    return StringProtocol(client.connection)


class VoiceServerFactory(ServerFactory):
    """Makes a protocol for each connection that one way in takes, by ``carried``."""

    noisy = False

    def __init__(self, hub: Hub, carried: Carried = by_strings) -> None:
        self._hub = hub
        self._carried = carried
        self.datagrams = DatagramPort(hub.clock, hub.metrics, hub.events, rtc=hub.takes_offers)
        """Those beside the connections, from the time when a UDP port is opened for them."""
        self._port: Any = None
        self._held_back = False

    def listens(self, port: Any) -> None:
        """What listens takes LET_IN connections in a turn of the reactor from now on."""
        self._port = port
        self._hold_back()

    def _hold_back(self) -> None:
        """In a flood Twisted takes a hundred in a turn, and twenty more in each."""
        self._held_back = False
        self._port.numberAccepts = LET_IN

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """One for ``addr``."""
        if self._port is not None and not self._held_back:
            self._held_back = True
            self._hub.clock.callLater(0, self._hold_back)
        return self._carried(RemoteClient(self._hub, address_block(getattr(addr, "host", "local")), self.datagrams))
