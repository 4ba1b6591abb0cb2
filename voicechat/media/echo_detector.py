"""EchoDetector: finds the friend whose microphone returns my voice (acoustic echo).

Without headphones a friend's microphone picks up their loudspeaker, and I hear myself, a
moment later. Their stream then has the ups and downs of my voice. Two voices do not:
people take turns, and where they talk at once their levels differ.

How it decides. One level a frame is kept of what I sent and of what each forwarded
friend played, in dB, silence being FLOOR_DBFS. Every JUDGE_EVERY ticks the last
WINDOW ticks of a friend's levels are correlated with mine, at each lag up to
LONGEST_LAG (Pearson's coefficient). Levels, not samples: a codec, a room and a gate
leave them, and they cost almost nothing. Two talkers who pause at once are alike in
that, so at the best lag the coefficient has to be high also for the frames in which
both are there: syllables, not pauses. That may still be chance; the same lag several
times in a row is an echo. Whoever is heard in the mix is not judged: there
my own voice is not in it, but neither is theirs alone.

May import numpy, the sound format and ``levels``. Ticks are arguments: those of one
clock, for both sides, within a frame or two.
"""

from typing import Final

import numpy as np

from voicechat.format import TICKS_PER_SECOND, Samples
from voicechat.media.levels import dbfs_of
from voicechat.media.tuning import TUNING, EchoTuning

FLOOR_DBFS: Final = -60.0
"""What counts as silence: the noise of a quiet room, below which ups and downs are not the voice's."""

WINDOW: Final = 4 * TICKS_PER_SECOND
"""Ticks that are compared: four seconds have some twenty syllables and a few pauses."""

LONGEST_LAG: Final = TICKS_PER_SECOND
"""Ticks after which my voice may come back: both ways, two playout delays at their deepest and a room, within 1 s."""

SHORTEST_LAG: Final = 2
"""Ticks before which it cannot come back: each way takes a whole frame, even on a network without delay."""

LEAD: Final = 15
"""Ticks by which a friend's levels are also tried before mine: where that fits best, I return *their* voice."""

JUDGE_EVERY: Final = 2 * TICKS_PER_SECOND
"""Ticks between two judgements of one friend."""

LEAST_ACTIVE: Final = WINDOW // 4
"""Ticks of a window in which both must be there: a second; less is an "aha"."""

AGAIN_AFTER: Final = 5 * 60 * TICKS_PER_SECOND
"""Ticks before the same friend is named again: time to find the headphones."""

_KEPT: Final = WINDOW + LEAD + LONGEST_LAG
_STILL: Final = 1e-3


class _Track:
    """The last levels of one side, the newest last; what was not told of is silence."""

    def __init__(self) -> None:
        self._levels: Samples = np.full(2 * _KEPT, FLOOR_DBFS, np.float32)
        self._end = 0
        """Tick after the newest."""

    def put(self, tick: int, level: float) -> None:
        """The level at a tick; one that is not after the newest replaces what was there, if it is still kept."""
        if tick >= self._end:
            self._advance(tick + 1)
        if tick > self._end - _KEPT:
            place = tick % _KEPT
            self._levels[place] = self._levels[place + _KEPT] = level

    def last(self, end: int, count: int) -> Samples:
        """The levels of ``count`` ticks before ``end``; do not change them."""
        self._advance(end)
        start = end % _KEPT + _KEPT - count
        return self._levels[start : start + count]

    def _advance(self, end: int) -> None:
        missing = min(max(0, end - self._end), _KEPT)
        for tick in range(end - missing, end):
            place = tick % _KEPT
            self._levels[place] = self._levels[place + _KEPT] = FLOOR_DBFS
        self._end = max(self._end, end)


class _Friend:
    """What is known of one source."""

    def __init__(self, tick: int) -> None:
        self.track = _Track()
        self.judge_at = tick + JUDGE_EVERY
        self.lag = 0
        self.times = 0
        self.silent_until = 0
        """Named already; not before this tick again."""


class EchoDetector:
    """Watches all forwarded friends for one listener."""

    def __init__(self, tuning: EchoTuning = TUNING.echo) -> None:
        self._tuning = tuning
        self._mine = _Track()
        self._friends: dict[int, _Friend] = {}

    def spoke(self, tick: int, mean_square: float) -> None:
        """A frame of mine was sent."""
        self._mine.put(tick, max(FLOOR_DBFS, dbfs_of(mean_square)))

    def heard(self, source: int, tick: int, mean_square: float) -> bool:
        """A frame of a friend was played; True if it is plain now that their microphone returns my voice."""
        friend = self._friends.get(source)
        if friend is None:
            friend = self._friends[source] = _Friend(tick)
        friend.track.put(tick, max(FLOOR_DBFS, dbfs_of(mean_square)))
        if tick < friend.judge_at:
            return False
        friend.judge_at = tick + JUDGE_EVERY
        lag = self._returned(friend.track, tick + 1)
        if lag is None:
            return False
        friend.times = 0 if lag < 0 else friend.times + 1 if abs(lag - friend.lag) <= self._tuning.same_lag else 1
        friend.lag = lag
        if friend.times < self._tuning.times or tick < friend.silent_until:
            return False
        friend.silent_until = tick + AGAIN_AFTER
        return True

    def forget(self, source: int) -> None:
        """The source is gone; its number may be somebody else's next."""
        self._friends.pop(source, None)

    def _returned(self, track: _Track, end: int) -> int | None:
        """The lag at which the track is mine; -1 if it is not, None if nothing can be said."""
        theirs = track.last(end, WINDOW + LEAD)[:WINDOW]
        mine = self._mine.last(end, _KEPT)
        if min(np.count_nonzero(theirs > FLOOR_DBFS), np.count_nonzero(mine > FLOOR_DBFS)) < LEAST_ACTIVE:
            return None
        alike = correlations(mine, theirs)
        best = int(alike.argmax())
        lag = LONGEST_LAG - best
        if alike[best] < self._tuning.alike or lag < SHORTEST_LAG:
            return -1
        mine = mine[best : best + WINDOW]
        both = np.minimum(mine, theirs) > FLOOR_DBFS
        if np.count_nonzero(both) < LEAST_ACTIVE // 2:
            return -1
        syllables = correlations(mine[both], theirs[both])
        return lag if syllables[0] >= self._tuning.syllables_alike else -1


def correlations(long: Samples, short: Samples) -> Samples:
    """Pearson's coefficient of ``short`` with each stretch of ``long`` that is as long; 0 where one does not vary."""
    short = short - short.mean()
    stretches = np.lib.stride_tricks.sliding_window_view(long, short.size)
    sums = stretches @ short
    spread = np.sqrt(stretches.var(axis=1) * short.size * short.dot(short))
    found: Samples = np.divide(sums, spread, out=np.zeros_like(sums), where=spread > _STILL)
    return found
