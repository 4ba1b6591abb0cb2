"""Playback in virtual time: what a sound card's own period, a line's jitter and its loss do to delay and quality.

The machine's load has no part in it, so that small changes of playback can be told apart.
"""

from statistics import mean

from bench.calls import Studio
from bench.figures import Table, percentile, told
from bench.parts.impaired import GOALS
from bench.parts.quality import scores, tracks
from bench.rig.rehearsal import Line, Rehearsal, rehearse
from voicechat.codecs.opus import OpusCodec

PERIODS = (256, 441, 480, 512, 1024)
"""Samples; 480 is a period of ours, PipeWire has powers of two."""

LINES = {
    "clean": Line(),
    "jitter 0-50 ms": Line(0.02, 0.05),
    "jitter 0-150 ms": Line(0.02, 0.15),
    "loss 2 %": Line(0.02, loss=0.02),
    "loss 5 %": Line(0.02, loss=0.05),
    "loss 10 %": Line(0.02, loss=0.1),
    "bursts of 3, 5 %": Line(0.02, loss=0.05, burst=3),
}
"""As the rig has them (`bench.calls.LINES`)."""

USUAL = 256
HEAD = ("what", "delay, ms", "95 %", "jumps", "gaps", "made up, %", "underruns", "PESQ-WB", "lowest", "goal")


def rehearsal(studio: Studio) -> list[Table]:
    """By the card's period, and by the line."""
    said = tracks(studio.plan.spoken)
    seeds = range(1, 3 if studio.plan.quick else 9)

    def row(name: str, period: int, line: Line, goal: str, *, enhance: bool = False) -> tuple[str, ...]:
        held = [
            rehearse(one, period, line, seed, studio.plan.tuning, enhance=enhance) for one in said for seed in seeds
        ]
        return _row(name, held, goal)

    cards = [row(f"periods of {period}", period, LINES["clean"], "-") for period in PERIODS]
    goals = {name: " at ".join(goal) for name, goal in GOALS.items()}
    lines = [row(name, USUAL, line, goals.get(name, "-")) for name, line in LINES.items()]
    note = (
        f"Two voices, {len(seeds)} calls each, clocks standing as chance has it. Delay: median (lowest to highest) "
        "over calls, without the sound system's own 10 to 20 ms; jumps, gaps, underruns and PESQ: mean of a call."
    )
    found = [
        Table("In virtual time, by the sound card's period", HEAD, tuple(cards), note),
        Table(f"In virtual time, by the line; periods of {USUAL}", HEAD, tuple(lines), note),
    ]
    codec = OpusCodec(enhance=True, clock=lambda: 0.0)
    if codec.enhancement.complexity:
        better = [row(name, USUAL, line, goals.get(name, "-"), enhance=True) for name, line in LINES.items()]
        title = f"In virtual time, by the line; the listener's libopus enhances ({codec.enhancement.value})"
        found.append(Table(title, HEAD, tuple(better), note))
    return found


def _row(name: str, calls: list[Rehearsal], goal: str) -> tuple[str, ...]:
    heard = [call.heard for call in calls]
    pesq = scores(heard)
    return (
        name,
        told(percentile(one.delays, 50) for one in heard),
        told(percentile(one.delays, 95) for one in heard),
        f"{mean(one.jumps for one in heard):.1f}",
        f"{mean(one.gaps for one in heard):.1f}",
        f"{mean(100 * call.counts.concealed / call.counts.played for call in calls):.2f}",
        f"{mean(call.underruns for call in calls):.1f}",
        f"{mean(pesq):.2f}",
        f"{min(pesq):.2f}",
        goal,
    )
