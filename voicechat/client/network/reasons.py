"""Why a server was not reached, or does not want us, in words for a person. Pure."""

import errno
from typing import Final

from twisted.internet import error as errors
from twisted.python.failure import Failure

from voicechat.client.exits import Exit
from voicechat.client.windows.system import words_of
from voicechat.wire import messages

ENDINGS: Final = {
    messages.FULL: (Exit.TRY_LATER, "{where} is full; try again when somebody has left"),
    messages.ROOM_FULL: (Exit.TRY_LATER, "this room on {where} is full; try again later, or another --room"),
    messages.LOCKED_OUT: (Exit.PASSWORD, "the password of {where} was changed; ask your host for the new one"),
    messages.REPLACED: (Exit.TRY_LATER, "another client took over your seat; this one stops"),
}
"""Reasons of goodbyes after which trying again would not help: the exit code, and what to do."""

FULL_HOUSE: Final = {
    messages.FULL: "{where} is full; trying again in {wait:.0f} s",
    messages.ROOM_FULL: "this room on {where} is full; trying again in {wait:.0f} s",
}
"""Reasons of goodbyes that whoever was in before waits for to pass."""

SEAT_GONE: Final = "your seat was given away while your line was broken, and "
NOT_NOW: Final = "{where} does not let us in now; trying again in {wait:.0f} s"
"""What somebody who was in before is told while the server does not let them in."""

_REASONS: Final = (
    (errors.DNSLookupError, "the name is not known"),
    (errors.ConnectionRefusedError, "nobody listens there"),
    ((errors.TimeoutError, errors.TCPTimedOutError), "it does not answer"),
    (errors.NoRouteError, "there is no way to it from this network"),
)
WSAEACCES, WSAENETDOWN, WSAENETUNREACH, WSAEHOSTDOWN, WSAEHOSTUNREACH = 10013, 10050, 10051, 10064, 10065
"""Windows' numbers of errors of sockets (winsock2.h); errno's are all below 200."""

_NEAR: Final = (".local", ".lan", ".home.arpa", ".internal", ".localhost")
"""Ends of names of machines in one's own network (RFC 6762, 8375, 6761; ICANN's .internal; routers' .lan)."""

_BY_NUMBER: Final = {
    errno.EHOSTUNREACH: "there is no such machine in this network",
    errno.EACCES: "this machine forbids it",
    errno.EPERM: "this machine's firewall forbids it",
    WSAEACCES: "this machine's firewall forbids it",
    WSAENETDOWN: "this machine's network is down",
    WSAENETUNREACH: "there is no way to it from this network",
    WSAEHOSTDOWN: "it does not answer",
    WSAEHOSTUNREACH: "there is no such machine in this network",
}


def unreachable(host: str, port: int, why: str) -> str:
    """That a server cannot be reached, why, and what to look at; behind somebody else's router one thing more."""
    told = f"cannot reach {host} port {port}: {why}; is the server on, and the address right?"
    return told + (f" Has the host forwarded port {port} (TCP)?" if _far(host) else "")


def _far(host: str) -> bool:
    """Whether a name or an address is one of the Internet."""
    import ipaddress

    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return "." in host.rstrip(".") and not host.rstrip(".").endswith(_NEAR)


def reason(failure: Failure) -> str:
    """Why a connection could not be made, for a person."""
    error = failure.value
    for kinds, told in _REASONS:
        if isinstance(error, kinds):
            return told
    number = getattr(error, "osError", None)
    if isinstance(error, errors.ConnectError) and isinstance(number, int):
        told = words_of(number)
        return _BY_NUMBER.get(number, told[:1].lower() + told[1:])
    return str(error).rstrip(".") or type(error).__name__
