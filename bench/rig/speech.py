"""What is said: recorded voices as talk spurts with pauses, one track for each talker.

May import numpy, soundfile and the demo's voices. Each recording is trimmed, brought to
one active level and cut in two at its longest pause; each half is a talk spurt, and a
pause stands after it. The pauses' lengths come from a seed and are no multiple of a
frame, so that spurts begin at every phase of a system's frame clock.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from demo.script import VOICES, read
from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, Samples

CAST: Final = (("en_f2", "it_m2"), ("cs_m1", "en_m4"), ("en_f3", "cs_f1"), ("it_m2", "en_f2"))
"""Each talker's recordings, in order: women and men, three languages. The fourth has the first's backwards."""

LEVEL: Final = -24.0
"""dBFS of the voices' active blocks: loud talk, and four of them still below full scale."""

PAUSE: Final = (0.55, 1.25)
"""Seconds between spurts, from and to: longer than a gate's hang-over, so that each pause ends a spurt."""

SEED: Final = 20

_ACTIVE: Final = 30.0
"""dB below the loudest block down to which a block is speech."""

_EDGE: Final = 35.0
"""The same for what is cut away at the ends: a soft last syllable stays."""

_FADE: Final = SAMPLE_RATE // 200
_EMPTY: Final = 1e-10


def write(path: Path, talker: int, seconds: float = 0.0) -> float:
    """Write the track of a talker; its length in seconds.

    Without ``seconds`` they say all that they have, with it so many seconds of speech and no
    more than one spurt above, beginning again when they have said all.
    """
    rng = np.random.default_rng(SEED + talker)
    spurts = [half for name in CAST[talker % len(CAST)] for half in halves(voice(VOICES / f"{name}.flac"))]
    parts, spoken, index = [_silence(1.0)], 0.0, 0
    while (spoken < seconds) if seconds else (index < len(spurts)):
        spurt = spurts[index % len(spurts)]
        if seconds:
            spurt = _faded(spurt[: max(SAMPLE_RATE, round((seconds - spoken) * SAMPLE_RATE))])
        parts += [spurt, _silence(rng.uniform(*PAUSE))]
        spoken += len(spurt) / SAMPLE_RATE
        index += 1
    track = np.concatenate([*parts, _silence(1.0)])
    if np.abs(track).max() >= 1:
        raise ValueError(f"the track of talker {talker} clips")
    soundfile.write(path, track, SAMPLE_RATE, subtype="PCM_16")
    return len(track) / SAMPLE_RATE


def write_noise(path: Path, seconds: float, level: float = -60.0) -> None:
    """Write white noise of ``level`` dBFS: a quiet room."""
    noise = np.random.default_rng(SEED).standard_normal(round(seconds * SAMPLE_RATE)) * 10 ** (level / 20)
    soundfile.write(path, noise, SAMPLE_RATE, subtype="PCM_16")


def voice(path: Path) -> Samples:
    """A recording without the quiet at its ends, at LEVEL."""
    samples = read(path)
    loudness = _loudness(samples)
    heard = np.flatnonzero(loudness > loudness.max() - _EDGE)
    samples = samples[max(0, int(heard[0]) - 1) * FRAME_SAMPLES : (int(heard[-1]) + 2) * FRAME_SAMPLES]
    loudness = _loudness(samples)
    active = loudness[loudness > loudness.max() - _ACTIVE]
    level = 10 * np.log10(np.mean(10 ** (active / 10)))
    return _faded(samples * np.float32(10 ** ((LEVEL - level) / 20)))


def halves(samples: Samples) -> Sequence[Samples]:
    """A voice cut in the middle of the longest pause of its middle half, faded there."""
    loudness = _loudness(samples)
    quiet = loudness < loudness.max() - _ACTIVE
    first, last = len(quiet) // 4, 3 * len(quiet) // 4
    best, best_length, length = len(quiet) // 2, 0, 0
    for block in range(first, last):
        length = length + 1 if quiet[block] else 0
        if length > best_length:
            best, best_length = block - length // 2, length
    cut = best * FRAME_SAMPLES
    return _faded(samples[:cut]), _faded(samples[cut:])


def _loudness(samples: Samples) -> Samples:
    """Level in dBFS of each block of 20 ms."""
    blocks = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    loudness: Samples = 10 * np.log10(np.mean(blocks**2, axis=1) + _EMPTY)
    return loudness


def _faded(samples: Samples) -> Samples:
    """No click at either end."""
    rise = np.linspace(0, 1, _FADE, dtype=np.float32)
    faded = samples.astype(np.float32)
    faded[:_FADE] *= rise
    faded[-_FADE:] *= rise[::-1]
    return faded


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE) | 1, np.float32)
