"""How loud samples are, and how sound begins, ends and changes over without a click.

A level is a mean square in the code that runs for every frame, since one numpy dot
gives it, and dBFS wherever a person sets or reads it: 0 dBFS is the mean square of a
full-scale square wave, so a full-scale sine has -3.01 dBFS.

Fades are in place and follow half a period of a cosine: value and slope are
continuous at both ends, which is what keeps them from being heard.

May import numpy and the sound format. Pure: keeps no state.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np

from voicechat.format import SAMPLE_RATE, Samples

QUIETEST_DBFS: Final = -120.0
"""dBFS of digital silence, and the least that is ever told; a 16 bit sound card's own noise lies near -98."""

FADE_SAMPLES: Final = SAMPLE_RATE // 100
"""Samples of a fade: 10 ms. Shorter is heard as a click, longer dulls the onset of a word."""


def mean_square(samples: Samples) -> float:
    """Mean of the squared samples: 0 for silence or no samples, at most 1 for samples in -1..1; one dot, 0.5 us."""
    return float(samples.dot(samples)) / (samples.size or 1)


def dbfs_of(mean_square: float) -> float:
    """Level in dBFS of a mean square, QUIETEST_DBFS or above; NaN counts as silence."""
    if not mean_square > 1e-12:
        return QUIETEST_DBFS
    return 10.0 * math.log10(mean_square)


def mean_square_of(dbfs: float) -> float:
    """Mean square of a level in dBFS."""
    return float(10.0 ** (dbfs / 10.0))


def gain_of(decibels: float) -> float:
    """Linear gain of a change of level; for dBFS also the amplitude that a peak of this level has."""
    return float(10.0 ** (decibels / 20.0))


@lru_cache(maxsize=8)
def _rise(samples: int) -> Samples:
    """Gains of a fade-in over ``samples``, strictly between 0 and 1; with its mirror image they sum to 1."""
    phase = (np.arange(samples) + 0.5) * (math.pi / samples)
    gains: Samples = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
    gains.flags.writeable = False
    return gains


_RISE: Final = _rise(FADE_SAMPLES)

FADE_BOTH: Final = _RISE * (1 - _RISE)
"""How much both sides are heard together at each of the FADE_SAMPLES samples of a crossfade: 0 to 0.25."""
FADE_BOTH.flags.writeable = False


def fade_in(samples: Samples) -> None:
    """Let the first 10 ms rise from silence, in place; ``samples`` are at least FADE_SAMPLES."""
    samples[:FADE_SAMPLES] *= _RISE


def crossfade(old: Samples, new: Samples, out: Samples, samples: int = FADE_SAMPLES) -> None:
    """Go from ``old`` to ``new`` over the first ``samples``; what follows is ``new``.

    All three are equally long and at least ``samples``; ``out`` may be either of the
    others. Gains sum to 1, as is right when both carry the same voice: the result
    never leaves the range that the two span.
    """
    if samples:
        change = new[:samples] - old[:samples]
        change *= _rise(samples)
        np.add(old[:samples], change, out=out[:samples])
    out[samples:] = new[samples:]
