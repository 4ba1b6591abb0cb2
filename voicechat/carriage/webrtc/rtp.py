"""RTP: a browser's frames as media packets, and what a listener hears as one stream (RFC 3550, RFC 7587).

A browser has one decoder for all that comes, so `Downward` makes one stream of it: talkers
that are passed on and mixes, one after the other. Its time stamp runs with the clock, in
silence too, or the browser's jitter buffer would grow by each pause (measured: to 600 ms).
Each spurt ends with a packet of one byte: without it the browser makes up 70 to 250 ms of sound
(measured). At a change in mid word the new source goes on in the same stream: two streams
would be heard at once (measured: 130 to 250 ms).

Pure: times are seconds of a monotonic clock.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from voicechat.errors import WireError
from voicechat.format import FRAME_SAMPLES, TICK_SECONDS
from voicechat.media.packet import ME, MIX, MOST_PAYLOAD, MediaPacket
from voicechat.media.serial import ahead, wrap

STAMPS_A_TICK: Final = FRAME_SAMPLES
"""Opus' RTP clock has 48 000 Hz whatever is coded (RFC 7587, section 4.1)."""

OPUS_SILENCE: Final = 2
"""Bytes of the longest payload that says only that nothing is said (RFC 6716, section 2.1.9)."""

GAP: Final = 25
"""Ticks without a frame after which what follows is another spurt: half a second, as the server takes it."""

MIX_BEGINS: Final = 0.010
"""Seconds after its first packet from which a mix is listened to. At a change the frames before it come first, all at
once, for a decoder of its own, which a browser has not; the next beat is 20 ms later."""

MIX_ENDED: Final = 0.100
"""Seconds without a frame after which a mix is over that did not say so."""

_HEADER: Final = Struct("!BBHII")
_VERSION: Final = 2
_STAMPS: Final = 1 << 32
_SEQUENCES: Final = 1 << 16


class RtpPacket(NamedTuple):
    """What is read of a packet."""

    payload_type: int
    sequence: int
    timestamp: int
    payload: bytes


def parse(packet: bytes) -> RtpPacket:
    """A packet that was opened. WireError if it is none; extensions and padding are passed over."""
    if len(packet) < _HEADER.size:
        raise WireError("a packet of RTP cut off")
    first, second, sequence, timestamp, _ = _HEADER.unpack_from(packet)
    start, end = _HEADER.size + 4 * (first & 0x0F), len(packet)
    if first & 0x10:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    if first & 0x20:
        padding = packet[-1]
        end -= padding or end
    if first >> 6 != _VERSION or start > end:
        raise WireError("no packet of RTP")
    return RtpPacket(second & 0x7F, sequence, timestamp, packet[start:end])


def is_frame(payload: bytes) -> bool:
    """It is one mono frame of 20 ms, by its first byte (RFC 6716, section 3.1)."""
    if not 0 < len(payload) <= MOST_PAYLOAD:
        return False
    config, rest = payload[0] >> 3, payload[0] & 0x07
    lasts_20_ms = config % 4 == 1 if config < 12 else config % 2 == 1 if config < 16 else config % 4 == 3
    return lasts_20_ms and not rest


