"""Hearing: everything that one client hears, made one frame at a time.

One ReceiveStream for each source; source 0 is the listener's mix, the others are
talkers whose packets the server forwards. The server sends either the one or the
other, and for a few frames both when it changes: the old path is heard until the new
one's decoder is warm or the old one runs dry, then the new one goes on at the same
word (`changeover`).
"""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from voicechat.format import BLOCK_SAMPLES, FRAME_SAMPLES, TICKS_PER_SECOND, Frame, silent_frame
from voicechat.interfaces import ICodec
from voicechat.media.changeover import PlaybackPath
from voicechat.media.counts import Counts, FrameKind
from voicechat.media.gains import SourceGains
from voicechat.media.levels import crossfade
from voicechat.media.mixer import Limiter, bend
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.packing import split_pair
from voicechat.media.rendering import JOINT
from voicechat.media.stream import ReceiveStream
from voicechat.media.tuning import TUNING, Tuning

MOST_STREAMS: Final = 16
"""Sources kept at once: a room's seats twice over; the talker unheard for longest goes first, never the mix."""


MADE_ANEW: Final = 2 * MOST_STREAMS
MADE_A_SECOND: Final = 50.0
"""Streams that may be made at once, and a second: one for each frame. A decoder takes 0.16 ms (measured), which no
server is to be able to ask for with each packet of a flood."""

HELD_WEIGHT: Final = 1 / 16
"""Weight of the newest frame in the playout delay that is told: a time constant of 16 frames, 320 ms."""


