"""Invitations as the host reads them: a link for each way in, and what the router needs.

Pure, but for `addresses`, which asks the system. The links have the password in them: they are
for the host's eyes, and never for a log.
"""

import ipaddress
import socket
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from voicechat.invite import Invite

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

OUTER: Final = "OUTER-ADDRESS"
"""Stands for what nobody here knows: by which address the router is reached."""

SAME, OUTSIDE = "same network", "from outside"
"""Who can use a link."""

_SIOCGIFADDR: Final = 0x8915
"""netdevice(7): the IPv4 address of an interface."""

_PASSING: Final = 0x01 | 0x20 | 0x40
"""IFA_F_TEMPORARY, _DEPRECATED and _TENTATIVE (linux/if_addr.h): tomorrow's link would lead nowhere."""

_LIGHT_ON_DARK, _AS_BEFORE = "\x1b[97;40m", "\x1b[0m"

_NOWHERE: Final = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))
"""Addresses that are nobody's (RFC 5737, RFC 3849)."""


def links(invite: Invite, own: Sequence[Address], mapped: tuple[Address, int] | None = None) -> list[tuple[str, str]]:
    """Who can use a link, and the link; for an invite without a host, one for each of this machine's addresses.

    ``mapped``: by which address and port the router, which was asked, is reached.
    """
    if invite.host:
        return [(OUTSIDE, invite.link())]
    found = [(OUTSIDE if address.is_global else SAME, str(address)) for address in own]
    found.sort(key=lambda one: one[0] == OUTSIDE)
    if not any(address.is_global and address.version == 4 for address in own):
        found.append((OUTSIDE, OUTER))
    at = [(who, invite._replace(host=host)) for who, host in found]
    if mapped is not None:
        outside = invite._replace(host=str(mapped[0]), port=mapped[1])
        at = [(who, one) for who, one in at if one.host not in (OUTER, outside.host)] + [(OUTSIDE, outside)]
    return [(who, one.link()) for who, one in at]


def told(invite: Invite, own: Sequence[Address], mapped: tuple[Address, int] | None = None, but: str = "") -> str:
    """What the host reads: what a friend types, and what the router has to do; ``but``: why it did that in vain."""
    these = links(invite, own, mapped)
    lines = ["A friend types one of these:", ""]
    lines += [f"  {who}:  voicechat-client '{link}' --name NAME" for who, link in these]
    lines += [
        "",
        f"Your router lets friends in by port {mapped[1]} while the server runs."
        if mapped is not None
        else but or f"For friends outside, forward port {invite.port}, TCP and UDP, to this machine in your router.",
    ]
    if not but and any(OUTER in link for _, link in these):
        lines += [
            f"{OUTER} is your router's: its status page shows it (WAN, Internet). If it begins with 10., 192.168.,",
            "172.16. to 172.31. or 100.64. to 100.127., your provider shares one address among many (CGNAT), and no",
            "port can be forwarded: use IPv6, a VPN between you (Tailscale, WireGuard), or a small rented server.",
        ]
    lines.append("Whoever has the link can join.")
    return "\n".join(lines)


def code(link: str, *, half_blocks: bool, colours: bool) -> str:
    """The link as a QR code for a terminal: two rows a line, or one where its encoding lacks half blocks.

    ``colours``: light on dark, whatever the terminal's own are.
    """
    import io

    import segno

    drawn = io.StringIO()
    segno.make(link, micro=False).terminal(drawn, compact=half_blocks)
    lines = drawn.getvalue().splitlines()
    return (
        "\n".join(f"{_LIGHT_ON_DARK}{line}{_AS_BEFORE}" for line in lines)
        if half_blocks and colours
        else "\n".join(lines)
    )


def addresses() -> list[Address]:
    """This machine's addresses that others may reach it by, IPv4 first; none of loopback, one link, or today only."""
    found = [*_ipv4(), *_ipv6()] if Path("/proc/net").exists() else list(_towards())
    return [address for address in dict.fromkeys(found) if not (address.is_loopback or address.is_link_local)]


def _ipv4() -> Iterator[Address]:
    import fcntl

    with socket.socket(type=socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            if _is_down(name):
                continue
            try:
                answer = fcntl.ioctl(asked, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue  # an interface that has no IPv4 address
            yield ipaddress.IPv4Address(answer[20:24])


def _ipv6() -> Iterator[Address]:
    table = Path("/proc/net/if_inet6")
    for line in table.read_text().splitlines() if table.exists() else ():
        address, _, _, _, flags, name = line.split()
        if not (int(flags, 16) & _PASSING or _is_down(name)):
            yield ipaddress.IPv6Address(bytes.fromhex(address))


def _is_down(interface: str) -> bool:
    """Such as the bridge of containers while there are none."""
    try:
        return Path(f"/sys/class/net/{interface}/operstate").read_text().strip() == "down"
    except OSError:
        return False


def _towards() -> Iterator[Address]:
    """Where there is no /proc: the addresses that a packet to elsewhere would come from. Nothing is sent."""
    for there, family in _NOWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asked:
                asked.connect((there, 9))
                yield ipaddress.ip_address(asked.getsockname()[0].partition("%")[0])
        except OSError:
            continue
