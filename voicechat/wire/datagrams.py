"""The eight bytes before every sealed packet on UDP: bytes <-> values.

May import only ``voicechat.errors``. It reads and writes the header; opening
what follows is ``voicechat.security.seal``'s work, and nothing here answers,
stores or trusts anything: until the datagram has been opened, the header is a
stranger's claim that is good for finding a key to try, and for nothing else.

Layout, numbers big-endian::

    u8  version (upper four bits, = 1) and type (lower four bits)
    u24 connection   which session's key to try; random, unique in a server's run, no secret
    u32 counter      one more with each datagram of a direction; below 2^31
    ... AES-128-CCM of the packet with an 8-byte tag, these eight bytes authenticated with it

    type  0 media      a media packet (``voicechat.wire.media``)
          1 probe      "does this path work?"
          2 answer     "it did, from here"
          3 keepalive  keeps a NAT's mapping open in silence; the packet may be empty

So a datagram costs 16 bytes more than its packet, 44 with IPv4 and UDP. The
counter is the nonce and what the replay window judges; a session is renewed (by
a RESUME, which brings new keys) before the counter reaches 2^31, so its highest
bit is always clear and a header that has it set is refused unread.
"""

from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

from voicechat.errors import WireError

VERSION: Final = 1
"""Version of the datagram layout; changes with the handshake's."""

HEADER_BYTES: Final = 8
"""Length of the header."""

TAG_BYTES: Final = 8
"""CCM's tag: a forgery is believed once in 2^64 tries, and then costs 20 ms of noise. Control never goes this way."""

MAX_DATAGRAM: Final = 1200
"""Longest datagram in bytes; passes every usual path without being cut up (QUIC's figure, RFC 9000 section 14)."""

MAX_PACKET: Final = MAX_DATAGRAM - HEADER_BYTES - TAG_BYTES
"""Longest packet in bytes that a datagram can carry: 1 184."""

CONNECTION_LIMIT: Final = 1 << 24
"""Connection numbers lie below it."""

COUNTER_LIMIT: Final = 1 << 31
"""Counters lie below it: at 100 datagrams a second, 248 days."""

_HEADER: Final = Struct("!II")
_SHORTEST: Final = HEADER_BYTES + TAG_BYTES


class DatagramType(IntEnum):
    """What a datagram's packet is."""

    MEDIA = 0
    PROBE = 1
    ANSWER = 2
    KEEPALIVE = 3


class Shape(NamedTuple):
    """What datagrams of a kind look like from outside: first bytes from ``first`` to ``last``, so many bytes long."""

    first: int
    last: int
    shortest: int
    longest: int


SHAPES: Final = (Shape(VERSION << 4 | min(DatagramType), VERSION << 4 | max(DatagramType), _SHORTEST, MAX_DATAGRAM),)
"""All that a port of ours takes; no two have a first byte in common. Ours lie where RFC 7983 leaves room: others that
may share a port are told apart by it, too (STUN 0-3, DTLS 20-63, SRTP 128-191)."""

BROWSERS_SHAPES: Final = (
    Shape(0, 0, 28, 548),
    Shape(20, 63, 13, MAX_DATAGRAM),
    Shape(128, 191, 22, MAX_DATAGRAM),
)
"""What browsers send besides, where they are taken: binding requests of STUN with an attribute, DTLS, and SRTP with the
shortest tag."""

_TYPES: Final = {VERSION << 4 | kind: kind for kind in DatagramType}


class DatagramHeader(NamedTuple):
    """One header. A tuple, not a dataclass: it is made for every packet, at a third of the cost."""

    type: DatagramType
    connection: int
    """0 to 2^24 - 1."""
    counter: int
    """0 to 2^31 - 1."""

    def build(self) -> bytes:
        """The eight bytes. ValueError when a number is out of range."""
        if not 0 <= self.connection < CONNECTION_LIMIT or not 0 <= self.counter < COUNTER_LIMIT:
            raise ValueError("connection or counter out of range")
        return _HEADER.pack((VERSION << 4 | self.type) << 24 | self.connection, self.counter)


def parse_header(datagram: bytes) -> DatagramHeader:
    """Read the header of a whole datagram.

    WireError when the datagram is too short or too long to be one of ours, or
    version, type or counter are not of this protocol.
    """
    if not _SHORTEST <= len(datagram) <= MAX_DATAGRAM:
        raise WireError(f"datagram of {len(datagram)} bytes")
    first, counter = _HEADER.unpack_from(datagram)
    kind = _TYPES.get(first >> 24)
    if kind is None:
        raise WireError("datagram of unknown version or type")
    if counter >= COUNTER_LIMIT:
        raise WireError("datagram's counter is out of range")
    return DatagramHeader(kind, first & 0xFFFFFF, counter)
