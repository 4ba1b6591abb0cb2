"""What was said against what was heard: the demo's verdict, from sound alone.

What lives here: ``compare`` and the figures that it gives. May import numpy,
``demo.correlation`` and ``demo.timeline``; pure: tracks in, values out.

How it judges. All tracks lie on one clock by their start stamps. Time is cut into
windows of a second of which it is known who speaks and who is silent. For each
listener a window is one of these:

alone
    One friend speaks and nobody else. Heard must be like said (HEARD_LEAST).
    These windows give the delay, too.
across
    One friend and the listener themselves speak. Still only the friend may be
    heard: the same bound.
together
    Two friends or more speak. Heard must be like the *sum* of what they said,
    each as loud as they said it. Their lags are found one by one (each may sit in
    a buffer of their own) but no weight is fitted. Since the sum of two is like
    each of the two already (0.7 if they are equally loud), each friend is also
    judged by their partial correlation, the others taken out: a friend who is
    missing from a mix falls to chance there. A part of a sum has the noise of the
    whole sum beside it, hence the lower bound PART_LEAST.
own voice
    Where only the listener speaks: likeness of heard to their own voice. Where
    friends speak as well: their partial correlation, the friends taken out, which
    finds them under louder voices. Bound: OWN_MOST. The sign is ignored here: a
    voice upside down is a voice.

Each figure is the median over its windows, of the best likeness within AROUND
of the measured delay. Fewer than WINDOWS_LEAST windows are no evidence and fail.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from demo.correlation import FLOOR, RATE, Signal, correlations, energy
from demo.timeline import WINDOW, Timeline, Track, Window, windows

HEARD_LEAST: Final = 0.7
"""A friend is heard: likeness of heard to said, alone, across and of the sum."""

PART_LEAST: Final = 0.4
"""A friend is in the mix: their partial correlation. What HEARD_LEAST allows to the sum, for a friend 6 dB softer.

A likeness of 0.7 of the sum leaves as much noise as there is voice; a fifth of the voice's energy beside that
noise is sqrt(0.2 / 1.2). A friend who is missing reaches 0.1 by chance.
"""

OWN_MOST: Final = 0.3
"""Oneself is not heard. Unrelated voices reach 0.1 to 0.2 by chance, being the best of 8 000 lags."""

WINDOWS_LEAST: Final = 6
"""Windows that make a figure, taken eight a second."""

DELAYS: Final = (-0.05, 1.5)
"""Seconds in which a delay is looked for; one below zero is a fault of the clocks, and must be seen."""

AROUND: Final = 0.25
"""Seconds each way around the measured delay in which the best likeness is taken."""

CERTAIN: Final = 0.35
"""Likeness from which on a window's lag counts as found; chance stays below."""

_ROUNDS: Final = 2
"""How often the lags within a sum are looked for: once roughly, once more with the others taken out."""


@dataclass(frozen=True)
class Figure:
    """The median of a likeness over ``windows`` windows; 0 if there were none."""

    value: float
    windows: int

    def at_least(self, bound: float) -> bool:
        """Whether there is evidence, and it reaches ``bound``."""
        return self.windows >= WINDOWS_LEAST and self.value >= bound

    def at_most(self, bound: float) -> bool:
        """Whether there is evidence, and it stays within ``bound``."""
        return self.windows >= WINDOWS_LEAST and self.value <= bound


@dataclass(frozen=True)
class Hearing:
    """How one listener heard one friend; delays in ms from mouth to ear, None if never found."""

    friend: str
    delay_ms: float | None
    mixed_delay_ms: float | None
    alone: Figure
    across: Figure
    in_mix: Figure


