"""Proxies that the host trusts: whose connections they make, by what they say of it.

A proxy on the way makes all visitors come from one address, and what limits count by would
be one visitor. So the address of the visitor is taken from the PROXY protocol (an endpoint
`haproxy:` reads it), or of a browser from X-Forwarded-For; and never unless the connection
itself comes from an address that the host has named, since anybody can write either.

Pure: addresses in, addresses out.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from voicechat.errors import ConfigError
from voicechat.options.option import shown

UNKNOWN: Final = "a proxy"
"""What stands in logs for the address of a visitor who has not been told of yet: nobody bans a proxy for it."""


Network = IPv4Network | IPv6Network


def network(text: str) -> Network:
    """The network, or the one address, that is meant. ConfigError for what is neither."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ConfigError(
            f"an address or a network, such as 127.0.0.1 or 10.0.0.0/8, is needed, not {shown(text)}"
        ) from None


class Proxies:
    """Those of ``trusted`` networks."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = trusted

    def __bool__(self) -> bool:
        return bool(self._trusted)

    def trusts(self, host: str | None) -> bool:
        """What comes from this address is one of them."""
        address = _address(host or "")
        return address is not None and any(address in network for network in self._trusted)

    def visitor(self, proxy: str, forwarded: Sequence[bytes]) -> str:
        """Whose connection ``proxy``, which is trusted, has made; ``forwarded``: what X-Forwarded-For lists.

        Each proxy puts the address that it sees behind those that it was told. So the last that is no proxy of ours is
        what one of ours has seen; what stands before it anybody may have made up.
        """
        seen = proxy
        for entry in reversed(forwarded):
            address = _address(entry.decode("ascii", "replace"))
            if address is None:
                break
            seen = str(address)
            if not self.trusts(seen):
                break
        return seen


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, perhaps with a port behind it, as some proxies write it; IPv4 in the clothes of IPv6 is IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
