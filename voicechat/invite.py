"""Invitations: ``voicechat://host:port/room#password``, read and written.

Pure. The password stands behind the #, which no program sends anywhere. It is
in no error and no repr; `Invite.link` alone shows it.

Written as RFC 3986 has it: an IPv6 address in brackets, everything but letters, digits
and ``-._~`` as percent signs with the UTF-8 in hexadecimal, so that no shell and no chat
program takes a part of it for something else.
"""

import ipaddress
import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from voicechat.errors import ConfigError, WireError
from voicechat.security.secret import Secret
from voicechat.wire import text as texts

SCHEME: Final = "voicechat"

PORT: Final = 1234
"""Where a link names none."""

LONGEST: Final = 2048
"""Characters: a name of the DNS (253), a room and a password of 64 letters, all percent-encoded, need half of it."""

_AROUND: Final = " \t\r\n\u00a0\u200b\u2060\ufeff"
"""Blanks, seen and unseen."""

_PAIRS: Final = (
    "<>",
    '""',
    "''",
    "``",
    "()",
    "\u201c\u201d",
    "\u201e\u201c",
    "\u2018\u2019",
    "\u00ab\u00bb",
    "\u00bb\u00ab",
)
_BREAKS: Final = re.compile(r"[\t\r\n]")
_HALF_ENCODED: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOT_IN_HOSTS: Final = frozenset(' /\\#?@[]:%<>"')


class Invite(NamedTuple):
    """Where to go, and what opens the door."""

    host: str
    """A name, or an address; IPv6 without its brackets."""
    port: int = PORT
    room: str = ""
    password: Secret | None = None

    def link(self) -> str:
        """The invitation as text, with the password in it: for its owner's eyes."""
        host = f"[{self.host.replace('%', '%25')}]" if ":" in self.host else quote(self.host, safe="")
        port = "" if self.port == PORT else f":{self.port}"
        room = f"/{quote(self.room, safe='')}" if self.room else ""
        secret = f"#{quote(self.password.reveal(), safe='')}" if self.password is not None else ""
        return f"{SCHEME}://{host}{port}{room}{secret}"


def parse(link: str) -> Invite:
    """What a link invites to. ConfigError says what is wrong with it, and shows nothing of it."""
    if len(link) > LONGEST:
        raise ConfigError(f"a link has at most {LONGEST} characters")
    link = _bare(link)
    if _BREAKS.search(link):
        raise ConfigError("a line of the link was broken in two; copy it in one piece")
    scheme, colon, rest = link.partition("://")
    if not colon or scheme.lower() != SCHEME:
        raise ConfigError("a link begins with voicechat://; a server alone is named with --host")
    rest, mark, secret = rest.partition("#")
    where, _, room = rest.partition("/")
    if "?" in rest:
        raise ConfigError("a link has no ?; in the name of a room it is written %3F")
    if "/" in room:
        raise ConfigError("a link has one / before the room; in the name of a room it is written %2F")
    host, port = _server(where)
    try:
        room = texts.room(_decoded(room, "room"))
    except WireError as error:
        raise ConfigError(f"the room of the link: {error}") from None
    if not mark:
        return Invite(host, port, room)
    if not secret:
        raise ConfigError("the link ends with its #: the password behind it is missing")
    return Invite(host, port, room, Secret(_decoded(secret, "password")))


def _bare(link: str) -> str:
    """The link without what stands around it: blanks, a byte-order mark, quotes or brackets of those who pass it on."""
    link = link.strip(_AROUND)
    while len(link) > 1 and link[0] + link[-1] in _PAIRS:
        link = link[1:-1].strip(_AROUND)
    return link


def _server(text: str) -> tuple[str, int]:
    """Host and port of ``host``, ``host:port``, ``[address]`` or ``[address]:port``."""
    if "@" in text:
        raise ConfigError("a link names no user: it is voicechat://HOST:PORT/ROOM#PASSWORD")
    if text.startswith("["):
        address, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ConfigError("the link's IPv6 address needs brackets around it, and nothing but :PORT behind them")
        address, percent, zone = address.partition("%")  # RFC 6874 has %25 there; as it is typed it is clear, too
        zone = zone[2:] if zone.startswith("25") and len(zone) > 2 else zone
        return _address(address + percent + _decoded(zone, "address")), _port(port[1:])
    host, _, port = text.partition(":")
    if ":" in port:
        raise ConfigError("an IPv6 address stands in brackets in a link: voicechat://[ADDRESS]:PORT")
    host = _decoded(host, "host")
    if not host or not host.isprintable() or set(host) & _NOT_IN_HOSTS:
        raise ConfigError("the link names no server: behind voicechat:// stands its name or address")
    return host, _port(port)


def _address(text: str) -> str:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        raise ConfigError("what stands in the link's brackets is no IPv6 address") from None
    if not text.isprintable() or " " in text:  # in the zone, of which ipaddress asks little
        raise ConfigError("what stands in the link's brackets is no IPv6 address")
    return text


def _port(text: str) -> int:
    if not text:
        return PORT
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise ConfigError("the link's port is not a number from 1 to 65535")
    return int(text)


def _decoded(text: str, what: str) -> str:
    """Percent signs and hexadecimal become what they stand for."""
    if _HALF_ENCODED.search(text):
        raise ConfigError(f"in the {what} of the link a % stands alone; a % itself is written %25")
    try:
        return unquote(text, errors="strict")
    except UnicodeError:
        raise ConfigError(f"the {what} of the link is not UTF-8 text") from None
