"""PlayoutDelay: how long to hold frames so that almost none comes too late.

Each frame's transit is its arrival time minus its tick; nobody knows the true
delay of the way, so transits are judged against the smallest one of the last ten
seconds, the *base*. How far above the base frames arrive is kept in a histogram
that slowly forgets. That histogram rehearses every depth at once: the share of
frames above a depth is the share that this depth would have lost, whole frames, or
only first halves where the second ones are still heard. The target is the smallest
depth that loses less than LATE_SHARE.

A frame recovered by redundancy is observed when its redundancy arrives, so the
target holds frames back for their redundancy exactly when enough of them need it. If
its own packet comes after all, that is observed, too: redundancy may end any time.

Before anybody has spoken the connection may be known by probes: how much later than the fastest
they were counts like so many frames (`expect`), and is outvoted as they are.

Times are ticks of the local clock, with fractions. Drift between two clocks
(200 ppm is one tick in 100 s) moves the base, and the target moves with it.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from voicechat.format import TICK_MS, TICKS_PER_SECOND

BIN: Final = 0.125
"""Width of a histogram bin in ticks: 2.5 ms, about the wake-up jitter of a busy desktop (measured p99 3 ms)."""

DEEPEST: Final = 280 / TICK_MS
"""Ticks; 280 ms. Much deeper, people talk into each other's words (ITU-T G.114), so later frames are given up. Where
two links jitter by 150 ms each, over UDP 200 ms had 2.6 % made up and PESQ 3.1, 220 and 280 ms have 2.0 % and 3.2 for
3 ms more (in virtual time); over TCP 220 ms had 4 % and 2.6, 280 ms have 1.7 % and 3.4 for 15 ms more (on the rig)."""

STALL: Final = 200 / TICK_MS
"""Ticks; a frame so late is a sign of a stall and not of jitter, where the depth is less than half of that."""

START: Final = 5 / TICK_MS
"""Ticks held before anything is known: 5 ms, shallow, since most calls are on good connections."""

MARGIN: Final = 2.5 / TICK_MS
"""Ticks added to what arrivals need: a frame is given up 2 ms before its block, which may come 0.5 ms before its time
(client.call.playback). With less, one frame in four is late for a whole spurt where the talker's sound system calls
unevenly and the spurt's beat is unlucky: PESQ 1.2 (measured). A second talker may begin 1.5 ms earlier still
(`spurt.BEGINS_EARLY`), as is seldom."""

LATE_SHARE: Final = 0.0125
"""Largest share of the sound that may come too late. At 0-50 ms of jitter a link 1 % is 183 ms at PESQ 3.6, 1.25 % is
176 at 3.5, 1.5 % is 175 at 3.4 (measured)."""

MEMORY: Final = 10 * TICKS_PER_SECOND
"""Frames remembered: 10 s of talk, both for the base and (as a decay) for the histogram."""

LONGEST_MEMORY: Final = 60 * TICKS_PER_SECOND
"""Ticks after which the base forgets in any case: 10 s of talk may be ten minutes of a quiet friend, and two clocks
drift 120 ms apart in them (200 ppm)."""

JUMP: Final = float(TICKS_PER_SECOND)
"""Ticks; a transit this far off at the start of a spurt means a restarted clock, not a slow packet."""

DRIFT: Final = 400e-6
"""Two clocks' disagreement at most: 200 ppm each; so far a base falls by itself."""

SETTLED: Final = TICKS_PER_SECOND
"""Frames after which a base is one; before that it falls since it began too high."""

NOTABLE: Final = 2 * BIN
"""Ticks by which a base falls by chance, where a connection jitters; less is noise."""

BURST_STEP: Final = 0.9
"""Ticks by which each frame of a burst is faster than the one before: a tick, less what a connection jitters."""

PATIENCE: Final = TICKS_PER_SECOND // 2
"""Frames beyond DEEPEST, none faster than the one before, after which the way itself is taken to have become longer."""

CHOOSE_EVERY: Final = 8
"""Frames between two choices of the depth, 160 ms, since each looks through the whole histogram."""

CHOOSE_ALWAYS: Final = MEMORY / 10
"""Frames up to which each is followed by a choice: in the first second everything is news."""

_BINS: Final = int(DEEPEST / BIN)
_HALF: Final = int(0.5 / BIN)
"""Bins of half a tick."""

_DECAY: Final = 1 - 1 / MEMORY


