"""What was heard against what was said, both from one recording and so on one clock.

What lives here: ``listen``, which judges one loudspeaker by one microphone, and the
figures that it gives. May import numpy, scipy, pesq and pystoi; pure: samples in,
figures out.

Delay is found window by window (0.4 s of active speech, every 0.2 s) as the lag of the
best correlation within the telephone band, where all voices have their energy and every
codec keeps it. A window that resembles nothing heard counts as unmatched.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pesq import PesqError, pesq
from pystoi import stoi
from scipy.signal import butter, resample_poly, sosfiltfilt

from voicechat.format import SAMPLE_RATE

Signal: TypeAlias = NDArray[np.float64]

WINDOW_SECONDS: Final = 0.4
MATCHED: Final = 0.35
"""Correlation from which on a window's lag counts; unrelated speech reaches 0.2 to 0.3."""

LONGEST_LAG: Final = 2.0
"""Seconds in which a window is looked for."""

CERTAIN: Final = 0.6
"""Correlation from which on a window counts wherever it was found; below it, only near where the others are: among
several voices a piece of one may resemble another's words of a second later."""

NEAR: Final = 0.1
"""Seconds around the median lag."""

JUMP_MS: Final = 3.0
"""A change of delay from one window to the next that is a skip or an insertion and no drift."""

GAP_MS: Final = 5
"""Milliseconds of silence in the middle of speech from which on there is a gap."""

PIECE_SECONDS: Final = 8.0
"""PESQ is made for pieces of about this length (P.862 section 8)."""

_BAND: Final = butter(4, [150, 3800], btype="band", fs=SAMPLE_RATE, output="sos")
_SPEECH: Final = -45.0
"""dBFS of 10 ms from which on somebody speaks; the voices are at -24, their noise below -60."""
_LOUD: Final = -42.0
"""dBFS of a window within the band from which on it has enough voice to be found."""
_GAP_SAID: Final = -38.0
_GAP_HEARD: Final = -66.0
_PESQ_RATE: Final = 16_000

Spurt: TypeAlias = tuple[int, int]
"""First sample, and the one after the last."""


class HeardSpurt(NamedTuple):
    """A talk spurt, in samples of what was said, and its median delay in ms."""

    start: int
    end: int
    delay: float


class Window(NamedTuple):
    """A piece of speech and where it was heard."""

    start: int
    lag: int
    correlation: float


@dataclass(frozen=True)
class Heard:
    """How one listener heard one talker. Delays in ms; all zero when ``windows`` were matched by none."""

    windows: int
    unmatched: int
    delays: tuple[float, ...] = ()
    """Of each matched window, in order."""
    spurts: tuple[HeardSpurt, ...] = ()
    """Those of which a window was matched."""
    growth: float = 0.0
    """ms a minute: the median slope between any two spurts."""
    jumps: int = 0
    gaps: int = 0
    gap_ms: int = 0
    peak: float = 0.0
    """Largest sample heard."""
    pesq: tuple[float, ...] = field(default=())
    """PESQ-WB (P.862.2) of each piece."""
    stoi: float | None = None

    @property
    def found(self) -> bool:
        """They were heard: more than a few windows, which chance would match."""
        return len(self.delays) > self.windows // 4


