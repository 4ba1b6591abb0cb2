"""What one participant may send: counted first, looked at afterwards.

Whatever opens under somebody's keys, of a kind that is known or not, takes from a bucket
before it is decoded or answered. Over its limit a datagram or media is dropped, and a
message that is to be obeyed, too; who goes on beyond all measure is cut, which is a
WireError as for everything else that breaks the protocol.

What does not open takes from nobody: strangers can make up datagrams with a participant's
number in them, and a forged one must not use up what an honest friend may send.
"""

from typing import Final

from voicechat.errors import WireError
from voicechat.server.eventlog import Event, EventLog
from voicechat.server.limits import Limits, media_bytes
from voicechat.server.metrics import Metrics, OverLimit, PacketPath
from voicechat.session.bucket import Bucket
from voicechat.wire.media import is_media

EXCESS: Final = 9
"""Times the allowed rate that may be dropped on top of it before a participant is cut."""


class ParticipantAllowance:
    """One participant's buckets. ``address`` is what log lines name; ``now`` is in monotonic seconds."""

    __slots__ = (
        "_address",
        "_by_tcp",
        "_by_udp",
        "_bytes",
        "_control",
        "_datagrams",
        "_events",
        "_excess",
        "_excess_since",
        "_limits",
        "_messages",
        "_over_limit",
        "_packets",
        "_texts",
    )

    def __init__(
        self, limits: Limits, metrics: Metrics, events: EventLog, address: str, bitrate: int, now: float
    ) -> None:
        """``bitrate``: what the participant was told to talk at, in bits a second."""
        self._limits, self._events, self._address = limits, events, address
        self._over_limit = metrics.over_limit_total
        self._by_tcp, self._by_udp = (metrics.packets_received_total[path] for path in (PacketPath.TCP, PacketPath.UDP))
        self._datagrams = Bucket(limits.datagrams_a_second, limits.datagrams_burst, now)
        self._packets = Bucket(limits.media_a_second, limits.media_burst, now)
        allowed = limits.media_share * media_bytes(bitrate)
        self._bytes = Bucket(allowed, allowed, now)
        self._messages = Bucket(limits.messages_a_second, limits.messages_burst, now)
        self._control = Bucket(limits.control_a_second, limits.control_burst, now)
        self._texts = Bucket(limits.text_a_second, limits.text_burst, now)
        self._excess_since, self._excess = now, 0

    def string(self, now: float, packet: bytes, size: int) -> bool:
        """Whether a packet that came in a string of ``size`` bytes is looked at. WireError beyond all measure."""
        self._by_tcp.value += 1
        return self.media(now, size) if is_media(packet) else self.message(now)

    def datagram(self, now: float) -> bool:
        """Whether a datagram that opened, of whatever type, is looked at. WireError beyond all measure."""
        self._by_udp.value += 1
        if self._datagrams.take(now):
            return True
        self._over_limit[OverLimit.DATAGRAM].value += 1
        self._too_much(now)
        return False

    def media(self, now: float, size: int) -> bool:
        """Whether a media packet that came in ``size`` bytes is passed on. WireError beyond all measure."""
        if self._packets.take(now) and self._bytes.take(now, size):
            return True
        self._over_limit[OverLimit.MEDIA].value += 1
        self._too_much(now)
        return False

    def _too_much(self, now: float) -> None:
        """More than anybody needs is dropped; ten times as much for some seconds ends it."""
        limits = self._limits
        if now - self._excess_since > limits.excess_seconds:
            self._excess_since, self._excess = now, 0
        self._excess += 1
        if self._excess > EXCESS * limits.media_a_second * limits.excess_seconds:
            raise WireError("far too many packets")

    def message(self, now: float) -> bool:
        """A control packet, of a kind that is known or not, is looked at: True; WireError at far too many."""
        if self._messages.take(now):
            return True
        self._over_limit[OverLimit.MESSAGE].value += 1
        raise WireError("far too many messages")

    def control(self, now: float) -> bool:
        """Whether a message that asks for something is obeyed."""
        return self._obeyed(self._control, OverLimit.REQUEST, now)

    def ping(self, now: float) -> bool:
        """Whether a ping is answered."""
        return self.control(now)

    def text(self, now: float) -> bool:
        """Whether a line of text, which `control` has let pass, is passed on."""
        return self._obeyed(self._texts, OverLimit.TEXT, now)

    def _obeyed(self, bucket: Bucket, kind: OverLimit, now: float) -> bool:
        if bucket.take(now):
            return True
        self._over_limit[kind].value += 1
        self._events.note(Event.TOO_MANY, self._address, now)
        return False
