"""What the outer address means for who wants in, and what the host is told."""

from enum import Enum
from ipaddress import IPv4Network
from typing import Final

from voicechat.invite import Invite
from voicechat.server.router.talk import Outcome, PortClosed
from voicechat.server.router.wire import Address, Refusal

SHARED: Final = IPv4Network("100.64.0.0/10")
"""What providers give to many at once (RFC 6598)."""

HELPS: Final = "IPv6, a tunnel or VPN between you (Tailscale, WireGuard, playit.gg), or a small rented server"


class Reach(Enum):
    """Where a router's outer address lies, and what then is to be told behind "the router opened port N, but"."""

    OUTSIDE = ""
    UNKNOWN = "does not say by which address: its status page shows it"
    CGNAT = f"your provider shares one address among many (CGNAT), so nobody reaches it. What helps: {HELPS}"
    DOUBLE = (
        "it stands behind another router (double NAT), which has to forward the port, too, or be set to bridge mode. "
        f"If it is your provider's, what helps is {HELPS}"
    )
    NOWHERE = f"its outer address is none that friends can reach. What helps: {HELPS}"


def verdict(address: Address | None) -> Reach:
    """What an outer address is."""
    if address is None or address.is_unspecified:
        return Reach.UNKNOWN
    if address.version == 4 and address in SHARED:
        return Reach.CGNAT
    if address.is_global and not address.is_multicast:
        return Reach.OUTSIDE
    if address.is_loopback or address.is_multicast or address.is_link_local or address.is_reserved:
        return Reach.NOWHERE
    return Reach.DOUBLE


def told(outcome: Outcome, inner: int) -> str:
    """What the host reads about the port ``inner``: one line."""
    if outcome is None:
        return (
            f"no router answers that could open port {inner} (PCP, NAT-PMP, UPnP): switch UPnP on in its settings, "
            f"or forward port {inner}, TCP and UDP, by hand"
        )
    if isinstance(outcome, PortClosed):
        return f"the router has closed port {inner}"
    if isinstance(outcome, Refusal):
        return f"the router {outcome.result.value}: forward port {inner}, TCP and UDP, in its settings by hand"
    what = verdict(outcome.address)
    if what is Reach.OUTSIDE:
        link = Invite(str(outcome.address), outcome.port).link()
        return f"the router opened port {outcome.port}, TCP and UDP ({outcome.way.value}): friends reach it at {link}"
    where = f" of {outcome.address}" if outcome.address is not None else ""
    return f"the router opened port {outcome.port}{where} ({outcome.way.value}), but {what.value}"