class Upward:
    """A browser's packets as a talker's."""

    def __init__(self, payload_type: int) -> None:
        self._payload_type = payload_type
        self._stamp: int | None = None
        """The newest time stamp, without end; the first is a tick."""
        self._tick = -1
        """That of the newest frame."""
        self._talking = False
        self._sequence = -1

    def counter(self, rtp: RtpPacket) -> int:
        """The packet's number, without end."""
        if self._sequence < 0:
            self._sequence = rtp.sequence + _SEQUENCES
        number = self._sequence + ahead(rtp.sequence, self._sequence & (_SEQUENCES - 1))
        self._sequence = max(self._sequence, number)
        return number

    def taken(self, rtp: RtpPacket) -> MediaPacket | None:
        """What a packet says; None for more silence. WireError if it is no frame of ours."""
        if rtp.payload_type != self._payload_type:
            raise WireError("another payload type than was offered")
        tick = self._tick_of(rtp.timestamp)
        if len(rtp.payload) <= OPUS_SILENCE:
            return self.ended() if tick > self._tick else None
        if not is_frame(rtp.payload):
            raise WireError("a payload that is no mono frame of 20 ms")
        is_new = tick > self._tick  # one that was overtaken by the end of its spurt begins none
        marker = is_new and (not self._talking or tick - self._tick > GAP)
        self._talking = self._talking or is_new
        self._tick = max(self._tick, tick)
        return MediaPacket(ME, wrap(tick), rtp.payload, marker)

    def ended(self) -> MediaPacket | None:
        """The end of the spurt, if there is one."""
        if not self._talking:
            return None
        self._talking = False
        return MediaPacket(ME, wrap(self._tick + 1), b"", end=True)

    def _tick_of(self, timestamp: int) -> int:
        if self._stamp is None:
            self._stamp = self._first = timestamp
        stamp = self._stamp + (timestamp - self._stamp + _STAMPS // 2) % _STAMPS - _STAMPS // 2
        self._stamp = max(self._stamp, stamp)
        return (stamp - self._first) // STAMPS_A_TICK


class Downward:
    """All that a listener hears, as one stream. ``sequence`` and ``timestamp``: where it begins."""

    def __init__(self, ssrc: int, payload_type: int, now: float, sequence: int = 0, timestamp: int = 0) -> None:
        self._ssrc, self._payload_type = ssrc, payload_type
        self._began, self._timestamp = now, timestamp
        self._source: int | None = None
        """Whose spurt is open."""
        self._tick = 0
        self._place = 0
        self._sequence = sequence
        """Tick, place in the stream and number of the first frame of the spurt."""
        self._newest = -1
        """The place of the newest frame."""
        self._heard_at = now
        self._mix_from = float("inf")
        self._toc = 0

    def put(self, packet: MediaPacket, now: float) -> Iterator[bytes]:
        """What becomes of a packet of one frame, or of an end."""
        begins = self._begins(packet, now)
        if begins:
            self._begin(packet, now)
        elif packet.source != self._source:
            return
        place = self._place + ahead(packet.tick, self._tick)
        if packet.payload and place >= self._place:
            self._heard_at, self._toc = now, packet.payload[0]
            self._newest = max(self._newest, place)
            yield self._packed(place, packet.payload, marker=begins)
        if packet.end:
            self._newest += 1
            yield self._packed(self._newest, bytes((self._toc & 0xFC,)))
            self._source = None

    def _begins(self, packet: MediaPacket, now: float) -> bool:
        """Whether a spurt begins with it, or a source takes the open one over."""
        if packet.source == self._source:
            later = self._place + ahead(packet.tick, self._tick) - self._newest
            return bool(packet.payload) and (later > GAP or (packet.marker and later > 1))
        if self._source is None:
            return bool(packet.payload)
        if self._source == MIX:
            return now - self._heard_at > MIX_ENDED
        if packet.source == MIX:
            if packet.marker:
                self._mix_from = now + MIX_BEGINS
            return now >= self._mix_from
        return True

    def _begin(self, packet: MediaPacket, now: float) -> None:
        place = max(self._newest + 1, int((now - self._began) / TICK_SECONDS))
        self._sequence += max(0, self._newest - self._place + 1)
        self._source, self._tick, self._place = packet.source, packet.tick, place
        self._newest = place - 1
        self._mix_from = float("inf")

    def _packed(self, place: int, payload: bytes, *, marker: bool = False) -> bytes:
        sources = 0 if self._source in (MIX, None) else 1
        head = _HEADER.pack(
            _VERSION << 6 | sources,
            self._payload_type | (0x80 if marker else 0),
            (self._sequence + place - self._place) % _SEQUENCES,
            (self._timestamp + place * STAMPS_A_TICK) % _STAMPS,
            self._ssrc,
        )
        return head + (self._source or 0).to_bytes(4 * sources, "big") + payload
