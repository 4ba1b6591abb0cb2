"""Who knocks: how often each address and the networks around it came lately, and who has logged in.

May import the limits only. It reads no clock; ``now`` is seconds of a monotonic one.

An address alone tells little: a line with IPv6 has 2**64 of them, and whoever rents a
network has 65 536 such lines. So a knock is counted for each network that it comes
from, and what a visitor's *rank* says is how much all of them together knock. But many
households may share a large network, and a friend among them must not pay for a
neighbour; so it may knock more often before that counts, by as many households as it is
likely to hold. A rank is the sum over the networks, not the worst of them: a flood from
one /48 is behind a friend in another; and a friend in the same one is still before
those addresses of it that knock themselves.
"""

import math
from collections import OrderedDict
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from voicechat.server.limits import Limits

HALVE: Final = 30.0
"""Seconds in which half of an address's knocking is forgotten: a friend's typing errors count for less than a flood's
seconds, and are forgotten in some minutes. So 60 networks that knock five times a second each are known for a flood
after a few seconds."""

STEP: Final = 4.0
"""Times as many knocks that make a rank of one more. Below it nobody is told apart: a client tries three times, and
one that does is no flood."""

SPARED: Final = 20.0
"""Knocks of a known address that count for nothing: a household of friends who all come back a few times."""

_IPV6: Final = ((64, 1.0), (56, 4.0), (48, 8.0))
"""Networks of IPv6, and for how many households each stands. A /64 is one line. A /56 is what a provider gives to a
home, or to a site with a few lines (RIPE-690). A /48 is a site's, or a customer's of a hoster, but some providers give
its /56 to 256 homes."""

_IPV4: Final = ((32, 1.0), (24, 4.0))
"""The same for IPv4. Whoever rents addresses gets them in a row, so a /24 counts, too; and it is shared by many homes
that never heard of us, so it counts as a /56 does."""


@lru_cache(maxsize=1024)
def networks(address: str) -> tuple[tuple[object, float], ...]:
    """The networks of an address as `address_block` gives it, from the smallest on, with their households."""
    try:
        parsed = ip_address(address.partition("/")[0])
    except ValueError:
        return ((address, 1.0),)
    bits, known = (128, _IPV6) if isinstance(parsed, IPv6Address) else (32, _IPV4)
    number = int(parsed)
    return tuple(((parsed.version, length, number >> bits - length), households) for length, households in known)


class Knocks:
    """Counts of the last seconds, by network, and the addresses that are known; both bounded."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._counts: OrderedDict[object, tuple[float, float]] = OrderedDict()
        """How often each network came lately, and when that was counted."""
        self._known: OrderedDict[str, float] = OrderedDict()
        """When each address that logged in did so last."""

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, address: str, now: float, knocks: float = 1.0) -> None:
        """Somebody of this address came; or did what counts for as many ``knocks``."""
        for network, _ in networks(address):
            self._counts[network] = (self._lately(network, now) + knocks, now)
            self._counts.move_to_end(network)
        while len(self._counts) > self._limits.most_banned:
            self._counts.popitem(last=False)

    def known(self, address: str, now: float) -> None:
        """Somebody of this address has proved the password."""
        self._known[address] = now
        self._known.move_to_end(address)
        if len(self._known) > self._limits.most_known:
            self._known.popitem(last=False)

    def rank(self, address: str, now: float) -> int:
        """How much knocking an address stands for.

        -1 for a known one with little of it, 0 for any other with little, and one more for each four times as much, of
        each of its networks.
        """
        rank = 0
        for place, (network, households) in enumerate(networks(address)):
            count = self._lately(network, now)
            if not place and count <= SPARED and self._is_known(address, now):
                rank -= 1
            elif count >= STEP * households:
                rank += int(math.log(count / households, STEP))
        return rank

    def _is_known(self, address: str, now: float) -> bool:
        then = self._known.get(address)
        return then is not None and now - then <= self._limits.known_seconds

    def _lately(self, network: object, now: float) -> float:
        count, then = self._counts.get(network, (0.0, now))
        faded: float = 0.5 ** ((now - then) / HALVE)
        return count * faded
