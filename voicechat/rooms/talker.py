"""What a conference knows of a talker: their packets as they go on, and their frames for a mix.

May import the media core and the codec's interface. Times are ticks.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES, TICKS_PER_SECOND, Frame
from voicechat.interfaces import ICodec
from voicechat.media.counts import Counts, FrameKind
from voicechat.media.packet import MediaPacket
from voicechat.media.seen import Seen
from voicechat.media.serial import ahead, unwrap, wrap
from voicechat.media.stream import ReceiveStream
from voicechat.media.tuning import TUNING, Tuning

SILENT_AFTER: Final = TICKS_PER_SECOND // 2
"""Ticks without a packet after which a talker who sent no end is taken to have stopped: a stall of 0.5 s."""


class Talker:
    """What the conference knows of one who talks."""

    def __init__(self, tuning: Tuning = TUNING) -> None:
        self._tuning = tuning
        past, warm_with = tuning.forwarding.past, tuning.stream.warm_with
        self.talking = False
        self.last_arrival = 0.0
        self._recent: deque[tuple[MediaPacket, float]] = deque(maxlen=past + warm_with)
        """The last packets of this talk spurt, as they were passed on, and when: the first let their own decoder
        settle, the others are for the mix."""
        self.seen = Seen()
        self.ended: int | None = None
        """Wire tick of the end packet that ended their talk, while silent; an end that comes first ends nothing."""
        self._stream: ReceiveStream | None = None
        """Their frames for mixing; kept, for what it has learnt of their connection."""
        self._mixed = self._joins = False
        self.past: deque[Frame] = deque(maxlen=past + 1)
        """What the stream gave in the last ticks without a break, this one included; before the first, what came
        before the mix."""

    def passed_on(self, source: int, packet: MediaPacket) -> list[MediaPacket]:
        """What a packet becomes on its way on, without the redundancy of this hop.

        A frame that this hop had lost and redundancy brings goes first, as a packet of
        its own, so that the next hop's redundancy covers it like any other: with both
        hops losing 10 %, 2 % of the frames are lost for good instead of 3 %.
        """
        if packet.marker:
            self.seen.forget()
            self._recent.clear()
        tick = unwrap(packet.tick, self.seen.newest)
        out = []
        if packet.redundant and self.seen.first_time(tick - packet.offset):
            out.append(MediaPacket(source, wrap(tick - packet.offset), packet.redundant))
        if packet.payload:
            self.seen.first_time(tick)
        out.append(MediaPacket(source, packet.tick, packet.payload, packet.marker, packet.end))
        return out

    def straggles(self, packet: MediaPacket) -> bool:
        """The packet was overtaken by the end of its spurt: nobody begins to talk by it."""
        return not packet.marker and self.ended is not None and -SILENT_AFTER <= ahead(packet.tick, self.ended) < 0

    def remember(self, packets: list[MediaPacket], now: float) -> None:
        """These were passed on."""
        self._recent.extend((packet, now) for packet in packets if packet.payload)

    def stop(self) -> None:
        """Their spurt is over."""
        self.talking = False
        self._recent.clear()

    @property
    def due(self) -> bool:
        """They talk, or their stream holds words of theirs that no mix has had yet."""
        return self.talking or (self._stream is not None and self._stream.active)

    def enter_mix(self, codec: ICodec, counts: Counts) -> ReceiveStream:
        """Their stream, for mixing; when that begins, it is fed with their last packets, as if it had been before."""
        if self._stream is None:
            margin = self._tuning.stream.begins_early  # the tick decodes at once
            self._stream = ReceiveStream(codec.decoder(), counts, margin, tuning=self._tuning)
        if not self._mixed:
            self._mixed, self._joins = True, bool(self._recent)
            self.past.clear()
            for number, (packet, at) in enumerate(self._recent):
                self._stream.put(_again(packet, marker=number == 0), at)
        return self._stream

    def held(self) -> float | None:
        """Ticks that their frames are held for mixing; None if they were never mixed."""
        return None if self._stream is None else self._stream.held()

    def leave_mix(self) -> None:
        """Nobody is mixed for any more: what their stream may still hold is due to nobody."""
        if self._mixed and self._stream is not None:
            self._stream.stop()
        self._mixed = False

    def pull(self, tick: float, out: Frame) -> bool:
        """Fill ``out``, which is kept, with their frame for the mix of ``tick``; False if they say nothing in it."""
        stream = self._stream
        if stream is None or not stream.active:
            return False
        if self._joins:
            self._joins = False
            stream.join(tick, lambda frame: self.past.append(frame.copy()), 1.0)
        playing = stream.playing
        if stream.pull(tick, out) is not FrameKind.SILENT:
            self.past.append(out)
            return True
        if playing:
            self.past.clear()
        return False

    def history(self) -> list[MediaPacket]:
        """Their last packets again, for a listener who is forwarded to from now on: a cold decoder needs them."""
        last = [packet for packet, _ in self._recent][-self._tuning.stream.warm_with :]
        return [_again(packet, marker=number == 0) for number, packet in enumerate(last)]


def past_of(talkers: Sequence[Talker]) -> NDArray[np.float32]:
    """What they gave in the ticks before: shape (as many as are known, talkers, FRAME_SAMPLES)."""
    known = [list(talker.past)[:-1] for talker in talkers]
    past = np.zeros((max(map(len, known), default=0), len(known), FRAME_SAMPLES), np.float32)
    for column, before in enumerate(known):
        for ago, frame in enumerate(reversed(before), 1):
            past[-ago, column] = frame
    return past


def _again(packet: MediaPacket, *, marker: bool) -> MediaPacket:
    return MediaPacket(packet.source, packet.tick, packet.payload, marker)
