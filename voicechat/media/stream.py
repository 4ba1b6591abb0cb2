"""One talker's way in: packet -> jitter buffer -> frame, exactly one each time it is asked.

A ReceiveStream is IDLE between talk spurts. The first packet makes it WAIT until
its playout delay says "now"; from then on every pull takes the next tick, whether
that frame came (PLAYED), came only as redundancy (RECOVERED) or is missing
(CONCEALED). What is done for a pull is decided first, by `spurt`, and then carried out
here, as NetEq does it. Delay is corrected where it is heard least (`timescale`):

* too deep by a tick or more: quiet frames are dropped; inside loud speech two
  frames are merged, at most every third; a burst after a stall is skipped at once.
  The pre-roll comes as a burst, three ticks late: it is merged away without delay,
  so the words after it are on time
* too shallow: a quiet frame is followed by a concealed one

A frame that is missing when its time has come is concealed. Then:

* the first one is taken to be late, and time goes on: if it comes soon, its second half
  may still be heard (`late_half`), and what follows is decoded as if it had been in time
* where frames are played before their time, where it happens often, or where the next one
  is missing too, and nothing newer is here, the stream waits: it conceals without moving on, and plays what it
  waited for when it comes, a tick later. If a newer one comes without it, it was lost
  and is let go; its time has been concealed

A spurt ends at its end packet, or after ENDS_AFTER ticks without any frame.
"""

import math
from typing import Final

from voicechat.format import Frame, Samples
from voicechat.interfaces import IDecoder
from voicechat.media.arrivals import Arrivals
from voicechat.media.counts import Counts, FrameKind
from voicechat.media.gate import PRE_ROLL_FRAMES
from voicechat.media.jitter import CAPACITY, Arrival, JitterBuffer
from voicechat.media.packet import MediaPacket
from voicechat.media.playout import PlayoutDelay
from voicechat.media.rendering import Past, Renderer
from voicechat.media.repair import LateFrameRepair
from voicechat.media.serial import unwrap
from voicechat.media.spurt import Operation, Phase, Spurt
from voicechat.media.timescale import Pace
from voicechat.media.tuning import TUNING, Tuning

STRAGGLERS: Final = 6
"""Ticks after a stream was stopped in which it is not begun anew without a marker: the rest of an overlap."""


