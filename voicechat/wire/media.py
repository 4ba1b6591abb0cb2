"""Media packets as bytes: ``u8 flags | u8 source | u16 tick | [u8 n | n bytes] | payload``.

Flags: 0x40 marker (first frame of a talk spurt), 0x20 end (the spurt is over), 0x10 pair
(the redundant frame was not sent before; k is 1), bits 1-0 the offset k of the redundant
frame (0: none on board). All other bits are zero; the highest one would make it a
control packet.
"""

from struct import Struct
from typing import Final

from voicechat.errors import WireError
from voicechat.media.packet import LAST_SOURCE, ME, MOST_PAYLOAD, MOST_REDUNDANT, MediaPacket

FIRST_CONTROL: Final = 0x80
"""First bytes from here on are control packets."""

_MARKER: Final = 0x40
_END: Final = 0x20
_PAIR: Final = 0x10
_OFFSET: Final = 0x03
_UNUSED: Final = 0x0C
_HEADER: Final = Struct("!BBH")


def encode(packet: MediaPacket) -> bytes:
    """The plaintext bytes of a packet; redundancy too long for its length byte is left out."""
    flags = (_MARKER if packet.marker else 0) | (_END if packet.end else 0)
    redundant = packet.redundant
    if redundant and len(redundant) <= MOST_REDUNDANT:
        flags |= _PAIR if packet.pair else 0
        head = _HEADER.pack(flags | packet.offset, packet.source, packet.tick)
        return b"%b%c%b%b" % (head, len(redundant), redundant, packet.payload)
    return _HEADER.pack(flags, packet.source, packet.tick) + packet.payload


def is_media(packet: bytes) -> bool:
    """Whether a plaintext packet claims to be media; else it is a control packet, or empty."""
    return bool(packet) and packet[0] < FIRST_CONTROL


def decode(data: bytes) -> MediaPacket:
    """The packet, or WireError."""
    if len(data) < _HEADER.size:
        raise WireError("media packet too short")
    flags, source, tick = _HEADER.unpack_from(data)
    if flags & (FIRST_CONTROL | _UNUSED):
        raise WireError("unknown media flags")
    if source > LAST_SOURCE and source != ME:
        raise WireError("unknown media source")
    offset, pair = flags & _OFFSET, bool(flags & _PAIR)
    if pair and offset != 1:
        raise WireError("a pair of frames that do not follow each other")
    redundant = b""
    start = _HEADER.size
    if offset:
        if len(data) < start + 1:
            raise WireError("redundant frame cut off")
        length = data[start]
        redundant = data[start + 1 : start + 1 + length]
        if not length or len(redundant) != length:
            raise WireError("redundant frame cut off")
        start += 1 + length
    payload = data[start:]
    end = bool(flags & _END)
    if len(payload) > MOST_PAYLOAD or (not payload and not end):
        raise WireError("payload of an impossible size")
    return MediaPacket(source, tick, payload, bool(flags & _MARKER), end, offset, redundant, pair)


def upward(packet: MediaPacket) -> MediaPacket:
    """The packet if a client may send it (its source is ME), else WireError."""
    if packet.source != ME:
        raise WireError("only one's own sound can be sent")
    return packet


def downward(packet: MediaPacket) -> MediaPacket:
    """The packet if a server may send it (the mix or a participant), else WireError."""
    if packet.source == ME:
        raise WireError("a source that nobody can be")
    return packet
