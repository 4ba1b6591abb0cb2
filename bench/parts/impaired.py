"""Over bad lines: each client's link delays, jitters and loses packets both ways, so that words pass two of them."""

from collections.abc import Iterable
from statistics import median

from bench.calls import ENHANCED, LINES, NEWER_OPUS, Studio
from bench.figures import NONE, Table, percentile, told
from bench.parts.quality import WAYS, scores
from bench.rig.stage import Held

GOALS = {
    "loss 2 %": ("150", "3.5"),
    "loss 5 %": ("150", "3.1"),
    "loss 10 %": ("150", "2.5"),
    "bursts of 3, 5 %": ("150", "2.9"),
    "loss 5 %, newer libopus": ("150", "3.1"),
    "loss 10 %, newer libopus": ("150", "3.4"),
    "bursts of 3, 5 %, newer libopus": ("150", "3.2"),
    "jitter 0-50 ms": ("180", "3.4"),
    "jitter 0-150 ms": ("340", "3.2"),
    "jitter 0-50 ms, no UDP": ("232", "3.31"),
    "jitter 0-150 ms, no UDP": ("419", "3.16"),
}
"""Delay (ms, at most) and PESQ (at least) to reach; without UDP what Mumble has on such lines."""


def impaired(studio: Studio) -> list[Table]:
    """Delay, quality and what became of the frames."""
    newer = any(NEWER_OPUS.glob("libopus.so*"))
    rows = [_row(name, studio) for name in (*LINES, *(ENHANCED if newer else ()))]
    head = (
        *("each link, 20 ms and", "delay, ms", "95 %", "jumps", "gaps", "goal, delay", "PESQ-WB", "goal, PESQ", "STOI"),
        *("recovered, %", "concealed, %", "late, %", "up, bytes/s", "path"),
    )
    note = (
        "One of two talks, then the other. Loss from end to end is about twice a link's. Recovered, concealed, late: "
        "of the frames to be played. Bytes of the talker at IP level. Newer libopus: one that conceals and enhances; "
        + (", ".join(_opus(studio)) if newer else ".ci/prepare opus fetches it")
        + "."
    )
    return [Table("Bad lines", head, tuple(rows), note)]


def _row(name: str, studio: Studio) -> tuple[str, ...]:
    heard = [one.heard[way] for phase, way in WAYS.items() for one in studio.phases(name, phase)]
    good = [one for one in heard if one.found]
    up = [one.traffic[one.phase.talkers[0]][0] for phase in WAYS for one in studio.phases(name, phase) if one.traffic]
    delay, pesq = GOALS[name]
    calls = studio.calls(name)
    return (
        name,
        told(percentile(one.delays, 50) for one in good),
        told(percentile(one.delays, 95) for one in good),
        told(one.jumps for one in good),
        told(one.gaps for one in good),
        delay,
        f"{median(scores(heard)):.2f} ({min(scores(heard)):.2f} to {max(scores(heard)):.2f})",
        pesq,
        told((one.stoi for one in heard), 3),
        *(told(_share(calls, kind), 1) for kind in ("recovered", "concealed", "late")),
        told(up),
        ", ".join(sorted({str(stats.get("path")) for call in calls for stats in call.stats.values()})) or NONE,
    )


def _opus(studio: Studio) -> list[str]:
    """What the clients with a newer libopus said that they had."""
    every = (stats["opus"] for name in ENHANCED for call in studio.calls(name) for stats in call.stats.values())
    return sorted({f"{opus['version']}, {opus['enhancement']}" for opus in every})


def _share(calls: Iterable[Held], kind: str) -> list[float]:
    """Percent of each client's frames to be played that were of one kind."""
    shares = []
    for call in calls:
        for stats in call.stats.values():
            frames = stats["frames"]
            total = frames["played"] + frames["recovered"] + frames["concealed"]
            if total:
                shares.append(100 * frames[kind] / total)
    return shares
