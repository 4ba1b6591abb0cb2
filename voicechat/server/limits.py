"""Every limit of the server in one place, and the small tables that keep them.

`Limits` holds the figures, each with its reason; all can be overridden and each
refusal is counted. `Bans` remembers who guesses. Times are
seconds of a monotonic clock, given as arguments.
"""

from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address
from typing import Final

import msgspec

from voicechat.format import TICKS_PER_SECOND

MOST_SEATS: Final = 200
"""Seats that one process may offer: below the 250 numbers of a room, and above what one core can mix for."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the server allows."""

    max_clients: int = 4
    """Seats in all rooms, away ones included."""
    room_size: int = MOST_SEATS
    """Seats in one room, away ones included; unless the host says so, a room is as large as the server."""
    seats_each: int = 0
    """Seats of one address (IPv6: one /64), away ones included; 0 is half of all, and at least 4 (`seats_of`). So
    nobody who has the password takes all seats of a large server alone, and a household fits into any."""
    yields_after: float = 10.0
    """Seconds for which an away seat is kept for its owner alone, also on a full server; most are back within
    some. After them it goes to whoever comes; to one of the same name, the owner without a ticket, at once."""
    before_login: int = 64
    """Connections that have not logged in; when full one of those goes who knock most, so that a flood never keeps a
    friend out."""
    before_login_each: int = 8
    """Of them from one address (IPv6: one /64); as many friends may sit behind one router, twice over."""
    login_seconds: float = 5.0
    """For the whole login, not for each byte of it: a slow-loris gets no more."""
    logins_a_second: float = 25.0
    """SPAKE2 costs 7 ms each: a flood of logins takes a fifth of a core and no more."""
    logins_burst: float = 25.0
    pages_a_second: float = 2.0
    """The page for browsers, to all together: a third of a megabit a second, whatever a flood asks for."""
    pages_burst: float = 20.0
    """At once: a party that has just been sent the address, with each friend's second try."""
    failures: int = 10
    """Wrong passwords from an address within `failure_seconds` that ban it (Mumble's figures)."""
    failure_seconds: float = 120.0
    ban_seconds: float = 300.0
    most_banned: int = 10_000
    """Addresses remembered; the oldest is forgotten first."""
    known_seconds: float = 86_400.0
    """For so long an address that has logged in goes first: whoever was here yesterday evening is a friend."""
    most_known: int = 1000
    """Such addresses; more than a server has friends."""
    media_burst: float = 25.0
    """Packets: half a second of a stall that was let go."""
    media_a_second: float = 100.0
    """Packets of one participant; twice what 20 ms frames make."""
    media_share: float = 2.0
    """Times the bytes that one's bitrate, redundancy and headers make (`media_bytes`), for what VBR and bursts add."""
    datagrams_a_second: float = 200.0
    """Datagrams of one participant, of whatever type: twice the media; probes and answers are 20 at most."""
    datagrams_burst: float = 1000.0
    """At once: what a line held back. Media leaves it for TCP after two seconds, which makes 150; the rest is room."""
    control_a_second: float = 5.0
    control_burst: float = 20.0
    """Control messages of one participant, pings aside: typing and key presses, not floods."""
    messages_a_second: float = 100.0
    messages_burst: float = 1000.0
    """Messages of any kind, known or not; more cost the sender the connection, since nobody needs a tenth of that."""
    comings_a_second: float = 0.5
    comings_burst: float = 5.0
    """Presence changes of one seat, going away and coming back; of a connection that flaps faster, friends learn the
    last only. The name is an option's (`--limit`), so it stays."""
    text_a_second: float = 1.0
    text_burst: float = 5.0
    """Text lines of one participant (Mumble's figures)."""
    excess_seconds: float = 5.0
    """A participant who sends ten times too much for so long is cut."""
    talk_lines_a_second: float = 5.0
    """Who starts and stops talking, told to a room."""


HOUSEHOLD: Final = 4
"""Seats that an address may have on any server: all of one with the default's four."""


def seats_of(limits: Limits, address: str) -> int:
    """Seats that an address may have, as `address_block` names it; loopback, where a proxy may stand, all of them."""
    if address == "local" or address == address_block("::1") or address.startswith("127."):
        return limits.max_clients
    return limits.seats_each or max(HOUSEHOLD, limits.max_clients // 2)


OVERHEAD: Final = 21
"""Bytes of a packet beside its payloads: 16 of the sealing (8 + 8, or TCP's tag), 4 of header, 1 for the redundancy."""


def media_bytes(bitrate: int) -> float:
    """Bytes a second of one who talks at ``bitrate`` and sends every frame twice."""
    return 2 * bitrate / 8 + OVERHEAD * TICKS_PER_SECOND


class Bans:
    """Who failed how often. Successes are not counted, so a friend's typing error costs them nothing else."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._until: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures) + len(self._until)

    def failed(self, address: str, now: float) -> bool:
        """A wrong password from ``address``; True if that bans it."""
        times = self._failures.pop(address, None) or deque(maxlen=self._limits.failures)
        while times and now - times[0] > self._limits.failure_seconds:
            times.popleft()
        times.append(now)
        if len(times) < self._limits.failures:
            self._failures[address] = times
            self._trim(self._failures)
            return False
        self._until.pop(address, None)
        self._until[address] = now + self._limits.ban_seconds
        self._trim(self._until)
        return True

    def remaining(self, address: str, now: float) -> float:
        """Seconds that the address stays banned; 0 if it is not."""
        until = self._until.get(address)
        if until is None:
            return 0.0
        if until <= now:
            del self._until[address]
            return 0.0
        return until - now

    def _trim(self, table: OrderedDict[str, deque[float]] | OrderedDict[str, float]) -> None:
        while len(table) > self._limits.most_banned:
            table.popitem(last=False)


_PREFIX: Final = 64


def address_block(host: str) -> str:
    """What limits count by: an IPv4 address, or an IPv6 /64, since one line has 2**64 addresses."""
    try:
        address = ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> _PREFIX << _PREFIX)}/{_PREFIX}"