def listen(said: Signal, heard: Signal, *, quality: bool = True) -> Heard:
    """Judge what was heard of one voice; ``quality`` adds PESQ and STOI, which need that voice alone."""
    spurts = find_spurts(said)
    found = find_windows(said, heard, spurts)
    matched = [window for window in found if window.correlation >= MATCHED]
    middle = float(np.median([window.lag for window in matched])) if matched else 0.0
    matched = [
        window for window in matched if window.correlation >= CERTAIN or abs(window.lag - middle) < NEAR * SAMPLE_RATE
    ]
    counts = (len(found), len(found) - len(matched))
    if not matched:
        return Heard(*counts)
    certain = set(matched)
    delays = np.array([_ms(window.lag) for window in matched])
    aligned = [HeardSpurt(*spurt, _median_ms(lags)) for spurt in spurts if (lags := _lags(matched, spurt))]
    gaps, gap_ms = find_gaps(said, heard, [w if w in certain else w._replace(lag=round(middle)) for w in found])
    scores: tuple[float, ...] = ()
    understood = None
    if quality:
        scores = pesq_pieces(said, heard, spurts, round(middle))
        understood = stoi_of(said, heard, aligned)
    return Heard(
        *counts,
        delays=tuple(round(float(delay), 2) for delay in delays),
        spurts=tuple(aligned),
        growth=_slope(aligned),
        jumps=int(np.sum(np.abs(np.diff(delays)) > JUMP_MS)),
        gaps=gaps,
        gap_ms=gap_ms,
        peak=round(float(np.abs(heard).max()), 3),
        pesq=scores,
        stoi=understood,
    )


