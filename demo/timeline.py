"""All tracks of a call on one clock, and who speaks when.

What lives here: ``Track``, and ``Timeline``, which lays tracks out by their start
stamps and cuts time into windows of which it is known who speaks and who is
silent. May import numpy, ``demo.correlation`` and the sound format; pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from demo.correlation import DECIMATION, RATE, Signal, narrow
from voicechat.format import SAMPLE_RATE, TICKS_PER_SECOND, Samples

WINDOW: Final = RATE
"""Samples of a window: 1 s."""

HOP: Final = RATE // 8
"""Samples from one window's start to the next."""

SPARE: Final = 2 * RATE
"""Silent samples before the first track and after the last, for all lags that are looked at."""

SPEAKING_LEVEL: Final = -45.0
"""dBFS of a block of 20 ms from which on it is speech: 20 dB below an active level of -26."""

SPEAKING_SHARE: Final = 0.6
"""Part of a window's blocks that are speech, from which on somebody speaks in it."""

MARGIN: Final = RATE // 4
"""Samples around a window in which who is silent must be silent too: 250 ms, as delays differ."""

_BLOCK: Final = RATE // TICKS_PER_SECOND

Activity: TypeAlias = NDArray[np.bool_]
"""For each block of 20 ms, whether somebody speaks in it."""


@dataclass(frozen=True)
class Track:
    """What a person said or heard: 48 kHz samples and the CLOCK_MONOTONIC nanoseconds of the first."""

    samples: Samples
    start_ns: int

    @property
    def end_ns(self) -> int:
        """The moment after the last sample."""
        return self.start_ns + len(self.samples) * 1_000_000_000 // SAMPLE_RATE


@dataclass(frozen=True)
class Window:
    """A second in which each of ``speakers`` speaks and everybody else is silent."""

    start: int
    speakers: frozenset[str]


class Timeline:
    """Tracks at RATE within the band, equally long, sample k of each at the same moment."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._zero_ns = min(track.start_ns for track in tracks)
        end_ns = max(track.end_ns for track in tracks)
        self._length = self.place(end_ns) + SPARE

    def place(self, ns: int) -> int:
        """The sample that stands at a moment of CLOCK_MONOTONIC."""
        return SPARE + round((ns - self._zero_ns) * RATE / 1e9)

    def seconds(self, place: int) -> float:
        """Seconds from the start of the first track."""
        return (place - SPARE) / RATE

    def lay(self, track: Track) -> Signal:
        """The track in its place, silence before and after it."""
        before = SPARE * DECIMATION + round((track.start_ns - self._zero_ns) * SAMPLE_RATE / 1e9)
        laid = np.zeros(self._length * DECIMATION, np.float32)
        laid[before : before + len(track.samples)] = track.samples
        return narrow(laid)


def activity(voice: Signal) -> Activity:
    """Whether somebody speaks, for each whole block of 20 ms of their laid track."""
    blocks = voice[: len(voice) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    active: Activity = np.mean(blocks**2, axis=1) > 10 ** (SPEAKING_LEVEL / 10)
    return active


def windows(voices: Mapping[str, Signal]) -> list[Window]:
    """Every window with a speaker of which it is clear, for each person, whether they speak or are silent."""
    activities = {name: activity(voice) for name, voice in voices.items()}
    length = min(len(voice) for voice in voices.values())
    found = []
    for start in range(SPARE, length - SPARE - WINDOW + 1, HOP):
        states = {name: _speaks(active, start) for name, active in activities.items()}
        speakers = frozenset(name for name, speaks in states.items() if speaks)
        if speakers and None not in states.values():
            found.append(Window(start, speakers))
    return found


def _speaks(active: Activity, start: int) -> bool | None:
    """Whether this person speaks in the window, or None if they neither do nor are silent around it."""
    inside = active[start // _BLOCK : (start + WINDOW) // _BLOCK]
    if inside.mean() >= SPEAKING_SHARE:
        return True
    around = active[(start - MARGIN) // _BLOCK : -(-(start + WINDOW + MARGIN) // _BLOCK)]
    return None if around.any() else False
