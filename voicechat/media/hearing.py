"""Hearing: everything that one client hears, made one frame at a time.

One ReceiveStream for each source; source 0 is the listener's mix, the others are
talkers whose packets the server forwards. The server sends either the one or the
other, and for a few frames both when it changes: the old way is heard until the new
one's decoder is warm or the old one runs dry, then a crossfade of 10 ms leads over.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from voicechat.format import Frame, silent_frame
from voicechat.interfaces import ICodec
from voicechat.media.gains import Gains
from voicechat.media.levels import crossfade
from voicechat.media.mixer import Limiter
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.packing import apart
from voicechat.media.stream import Counts, Kind, ReceiveStream

WARM_FRAMES: Final = 2
"""Frames of a new way that are decoded and not heard: a cold decoder's first frames are wrong (measured)."""

MOST_STREAMS: Final = 16
"""Sources kept at once: a room's seats twice over; the one unheard for longest goes first."""


class Hearing:
    """Streams in, one frame out. Times are ticks of the local clock, with fractions."""

    def __init__(self, codec: ICodec) -> None:
        self._codec = codec
        self._streams: dict[int, ReceiveStream] = {}
        self._mixed = False
        """The mix was heard last, not a forwarded talker."""
        self._overlapped = 0
        """Frames for which both have been there."""
        self._gains = Gains()
        self._limiter = Limiter()
        self._frames: list[Frame] = []
        self.counts = Counts()
        self.heard: dict[int, int] = {}
        """Frames played of each source."""
        self.on_forwarded: Callable[[int, float], None] = lambda _source, _mean_square: None
        """Called with the mean square of each frame of a forwarded talker, before gain."""
        self._held = 0.0

    @property
    def active(self) -> bool:
        """Somebody is being heard, or about to be."""
        return any(stream.active for stream in self._streams.values())

    @property
    def mixed(self) -> bool:
        """The server's mix was heard last, not a talker as he is."""
        return self._mixed

    @property
    def held(self) -> float:
        """Ticks that the last frames were held back (smoothed): the playout delay."""
        return self._held

    def set_gain(self, source: int, gain: float) -> None:
        """Make a forwarded source louder or softer, for this listener; never the mix."""
        if source != MIX:
            self._gains.set(source, gain)

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
        for single in apart(packet):
            stream.put(single, now)

    def _add(self, source: int) -> ReceiveStream:
        if len(self._streams) >= MOST_STREAMS:
            idle = (s for s, stream in self._streams.items() if not stream.active)
            del self._streams[next(idle, next(iter(self._streams)))]
        stream = self._streams[source] = ReceiveStream(self._codec.decoder(), self.counts)
        return stream

    def forget(self, source: int) -> None:
        """The source is gone, its number may be somebody else's next."""
        self._streams.pop(source, None)
        self._gains.forget(source)

    def stop(self) -> None:
        """Nothing of what is on its way is to be heard any more."""
        for stream in self._streams.values():
            stream.stop()

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
        voices: list[_Voice] = []
        for source, stream in self._streams.items():
            if not stream.active:
                continue
            frame = self._scratch(len(voices), out)
            kind = stream.pull(at, frame)
            if kind is Kind.SILENT:
                continue
            if kind is not Kind.CONCEALED:
                self.heard[source] = self.heard.get(source, 0) + 1
                if source != MIX:
                    self.on_forwarded(source, stream.level)
            self._gains.apply(source, frame)
            self._held += (stream.held() - self._held) / 16
            voices.append(_Voice(source, kind, frame))
        if not voices:
            out.fill(0.0)
            return self.active
        if len(voices) > 1 and any(_differ(voice.source, voices[0].source) for voice in voices):
            self._change_over(voices, out)
        else:
            self._mixed = voices[0].source == MIX
            self._overlapped = 0
            for voice in voices[1:]:
                out += voice.frame
        self._limiter.apply(out)
        return self.active

    def _scratch(self, index: int, out: Frame) -> Frame:
        """Where the next voice goes: straight into ``out`` if it is the first."""
        if index == 0:
            return out
        while len(self._frames) < index:
            self._frames.append(silent_frame())
        return self._frames[index - 1]

    def _change_over(self, voices: list["_Voice"], out: Frame) -> None:
        """Both ways are heard: stay with the old one until the new one's decoder is warm, then cross over."""
        old, new = silent_frame(), silent_frame()
        for voice in voices:
            into = old if (voice.source == MIX) == self._mixed else new
            into += voice.frame
        olds = [voice for voice in voices if (voice.source == MIX) == self._mixed]
        self._overlapped += 1
        if self._overlapped <= WARM_FRAMES and all(voice.kind is not Kind.CONCEALED for voice in olds):
            out[:] = old
            return
        crossfade(old, new, out)
        self._overlapped = 0
        self._mixed = not self._mixed
        for voice in olds:
            self._streams[voice.source].stop()


class _Voice(NamedTuple):
    """What one stream gave for this frame."""

    source: int
    kind: Kind
    frame: Frame


def _differ(source: int, other: int) -> bool:
    """One of the two is the mix, the other is not."""
    return (source == MIX) != (other == MIX)