class Hearing:
    """Streams in, one frame out. Times are ticks of the local clock, with fractions."""

    def __init__(self, codec: ICodec, tuning: Tuning = TUNING) -> None:
        self._codec = codec
        self._tuning = tuning
        self._streams: dict[int, ReceiveStream] = {}
        self._mixed = False
        """The mix was heard last, not a forwarded talker."""
        self._paths = PlaybackPath(tuning.changeover), PlaybackPath(tuning.changeover)
        """The forwarded talkers', and the mix's."""
        self._gains = SourceGains()
        self._limiter = Limiter(tuning.loudness)
        self._spare = silent_frame()
        self.counts = Counts()
        self.heard: dict[int, int] = {}
        """Frames played of each source."""
        self.on_forwarded: Callable[[int, float], None] = lambda _source, _mean_square: None
        """Called with the mean square of each frame of a forwarded talker, before gain."""
        self.lateness: Callable[[], Iterable[float]] = tuple
        """Asked when a source is first heard: by how many ticks packets came later than the fastest."""
        self.passed_over = 0
        """Packets of sources that came too many, too fast."""
        self._made, self._made_at = 0.0, 0.0
        """How many streams count as made just now, at which tick."""
        self._held = 0.0
        self._late: tuple[int, ReceiveStream] | None = None
        """The only source in the last frame, where that was concealed."""

    @property
    def active(self) -> bool:
        """Somebody is being heard, or about to be."""
        return self._paths[self._mixed].delay > 0 or any(stream.active for stream in self._streams.values())

    @property
    def mixed(self) -> bool:
        """The server's mix was heard last, not a talker directly."""
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
            if not self._may_add(now):
                self.passed_over += 1
                return
            stream = self._add(packet.source)
        for single in split_pair(packet):
            stream.put(single, now)

    def _may_add(self, now: float) -> bool:
        """Whether one more stream may be made; paced, but for the first ones."""
        self._made = max(0.0, self._made - (now - self._made_at) * MADE_A_SECOND / TICKS_PER_SECOND)
        self._made_at = now
        if self._made + 1 > MADE_ANEW:
            return False
        self._made += 1
        return True

    def _add(self, source: int) -> ReceiveStream:
        if len(self._streams) >= MOST_STREAMS:
            del self._streams[min(self.talkers, key=lambda number: self._streams[number].last_arrival)]
            self._late = None
        stream = self._streams[source] = ReceiveStream(
            self._codec.decoder(), self.counts, halves=True, tuning=self._tuning
        )
        stream.delay.expect(self.lateness())
        return stream

    @property
    def talkers(self) -> list[int]:
        """Sources of which something is known, but for the mix."""
        return [source for source in self._streams if source != MIX]

    def forget(self, source: int) -> None:
        """The source is gone, its number may be somebody else's next."""
        self._streams.pop(source, None)
        self._late = None
        self._gains.forget(source)

    def stop(self) -> None:
        """Nothing of what is on its way is to be heard any more."""
        self._late = None
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

    def should_wait(self) -> bool:
        """A playing stream's next frame has not arrived: the caller may wait a moment before it pulls."""
        return any(stream.should_wait() for stream in self._streams.values())

    def pull(self, at: float, out: Frame) -> bool:
        """Fill ``out`` with what is heard at ``at``; False when nothing more is on its way."""
        old, new = self._paths[self._mixed], self._paths[not self._mixed]
        heard = old.sounds
        for path in self._paths:
            path.begin()
        kinds = {
            source: kind
            for source, stream in self._streams.items()
            if stream.active and (kind := self._voice(source, stream, at, heard)) is not FrameKind.SILENT
        }
        if new.sounds and not old.sounds and not old.delay:
            old.forget()
            self._mixed = not self._mixed
            old, new = new, old
        old.end()
        self._late = None
        if [*kinds.values()] == [FrameKind.CONCEALED] and old.sounds and not old.delay:
            (source,) = kinds
            self._late = source, self._streams[source]
        out[:] = old.output(FRAME_SAMPLES)
        if new.sounds:
            new.end()
            self._both(old, new, out)
        else:
            new.forget()
            old.give_back(out)
        self._limiter.apply(out)
        return self.active

    @property
    def pending(self) -> bool:
        """The last frame is made up, and its second half might still be the true one."""
        return self._late is not None and self._late[1].pending

    def repair(self, out: Frame) -> None:
        """Let ``out``, which the last pull gave, end as it should have, if what was missing has come meanwhile."""
        if self._late is None:
            return
        source, stream = self._late
        half = stream.late_half()
        if half is not None:
            half *= np.float32(self._gains.last(source))
            self._paths[source == MIX].replace_end(half)
            half *= np.float32(self._limiter.gain)
            bend(half)
            crossfade(out[BLOCK_SAMPLES:], half, out[BLOCK_SAMPLES:], JOINT)

    def _voice(self, source: int, stream: ReceiveStream, at: float, heard: bool) -> FrameKind:
        """One stream's part of this frame; ``heard``: the path that is heard gave something for the last one."""
        path = self._paths[source == MIX]
        if heard and self._mixed != (source == MIX):
            gain = np.float32(self._gains.last(source))
            stream.join(at, lambda past: path.keep(past * gain))
        frame = self._spare if path.sounds else path.frame
        kind = stream.pull(at, frame)
        if kind is FrameKind.SILENT:
            return kind
        if kind is not FrameKind.CONCEALED:
            self.heard[source] = self.heard.get(source, 0) + 1
            if source != MIX:
                self.on_forwarded(source, stream.level)
        self._gains.apply(source, frame)
        path.add(frame, concealed=kind is FrameKind.CONCEALED)
        self._held += (stream.held() + path.delay / FRAME_SAMPLES - self._held) * HELD_WEIGHT
        return kind

    def _both(self, old: PlaybackPath, new: PlaybackPath, out: Frame) -> None:
        """Both paths gave something; ``out`` is the old one. When the new one is warm, cross over to it."""
        mix = self._streams.get(MIX)
        over = not old.sounds or mix is None or mix.ending
        if self._mixed and over and not new.warm:
            out += new.frame  # the mix has not these words: a talker begins while its last ones are heard
            return
        if old.sounds and not old.concealed and not new.warm:
            return
        new.join(old)
        crossfade(out, new.output(FRAME_SAMPLES), out)
        old.forget()
        for source, stream in self._streams.items():
            if (source == MIX) == self._mixed:
                stream.stop()
        self._mixed = not self._mixed
