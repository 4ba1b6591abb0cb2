"""UPnP, by miniupnpc in a thread (the extra ``router``): for the many routers that speak neither PCP nor NAT-PMP.

Whoever answers the search is asked only if it is the router that the way out leads to, where that is known: anybody in
the house may answer. miniupnpc has no call for holes in an IPv6 firewall (2.3.3; AddPinhole of IGD2).
"""

import importlib.util
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from voicechat.server.router.talk import LEASE, MOST_PORTS, Outcome, PortClosed, PortOpened, PortWish, Way
from voicechat.server.router.wire import MOST_SECONDS, Address, Refusal, Result

SEARCH_MS: Final = 1000
"""Milliseconds for answers to the search; routers that are asked answer within one second (UPnP 1.1, MX=1)."""

NOTE: Final = "voicechat"
"""What the router's list of ports has beside ours."""

_CARRIED: Final = ("UDP", "TCP")

_ERRORS: Final = {
    "authorized": Result.FORBIDS,
    "conflict": Result.TAKEN,
    "nopormaps": Result.NO_ROOM,
    "noportmaps": Result.NO_ROOM,
}
"""Words in what miniupnpc says of an error (its upnperrors.c), without spaces."""


def installed() -> bool:
    """Whether routers can be asked in this way."""
    return importlib.util.find_spec("miniupnpc") is not None


class ByUpnp:
    """One router by UPnP. ``make`` gives miniupnpc's object; all that waits is done in the reactor's threads."""

    way = Way.UPNP

    def __init__(self, reactor: Any, router: str, make: Callable[[], Any] | None = None) -> None:
        self._reactor = reactor
        self._router = router
        self._make = make or _miniupnpc
        self._found: Any = None

    def open(self, wish: PortWish) -> "Deferred[Outcome]":
        """Open a port."""
        return self._in_thread(lambda: self.opened(wish))

    def close(self, wish: PortWish) -> "Deferred[Outcome]":
        """Take it back."""
        return self._in_thread(lambda: self.closed(wish))

    def _in_thread(self, call: Callable[[], Outcome]) -> "Deferred[Outcome]":
        asked: Deferred[Outcome] = deferToThreadPool(self._reactor, self._reactor.getThreadPool(), call)
        return asked.addErrback(lambda _: None)  # what a router makes miniupnpc raise is no answer

    def opened(self, wish: PortWish) -> Outcome:
        """Open both; waits, and blocks."""
        igd = self._router_found()
        if igd is None:
            return None
        wished, refused = wish.outer, Refusal(Result.UNABLE)
        for _ in range(MOST_PORTS):
            no = self._both(igd, wished, wish.inner)
            if no is None:
                seconds = LEASE if self._timed else MOST_SECONDS
                return PortOpened(Way.UPNP, wished, seconds, _address(igd))
            refused = no
            if no.result is not Result.TAKEN:
                break
            wished = wished + 1 if wished < 65_535 else 1024  # a neighbour is as good as any
        return refused

    def closed(self, wish: PortWish) -> Outcome:
        """Close both; waits, and blocks."""
        igd = self._router_found()
        if igd is None:
            return None
        self._take_back(igd, wish.outer)
        return PortClosed()

    _timed = True
    """The router takes a time; else what is not taken back stays."""

    def _router_found(self) -> Any:
        """Miniupnpc's object, which knows the router; None if there is none."""
        if self._found is not None:
            with suppress(Exception):
                self._found.externalipaddress()  # it still answers
                return self._found
        self._found = None
        igd = self._make()
        igd.discoverdelay = SEARCH_MS
        try:
            igd.discover()
            place = igd.selectigd()
        except Exception:  # noqa: BLE001  all that miniupnpc raises is this
            return None
        if not self._may_be_asked(str(place)):
            return None
        self._found = igd
        return igd

    def _may_be_asked(self, place: str) -> bool:
        """Whether who answered is the router."""
        try:
            host = ip_address(urlsplit(place).hostname or "")
        except ValueError:
            return False
        return str(host) == self._router if self._router else host.is_private

    def _both(self, igd: Any, outer: int, inner: int) -> Refusal | None:
        """Open both by one number; else why not, and neither is open."""
        for carried in _CARRIED:
            error = self._one(igd, outer, inner, carried, LEASE)
            if "onlypermanent" in error:  # some home routers take no time
                self._timed = False
                error = self._one(igd, outer, inner, carried, 0)
            if error:
                if carried != _CARRIED[0]:
                    self._take_back(igd, outer)
                return Refusal(next((_ERRORS[word] for word in _ERRORS if word in error), Result.UNABLE))
        return None

    def _one(self, igd: Any, outer: int, inner: int, carried: str, seconds: int) -> str:
        """What is wrong, in small letters without spaces; '' if nothing is."""
        try:
            igd.addportmapping(outer, carried, igd.lanaddr, inner, NOTE, "", seconds)
        except Exception as error:  # noqa: BLE001  all that miniupnpc raises is this
            return str(error).lower().replace(" ", "") or "?"
        return ""

    def _take_back(self, igd: Any, outer: int) -> None:
        for carried in _CARRIED:
            with suppress(Exception):
                igd.deleteportmapping(outer, carried)


def _miniupnpc() -> Any:
    import miniupnpc

    return miniupnpc.UPnP()


def _address(igd: Any) -> Address | None:
    """What the router says its outer address is; None if that is no address."""
    try:
        return ip_address(str(igd.externalipaddress()))
    except Exception:  # noqa: BLE001  miniupnpc's, or of a text that is no address
        return None