class ReceiveStream:
    """One source as one listener hears it. Times (``now``, ``at``) are ticks of the local clock, with fractions."""

    def __init__(
        self,
        decoder: IDecoder,
        counts: Counts | None = None,
        margin: float | None = None,
        *,
        halves: bool = False,
        tuning: Tuning = TUNING,
    ) -> None:
        """``margin``: as PlayoutDelay has it; ``halves``: `late_half` is asked for the second half of a late frame."""
        self._buffer = JitterBuffer()
        self._late_frames = LateFrameRepair(decoder)
        self._pace = Pace(tuning)
        self._spurt = Spurt(self._buffer, self._pace, self._late_frames, halves=halves, tuning=tuning.stream)
        self._arrivals = Arrivals(tuning.stream)
        self._joins_above = PRE_ROLL_FRAMES + tuning.stream.joins_above
        self.delay = PlayoutDelay(margin, halves=halves, tuning=tuning.playout)
        self.counts = counts if counts is not None else Counts()
        self._renderer = Renderer(
            decoder, self._buffer, self._pace, self._late_frames, self._spurt, self.counts, tuning.stream
        )

    @property
    def active(self) -> bool:
        """In a talk spurt, or about to play one."""
        return self._spurt.phase is not Phase.IDLE

    @property
    def playing(self) -> bool:
        """In a talk spurt that is being heard."""
        return self._spurt.phase is Phase.PLAYING

    @property
    def ending(self) -> bool:
        """The end of the spurt is known."""
        return self._spurt.end is not None

    @property
    def level(self) -> float:
        """Mean square of the last frame that came."""
        return self._pace.level

    @property
    def last_arrival(self) -> float:
        """When anything came last."""
        return self._arrivals.last

    def held(self) -> float:
        """Ticks that frames are being held beyond the earliest possible arrival (smoothed)."""
        return max(0.0, self._pace.excess + self.delay.target)

    def due_at(self) -> float | None:
        """When a waiting stream wants its first frame played; None if it does not wait."""
        return self.delay.play_at(self._buffer.next) if self._spurt.phase is Phase.WAITING else None

    def should_wait(self) -> bool:
        """Whether a moment of patience is worth it, since a frame is missing that may still come."""
        return self._spurt.should_wait()

    # -- what came ------------------------------------------------------------

    def put(self, packet: MediaPacket, now: float) -> Arrival:
        """Take a packet that arrived at ``now``; what its own frame met."""
        tick = self._unwrap(packet, now)
        if packet.redundant:
            self._frame(tick - packet.offset, packet.redundant, now, recovered=True)
        arrival = Arrival.ON_TIME
        if packet.payload:
            arrival = self._frame(tick, packet.payload, now, recovered=False, marker=packet.marker)
        if packet.end and self._spurt.phase is not Phase.IDLE:
            self._spurt.end = tick + bool(packet.payload)
        return arrival

    def _unwrap(self, packet: MediaPacket, now: float) -> int:
        arrivals = self._arrivals
        if self._spurt.phase is Phase.IDLE and arrivals.stale(now):
            self.delay.base = None
            arrivals.forget()
        arrivals.last = now
        return unwrap(packet.tick, self.delay.expected_tick(now))

    def _frame(self, tick: int, payload: bytes, now: float, *, recovered: bool, marker: bool = False) -> Arrival:
        arrivals, phase = self._arrivals, self._spurt.phase
        if not arrivals.first_time(tick, recovered=recovered):
            if not recovered and arrivals.follows_copy(tick):  # how late it is counts: redundancy may end any time
                self.delay.observe(tick, now, burst=arrivals.in_burst(tick))
            return Arrival.DUPLICATE
        if marker or phase is Phase.IDLE or (phase is Phase.WAITING and tick < arrivals.marker):
            arrivals.marker = tick  # in a burst another may overtake the one with the marker
        self.delay.observe(tick, now, marker, burst=arrivals.in_burst(tick))
        if phase is Phase.IDLE:
            if arrivals.straggles(tick, self._buffer.next, marker=marker):
                return Arrival.LATE
            self._begin(tick)
        elif marker and tick <= self._buffer.next - CAPACITY:
            self._begin(tick)  # the talker's clock was set back: another spurt
        elif phase is Phase.WAITING:
            self._buffer.begin_earlier(tick)
        arrival = self._buffer.put(tick, payload, recovered)
        if arrival is Arrival.LATE:
            self.counts.late += not recovered
            self._late_frames.arrived(tick, payload)
        elif arrival is Arrival.OVERFLOW:
            self.counts.dropped += 1
            self._begin(tick)
            self._buffer.put(tick, payload, recovered)
        return arrival

    def _begin(self, tick: int) -> None:
        self._spurt.phase = Phase.WAITING
        self._spurt.end = None
        self._buffer.reset(tick)
        self._late_frames.forget()

    def stop(self) -> None:
        """End the spurt now and forget what was not played, and what of it still comes."""
        arrivals, following = self._arrivals, self._buffer.next
        if self.active:
            arrivals.played_to = following
        self._begin(max(following, arrivals.newest + 1) + STRAGGLERS)
        self._spurt.phase = Phase.IDLE

    # -- what is played -------------------------------------------------------

    def pull(self, at: float, out: Frame) -> FrameKind:
        """Fill ``out`` with the frame to be played at ``at``."""
        spurt = self._spurt
        late = at - self.delay.play_at(self._buffer.next)
        if spurt.phase is Phase.PLAYING:
            self._pace.follow(late)
        operation = spurt.decide(late)
        while not operation.sounds:
            late = self._step(operation, at, late)
            operation = spurt.decide(late)
        kind = self._renderer.carry_out(operation, out)
        if kind is FrameKind.PLAYED:
            self.counts.played += 1
        elif kind is FrameKind.RECOVERED:
            self.counts.recovered += 1
        elif kind is FrameKind.CONCEALED:
            self.counts.concealed += 1
        else:
            out.fill(0.0)
            self.counts.silent += 1
        return kind

    def _step(self, operation: Operation, at: float, late: float) -> float:
        """Carry out what gives no sound; how late the frame is that is wanted then."""
        match operation:
            case Operation.BEGIN:
                return self._start(at, late)
            case Operation.SKIP:
                self._renderer.skip(late)
                return 0.0
            case Operation.LET_GO:
                self._let_go()
                return late
        self._finish()
        if operation is Operation.GIVE_UP:
            return -math.inf  # this tick is silent, even if the next spurt might begin
        return at - self.delay.play_at(self._buffer.next)

    def _start(self, at: float, late: float) -> float:
        self._spurt.play()
        self._pace.start(late)
        if late > self._spurt.skip_above:
            self._renderer.skip(late)
        late = at - self.delay.play_at(self._buffer.next)
        self._pace.follow(late)
        return late

    def _let_go(self) -> None:
        """Want the next frame instead: this one's time has been concealed already."""
        self._late_frames.missed(self._buffer.next)
        self._buffer.pull()
        self._spurt.waited -= 1
        self._pace.taken_out()

    def _finish(self) -> None:
        """The spurt is over; if the next one lies in the buffer already, wait for its time."""
        buffer = self._buffer
        self._late_frames.forget()
        self._arrivals.played_to = buffer.next
        while len(buffer) and buffer.peek() is None:
            buffer.pull()
        self._spurt.finish(another=len(buffer) > 0)

    @property
    def pending(self) -> bool:
        """The last pull concealed a frame that may come in time for its second half."""
        return self._spurt.missing == 1 and self._late_frames.pending

    def late_half(self) -> Samples | None:
        """The second half of the frame that the last pull concealed, if it has come; the array is used again."""
        return self._renderer.late_half()

    def join(self, at: float, past: Past, above: float | None = None) -> None:
        """Begin in the middle of a spurt that is heard in another way already.

        If the first frame is late by ``above`` ticks (None: `joins_above` more than a pre-roll), the frames
        whose time is over are decoded and given to ``past`` instead of being played. To be called before
        `pull`, at the same time.
        """
        late = at - self.delay.play_at(self._buffer.next)
        if self._spurt.phase is Phase.WAITING and late >= (self._joins_above if above is None else above):
            self._spurt.play()
            self._renderer.skip(late, past)
            self._pace.start(at - self.delay.play_at(self._buffer.next))
