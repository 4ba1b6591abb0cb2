"""What a member, or a stranger, who sends as much as one core can does to four who are mixed.

Goal, for each kind: no frame lost that a run without the flood does not lose, no turn of
the reactor over 10 ms, and the sender cut, or what they send dropped and counted.
"""

import json
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.figures import NONE, Table, told
from bench.flooding import IDLE, MESSAGES, SIZES, UNKNOWN
from bench.parts.around import LONGEST, crowd, noted, party, watched
from bench.rig.stage import Party, StageError, rest
from testkit.processes import free_port, password_file
from voicechat.format import TICKS_PER_SECOND

KINDS: Final = {
    "nothing; a core is busy elsewhere": IDLE,
    "a member: media": "media",
    "a member: keepalives": "keepalive",
    "a member: probes": "probe",
    "a member: answers": "answer",
    "a member: an unknown type": UNKNOWN,
    "a member: unknown messages": MESSAGES,
} | {f"a stranger: {size} byte{'s' * (size != '1')}": size for size in SIZES}

CALM_SECONDS: Final = 5.0
FLOOD_SECONDS: Final = 10.0

LONGEST_TURN_MS: Final = 10.0
"""What a turn may last: half of the time between two beats."""

_OURS: Final = ("connections_", "frames_", "logins_", "packets_", "encode_", "ticks_", "log_")
"""How counts begin that say nothing about a flood."""

_CHANCE: Final = 0.5
"""Frames a second of one friend by which two stretches of a call differ by chance, as those of a calm call do."""


def flooded(quick: bool) -> Table:
    """A row for each kind."""
    seconds = FLOOD_SECONDS / 5 if quick else FLOOD_SECONDS
    rows = tuple(_row(name, during(kind, seconds)) for name, kind in KINDS.items())
    head = (
        *("one core sends", "a second", "frames a second of each friend: before", "meanwhile"),
        *("longest turn, ms: before", "meanwhile", "of it CPU", "cut", "dropped and counted, %", "as what", "goal"),
    )
    note = (
        f"Four who talk are mixed for at each tick, so that each should get {TICKS_PER_SECOND} a second: median "
        f"(lowest to highest) of the four, {CALM_SECONDS:.0f} s before, {seconds:.0f} s meanwhile, in one run. A turn "
        "is what the reactor does between two waits; other programs of the machine can make it longer, but not its CPU "
        "time. Who is cut sends on, and logs in again each second. Goal: no frame lost that is not lost without, no "
        f"turn over {LONGEST_TURN_MS:.0f} ms of CPU, the sender cut, or what they send dropped and counted."
    )
    return Table("Floods by one core", head, rows, note)


def during(kind: str, seconds: float) -> dict[str, Any]:
    """A call before and in a flood."""
    with tempfile.TemporaryDirectory() as name, password_file() as (_, password):
        port, folder = free_port(), Path(name)
        with watched(port, password, folder) as server, crowd(port, password, folder) as friends:
            noted(server, folder)
            began = _mixed(friends, 1)
            rest(CALM_SECONDS)
            flood_at = _mixed(friends, 2)
            calm = noted(server, folder)
            words = ("bench.flooding", kind, "--port", str(port), "--password-file", str(password))
            with party("the flood", "", folder, *words, "--seconds", str(seconds)) as flood:
                rest(1.0)  # it has begun
                first = _mixed(friends, 3)
                rest(max(0.0, seconds - 1.5))
                last = _mixed(friends, 4)
                flood.wait_until_end(LONGEST)
                sent = json.loads(flood.written())
            return {
                "calm": calm,
                "flood": noted(server, folder),
                "before": _rates(began, flood_at),
                "meanwhile": _rates(first, last),
                "sent": sent,
            }


def _mixed(friends: Party, times: int) -> dict[str, Any]:
    """What each friend has been given so far, asked for the n-th time."""
    os.kill(friends.pid, signal.SIGUSR1)
    deadline = time.monotonic() + LONGEST
    while len(lines := [line for line in friends.written().splitlines(keepends=True) if '"at"' in line]) < times:
        if friends.ended is not None or time.monotonic() > deadline:
            raise StageError(f"the crowd told nothing: {friends.written()[-200:].strip()}")
        rest(0.02)
    told: dict[str, Any] = json.loads(lines[times - 1])
    return told


def _rates(sooner: dict[str, Any], later: dict[str, Any]) -> list[float]:
    """Frames a second of each friend."""
    seconds = later["at"] - sooner["at"]
    return [(after - before) / seconds for before, after in zip(sooner["mixed"], later["mixed"], strict=True)]


def _row(name: str, seen: dict[str, Any]) -> tuple[str, ...]:
    sent, flood, calm = seen["sent"], seen["flood"], seen["calm"]
    counts = {what: number for what, number in flood["counts"].items() if number and not what.startswith(_OURS)}
    share = 100 * sum(counts.values()) / sent["sent"] if sent["sent"] else 0.0
    kept = min(seen["meanwhile"]) > min(seen["before"]) - _CHANCE
    quick = flood["turn_cpu"] <= LONGEST_TURN_MS
    answered = sent["cuts"] or share > 50 or name.startswith("nothing")
    missed = [what for what, held in (("frames", kept), ("turn", quick), ("uncounted", answered)) if not held]
    return (
        name,
        f"{sent['sent'] / sent['seconds']:.0f}",
        told(seen["before"], 1),
        told(seen["meanwhile"], 1),
        f"{calm['turn']:.1f}",
        f"{flood['turn']:.1f}",
        f"{flood['turn_cpu']:.1f}",
        f"{sent['cuts']} times" if sent["cuts"] else NONE,
        f"{share:.0f}",
        ", ".join(f"{what}: {number}" for what, number in sorted(counts.items())) or NONE,
        f"missed: {', '.join(missed)}" if missed else "reached",
    )
