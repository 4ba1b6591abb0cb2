"""Cues: short tones that tell a player in a full-screen game what the screen tells others.

Each cue is a figure of two notes, made of sines when it is played: no file, nothing that is kept. What is turned on,
comes or is back goes up; what is turned off, goes or is lost goes down, by the same two notes, as people know it from
Mumble, TeamSpeak and Discord. Nothing but the figure is to be remembered: each has its own pair of pitches.

Made after S. A. Brewster, P. C. Wright and A. D. N. Edwards, "Experimentally derived guidelines for the creation of
earcons", Adjunct Proceedings of BCS HCI '95: pitches between 150 Hz and 5 kHz; rhythm, direction and register to tell
one from another; no more notes than are needed; little louder than what is around. Notes of 30 ms are heard where a
figure has no more than two.

May import numpy, the sound format, ``levels`` and ``tuning``. Pure.
"""

import math
from enum import Enum
from typing import Final, NamedTuple

import numpy as np

from voicechat.format import SAMPLE_RATE, Samples
from voicechat.media.levels import fade_in, gain_of
from voicechat.media.tuning import TUNING

NOTE_MS: Final = 50
"""Length of a note: ten periods of the lowest pitch but two, and two notes are over in a tenth of a second."""

BELOW_VOICES_DB: Final = 6.0
"""So much softer than friends are: heard in a pause of a game, and no word is lost under it."""

LOUDNESS_DBFS: Final = TUNING.loudness.target_dbfs - BELOW_VOICES_DB
"""Level of a note between its edges: BELOW_VOICES_DB below what every voice is brought to."""


class Cue(Enum):
    """What happened."""

    MUTED = "you are muted"
    UNMUTED = "you are heard again"
    DEAFENED = "you hear nobody, and nobody hears you"
    UNDEAFENED = "you hear your friends again"
    JOINED = "somebody came"
    LEFT = "somebody left"
    LOST = "the connection is lost: nobody hears you"
    BACK = "the connection is back"
    TEXT = "somebody wrote a line"
    UNHEARD = "you talk, but are muted"


class Figure(NamedTuple):
    """Two notes."""

    first_hz: float
    second_hz: float
    pause_ms: int = 0
    """Between them."""


FIGURES: Final[dict[Cue, Figure]] = {
    Cue.MUTED: Figure(784.0, 523.3),  # a fifth, G5 to C5: wide enough to be known by ears that name no notes
    Cue.UNMUTED: Figure(523.3, 784.0),
    Cue.DEAFENED: Figure(1046.5, 523.3),  # an octave, C6 to C5: the same, and more of it
    Cue.UNDEAFENED: Figure(523.3, 1046.5),
    Cue.JOINED: Figure(659.3, 880.0),  # a fourth, E5 to A5: no other figure has either note
    Cue.LEFT: Figure(880.0, 659.3),
    Cue.LOST: Figure(440.0, 311.1),  # a tritone, A4 to E flat 4: low, and the one interval that sounds wrong
    Cue.BACK: Figure(311.1, 440.0),
    Cue.TEXT: Figure(1318.5, 1568.0),  # E6 to G6: highest and smallest, as what is least urgent and most frequent
    Cue.UNHEARD: Figure(987.8, 987.8, pause_ms=20),  # B5 twice, as somebody knocks
}
"""Pitches of the scale of equal temperament with A4 at 440 Hz (ISO 16), and why those."""

IMPORTANT: Final = frozenset(Cue) - {Cue.JOINED, Cue.LEFT, Cue.TEXT}
"""What tells whether you are heard, and hear."""


def sound(cue: Cue) -> Samples:
    """The samples of a cue, whole blocks of 10 ms: 100 to 120 ms, with a cosine's half period at each edge."""
    figure = FIGURES[cue]
    pause = np.zeros(figure.pause_ms * SAMPLE_RATE // 1000, np.float32)
    return np.concatenate((_note(figure.first_hz), pause, _note(figure.second_hz)))


def _note(hertz: float) -> Samples:
    phases = np.arange(NOTE_MS * SAMPLE_RATE // 1000) * (2 * math.pi * hertz / SAMPLE_RATE)
    note: Samples = (math.sqrt(2) * gain_of(LOUDNESS_DBFS) * np.sin(phases)).astype(np.float32)
    fade_in(note)
    fade_in(note[::-1])
    return note