@dataclass(frozen=True)
class Listening:
    """All that one listener heard."""

    listener: str
    hearings: tuple[Hearing, ...]
    together: Figure
    own_alone: Figure
    own_together: Figure

    def failures(self) -> Iterator[str]:
        """One line for each bound that is not met."""
        for hearing in self.hearings:
            friend = hearing.friend
            yield from self._short_of(HEARD_LEAST, hearing.alone, f"hear {friend} alone")
            yield from self._short_of(HEARD_LEAST, hearing.across, f"hear {friend} while speaking")
            yield from self._short_of(PART_LEAST, hearing.in_mix, f"hear {friend} among others")
        yield from self._short_of(HEARD_LEAST, self.together, "hear the others together")
        yield from self._beyond(OWN_MOST, self.own_alone, "when nobody else spoke")
        yield from self._beyond(OWN_MOST, self.own_together, "among the others")

    def _short_of(self, bound: float, figure: Figure, what: str) -> Iterator[str]:
        if not figure.at_least(bound):
            yield f"{self.listener} did not {what}: {_told(figure)}, needs {bound} or more"

    def _beyond(self, bound: float, figure: Figure, when: str) -> Iterator[str]:
        if not figure.at_most(bound):
            yield f"{self.listener}'s own voice came back {when}: {_told(figure)}, allowed is {bound} or less"


def compare(said: Mapping[str, Track], heard: Mapping[str, Track]) -> tuple[Listening, ...]:
    """Judge what each listener (a key of ``heard``) heard of all who spoke (the keys of ``said``, all listeners)."""
    timeline = Timeline([*said.values(), *heard.values()])
    voices = {name: timeline.lay(track) for name, track in said.items()}
    clear = windows(voices)
    listenings = []
    for listener, track in heard.items():
        # Who is not in the room yet cannot hear: both their stamps must have passed.
        first = timeline.place(max(track.start_ns, said[listener].start_ns))
        last = timeline.place(track.end_ns)
        inside = [window for window in clear if first <= window.start and window.start + WINDOW <= last]
        listenings.append(_Ear(listener, timeline.lay(track), voices).judge(inside))
    return tuple(listenings)


