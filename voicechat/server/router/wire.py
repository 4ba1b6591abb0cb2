"""What a router is asked and answers: NAT-PMP (RFC 6886) and PCP (RFC 6887), bytes <-> values.

Both go to port 5351 of the router. A request is a datagram that may be sent again as it is; what it is answered by
tells which request it belongs to. Of an answer nothing is taken but numbers, each within its range:

    NAT-PMP   request   version 0, opcode (0 address, 1 UDP, 2 TCP), 16 bits, inner port, wished outer port, seconds
              answer    version 0, opcode + 128, result, epoch, inner port, outer port, seconds  (or the address)
    PCP MAP   request   version 2, opcode 1, 16 bits, seconds, our address, nonce, protocol, 24 bits, inner port,
                        wished outer port, wished outer address
              answer    the same with the highest bit of the opcode, a result, and what was given
"""

from enum import Enum, IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from struct import Struct
from typing import Final, NamedTuple

from voicechat.errors import WireError

Address = IPv4Address | IPv6Address

PORT: Final = 5351
"""Where routers listen (RFC 6886 section 3; RFC 6887 section 7)."""

ANNOUNCED_TO: Final = 5350
"""Where they tell that they were started anew (RFC 6886 section 3.2.1; RFC 6887 section 14.1)."""

LONGEST: Final = 1100
"""Bytes of an answer (RFC 6887 section 7); more is none."""

LEAST_SECONDS: Final = 120
MOST_SECONDS: Final = 86_400
"""What a lease is taken for, whatever a router says: RFC 6887 section 15 has these bounds for a server, too."""

NONCE_BYTES: Final = 12

_PMP_VERSION: Final = 0
_PCP_VERSION: Final = 2
_ANSWER: Final = 0x80
_MAP: Final = 1
_ANNOUNCE: Final = 0

_PMP_ADDRESS: Final = Struct("!BBHI4s")
_PMP_ASKED: Final = Struct("!BBHHHI")
_PMP_GIVEN: Final = Struct("!BBHIHHI")
_PMP_HEAD: Final = Struct("!BBHI")
_PCP_ASKED: Final = Struct("!BBHI16s")
_PCP_HEAD: Final = Struct("!BBBBII12x")
_PCP_MAP: Final = Struct("!12sB3xHH16s")


class Carried(IntEnum):
    """What a port is of, by its number in an IP packet (IANA)."""

    TCP = 6
    UDP = 17


_PMP_OPCODE: Final = {Carried.UDP: 1, Carried.TCP: 2}


class Result(Enum):
    """Why a router does not do it, in words that stand behind "the router"."""

    OTHER_VERSION = "does not speak this"
    FORBIDS = "does not allow it"
    NO_LINE = "has no connection to the outside itself"
    NO_ROOM = "has no port left"
    UNABLE = "cannot do it"
    TAKEN = "gives this port to somebody else"
    BEHIND_ANOTHER = "is not the one that we are behind"


_PMP_RESULTS: Final = {
    1: Result.OTHER_VERSION,
    2: Result.FORBIDS,
    3: Result.NO_LINE,
    4: Result.NO_ROOM,
    5: Result.OTHER_VERSION,
}
"""RFC 6886 section 3.5."""

_PCP_RESULTS: Final = {
    1: Result.OTHER_VERSION,
    2: Result.FORBIDS,
    4: Result.OTHER_VERSION,
    7: Result.NO_LINE,
    8: Result.NO_ROOM,
    10: Result.NO_ROOM,
    11: Result.TAKEN,
    12: Result.BEHIND_ANOTHER,
}
"""RFC 6887 section 7.4; the rest are faults of ours or lacks of the router's."""


class Refusal(NamedTuple):
    """A router's no."""

    result: Result


class Given(NamedTuple):
    """What a router opened: a port from 1 to 65 535, for LEAST_SECONDS to MOST_SECONDS; 0 both where it was closed."""

    port: int
    seconds: int
    address: Address | None = None
    """By which it is reached from outside; None if it does not say so together."""


class Outer(NamedTuple):
    """The router's address at its outside."""

    address: Address


Answer = Given | Outer | Refusal


class AskAddress(NamedTuple):
    """NAT-PMP: by which address the router is reached."""

    def build(self) -> bytes:
        """The request."""
        return bytes((_PMP_VERSION, 0))

    def answered(self, data: bytes) -> Answer:
        """What an answer says; WireError if it is none to this."""
        refusal = _pmp_refusal(data, 0)
        if refusal is not None:
            return refusal
        if len(data) != _PMP_ADDRESS.size:
            raise WireError("no address of a router")
        return Outer(IPv4Address(_PMP_ADDRESS.unpack(data)[4]))


