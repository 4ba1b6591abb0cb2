"""One talker's way in: packet -> jitter buffer -> frame, exactly one each time it is asked.

A ReceiveStream is IDLE between talk spurts. The first packet makes it WAIT until
its playout delay says "now"; from then on every pull takes the next tick, whether
that frame came (PLAYED), came only as redundancy (RECOVERED) or did not come
(CONCEALED). Delay is corrected where it is heard least (`timescale`):

* too deep by a tick or more: quiet frames are dropped; inside loud speech two
  frames are merged, at most every third; a burst after a stall is skipped at once.
  The pre-roll comes as a burst, three ticks late: it is merged away without delay,
  so the words after it are on time
* too shallow: a quiet frame is followed by a concealed one

A frame that is missing when its time has come is concealed. Then:

* the first one is taken to be late, and time goes on: if it comes soon, its second half
  may still be heard (`mended`), and what follows is decoded as if it had been in time
* where frames are played before their time, where it happens often, or where the next one
  is missing too, and nothing newer is here, the stream waits: it conceals without moving on, and plays what it
  waited for when it comes, a tick later. If a newer one comes without it, it was lost
  and is passed over; its time has been concealed

A spurt ends at its end packet, or after ENDS_AFTER ticks without any frame.
"""

import enum
import math
from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from voicechat.errors import WireError
from voicechat.format import BLOCK_SAMPLES, FRAME_SAMPLES, TICKS_PER_SECOND, Frame, Samples
from voicechat.interfaces import IDecoder
from voicechat.media.counts import Counts, Kind
from voicechat.media.gate import PRE_ROLL_FRAMES
from voicechat.media.jitter import CAPACITY, Arrival, JitterBuffer, Slot
from voicechat.media.levels import crossfade, fade_in, mean_square
from voicechat.media.mending import Mending
from voicechat.media.packet import MediaPacket
from voicechat.media.playout import MARGIN, PlayoutDelay
from voicechat.media.seen import Seen
from voicechat.media.serial import unwrap
from voicechat.media.timescale import Pace, merge

FADES_AFTER: Final = 2
"""Missing ticks concealed at full level; Opus' own concealment is good for about 60 ms (RFC 6716, 4.4)."""

ENDS_AFTER: Final = 5
"""Missing ticks after which a spurt without an end packet is over: 100 ms, twice the usual burst of loss."""

RESET_AFTER: Final = 60 * TICKS_PER_SECOND
"""Ticks of silence after which nothing learnt of the way is trusted: devices and routes change meanwhile."""

SKIP_ABOVE: Final = PRE_ROLL_FRAMES + 1.5
"""Ticks of delay above target that are cut at once (90 ms): more than a pre-roll makes, and nobody wants old words."""

JOINS_ABOVE: Final = PRE_ROLL_FRAMES + 1.0
"""Ticks of delay from which on the first frames are older ones, sent again; a pre-roll is up to a tick less late."""

EARLY: Final = 0.1
"""Ticks that a spurt may begin before its time: what beats leave; more makes its frames late (`playout.MARGIN`)."""

WARM_WITH: Final = 5
"""Skipped frames that are decoded all the same: Opus' SILK layer settles within 100 ms (measured)."""

BURST: Final = WARM_WITH + 1
"""Ticks from a marker on in which frames may come as a burst, the pre-roll or a talker's last packets: no jitter."""

SHALLOW: Final = 0.25
"""Ticks before its time at which a frame is played where a missing one shows that the delay is too small."""

BAD_LUCK: Final = 2.5
"""Late frames within the last second (each counts less as time goes on) that may be chance; with more of them the
delay is too small, though it seems not to be: beside a mix that came regularly 8 % were late for minutes (measured)."""

JOINT: Final = BLOCK_SAMPLES // 2
"""Samples of the crossfade from what was made up to what came: 5 ms, about one period of a deep voice."""

STRAGGLERS: Final = 6
"""Ticks after a stream was stopped in which it is not begun anew without a marker: the rest of an overlap."""


Past: TypeAlias = Callable[[Frame], object]
"""Is given frames that are not played; the array is used again."""


class _Phase(enum.Enum):
    IDLE = enum.auto()
    WAITING = enum.auto()
    PLAYING = enum.auto()


