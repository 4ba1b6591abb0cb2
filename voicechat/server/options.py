"""Every option of the server, in one table: of ``twistd voicechat``, and of ``voicechat-server``.

A new option is one entry here, and `python -m docs.draw_options`; `usage` makes of it what
twistd asks for. What a value has to be beyond a number or a word is checked here, too.
"""

import difflib
import ipaddress
import re
from contextlib import suppress
from enum import IntEnum
from typing import Final

import msgspec

from voicechat import invite
from voicechat.errors import ConfigError
from voicechat.media.quality import HIGH_BITRATE, HIGHEST_BITRATE, LOWEST_BITRATE, MIX_COMPLEXITY, NORMAL_BITRATE
from voicechat.options.option import Option, Options, Refused, shown
from voicechat.server.limits import MOST_SEATS, Limits
from voicechat.server.proxies import network


class ServerExit(IntEnum):
    """How the server ends, as sysexits.h has it where it can."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    CONFIG = 78
    INTERRUPTED = 130


BECAUSE: Final = {
    ServerExit.OK: "it was stopped: SIGTERM, or its terminal was closed",
    ServerExit.FAILURE: "the port is in use, or the system has no file or socket left",
    ServerExit.USAGE: "an option is wrong",
    ServerExit.CONFIG: "there is no password, or a file or folder that was named cannot be used",
    ServerExit.INTERRUPTED: "Ctrl-C; as the shell sees it, since the server ends by the signal itself",
}
"""Why it ends with each."""

MOST_PORT: Final = 65_535
"""The greatest number of a port."""

_OWN_OPTION: Final = ("max_clients", "room_size")
"""Limits that --limit does not set, because an option does."""


def limit(text: str) -> tuple[str, float]:
    """The name and the number of ``NAME=VALUE``; ConfigError if there is no such limit, or it cannot be that."""
    name, _, value = text.partition("=")
    known = {field.name: field.type for field in msgspec.structs.fields(Limits) if field.name not in _OWN_OPTION}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]}?" if near else "docs/security.md has all"
        raise ConfigError(f"there is no limit {shown(name)}; {meant}")
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not (1.0 if known[name] is int else 1e-6) <= number < 1e9:
        raise ConfigError(f"{name}=NUMBER is needed, above 0, not {shown(value)}")
    return name, int(number) if known[name] is int else number


def _address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise Refused("an address of this machine, such as 192.0.2.7 or ::1", shown(text)) from None


def public(text: str) -> tuple[str, int | None]:
    """Host and port of ``HOST`` or ``HOST:PORT``; no port if it names none. `Refused` if it is neither."""
    with suppress(ValueError):
        return str(ipaddress.IPv6Address(text)), None
    try:
        it = invite.parse(f"{invite.SCHEME}://{text}")
    except ConfigError:
        it = invite.Invite("")
    if not it.host or it != invite.Invite(it.host, it.port):
        raise Refused("a name or address by which friends reach the server, with :PORT if need be", shown(text))
    return it.host, it.port if re.search(r":[0-9]+$", text.removeprefix("[").partition("]")[2] or text) else None


def address_and_port(text: str) -> tuple[str, int]:
    """Both of ``127.0.0.1:9464`` or ``[::1]:9464``. `Refused` if it is neither."""
    host, _, number = text.rpartition(":")
    six = host.startswith("[") and host.endswith("]")
    try:
        address = str((ipaddress.IPv6Address if six else ipaddress.IPv4Address)(host[1:-1] if six else host))
    except ValueError:
        address = ""
    if not address or not re.fullmatch(r"[0-9]{1,5}", number) or int(number) > MOST_PORT:
        raise Refused("an address of this machine with a port, such as 127.0.0.1:9464 or [::1]:9464", shown(text))
    return address, int(number)


_RATES: Final = (LOWEST_BITRATE, HIGHEST_BITRATE)

OPTIONS: Final[Options] = (
    Option("password-file", "a file with the password; - is standard input", metavar="FILE"),
    Option("password", "the password itself; wiped from the process list", metavar="SECRET", secret=True),
    Option("port", "the TCP and UDP port", int, 1234, "PORT", between=(0, MOST_PORT), short="p"),
    Option(
        "interface",
        "the address to listen on; all of them, IPv4 and IPv6, if not given",
        str,
        "",
        "ADDRESS",
        check=_address,
        short="i",
    ),
    Option(
        "listen",
        "an endpoint of Twisted's to listen on in place of --port, such as tcp6:1234; may be given again",
        metavar="STRING",
        many=True,
    ),
    Option(
        "public-host",
        "the name or address by which friends reach it, with :PORT if the router has another; stands in links",
        metavar="HOST",
        check=public,
    ),
    Option(
        "map-port",
        "ask the router to open the port, TCP and UDP, while the server runs; on a terminal voicechat-server asks once",
        bool,
        False,
    ),
    Option("state", "the folder of what it keeps: a password that it made", metavar="DIR"),
    Option("max-clients", "seats in all rooms together", int, 4, "N", between=(1, MOST_SEATS)),
    Option("room-size", "seats in each room; else as many as in all", int, None, "N", between=(1, MOST_SEATS)),
    Option("bitrate", "bits a second of each voice and mix", int, NORMAL_BITRATE, "BITS", between=_RATES, short="b"),
    Option(
        "high-bitrate",
        "the same for those who choose --quality high; never below --bitrate",
        int,
        HIGH_BITRATE,
        "BITS",
        between=_RATES,
    ),
    Option(
        "complexity",
        "how hard Opus tries at mixes; 8 sounds a little better for a third more CPU time, 5 spares a weak host more",
        int,
        MIX_COMPLEXITY,
        "0-10",
        between=(0, 10),
    ),
    Option(
        "mixing",
        "auto passes a lone talker's packets on; always mixes in every case",
        str,
        "auto",
        choices=("auto", "always"),
    ),
    Option(
        "kick-on-reload",
        "SIGHUP with a new password in the file ends all sessions; without it whoever is in stays in",
        bool,
        False,
    ),
    Option("web", "a page and WebSockets for browsers on the same port, where the extra web is installed", bool, True),
    Option(
        "trusted-proxy",
        "a proxy whose word is taken for whom its connections are; may be given again",
        metavar="ADDRESS",
        check=network,
        many=True,
    ),
    Option(
        "metrics",
        "where figures for Prometheus and health are told over HTTP, such as 127.0.0.1:9464; needs the extra metrics",
        metavar="ADDRESS:PORT",
        check=address_and_port,
    ),
    Option(
        "limit",
        "change one of the limits that docs/security.md lists; may be given again",
        metavar="NAME=VALUE",
        check=limit,
        many=True,
        kept=False,
    ),
)
"""In the order of --help."""


def named(name: str) -> Option:
    """One of them."""
    (option,) = [option for option in OPTIONS if option.name == name]
    return option
