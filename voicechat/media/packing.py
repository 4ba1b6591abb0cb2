"""Packing: one source's frames made the packets of one hop, with redundancy or two at a time.

A saver gets and sends two frames a packet: 28 bytes of IP and UDP, 16 of sealing and 4
of header once for 40 ms instead of twice, for 20 ms of delay. The first frame of a pair
travels where redundancy has its place; the flag ``pair`` tells that it comes for the
first time.

Pairs are those of an even tick and the next, so that every hop makes the same ones out of
a talker's frames and no hop but the first waits for them. A frame of an odd tick that
begins a spurt, and the last one of an odd number, travel alone.

Two frames cannot be lost with one packet and both be brought by another: while the connection
loses packets, and for the rest of that spurt, frames go one by one with redundancy, as
everybody's do.

May import packets, redundancy and serial arithmetic.
"""

from collections.abc import Sequence

from voicechat.media.packet import MOST_REDUNDANT, MediaPacket
from voicechat.media.redundancy import Redundancy
from voicechat.media.serial import ahead, wrap


class Packing:
    """One source on one hop. ``pairs``: two frames a packet, while nothing is lost."""

    def __init__(self, *, pairs: bool = False) -> None:
        self._pairs = pairs
        self._redundancy = Redundancy()
        self._pairing = False
        """This talk spurt goes in pairs: pairs that begin within a spurt would all come late at first."""
        self._held: MediaPacket | None = None

    def pack(self, packet: MediaPacket, offset: int) -> Sequence[MediaPacket]:
        """What is to be sent now that this frame, or end, is there. ``offset``: of redundancy, 0 for none."""
        packed = self._redundancy.add_redundancy(packet, offset)
        if not self._pairs:
            return (packed,)
        held, self._held = self._held, None
        if packet.marker:
            held, self._pairing = None, not offset  # a frame still held is of a spurt whose end never came
        elif offset:
            self._pairing = False
        if held is not None and not packed.redundant and ahead(packet.tick, held.tick) == 1:
            return (_pair(held, packet),)
        before = () if held is None else (held,)
        if self._pairing and packet.tick % 2 == 0 and not packet.end and len(packet.payload) <= MOST_REDUNDANT:
            self._held = packet
            return before
        return (*before, packed)


def _pair(first: MediaPacket, second: MediaPacket) -> MediaPacket:
    """Both frames in one packet; the second one may be an end without a frame."""
    return MediaPacket(
        second.source, second.tick, second.payload, first.marker, second.end, 1, first.payload, pair=True
    )


def split_pair(packet: MediaPacket) -> Sequence[MediaPacket]:
    """The packets of one frame each that a pair was made of; any other packet as it is."""
    if not packet.pair:
        return (packet,)
    first = MediaPacket(packet.source, wrap(packet.tick - 1), packet.redundant, packet.marker)
    return first, MediaPacket(packet.source, packet.tick, packet.payload, end=packet.end)