class ReceiveStream:
    """One source as one listener hears it. Times (``now``, ``at``) are ticks of the local clock, with fractions."""

    def __init__(
        self, decoder: IDecoder, counts: Counts | None = None, margin: float = MARGIN, *, halves: bool = False
    ) -> None:
        """``margin``: as PlayoutDelay has it; ``halves``: `mended` is asked for the second half of a late frame."""
        self._decoder = decoder
        self._buffer = JitterBuffer()
        self._mending = Mending(decoder)
        self.delay = PlayoutDelay(margin=margin, halves=halves)
        self._halves = halves
        self._shallow = False
        """The last pull was for a frame before its time."""
        self._misses = 0.0
        """Late frames of the last second, fading."""
        self.counts = counts if counts is not None else Counts()
        self._phase = _Phase.IDLE
        self._end: int | None = None
        self._missing = 0
        self._waited = 0
        self._pace = Pace()
        self.last_arrival = -math.inf
        """When anything came last."""
        self._seen = Seen()
        self._copied: deque[int] = deque(maxlen=CAPACITY)
        """Ticks that redundancy brought, and no packet of their own."""
        self._over: int | None = None
        """The tick up to which the spurt was heard that ended last."""
        self._marker = -CAPACITY
        self._spare: Frame = np.empty(FRAME_SAMPLES, np.float32)

    # -- what came ------------------------------------------------------------

    def put(self, packet: MediaPacket, now: float) -> Arrival:
        """Take a packet that arrived at ``now``; what its own frame met."""
        tick = self._unwrap(packet, now)
        if packet.redundant:
            self._frame(tick - packet.offset, packet.redundant, now, recovered=True)
        arrival = Arrival.ON_TIME
        if packet.payload:
            arrival = self._frame(tick, packet.payload, now, recovered=False, marker=packet.marker)
        if packet.end and self._phase is not _Phase.IDLE:
            self._end = tick + bool(packet.payload)
        return arrival

    def _unwrap(self, packet: MediaPacket, now: float) -> int:
        idle = now - self.last_arrival > RESET_AFTER
        if idle and self._phase is _Phase.IDLE:
            self.delay.base = None
            self._seen.forget()
            self._over = None
        self.last_arrival = now
        return unwrap(packet.tick, self.delay.expected_tick(now))

    def _frame(self, tick: int, payload: bytes, now: float, *, recovered: bool, marker: bool = False) -> Arrival:
        if not self._first_time(tick, now, recovered=recovered):
            return Arrival.DUPLICATE
        if marker or self._phase is _Phase.IDLE or (self._phase is _Phase.WAITING and tick < self._marker):
            self._marker = tick  # in a burst another may overtake the one with the marker
        self.delay.observe(tick, now, marker, burst=self._in_burst(tick))
        if self._phase is _Phase.IDLE:
            over = self._over if marker else self._buffer.next
            if over is not None and over - CAPACITY < tick < over:
                return Arrival.LATE  # a straggler of the spurt that ended does not begin another
            self._begin(tick)
        elif marker and tick <= self._buffer.next - CAPACITY:
            self._begin(tick)  # the talker's clock was set back: another spurt
        elif self._phase is _Phase.WAITING:
            self._buffer.begin_earlier(tick)
        arrival = self._buffer.put(tick, payload, recovered)
        if arrival is Arrival.LATE:
            self.counts.late += not recovered
            self._mending.come(tick, payload)
        elif arrival is Arrival.OVERFLOW:
            self.counts.dropped += 1
            self._begin(tick)
            self._buffer.put(tick, payload, recovered)
        return arrival

    def _first_time(self, tick: int, now: float, *, recovered: bool) -> bool:
        """Whether a frame comes for the first time. If redundancy overtook it, it still tells how late frames come."""
        if self._seen.first_time(tick):
            if recovered:
                self._copied.append(tick)
            return True
        if not recovered and tick in self._copied:
            self._copied.remove(tick)
            self.delay.observe(tick, now, burst=self._in_burst(tick))  # redundancy may end any time
        return False

    def _in_burst(self, tick: int) -> bool:
        """Whether a frame may be one of those that begin a spurt, all sent at once."""
        return 0 <= tick - self._marker < BURST

    # -- what is played -------------------------------------------------------

    @property
    def active(self) -> bool:
        """In a talk spurt, or about to play one."""
        return self._phase is not _Phase.IDLE

    @property
    def playing(self) -> bool:
        """In a talk spurt that is being heard."""
        return self._phase is _Phase.PLAYING

    @property
    def level(self) -> float:
        """Mean square of the last frame that came."""
        return self._pace.level

    def due_at(self) -> float | None:
        """When a waiting stream wants its first frame played; None if it does not wait."""
        return self.delay.play_at(self._buffer.next) if self._phase is _Phase.WAITING else None

    def lacks(self) -> bool:
        """Whether a moment of patience is worth it.

        A frame is missing that may still come: the next one, or the one after it that is to be merged with it.
        """
        if self._phase is not _Phase.PLAYING or self._missing > FADES_AFTER:
            return False
        tick = self._buffer.next
        if self._pace.too_deep and not self._waited and self._buffer.holds(tick):
            tick += 1
        return tick != self._end and not self._buffer.holds(tick)

    @property
    def awaits(self) -> bool:
        """The last pull concealed a frame that may come in time for its second half."""
        return self._missing == 1 and self._mending.awaits

    def mended(self) -> Samples | None:
        """The second half of the frame that the last pull concealed, if it has come; the array is used again."""
        if self._missing != 1 or self._mending.awaits or not self._mending.possible:
            return None
        frame = self._mending.mend()
        return None if frame is None else frame[BLOCK_SAMPLES:]

    def held(self) -> float:
        """Ticks that frames are being held beyond the earliest possible arrival (smoothed)."""
        return max(0.0, self._pace.error + self.delay.target)

    def pull(self, at: float, out: Frame) -> Kind:
        """Fill ``out`` with the frame to be played at ``at``."""
        kind = self._next(at, out)
        if kind is Kind.PLAYED:
            self.counts.played += 1
        elif kind is Kind.RECOVERED:
            self.counts.recovered += 1
        elif kind is Kind.CONCEALED:
            self.counts.concealed += 1
        else:
            out.fill(0.0)
            self.counts.silent += 1
        return kind

    @property
    def ending(self) -> bool:
        """The end of the spurt is known."""
        return self._end is not None

    def join(self, at: float, past: Past, above: float = JOINS_ABOVE) -> None:
        """Begin in the middle of a spurt that is heard in another way already.

        If the first frame is late by ``above`` ticks, the frames whose time is over are decoded and given
        to ``past`` instead of being played. To be called before `pull`, at the same time.
        """
        late = at - self.delay.play_at(self._buffer.next)
        if self._phase is _Phase.WAITING and late >= above:
            self._phase = _Phase.PLAYING
            self._missing = 0
            self._skip(late, past)
            self._pace.start(at - self.delay.play_at(self._buffer.next))

    def stop(self) -> None:
        """End the spurt now and forget what was not played, and what of it still comes."""
        if self.active:
            self._over = self._buffer.next
        self._phase = _Phase.IDLE
        self._buffer.reset(max(self._buffer.next, self._seen.newest + 1) + STRAGGLERS)
        self._mending.forget()
        self._end = None

    def _begin(self, tick: int) -> None:
        self._phase = _Phase.WAITING
        self._buffer.reset(tick)
        self._mending.forget()
        self._end = None

    def _next(self, at: float, out: Frame) -> Kind:
        if self._phase is _Phase.IDLE:
            return Kind.SILENT
        buffer = self._buffer
        late = at - self.delay.play_at(buffer.next)
        if self._phase is _Phase.WAITING:
            if late < -EARLY:
                return Kind.SILENT
            self._start(late)
            late = at - self.delay.play_at(buffer.next)
        self._pace.follow(late)
        self._shallow = late < -SHALLOW
        if late > SKIP_ABOVE:
            self._skip(late)
        self._give_up()
        if self._end is not None and buffer.next >= self._end:
            self._finish()
            return self._next(at, out) if self.active else Kind.SILENT
        if buffer.peek() is None:
            return self._conceal(out)
        if self._pace.too_deep:
            return self._shrink(out)
        if self._pace.too_shallow and not self._missing:
            return self._hold(out)
        return self._play(out)

    def _start(self, late: float) -> None:
        self._phase = _Phase.PLAYING
        self._missing = self._waited = 0
        self._pace.start(late)
        if late > SKIP_ABOVE:
            self._skip(late)

    def _skip(self, late: float, past: Past | None = None) -> None:
        """Jump to the frame whose time it is, but never past the newest one."""
        newest = self._buffer.newest()
        if newest is None:
            return
        self._mending.forget()
        target = min(newest, self._buffer.next + int(late))
        while self._buffer.next < target:
            slot = self._buffer.pull()
            if slot is not None:
                self.counts.dropped += 1
                if past is not None or target - self._buffer.next < WARM_WITH:
                    self._decode(slot, self._spare)
            elif past is not None:
                self._decoder.conceal(self._spare)
            if past is not None:
                past(self._spare)
        self._pace.error = 0.0

    def _finish(self) -> None:
        """The spurt is over; if the next one lies in the buffer already, wait for its time."""
        self._end = None
        self._mending.forget()
        self._missing = self._waited = 0
        self._over = self._buffer.next
        if not len(self._buffer):
            self._phase = _Phase.IDLE
            return
        while self._buffer.peek() is None:
            self._buffer.pull()
        self._phase = _Phase.WAITING

    def _conceal(self, out: Frame) -> Kind:
        if self._missing >= ENDS_AFTER - 1:
            self._finish()
            return Kind.SILENT
        self._missing += 1
        by_chance = self._missing == 1 and self._halves and not self._shallow and self._misses < BAD_LUCK
        if len(self._buffer) or by_chance:
            self._misses += 1
            self._mending.miss(self._buffer.next)
            self._buffer.pull()
        else:
            self._waited += 1
            self._pace.put_in()
        self._decoder.conceal(out)
        if self._missing > FADES_AFTER:
            steps = ENDS_AFTER - FADES_AFTER - 1
            done = self._missing - FADES_AFTER
            out *= np.linspace(1 - (done - 1) / steps, 1 - done / steps, out.size, dtype=np.float32)
        return Kind.CONCEALED

    def _give_up(self) -> None:
        """Pass over what was waited for in vain: newer frames or the end came first. It was concealed already."""
        while self._waited and (len(self._buffer) or self._end is not None) and self._buffer.peek() is None:
            self._mending.miss(self._buffer.next)
            self._buffer.pull()
            self._waited -= 1
            self._pace.taken_out()

    def _hold(self, out: Frame) -> Kind:
        self._pace.put_in()
        self._decoder.conceal(out)
        return Kind.CONCEALED

    def _play(self, out: Frame) -> Kind:
        slot = self._buffer.pull()
        assert slot is not None
        mends, faded = self._mending.possible, self._missing > FADES_AFTER
        if mends:
            self._decoder.conceal(self._spare)
            going_on = self._spare.copy()
            self._mending.mend()
        self._decode(slot, out)
        if faded:
            fade_in(out)
        elif mends:
            crossfade(going_on, out, out, JOINT)
        self._mending.forget()
        self._missing = self._waited = 0
        self._misses *= 1 - 1 / TICKS_PER_SECOND
        self._pace.played(mean_square(out))
        return Kind.RECOVERED if slot.recovered else Kind.PLAYED

    def _decode(self, slot: Slot, out: Frame) -> None:
        try:
            self._decoder.decode(slot.payload, out)
        except WireError:
            self.counts.dropped += 1
            self._decoder.conceal(out)

    def _shrink(self, out: Frame) -> Kind:
        """Take frames out: all that are quiet, else merge one with its successor now and then."""
        pace = self._pace
        kind = self._play(out)
        while pace.quiet and pace.too_deep and self._buffer.peek() is not None:
            kind = self._play(out)
            pace.taken_out()
            self.counts.dropped += 1
        if pace.too_deep and pace.may_merge and self._buffer.peek() is not None:
            first, second = out.copy(), self._spare
            kind = self._play(second)
            merge(first, second, out)
            pace.merged()
            self.counts.dropped += 1
        return kind
