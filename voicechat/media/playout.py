"""PlayoutDelay: how long to hold frames so that almost none comes too late.

Each frame's transit is its arrival time minus its tick; nobody knows the true
delay of the way, so transits are judged against the smallest one of the last ten
seconds, the *base*. How far above the base frames arrive is kept in a histogram
that slowly forgets. That histogram rehearses every depth at once: the share of
frames above a depth is the share that this depth would have lost, whole frames, or
only first halves where the second ones are still heard. The target is the smallest
depth that loses less than `late_share`.

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

from voicechat.format import TICKS_PER_SECOND
from voicechat.media.tuning import TUNING, PlayoutTuning

LONGEST_MEMORY: Final = 60 * TICKS_PER_SECOND
"""Ticks after which the base forgets in any case: 10 s of talk may be ten minutes of a quiet friend, and two clocks
drift 120 ms apart in them (200 ppm)."""

JUMP: Final = float(TICKS_PER_SECOND)
"""Ticks; a transit this far off at the start of a spurt means a restarted clock, not a slow packet."""

DRIFT: Final = 400e-6
"""Two clocks' disagreement at most: 200 ppm each; so far a base falls by itself."""

SETTLED: Final = TICKS_PER_SECOND
"""Frames after which a base is one; before that it falls since it began too high."""

BURST_STEP: Final = 0.9
"""Ticks by which each frame of a burst is faster than the one before: a tick, less what a connection jitters."""

PATIENCE: Final = TICKS_PER_SECOND // 2
"""Frames beyond DEEPEST, none faster than the one before, after which the way itself is taken to have become longer."""

NOTABLE_BINS: Final = 2
"""Bins by which a base falls by chance, where a connection jitters; less is noise."""

CHOOSE_EVERY: Final = 8
"""Frames between two choices of the depth, 160 ms, since each looks through the whole histogram."""


class PlayoutDelay:
    """Watches arrivals of one stream and says when each of its ticks should be played."""

    def __init__(
        self, margin: float | None = None, *, halves: bool = False, tuning: PlayoutTuning = TUNING.playout
    ) -> None:
        """``margin``: ticks before its playing after which a frame is late, in place of the tuning's.

        ``halves``: the second half of a late frame may still be heard, so that up to half a tick costs half as much.
        """
        self._deepest = tuning.deepest
        self._stall_above = tuning.stall
        self._late_share = tuning.late_share
        self._bin = tuning.bin
        self._notable = NOTABLE_BINS * tuning.bin
        self._memory = tuning.memory
        self._decay = 1 - 1 / tuning.memory
        self._choose_always = tuning.memory / 10
        self._most_bins = int(tuning.deepest / tuning.bin)
        self._more = int(0.5 / tuning.bin) if halves else 0
        """Bins of half a tick."""
        self._bins = [0.0] * self._most_bins
        self._weight = 0.0
        self._scale = 1.0
        self._margin = tuning.margin if margin is None else margin
        self._count = 0
        self._lowest: deque[tuple[int, int, float]] = deque()
        self._stalled = 0
        self._stall_lowest = 0.0
        self.base: float | None = None
        """Smallest recent transit, in ticks; None before the first arrival."""
        self.target = tuning.start
        """Ticks between the earliest possible arrival of a frame and its playing."""

    def expect(self, lateness: Iterable[float]) -> None:
        """Before the first arrival: something else came over the connection so many ticks later than the fastest did.

        What no depth would save says nothing, as with frames.
        """
        for above in lateness:
            if above <= self._deepest:
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
        if self.base is None or transit < self.base - self._deepest or (marker and abs(transit - self.base) > JUMP):
            self._rebase(tick, transit)
            return
        above = transit - self.base
        if above > (self._stall_above if self.target < self._stall_above / 2 else self._deepest):
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
        if self._count % CHOOSE_EVERY == 0 or self._weight < self._choose_always:
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
        while queue[0][1] <= self._count - self._memory or queue[0][0] <= tick - LONGEST_MEMORY:
            queue.popleft()
        base, old = queue[0][2], self.base
        if old is None or base < old:
            fall = 0.0 if old is None or self._count <= SETTLED else old - base
            if self._notable + DRIFT * (tick - lowest_at) <= fall < BURST_STEP:
                self._move_up(round(fall / self._bin))
            self.base = base
        elif base - old >= self._bin:
            self._move_down(round((base - old) / self._bin))
            self.base = base

    def _move_down(self, bins: int) -> None:
        """Move the histogram down by so many bins; what would leave it stays in the lowest."""
        bins = min(bins, self._most_bins - 1)
        self._bins = [sum(self._bins[: bins + 1]), *self._bins[bins + 1 :], *([0.0] * bins)]

    def _move_up(self, bins: int) -> None:
        """Move the histogram up by so many bins; what would leave it stays in the highest."""
        kept = self._bins[: self._most_bins - bins]
        kept[-1] += sum(self._bins[self._most_bins - bins :])
        self._bins = [*([0.0] * bins), *kept]
        self.target = min(self._deepest, self.target + bins * self._bin)

    def _count_in(self, above: float) -> None:
        """Forgetting by growing the weight of the new instead of shrinking all of the old."""
        self._scale /= self._decay
        self._bins[min(self._most_bins - 1, int(above / self._bin))] += self._scale
        self._weight = self._weight * self._decay + 1
        if self._scale > 1e6:
            self._bins = [weight / self._scale for weight in self._bins]
            self._scale = 1.0

    def _choose(self) -> None:
        """The smallest depth whose late share is small enough."""
        allowed = self._late_share * self._weight * self._scale
        late = 0.0
        depth = 0
        for index in range(self._most_bins - 1, -1, -1):
            late += self._bins[index] / 2
            if index + self._more < self._most_bins:
                late += self._bins[index + self._more] / 2
            if late > allowed:
                depth = index + 1
                break
        self.target = min(self._deepest, depth * self._bin + self._margin)
