"""Who says what when: three spoken tracks out of the recorded voices.

What lives here: the demo's script and the cutting of voices. May import numpy,
soundfile and the sound format; reads the voices beside it and writes nothing.

The order of the turns shows every way that a server has: one talker (forwarded),
two who join and leave in mid-sentence (hand-over to a mix and back), all three.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from voicechat.format import SAMPLE_RATE, TICK_MS, Samples

VOICES: Final = Path(__file__).with_name("voices")
"""The recorded voices; SOURCES.md there says whose they are."""

CAST: Final = {"Ann": "en_f2", "Ben": "en_m4", "Cid": "it_m2"}
"""Each person and the recording that is their voice."""

LEAD: Final = 1.6
"""Seconds before the first word, so that all are in the room; clients that start together differ by less than 1 s."""

PAUSE: Final = 0.7
"""Seconds between turns: longer than a gate's hang-over of 0.3 s, so that a talk spurt ends."""

SOLO: Final = 4.2
"""Seconds that one person speaks alone."""

STAGGER: Final = 0.9
"""Seconds from the first voice of a pair to the second, and as much at its end."""

PAIR: Final = 5.2
"""Seconds of a pair, first word to last."""

ALL: Final = 4.6
"""Seconds of all three at once."""

_LONGEST_PAUSE: Final = 0.2
"""Seconds of silence within a voice; longer ones are shortened, so that turns are full of speech."""

_FADE: Final = 0.01
"""Seconds of fade at each cut: no click."""

_QUIET: Final = -45.0
"""dBFS of a block of 20 ms below which it is a pause; the voices are at -26, their noise at -60 to -84."""


@dataclass(frozen=True)
class Turn:
    """One person speaks from ``start`` for ``seconds``."""

    name: str
    start: float
    seconds: float


def turns() -> tuple[Turn, ...]:
    """The script: each alone, each pair, all."""
    names = tuple(CAST)
    at = LEAD
    said: list[Turn] = []
    for name in names:
        said.append(Turn(name, at, SOLO))
        at += SOLO + PAUSE
    for first, second in zip(names, (*names[1:], names[0]), strict=True):
        said.append(Turn(first, at, PAIR - STAGGER))
        said.append(Turn(second, at + STAGGER, PAIR - STAGGER))
        at += PAIR + PAUSE
    said.extend(Turn(name, at, ALL) for name in names)
    return tuple(said)


def length() -> float:
    """Seconds of the call: the last word, and time to be heard to the end."""
    return max(turn.start + turn.seconds for turn in turns()) + PAUSE


def tracks() -> Mapping[str, Samples]:
    """A track for each person, float32, equally long: their turns, and silence between them.

    Whose voice is used up begins again from its start.
    """
    spoken = {}
    for name, voice in CAST.items():
        words = flowing(read(VOICES / f"{voice}.flac"))
        track = np.zeros(round(length() * SAMPLE_RATE), np.float32)
        used = 0
        for turn in turns():
            if turn.name == name:
                start, count = round(turn.start * SAMPLE_RATE), round(turn.seconds * SAMPLE_RATE)
                track[start : start + count] = _faded(np.take(words, range(used, used + count), mode="wrap"))
                used += count
        spoken[name] = track
    return spoken


def read(path: Path) -> Samples:
    """A mono recording of 48 kHz as float32 in -1..1; ValueError if it is anything else."""
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE or samples.ndim != 1:
        raise ValueError(f"{path.name} is not mono of {SAMPLE_RATE} Hz")
    voice: Samples = samples
    return voice


def flowing(voice: Samples) -> Samples:
    """The voice without its long pauses: each is cut in its middle down to _LONGEST_PAUSE."""
    block = SAMPLE_RATE * TICK_MS // 1000
    blocks = voice[: len(voice) // block * block].reshape(-1, block)
    loud = np.flatnonzero(np.mean(blocks**2, axis=1) > 10 ** (_QUIET / 10))
    kept = round(_LONGEST_PAUSE * 1000 / TICK_MS) // 2
    keep = np.zeros(len(blocks), np.bool_)
    for k in loud:
        keep[max(0, k - kept) : k + kept + 1] = True
    flow: Samples = blocks[keep].reshape(-1)
    return flow


def _faded(piece: Samples) -> Samples:
    count = round(_FADE * SAMPLE_RATE)
    piece = piece.copy()
    rise = np.linspace(0, 1, count, dtype=np.float32)
    piece[:count] *= rise
    piece[-count:] *= rise[::-1]
    return piece