class PlayoutDelay:
    """Watches arrivals of one stream and says when each of its ticks should be played."""

    def __init__(self, margin: float = MARGIN, *, halves: bool = False) -> None:
        """``margin``: ticks before its playing after which a frame is late.

        ``halves``: the second half of a late frame may still be heard, so that up to half a tick costs half as much.
        """
        self._more = _HALF if halves else 0
        self._bins = [0.0] * _BINS
        self._weight = 0.0
        self._scale = 1.0
        self._margin = margin
        self._count = 0
        self._lowest: deque[tuple[int, int, float]] = deque()
        self._stalled = 0
        self._stall_lowest = 0.0
        self.base: float | None = None
        """Smallest recent transit, in ticks; None before the first arrival."""
        self.target = START
        """Ticks between the earliest possible arrival of a frame and its playing."""

    def expect(self, lateness: Iterable[float]) -> None:
        """Before the first arrival: something else came over the connection so many ticks later than the fastest did.

        What no depth would save says nothing, as with frames.
        """
        for above in lateness:
            if above <= DEEPEST:
                self._count_in(above)
        if self._weight:
            self._choose()

    def play_at(self, tick: int) -> float:
        """When ``tick`` should be played, in ticks of the local clock."""
        return tick + (self.base or 0.0) + self.target

    def expected_tick(self, now: float) -> int:
        """The tick that should arrive about now; what 16-bit ticks are unwrapped against."""
        return round(now - (self.base or 0.0))

    def observe(self, tick: int, now: float, marker: bool = False, burst: bool = False) -> None:
        """A frame of ``tick`` arrived at ``now``, for the first time, or itself after its redundancy.

        ``burst``: it may be of the pre-roll, which is sent late, so its lateness says nothing about the way.
        """
        transit = now - tick
        if self.base is None or transit < self.base - DEEPEST or (marker and abs(transit - self.base) > JUMP):
            self._rebase(tick, transit)
            return
        above = transit - self.base
        if above > (STALL if self.target < STALL / 2 else DEEPEST):
            self._stall(tick, transit)
            return
        if self._stalled:
            if above > self.target:
                return  # the tail of one stall: a single event, however many frames it held up
            self._stalled = 0
        if burst and above > 0:
            return
        self._note_lowest(tick, transit)
        if burst:
            return
        self._count_in(max(0.0, transit - self.base))
        if self._count % CHOOSE_EVERY == 0 or self._weight < CHOOSE_ALWAYS:
            self._choose()

    def _stall(self, tick: int, transit: float) -> None:
        """Beyond what jitter is. A burst after a stall gets faster frame by frame; a longer way does not."""
        if not self._stalled or transit < self._stall_lowest - 0.5:
            self._stalled, self._stall_lowest = 1, transit
            return
        self._stalled += 1
        self._stall_lowest = min(self._stall_lowest, transit)
        if self._stalled > PATIENCE:
            self._rebase(tick, self._stall_lowest)

    def _rebase(self, tick: int, transit: float) -> None:
        """Start over from one transit, with the jitter learnt so far."""
        self._lowest.clear()
        self._count = 0
        self._lowest.append((tick, 0, transit))
        self.base = transit
        self._stalled = 0

    def _note_lowest(self, tick: int, transit: float) -> None:
        """Windowed minimum by a monotonic queue.

        When it rises, the histogram moves down with it: the same frames lie less far
        above. When it falls by chance, as where a connection jitters much, the histogram moves
        up. Otherwise it stays: a way that became shorter, a clock that drifts, or a stream
        whose first packets came in the burst after a stall, has no more jitter for that.
        """
        self._count += 1
        queue = self._lowest
        lowest_at = queue[0][0] if queue else tick
        while queue and queue[-1][2] >= transit:
            queue.pop()
        queue.append((tick, self._count, transit))
        while queue[0][1] <= self._count - MEMORY or queue[0][0] <= tick - LONGEST_MEMORY:
            queue.popleft()
        base, old = queue[0][2], self.base
        if old is None or base < old:
            fall = 0.0 if old is None or self._count <= SETTLED else old - base
            if NOTABLE + DRIFT * (tick - lowest_at) <= fall < BURST_STEP:
                self._move_up(round(fall / BIN))
            self.base = base
        elif base - old >= BIN:
            self._move_down(round((base - old) / BIN))
            self.base = base

    def _move_down(self, bins: int) -> None:
        """Move the histogram down by so many bins; what would leave it stays in the lowest."""
        bins = min(bins, _BINS - 1)
        self._bins = [sum(self._bins[: bins + 1]), *self._bins[bins + 1 :], *([0.0] * bins)]

    def _move_up(self, bins: int) -> None:
        """Move the histogram up by so many bins; what would leave it stays in the highest."""
        kept = self._bins[: _BINS - bins]
        kept[-1] += sum(self._bins[_BINS - bins :])
        self._bins = [*([0.0] * bins), *kept]
        self.target = min(DEEPEST, self.target + bins * BIN)

    def _count_in(self, above: float) -> None:
        """Forgetting by growing the weight of the new instead of shrinking all of the old."""
        self._scale /= _DECAY
        self._bins[min(_BINS - 1, int(above / BIN))] += self._scale
        self._weight = self._weight * _DECAY + 1
        if self._scale > 1e6:
            self._bins = [weight / self._scale for weight in self._bins]
            self._scale = 1.0

    def _choose(self) -> None:
        """The smallest depth whose late share is small enough."""
        allowed = LATE_SHARE * self._weight * self._scale
        late = 0.0
        depth = 0
        for index in range(_BINS - 1, -1, -1):
            late += self._bins[index] / 2
            if index + self._more < _BINS:
                late += self._bins[index + self._more] / 2
            if late > allowed:
                depth = index + 1
                break
        self.target = min(DEEPEST, depth * BIN + self._margin)
