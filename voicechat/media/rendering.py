"""Rendering: payloads in, frames out. Carries out the operations that give sound (`spurt.Operation`).

One Renderer has the decoder of one stream. It takes payloads from the jitter buffer, and tells
the stream's pace and spurt what became of them.

Pure: no clock. May import the other parts of a stream, and numpy.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from voicechat.errors import WireError
from voicechat.format import BLOCK_SAMPLES, FRAME_SAMPLES, TICKS_PER_SECOND, Frame, Samples
from voicechat.interfaces import IDecoder
from voicechat.media.counts import Counts, FrameKind
from voicechat.media.jitter import JitterBuffer, Slot
from voicechat.media.levels import crossfade, fade_in, mean_square
from voicechat.media.repair import LateFrameRepair
from voicechat.media.spurt import ENDS_AFTER, FADES_AFTER, Operation, Spurt
from voicechat.media.timescale import Pace, merge
from voicechat.media.tuning import TUNING, StreamTuning

JOINT: Final = BLOCK_SAMPLES // 2
"""Samples of the crossfade from what was made up to what came: 5 ms, about one period of a deep voice."""

MISSES_KEPT: Final = 1 - 1 / TICKS_PER_SECOND
"""Share of the recent misses that each frame leaves: they fade with a time constant of 50 frames, a second."""

Past: TypeAlias = Callable[[Frame], object]
"""Is given frames that are not played; the array is used again."""


class Renderer:
    """Makes the frames of one stream."""

    def __init__(
        self,
        decoder: IDecoder,
        buffer: JitterBuffer,
        pace: Pace,
        late_frames: LateFrameRepair,
        spurt: Spurt,
        counts: Counts,
        tuning: StreamTuning = TUNING.stream,
    ) -> None:
        self._decoder = decoder
        self._buffer = buffer
        self._pace = pace
        self._late_frames = late_frames
        self._spurt = spurt
        self._counts = counts
        self._warm_with = tuning.warm_with
        self._spare: Frame = np.empty(FRAME_SAMPLES, np.float32)

    def carry_out(self, operation: Operation, out: Frame) -> FrameKind:
        """Fill ``out`` as was decided; left as it is if that is silence."""
        match operation:
            case Operation.PLAY:
                return self._play(out)
            case Operation.REPAIR:
                return self._repair(out)
            case Operation.ACCELERATE:
                return self._accelerate(out)
            case Operation.EXPAND:
                return self._expand(out)
            case Operation.CONCEAL:
                return self._conceal(out)
            case Operation.WAIT:
                return self._wait(out)
        return FrameKind.SILENT

    def late_half(self) -> Samples | None:
        """The second half of the frame that was concealed last, if it has come; the array is used again."""
        if self._spurt.missing != 1 or self._late_frames.pending or not self._late_frames.possible:
            return None
        frame = self._late_frames.decode_again()
        return None if frame is None else frame[BLOCK_SAMPLES:]

    def skip(self, late: float, past: Past | None = None) -> None:
        """Jump to the frame whose time it is, but never past the newest one.

        The last of those between are decoded; with ``past`` all are, and given to it.
        """
        newest = self._buffer.newest()
        if newest is None:
            return
        self._late_frames.forget()
        target = min(newest, self._buffer.next + int(late))
        while self._buffer.next < target:
            slot = self._buffer.pull()
            if slot is not None:
                self._counts.dropped += 1
                if past is not None or target - self._buffer.next < self._warm_with:
                    self._decode(slot, self._spare)
            elif past is not None:
                self._decoder.conceal(self._spare)
            if past is not None:
                past(self._spare)
        self._pace.excess = 0.0

    def _decode(self, slot: Slot, out: Frame) -> None:
        try:
            self._decoder.decode(slot.payload, out)
        except WireError:
            self._counts.dropped += 1
            self._decoder.conceal(out)

    def _play(self, out: Frame, going_on: Frame | None = None) -> FrameKind:
        """The next frame; ``going_on`` is how the one before it would, where that was made up."""
        slot, spurt = self._buffer.pull(), self._spurt
        assert slot is not None
        self._decode(slot, out)
        if spurt.missing:
            if spurt.missing > FADES_AFTER:
                fade_in(out)
            elif going_on is not None:
                crossfade(going_on, out, out, JOINT)
            self._late_frames.forget()
            spurt.missing = spurt.waited = 0
        spurt.recent_misses *= MISSES_KEPT
        self._pace.played(mean_square(out))
        return FrameKind.RECOVERED if slot.recovered else FrameKind.PLAYED

    def _repair(self, out: Frame) -> FrameKind:
        going_on = np.empty_like(out)
        self._decoder.conceal(going_on)
        self._late_frames.decode_again()
        return self._play(out, going_on)

    def _accelerate(self, out: Frame) -> FrameKind:
        """Take frames out: all that are quiet, else merge one with its successor now and then."""
        pace = self._pace
        kind = self._repair(out) if self._late_frames.possible else self._play(out)
        while pace.quiet and pace.too_deep and self._buffer.peek() is not None:
            kind = self._play(out)
            pace.taken_out()
            self._counts.dropped += 1
        if pace.too_deep and pace.may_merge and self._buffer.peek() is not None:
            first, second = out.copy(), self._spare
            kind = self._play(second)
            merge(first, second, out)
            pace.merged()
            self._counts.dropped += 1
        return kind

    def _expand(self, out: Frame) -> FrameKind:
        self._pace.put_in()
        self._decoder.conceal(out)
        return FrameKind.CONCEALED

    def _conceal(self, out: Frame) -> FrameKind:
        """In place of a frame that is late or lost: the next one is wanted next."""
        self._spurt.recent_misses += 1
        self._late_frames.missed(self._buffer.next)
        self._buffer.pull()
        return self._make_up(out)

    def _wait(self, out: Frame) -> FrameKind:
        """The same frame is wanted again, a tick later."""
        self._spurt.waited += 1
        self._pace.put_in()
        return self._make_up(out)

    def _make_up(self, out: Frame) -> FrameKind:
        self._spurt.missing = missing = self._spurt.missing + 1
        self._decoder.conceal(out)
        if missing > FADES_AFTER:
            steps = ENDS_AFTER - FADES_AFTER - 1
            done = missing - FADES_AFTER
            out *= np.linspace(1 - (done - 1) / steps, 1 - done / steps, out.size, dtype=np.float32)
        return FrameKind.CONCEALED
