"""How alike two sounds are, and how far apart in time: the arithmetic under ``compare``.

What lives here: the band in which voices are compared, and one function,
``correlations``, that slides a piece of sound along a longer one. May import
numpy and the sound format only; pure, no state.

Everything works at a third of the sound format's rate: the band ends below 4 kHz, so nothing is lost, and
a lag is still known to 0.06 ms, a third of a period of the highest voice partials that carry weight.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicechat.format import SAMPLE_RATE, Samples

Signal: TypeAlias = NDArray[np.float64]
"""float64 samples at RATE, within the band, any length."""

DECIMATION: Final = 3
RATE: Final = SAMPLE_RATE // DECIMATION
"""Samples a second of a Signal."""

BAND: Final = ((100.0, 200.0), (3600.0, 4000.0))
"""Hz: the skirts, raised cosines, whose middles (150, 3800) bound the band of speech that every coder must carry."""

FLOOR: Final = 1e-5
"""Energy, as a part of the voice's own, below which a sound counts as not there: -50 dB, inaudible beside speech."""


def narrow(samples: Samples) -> Signal:
    """``samples`` (48 kHz, any length) within BAND at RATE: ceil(length / 3) samples, in phase with the input."""
    length = -(-len(samples) // DECIMATION)
    # One second of silence at the end takes the filter's ringing; whole seconds keep the FFT's length smooth.
    seconds = -(-len(samples) // SAMPLE_RATE) + 1
    spectrum = np.fft.rfft(samples, seconds * SAMPLE_RATE)
    spectrum = spectrum[: seconds * RATE // 2 + 1] * _band(np.arange(seconds * RATE // 2 + 1) / seconds)
    narrowed: Signal = np.fft.irfft(spectrum, seconds * RATE)[:length] / DECIMATION
    return narrowed


def energy(signal: Signal) -> float:
    """Sum of squares."""
    return _product(signal, signal)


def correlations(fixed: Signal, longer: Signal, floor: float, given: Sequence[Signal] = ()) -> Signal:
    """Correlation (-1..1) of ``fixed`` (n samples) with each piece ``longer[k : k + n]``.

    With ``given`` (each n samples, as they stand beside ``fixed``) it is the
    partial correlation: what both have in common with those is taken out of both
    first. An energy below ``floor`` counts as ``floor``, so that the likeness of
    two silences is 0 and not chance. Shape: (len(longer) - n + 1,).
    """
    basis = _orthonormal(given)
    rest = fixed - sum((_product(direction, fixed) * direction for direction in basis), np.zeros_like(fixed))
    energies = _sliding_energies(longer, len(fixed))
    for direction in basis:
        energies = energies - _products(direction, longer) ** 2
    bound = np.sqrt(max(energy(rest), floor) * np.maximum(energies, floor))
    likeness: Signal = _products(rest, longer) / bound
    return likeness


def _band(frequencies: Signal) -> Signal:
    (low, full), (still_full, high) = BAND
    rise = np.clip((frequencies - low) / (full - low), 0, 1)
    fall = np.clip((high - frequencies) / (high - still_full), 0, 1)
    gain: Signal = (0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall))
    return gain


def _orthonormal(given: Sequence[Signal]) -> list[Signal]:
    """An orthonormal basis of what ``given`` spans; what adds nothing to it is left out."""
    basis: list[Signal] = []
    for signal in given:
        rest = signal - sum((_product(direction, signal) * direction for direction in basis), np.zeros_like(signal))
        if energy(rest) > FLOOR * energy(signal):
            basis.append(rest / np.sqrt(energy(rest)))
    return basis


def _product(one: Signal, other: Signal) -> float:
    # Not np.dot: on a busy machine the threads of its BLAS wait for each other ten times as long as they work.
    return float(np.einsum("i,i->", one, other))


def _products(fixed: Signal, longer: Signal) -> Signal:
    """Dot products of ``fixed`` with each piece of ``longer``, by FFT."""
    # Nothing wraps into the valid part as long as the transform holds `longer`; multiples of 1000 are quick.
    size = -(-len(longer) // 1000) * 1000
    products = np.fft.irfft(np.fft.rfft(longer, size) * np.conj(np.fft.rfft(fixed, size)), size)
    valid: Signal = products[: len(longer) - len(fixed) + 1]
    return valid


def _sliding_energies(longer: Signal, length: int) -> Signal:
    sums = np.concatenate(([0.0], np.cumsum(longer**2)))
    energies: Signal = sums[length:] - sums[:-length]
    return energies
