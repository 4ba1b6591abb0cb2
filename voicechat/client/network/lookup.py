"""Names looked up without anybody waiting for it: neither the call, nor the end of the program.

The system's resolver may stand still for half a minute, and cannot be told to stop. In
Twisted's thread pool such a lookup holds up the end of the program, which waits for the
pool. Here each lookup has a thread of its own that nobody waits for; one that takes too
long counts as one that found nothing, and only a few may stand still at once.
"""

import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer

from voicechat.carriage.clock import Timer

LONGEST: Final = 5.0
"""Seconds until a lookup counts as one that found nothing: the first try's time (`retry.FIRST_SECONDS`), and what
glibc waits for one name server (resolv.conf(5), timeout)."""

MOST_AT_ONCE: Final = 8
"""Lookups that stand still; further ones find nothing at once. Each holds a thread, and half a minute of tries makes
six of them."""

_KINDS: Final[dict[int, Callable[..., IAddress]]] = {socket.AF_INET: IPv4Address, socket.AF_INET6: IPv6Address}

Found = Sequence[tuple[Any, ...]]
"""What getaddrinfo gives."""


def _zoned(host: str, *rest: int) -> tuple[Any, ...]:
    """A socket's address, with the zone of a link-local one in its host: of an address Twisted keeps only that."""
    zone = rest[2] if len(rest) == 3 else 0
    return (f"{host}%{zone}" if zone else host, *rest)


@implementer(IHostResolution)
class _Lookup:
    """One name on its way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.over = False

    def cancel(self) -> None:
        """Whatever is found is of no interest any more."""
        self.over = True


@implementer(IHostnameResolver)
class Lookups:
    """A reactor's name resolver; install it with ``reactor.installNameResolver``."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._standing = 0
        """Threads that have not come back."""

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Look ``hostName`` up; the receiver is told on the reactor's thread, within LONGEST seconds."""
        lookup = _Lookup(hostName)
        resolutionReceiver.resolutionBegan(lookup)
        kind = socket.SOCK_STREAM if transportSemantics == "TCP" else socket.SOCK_DGRAM

        def resolve(found: Found) -> None:
            if lookup.over:
                return
            lookup.over = True
            late.stop()
            for family, _, _, _, address in found:
                made = _KINDS[family](transportSemantics, *_zoned(*address))
                if addressTypes is None or type(made) in addressTypes:
                    resolutionReceiver.addressResolved(made)
            resolutionReceiver.resolutionComplete()

        def found_out(found: Found) -> None:
            self._standing -= 1
            resolve(found)

        def look() -> None:
            found: Found = ()
            try:
                found = socket.getaddrinfo(hostName, portNumber, type=kind)
            except (OSError, UnicodeError):
                pass  # nothing was found
            finally:
                self._reactor.callFromThread(found_out, found)

        late = Timer(self._reactor, lambda: resolve(()))
        late.start(0.0)
        if self._standing < MOST_AT_ONCE:
            with suppress(RuntimeError):  # the system has no thread left: nothing is found
                threading.Thread(target=look, name="looking up a name", daemon=True).start()
                self._standing += 1
                late.start(LONGEST)
        return lookup


class AsTyped(HostnameEndpoint):
    """Has the resolver look for the name that was typed, whatever it is.

    Twisted refuses what IDNA 2008 does not have, such as the underscore in the names of many machines
    and containers; ping and ssh find those. What is no name at all the resolver does not know.
    """

    @staticmethod
    def _hostAsBytesAndText(host: bytes | str) -> tuple[bool, bytes, str]:
        text = host if isinstance(host, str) else host.decode("ascii", "replace")
        return False, text.encode("ascii", "backslashreplace"), text