def moved(said: Signal, heard: Heard, by: float) -> Signal:
    """What was said, each spurt later by its own delay less ``by`` ms: what a mix of several should sum up to."""
    placed = np.zeros_like(said)
    ends = [0, *((a.end + b.start) // 2 for a, b in zip(heard.spurts, heard.spurts[1:], strict=False)), len(said)]
    for spurt, first, last in zip(heard.spurts, ends, ends[1:], strict=False):
        shift = _samples(spurt.delay - by)
        start, end = max(first, -shift), min(last, len(said) - shift)
        placed[start + shift : end + shift] = said[start:end]
    return placed


def find_spurts(said: Signal, hang: float = 0.35, shortest: float = 0.5) -> list[Spurt]:
    """Talk spurts: speech with no pause above ``hang`` seconds in it."""
    block = SAMPLE_RATE // 100
    blocks = said[: len(said) // block * block].reshape(-1, block)
    loud = np.flatnonzero(np.mean(blocks**2, axis=1) > 10 ** (_SPEECH / 10))
    if not len(loud):
        return []
    cuts = np.flatnonzero(np.diff(loud) > hang * 100)
    firsts = loud[np.concatenate([[0], cuts + 1])]
    lasts = loud[np.concatenate([cuts, [len(loud) - 1]])]
    return [
        (int(first) * block, (int(last) + 1) * block)
        for first, last in zip(firsts, lasts, strict=True)
        if last + 1 - first >= shortest * 100
    ]


def find_windows(said: Signal, heard: Signal, spurts: Sequence[Spurt]) -> list[Window]:
    """Every window of active speech, and where it is heard best."""
    within, out = sosfiltfilt(_BAND, said), sosfiltfilt(_BAND, heard)
    size, reach = round(WINDOW_SECONDS * SAMPLE_RATE), round(LONGEST_LAG * SAMPLE_RATE)
    found = []
    for first, last in spurts:
        for start in range(first, last - size // 2, size // 2):
            piece = within[start : start + size]
            if len(piece) == size and np.mean(piece**2) >= 10 ** (_LOUD / 10):
                around = out[start : start + size + reach]
                around = np.pad(around, (0, size + reach - len(around)))
                found.append(Window(start, *best_lag(piece, around)))
    return found


def best_lag(piece: Signal, around: Signal) -> tuple[int, float]:
    """Where in ``around`` the piece lies, in samples, and the correlation there."""
    reach = len(around) - len(piece)
    size = 1 << (len(around) + len(piece) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(piece, size)), size)[:reach]
    sums = np.concatenate([[0.0], np.cumsum(around**2)])
    energy = float(piece @ piece)
    energies = np.maximum(sums[len(piece) : len(piece) + reach] - sums[:reach], 1e-6 * energy + 1e-12)
    likeness = product / np.sqrt(energy * energies)
    lag = int(np.argmax(likeness))
    return lag, float(likeness[lag])


def find_gaps(said: Signal, heard: Signal, windows: Sequence[Window]) -> tuple[int, int]:
    """How often the sound is cut off in the middle of speech, and for how many ms in all."""
    unit, step = SAMPLE_RATE // 1000, round(WINDOW_SECONDS * SAMPLE_RATE) // 2
    silent: list[bool] = []
    for window in windows:
        a, b = said[window.start :][:step], heard[window.start + window.lag :][:step]
        count = min(len(a), len(b)) // unit
        if not count:
            continue
        level = np.mean(a[: count * unit].reshape(count, unit) ** 2, axis=1)
        # Averaged over 21 ms, so that the stop of a consonant is no gap.
        speaking = np.convolve(level, np.ones(21) / 21, "same") > 10 ** (_GAP_SAID / 10)
        quiet = np.abs(b[: count * unit].reshape(count, unit)).max(axis=1) < 10 ** (_GAP_HEARD / 20)
        silent += [bool(value) for value in speaking & quiet]
    edges = np.flatnonzero(np.diff([0, *map(int, silent), 0]))
    lengths = [int(length) for length in edges[1::2] - edges[::2] if length >= GAP_MS]
    return len(lengths), sum(lengths)


def pesq_pieces(said: Signal, heard: Signal, spurts: Sequence[Spurt], lag: int) -> tuple[float, ...]:
    """PESQ-WB of pieces of whole spurts of about PIECE_SECONDS; PESQ itself aligns what lies within 0.25 s."""
    scores, rest = [], list(spurts)
    while rest:
        first = rest[0][0]
        taken = [spurt for spurt in rest if spurt is rest[0] or spurt[1] - first < PIECE_SECONDS * SAMPLE_RATE]
        del rest[: len(taken)]
        start, end = max(0, first - SAMPLE_RATE // 4), min(len(said), taken[-1][1] + SAMPLE_RATE // 4)
        reference, degraded = said[start:end], heard[start + lag : end + lag]
        size = min(len(reference), len(degraded))
        if size > SAMPLE_RATE:
            try:
                scores.append(
                    round(float(pesq(_PESQ_RATE, _narrow(reference[:size]), _narrow(degraded[:size]), "wb")), 3)
                )
            except PesqError:
                scores.append(1.0)  # it finds no speech in what was heard: the worst that there is
    return tuple(scores)


def stoi_of(said: Signal, heard: Signal, spurts: Sequence[HeardSpurt]) -> float | None:
    """STOI over all spurts, each aligned by its own delay; None if none was heard to its end."""
    references, degraded = [], []
    for start, end, delay in spurts:
        lag = _samples(delay)
        if end + lag <= len(heard):
            references.append(said[start:end])
            degraded.append(heard[start + lag : end + lag])
    if not references:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # too little speech; the value then is a very low one
        value = stoi(_narrow(np.concatenate(references)), _narrow(np.concatenate(degraded)), _PESQ_RATE)
    return round(float(value), 4)


def _narrow(samples: Signal) -> Signal:
    narrowed: Signal = resample_poly(samples, _PESQ_RATE, SAMPLE_RATE)
    return narrowed


def _ms(lag: int) -> float:
    return lag * 1000 / SAMPLE_RATE


def _samples(ms: float) -> int:
    return round(ms * SAMPLE_RATE / 1000)


def _lags(windows: Sequence[Window], spurt: Spurt) -> list[int]:
    return [window.lag for window in windows if spurt[0] <= window.start < spurt[1]]


def _median_ms(lags: Sequence[int]) -> float:
    return round(_ms(int(np.median(lags))), 2)


def _slope(spurts: Sequence[HeardSpurt]) -> float:
    """The slope in ms a minute, by the median of all pairs (Theil and Sen): one bad spurt does not turn it."""
    slopes = [
        (later.delay - earlier.delay) / (later.start - earlier.start)
        for index, earlier in enumerate(spurts)
        for later in spurts[index + 1 :]
    ]
    return round(float(np.median(slopes)) * SAMPLE_RATE * 60, 2) if slopes else 0.0
