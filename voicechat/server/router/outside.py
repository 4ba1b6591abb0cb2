"""What the running server has of its router: a keeper for IPv4, one for the IPv6 firewall, and an ear for restarts."""

import sys
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol

from voicechat.server.router import gateway, memory, upnp
from voicechat.server.router.keeper import Keeper
from voicechat.server.router.talk import Outcome, PortOpened, Way
from voicechat.server.router.upnp import ByUpnp
from voicechat.server.router.verdict import told
from voicechat.server.router.ways import ByDatagrams, IWay, dialler
from voicechat.server.router.wire import ANNOUNCED_TO, announces

NOT_INSTALLED: Final = "UPnP cannot be asked: pip install 'voicechat[router]'"

UNKNOWN: Final = "PCP and NAT-PMP are not asked: which router to ask is known on Linux only"


class Outside:
    """One server's. ``say`` takes a line for the log; ``port_is`` hears the outer port when it is another, or None."""

    def __init__(
        self,
        reactor: Any,
        folder: Path | None,
        say: Callable[[str], object],
        port_is: Callable[[int | None], object] = lambda _: None,
    ) -> None:
        self._reactor = reactor
        self._folder = folder
        self._say = say
        self._port_is = port_is
        self._inner = 0
        self._keepers: list[Keeper] = []
        self._ear: Any = None

    def start(self, inner: int) -> None:
        """Have port ``inner`` opened, and kept open."""
        self._inner = inner
        for line in self._lacks():
            self._say(line)
        self._keepers = self._made(inner)
        with suppress(CannotListenError, OSError):  # somebody else's ear; each LOOK seconds it is asked anyway
            self._ear = self._reactor.listenMulticast(ANNOUNCED_TO, _Ear(self._heard), listenMultiple=True)
        for keeper in self._keepers:
            keeper.start()

    def take_back(self) -> None:
        """Nothing is to be open: take back what a crash has left."""
        for keeper in self._made(1):
            keeper.take_back()

    def stop(self) -> "Deferred[Any]":
        """Take it back."""
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.stopListening()
        return gatherResults([keeper.stop() for keeper in self._keepers])

    def _lacks(self) -> list[str]:
        lines = [] if sys.platform == "linux" else [UNKNOWN]
        return lines if upnp.installed() else [*lines, NOT_INSTALLED]

    def _made(self, inner: int) -> list[Keeper]:
        """The keepers: of IPv4, and of IPv6 where there is a router for it."""
        dial = dialler(self._reactor)
        four, six = gateway.of_this_machine()
        ways: list[IWay] = []
        if four:
            ways += [ByDatagrams(self._reactor, dial, four, way) for way in (Way.PCP, Way.NAT_PMP)]
        if upnp.installed():
            ways.append(ByUpnp(self._reactor, four))
        ours = gateway.ours_towards(four) if four else None
        made = [Keeper(self._reactor, ways, inner, self._heard_of_it, router=four, ours=ours, folder=self._folder)]
        ours = gateway.ours_towards(six) if six else None
        if ours is not None and ours.is_global:
            hole = [ByDatagrams(self._reactor, dial, six, Way.PCP)]
            folder = None if self._folder is None else self._folder / memory.IPV6
            made.append(Keeper(self._reactor, hole, inner, self._heard_of_hole, router=six, ours=ours, folder=folder))
        return made

    def _heard_of_it(self, outcome: Outcome) -> None:
        self._say(told(outcome, self._inner))
        self._port_is(outcome.port if isinstance(outcome, PortOpened) else None)

    def _heard_of_hole(self, outcome: Outcome) -> None:
        """Routers without a firewall for IPv6, or that forbid this, are many: nothing is said of them."""
        if isinstance(outcome, PortOpened):
            self._say(f"the router lets friends in by IPv6, on port {outcome.port} ({outcome.way.value})")

    def _heard(self, address: str) -> None:
        """A router begins anew, or somebody says so: those that we ask are asked again, soon, and not often."""
        four, six = gateway.of_this_machine()
        if address in (four, six):
            for keeper in self._keepers:
                keeper.hint()


class _Ear(DatagramProtocol):
    """Hears what routers tell all."""

    def __init__(self, heard: Callable[[str], object]) -> None:
        self._heard = heard

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """From anybody."""
        if announces(datagram):
            with suppress(ValueError):
                self._heard(str(ip_address(addr[0])))
