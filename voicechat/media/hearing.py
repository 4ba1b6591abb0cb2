"""Hearing: everything that one client hears, made one frame at a time.

One ReceiveStream for each source; source 0 is the listener's mix, the others are
talkers whose packets the server forwards. The server sends either the one or the
other: when the first frame of the mix plays, forwarded streams fade out under it,
and the other way round, so a change-over is a crossfade of 10 ms.
"""

from typing import Final

from voicechat.format import Frame, silent_frame
from voicechat.interfaces import ICodec
from voicechat.media.levels import crossfade
from voicechat.media.mixer import Limiter
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.stream import Counts, Kind, ReceiveStream

MOST_STREAMS: Final = 16
"""Sources kept at once: a room's seats twice over; the one unheard for longest goes first."""


class Hearing:
    """Streams in, one frame out. Times are ticks of the local clock, with fractions."""

    def __init__(self, codec: ICodec) -> None:
        self._codec = codec
        self._streams: dict[int, ReceiveStream] = {}
        self._fresh: set[int] = set()
        self._gains: dict[int, float] = {}
        self._limiter = Limiter()
        self._frames: list[Frame] = []
        self.counts = Counts()
        self.heard: dict[int, int] = {}
        """Frames played of each source."""
        self._held = 0.0

    @property
    def active(self) -> bool:
        """Somebody is being heard, or about to be."""
        return any(stream.active for stream in self._streams.values())

    @property
    def held(self) -> float:
        """Ticks that the last frames were held back (smoothed): the playout delay."""
        return self._held

    def set_gain(self, source: int, gain: float) -> None:
        """Make a forwarded source louder or softer, for this listener; never the mix."""
        if source != MIX:
            self._gains[source] = gain

    def put(self, packet: MediaPacket, now: float) -> None:
        """A packet arrived at ``now``; a payload that cannot be of this codec is a WireError."""
        if packet.payload:
            self._codec.check(packet.payload)
        if packet.redundant:
            self._codec.check(packet.redundant)
        stream = self._streams.get(packet.source)
        if stream is None:
            if packet.end and not packet.payload:
                return
            stream = self._add(packet.source)
        if not stream.active:
            self._fresh.add(packet.source)
        stream.put(packet, now)

    def _add(self, source: int) -> ReceiveStream:
        if len(self._streams) >= MOST_STREAMS:
            idle = (s for s, stream in self._streams.items() if not stream.active)
            self.forget(next(idle, next(iter(self._streams))))
        stream = self._streams[source] = ReceiveStream(self._codec.decoder(), self.counts)
        return stream

    def forget(self, source: int) -> None:
        """The source is gone, its number may be somebody else's next."""
        self._streams.pop(source, None)
        self._fresh.discard(source)
        self._gains.pop(source, None)

    def due_at(self) -> float | None:
        """When the first frame of a waiting stream should be played; None if nothing waits or something plays."""
        due: float | None = None
        for stream in self._streams.values():
            if stream.playing:
                return None
            at = stream.due_at()
            if at is not None and (due is None or at < due):
                due = at
        return due

    def lacks(self) -> bool:
        """A playing stream's next frame has not arrived: the caller may wait a moment before it pulls."""
        return any(stream.lacks() for stream in self._streams.values())

    def pull(self, at: float, out: Frame) -> bool:
        """Fill ``out`` with what is heard at ``at``; False when nothing more is on its way."""
        voices: list[tuple[int, Frame]] = []
        started: int | None = None
        for source, stream in self._streams.items():
            if not stream.active:
                continue
            frame = self._scratch(len(voices), out)
            kind = stream.pull(at, frame)
            if kind is Kind.SILENT:
                continue
            if kind is not Kind.CONCEALED:
                self.heard[source] = self.heard.get(source, 0) + 1
                if source in self._fresh:
                    self._fresh.discard(source)
                    started = source
            gain = self._gains.get(source, 1.0)
            if gain != 1.0:
                frame *= gain
            self._held += (stream.held() - self._held) / 16
            voices.append((source, frame))
        if not voices:
            out.fill(0.0)
            return self.active
        if started is not None and self._change_over(started):
            voices = _crossfade(voices, started, out)
        for _, frame in voices[1:]:
            out += frame
        self._limiter.apply(out)
        return self.active

    def _scratch(self, index: int, out: Frame) -> Frame:
        """Where the next voice goes: straight into ``out`` if it is the first."""
        if index == 0:
            return out
        while len(self._frames) < index:
            self._frames.append(silent_frame())
        return self._frames[index - 1]

    def _change_over(self, started: int) -> bool:
        """The mix replaces all forwarded talkers, a forwarded talker the mix; whether there was one to replace."""
        others = [source for source, stream in self._streams.items() if stream.active and _differ(source, started)]
        for source in others:
            self._streams[source].stop()
        return bool(others)


def _differ(source: int, other: int) -> bool:
    """One of the two is the mix, the other is not."""
    return (source == MIX) != (other == MIX)


def _crossfade(voices: list[tuple[int, Frame]], started: int, out: Frame) -> list[tuple[int, Frame]]:
    """Lead from the voices of one kind to those of the other, in ``out``, which holds the first of them."""
    old, new = silent_frame(), silent_frame()
    for source, frame in voices:
        into = old if _differ(source, started) else new
        into += frame
    crossfade(old, new, out)
    return [(started, out)]