class _Ear:
    """One listener's measurements; windows and lags are in samples at RATE."""

    def __init__(self, listener: str, heard: Signal, voices: Mapping[str, Signal]) -> None:
        self.listener = listener
        self.heard = heard
        self.voices = voices
        self.friends = [name for name in voices if name != listener]

    def judge(self, clear: Sequence[Window]) -> Listening:
        """All figures from the windows in which this listener was there."""
        me = self.listener
        alone = {friend: _only(clear, {friend}) for friend in self.friends}
        across = {friend: _only(clear, {friend, me}) for friend in self.friends}
        mixed = [window for window in clear if len(window.speakers - {me}) > 1]
        delays = {friend: self.delay(friend, alone[friend]) for friend in self.friends}
        found = [delay for delay in delays.values() if delay is not None]
        # Of a listener who heard nobody, every delay up to twice AROUND is looked at.
        centre = round(float(np.median(found))) if found else round(AROUND * RATE)

        sums: list[float] = []
        owns: list[float] = []
        parts: dict[str, list[float]] = {friend: [] for friend in self.friends}
        lags: dict[str, list[int]] = {friend: [] for friend in self.friends}
        for window in mixed:
            piece, resolved = self._resolve(window, centre)
            floor = self._floor(window)
            sums.append(_likeness(piece, np.sum([said for said, _ in resolved.values()], axis=0), floor))
            for friend, (said, lag) in resolved.items():
                others = [other for name, (other, _) in resolved.items() if name != friend]
                parts[friend].append(_likeness(piece, said, floor, others))
                if parts[friend][-1] >= CERTAIN:
                    lags[friend].append(lag)
        for window in clear:
            if me in window.speakers and len(window.speakers) > 1:
                piece, resolved = self._resolve(window, centre)
                own, _ = self._said_around(me, window, piece, [said for said, _ in resolved.values()])
                owns.append(float(np.max(np.abs(own))))
        return Listening(
            me,
            tuple(
                Hearing(
                    friend,
                    _ms(delays[friend]),
                    _ms(float(np.median(lags[friend])) if lags[friend] else None),
                    self.likeness(friend, alone[friend], delays[friend]),
                    self.likeness(friend, across[friend], delays[friend]),
                    _figure(parts[friend]),
                )
                for friend in self.friends
            ),
            _figure(sums),
            self.likeness(me, _only(clear, {me}), centre, own=True),
            _figure(owns),
        )

    def delay(self, friend: str, clear: Sequence[Window]) -> float | None:
        """Median lag of the windows in which the friend is found at all."""
        first, last = (round(seconds * RATE) for seconds in DELAYS)
        lags = []
        for window in clear:
            likeness = self._over_lags(friend, window, first, last)
            best = int(np.argmax(likeness))
            if likeness[best] >= CERTAIN:
                lags.append(first + best)
        return float(np.median(lags)) if lags else None

    def likeness(self, name: str, clear: Sequence[Window], delay: float | None, own: bool = False) -> Figure:
        """Median of the best likeness of heard to what ``name`` said, around ``delay``."""
        centre = round(AROUND * RATE) if delay is None else round(delay)
        around = round(AROUND * RATE)
        best = []
        for window in clear:
            likeness = self._over_lags(name, window, centre - around, centre + around)
            best.append(float(np.max(np.abs(likeness) if own else likeness)))
        return _figure(best)

    def _over_lags(self, name: str, window: Window, first: int, last: int) -> Signal:
        """Likeness of what ``name`` said in the window to what was heard at each lag from ``first`` to ``last``."""
        said = self.voices[name][window.start : window.start + WINDOW]
        heard = self.heard[window.start + first : window.start + last + WINDOW]
        return correlations(said, heard, FLOOR * energy(said))

    def _resolve(self, window: Window, centre: int) -> tuple[Signal, dict[str, tuple[Signal, int]]]:
        """What was heard of the window, and of each friend who speaks in it what they had said there, and their lag."""
        piece = self.heard[window.start + centre : window.start + centre + WINDOW]
        resolved: dict[str, tuple[Signal, int]] = {}
        for _ in range(_ROUNDS):
            for name in sorted(window.speakers - {self.listener}):
                others = [said for other, (said, _) in resolved.items() if other != name]
                likeness, first = self._said_around(name, window, piece, others)
                start = first + int(np.argmax(likeness))
                resolved[name] = (self.voices[name][start : start + WINDOW], window.start + centre - start)
        return piece, resolved

    def _said_around(self, name: str, window: Window, piece: Signal, others: Sequence[Signal]) -> tuple[Signal, int]:
        """Partial correlation of a heard piece with what ``name`` said, for each start from the one that is given."""
        # The piece was heard at the listener's usual delay: a start before the window's is a lag that is longer.
        around = round(AROUND * RATE)
        first = window.start - around
        said = self.voices[name][first : window.start + around + WINDOW]
        return correlations(piece, said, self._floor(window), others), first

    def _floor(self, window: Window) -> float:
        """What counts as silence beside the voices of the window."""
        span = slice(window.start, window.start + WINDOW)
        return FLOOR * max(energy(self.voices[name][span]) for name in window.speakers)


def _only(clear: Sequence[Window], speakers: set[str]) -> list[Window]:
    return [window for window in clear if window.speakers == speakers]


def _likeness(piece: Signal, said: Signal, floor: float, others: Sequence[Signal] = ()) -> float:
    return float(correlations(piece, said, floor, others)[0])


def _figure(values: Sequence[float]) -> Figure:
    return Figure(float(np.median(values)) if values else 0.0, len(values))


def _ms(samples: float | None) -> float | None:
    return None if samples is None else samples * 1000 / RATE


def _told(figure: Figure) -> str:
    if figure.windows < WINDOWS_LEAST:
        return f"no verdict from {figure.windows} windows"
    return f"likeness {figure.value:.2f}"
