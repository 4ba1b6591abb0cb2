"""Said and heard as one picture.

What lives here: ``draw``. May import matplotlib (with the Agg canvas: no display),
numpy and the demo's own values; writes one PNG.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from demo.compare import Listening
from demo.timeline import Track
from voicechat.format import SAMPLE_RATE, Samples

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
"""One for each person: blue, vermilion, green, purple (Okabe and Ito: colour-blind eyes tell them apart)."""

_HEARD: Final = "#404040"
_STEP: Final = SAMPLE_RATE // 100
"""Samples behind one point of an outline: 10 ms."""

_SPOKEN: Final = 0.006
"""Peak from which on a lane is shaded as spoken: -45 dBFS."""


def draw(path: Path, said: Mapping[str, Track], heard: Mapping[str, Track], judged: Sequence[Listening]) -> None:
    """Write a PNG: a lane for each that speaks, then one for each that listens, moved back by their measured delay.

    Behind each listener's lane their friends' words are shaded in their colours:
    what is heard must fill the shades, and nothing else.
    """
    zero_ns = min(track.start_ns for track in said.values())
    colours = dict(zip(said, COLOURS, strict=False))
    peak = max(float(np.max(np.abs(track.samples))) for track in (*said.values(), *heard.values())) or 1.0
    figure = Figure(figsize=(13, 1.15 * (len(said) + len(heard)) + 0.9), layout="constrained")
    FigureCanvasAgg(figure)
    lanes = figure.subplots(len(said) + len(heard), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for lane, (name, track) in zip(lanes, said.items(), strict=False):
        _outline(lane, track.samples, (track.start_ns - zero_ns) / 1e9, colours[name])
        lane.set_ylabel(f"{name}\nsays", rotation=0, ha="right", va="center")
    for lane, listening in zip(lanes[len(said) :], judged, strict=False):
        name = listening.listener
        delays = [hearing.delay_ms for hearing in listening.hearings if hearing.delay_ms is not None]
        delay = float(np.median(delays)) if delays else 0.0
        for friend, track in said.items():
            if friend != name:
                _shade(lane, track, (track.start_ns - zero_ns) / 1e9, colours[friend])
        start = (heard[name].start_ns - zero_ns) / 1e9 - delay / 1000
        _outline(lane, heard[name].samples, start, _HEARD)
        lane.set_ylabel(f"{name}\nhears", rotation=0, ha="right", va="center")
        told = f"moved\nback by\n{delay:.0f} ms" if delays else "found\nnobody's\nvoice"
        lane.text(1.005, 0.5, told, transform=lane.transAxes, ha="left", va="center", fontsize=8)
    for lane in lanes:
        lane.set_ylim(-peak, peak)
        lane.set_yticks([])
        lane.grid(axis="x", alpha=0.25)
    lanes[0].set_xlim(0, max((track.end_ns - zero_ns) / 1e9 for track in said.values()))
    lanes[-1].set_xlabel("seconds")
    figure.suptitle("What was said, and what each heard (shaded: when which friend spoke)", fontsize=11)
    figure.savefig(path, dpi=110)


def _outline(lane: Axes, samples: Samples, start: float, colour: str) -> None:
    peaks = _peaks(samples)
    seconds = start + np.arange(len(peaks)) * _STEP / SAMPLE_RATE
    lane.fill_between(seconds, -peaks, peaks, color=colour, linewidth=0)


def _shade(lane: Axes, track: Track, start: float, colour: str) -> None:
    peaks = _peaks(track.samples)
    # Within 0.2 s of a loud point: words, not syllables, are shaded.
    spoken = np.convolve(peaks > _SPOKEN, np.ones(41), "same") > 0
    edges = np.flatnonzero(np.diff(np.concatenate(([False], spoken, [False])).astype(np.int8)))
    for first, last in edges.reshape(-1, 2) * _STEP / SAMPLE_RATE:
        lane.axvspan(start + first, start + last, color=colour, alpha=0.25, linewidth=0)


def _peaks(samples: Samples) -> NDArray[np.float32]:
    whole = samples[: len(samples) // _STEP * _STEP].reshape(-1, _STEP)
    peaks: NDArray[np.float32] = np.max(np.abs(whole), axis=1) if len(whole) else np.zeros(0, np.float32)
    return peaks
