"""How late a word is heard, and whether that grows. Goals: DESIGN's promise that the delay stays low for ever."""

from collections.abc import Iterable, Mapping, Sequence

from bench.calls import GROWTH, Studio
from bench.figures import NONE, Table, percentile, told
from bench.rig.listening import Heard
from bench.rig.stage import FLOOR, Measured

HEAD = ("who hears whom", "median", "95 %", "worst", "jumps", "gaps (ms)", "goal")


def latency(studio: Studio) -> list[Table]:
    """Delay on a clean line: forwarded, mixed, over a long call."""
    pairs = {"talk 0": ("0>1",), "talk 1": ("1>0",)}
    alone = _heard(studio, "2 auto", pairs)
    rows = [
        _row("one of two talks", alone, "55, 95 % 65"),
        _row("the same, --mixing always", _heard(studio, "2 always", pairs), NONE),
        _row("two of three talk: the third", _heard(studio, "3 auto", {"talk 0+1": ("0>2", "1>2")}), "95, aim 80"),
        _row("two of three talk: each other", _heard(studio, "3 auto", {"talk 0+1": ("0>1", "1>0")}), "55, 95 % 65"),
        _row("loop through PyAudio (floor)", _floor(studio, "2 auto", pairs), NONE),
    ]
    note = (
        "Mouth to ear, ms: windows of 0.4 s of speech; median (lowest to highest) over calls and directions. "
        "Jumps: changes above 3 ms. Gaps: silence of 5 ms or more in the middle of speech."
    )
    return [Table("Delay on a clean line", HEAD, tuple(row for row in rows if row), note), growth(studio)]


def growth(studio: Studio) -> Table:
    """One long call, and whether the delay stays."""
    measured = studio.phases(GROWTH, "talk 0")
    heard = [one.heard["0>1"] for one in measured]
    third = [max(1, len(one.spurts) // 3) for one in heard]
    rows = tuple(
        (
            f"{one.seconds / 60:.1f} min",
            told(spurt.delay for spurt in heard[k].spurts[: third[k]]),
            told(spurt.delay for spurt in heard[k].spurts[-third[k] :]),
            f"{heard[k].growth:+.2f}",
            str(heard[k].jumps),
            f"{heard[k].gaps} ({heard[k].gap_ms})",
            "0",
        )
        for k, one in enumerate(measured)
    )
    head = ("one of two talks for", "first third", "last third", "ms a minute", "jumps", "gaps (ms)", "goal of growth")
    return Table("Growth of the delay", head, rows, "Delay of each talk spurt, ms; slope by the median of all pairs.")


def _heard(studio: Studio, call: str, ways: Mapping[str, Sequence[str]]) -> list[Heard]:
    return [
        measured.heard[way] for phase, pairs in ways.items() for measured in studio.phases(call, phase) for way in pairs
    ]


def _floor(studio: Studio, call: str, ways: Iterable[str]) -> list[Heard]:
    phases: list[Measured] = [measured for phase in ways for measured in studio.phases(call, phase)]
    return [measured.heard[FLOOR] for measured in phases]


def _row(name: str, heard: Sequence[Heard], goal: str) -> tuple[str, ...]:
    if not heard:
        return ()
    good = [one for one in heard if one.found]
    if len(good) < len(heard):
        name += f" ({len(heard) - len(good)} not heard!)"
    return (
        name,
        told(percentile(one.delays, 50) for one in good),
        told(percentile(one.delays, 95) for one in good),
        told(max(one.delays) for one in good),
        told(one.jumps for one in good),
        f"{told(one.gaps for one in good)}, {told(one.gap_ms for one in good)} ms",
        goal,
    )
