"""Where the router is, by the tables of Linux; elsewhere nobody is found, and only UPnP is left."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

from voicechat.server.router.wire import PORT, Address

IPV4_ROUTES: Final = Path("/proc/net/route")
IPV6_ROUTES: Final = Path("/proc/net/ipv6_route")

MOST_ROUTES: Final = 10_000
"""Lines that are read: a machine with more is no home's."""

_UP, _GATEWAY = 0x1, 0x2
"""RTF_UP and RTF_GATEWAY (linux/route.h)."""


def ipv4(table: str) -> str:
    """The router of the default route with the least metric, of a text as in IPV4_ROUTES; '' if there is none."""
    found = []
    for line in table.splitlines()[1:MOST_ROUTES]:
        fields = line.split()
        if len(fields) < 8 or fields[1] != "00000000" or fields[7] != "00000000":
            continue
        try:
            flags, metric, address = int(fields[3], 16), int(fields[6]), bytes.fromhex(fields[2])[::-1]
            if flags & _UP and flags & _GATEWAY:
                found.append((metric, str(IPv4Address(address))))
        except ValueError:
            continue
    return min(found)[1] if found else ""


def ipv6(table: str) -> str:
    """The same of IPv6, with the interface that a router of one link needs (``fe80::1%eth0``)."""
    found = []
    for line in table.splitlines()[:MOST_ROUTES]:
        fields = line.split()
        if len(fields) != 10 or fields[0] != "0" * 32 or fields[1] != "00":
            continue
        try:
            flags, metric, router = int(fields[8], 16), int(fields[5], 16), IPv6Address(bytes.fromhex(fields[4]))
        except ValueError:
            continue
        if flags & _UP and flags & _GATEWAY:
            found.append((metric, f"{router}%{fields[9]}" if router.is_link_local else str(router)))
    return min(found)[1] if found else ""


def of_this_machine() -> tuple[str, str]:
    """The routers of IPv4 and of IPv6; '' for one that is not known."""
    return ipv4(_read(IPV4_ROUTES)), ipv6(_read(IPV6_ROUTES))


def ours_towards(router: str) -> Address | None:
    """By which address of ours the router is reached, of IPv6 one that others reach; None if it is not. Sends nothing.

    Towards an IPv6 router of our link that would be one of the link, too, so it is asked for the way to elsewhere.
    """
    six = ":" in router
    there = "2000::1" if six else router  # the first of all that is global (RFC 4291)
    try:
        with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.connect((there, PORT))
            ours = ip_address(asked.getsockname()[0].partition("%")[0])
    except OSError:
        return None
    return None if ours.is_unspecified or (ours.is_loopback and router != str(ours)) else ours


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