class AskPort(NamedTuple):
    """NAT-PMP: open a port; no seconds: close it."""

    carried: Carried
    inner: int
    wished: int
    seconds: int

    def build(self) -> bytes:
        """The request. To close one, the wish has to be 0 (RFC 6886 section 3.4)."""
        wished = self.wished if self.seconds else 0
        return _PMP_ASKED.pack(_PMP_VERSION, _PMP_OPCODE[self.carried], 0, self.inner, wished, self.seconds)

    def answered(self, data: bytes) -> Answer:
        """What an answer says; WireError if it is none to this."""
        refusal = _pmp_refusal(data, _PMP_OPCODE[self.carried])
        if refusal is not None:
            return refusal
        if len(data) != _PMP_GIVEN.size:
            raise WireError("no port of a router")
        *_, inner, outer, seconds = _PMP_GIVEN.unpack(data)
        return _given(self.seconds, inner == self.inner, outer, seconds)


class AskMap(NamedTuple):
    """PCP: open a port of ours; no seconds: close it. With an IPv6 address it is a hole in a firewall."""

    carried: Carried
    inner: int
    wished: int
    seconds: int
    ours: Address
    nonce: bytes
    """Of NONCE_BYTES: whoever does not know it can neither change nor close what is opened."""

    def build(self) -> bytes:
        """The request."""
        wished = (
            self.ours if self.ours.version == 6 else IPv4Address(0)
        )  # of IPv4 "any", in the form of IPv6 (section 5)
        return _PCP_ASKED.pack(_PCP_VERSION, _MAP, 0, self.seconds, _sixteen(self.ours)) + _PCP_MAP.pack(
            self.nonce, self.carried, self.inner, self.wished, _sixteen(wished)
        )

    def answered(self, data: bytes) -> Answer:
        """What an answer says; WireError if it is none to this."""
        if data[:1] == bytes((_PMP_VERSION,)):  # from a router that speaks NAT-PMP alone (RFC 6886 section 3.5)
            if len(data) >= _PMP_HEAD.size and _PMP_HEAD.unpack_from(data)[2] == 1:
                return Refusal(Result.OTHER_VERSION)
            raise WireError("no answer to PCP")
        if not _PCP_HEAD.size <= len(data) <= LONGEST or len(data) % 4:
            raise WireError("an answer of PCP has another length")
        version, opcode, _, result, seconds, _ = _PCP_HEAD.unpack_from(data)
        if opcode != _MAP | _ANSWER:
            raise WireError("an answer to something else")
        if result == 1 or version != _PCP_VERSION:
            return Refusal(Result.OTHER_VERSION)
        if len(data) < _PCP_HEAD.size + _PCP_MAP.size:
            raise WireError("an answer of PCP without a port")
        nonce, carried, inner, outer, address = _PCP_MAP.unpack_from(data, _PCP_HEAD.size)
        if (nonce, carried, inner) != (self.nonce, self.carried, self.inner):
            raise WireError("an answer to somebody else")
        if result:
            return Refusal(_PCP_RESULTS.get(result, Result.UNABLE))
        return _given(self.seconds, True, outer, seconds)._replace(address=_address(address))


Request = AskAddress | AskPort | AskMap


def announces(data: bytes) -> bool:
    """Whether a datagram to ANNOUNCED_TO tells that a router begins anew; nothing is taken from it."""
    pmp = len(data) == _PMP_ADDRESS.size and data[:2] == bytes((_PMP_VERSION, _ANSWER))
    pcp = _PCP_HEAD.size <= len(data) <= LONGEST and data[:2] == bytes((_PCP_VERSION, _ANNOUNCE | _ANSWER))
    return pmp or pcp


def _given(asked: int, ours: bool, outer: int, seconds: int) -> Given:
    """Of a good answer the numbers, in their range."""
    if not ours:
        raise WireError("an answer about another port")
    if not asked:
        return Given(0, 0)
    if not outer or not seconds:
        raise WireError("a router gives port or time 0")
    return Given(outer, min(max(seconds, LEAST_SECONDS), MOST_SECONDS))


def _pmp_refusal(data: bytes, opcode: int) -> Refusal | None:
    """A no; None if it may be a yes. WireError if it is no answer to this opcode."""
    if len(data) < _PMP_HEAD.size:
        raise WireError("too short for an answer of NAT-PMP")
    version, answered, result, _ = _PMP_HEAD.unpack_from(data)
    if version != _PMP_VERSION or (answered != opcode | _ANSWER and result != 1):
        raise WireError("no answer to this")
    return Refusal(_PMP_RESULTS.get(result, Result.UNABLE)) if result else None


def _sixteen(address: Address) -> bytes:
    """An address as PCP has it: of IPv4 in the form ``::ffff:192.0.2.1`` (RFC 6887 section 5)."""
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


def _address(sixteen: bytes) -> Address:
    address = IPv6Address(sixteen)
    return ip_address(address.ipv4_mapped) if address.ipv4_mapped is not None else address
