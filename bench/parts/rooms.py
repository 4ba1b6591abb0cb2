"""How many rooms and listeners one server process carries: tick lateness, CPU, encodes for each tick."""

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.calls import Studio
from bench.figures import NONE, Table
from bench.rig import procstat
from bench.rig.stage import Party, StageError, rest
from testkit.processes import environment, free_port, password_file

ROOMS: Final = (1, 5, 10, 20)
"""Rooms of four who all talk."""

LISTENERS: Final = (2, 14, 62)
"""With two talkers in one room: 4, 16 and 64 people."""

SECONDS: Final = 10.0
LOGIN_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Crowded:
    """What a server did while a crowd talked."""

    server: dict[str, Any]
    crowd: dict[str, Any]
    cpu: float
    crowd_cpu: float
    rss_mb: float


def rooms(studio: Studio) -> list[Table]:
    """Many rooms; then many listeners in one."""
    seconds = SECONDS / 2 if studio.plan.quick else SECONDS
    many = [(f"{count} of 4, all talk", crowded(count, 4, 0, seconds)) for count in ROOMS]
    head = (
        *("rooms", "begins late, ms: p50", "p99", "ends late, ms: p50", "p99", "ticks skipped", "encodes a tick"),
        *("CPU, % of a core", "RSS, MB", "crowd's CPU, %", "crowd late, ms: p99", "packets/s in", "mixes/s out"),
    )
    note = (
        "One server process, one crowd process, two cores. A tick begins when its turn comes and ends when the last "
        "packet of the last room is out; 20 ms late is where the next one stands."
    )
    shared = [(f"2 talk, {count + 2} are there", crowded(1, 2, count, seconds)) for count in LISTENERS]
    shared_head = ("room", "encodes a tick", "decodes a tick", "CPU, % of a core", "mixes/s out", "forwarded/s")
    rows = tuple(_shared(name, one, seconds) for name, one in shared)
    rule = "Equal rows are coded once: k + 1 encodes at most for k talkers, however many listen. Two are forwarded."
    return [
        Table("Rooms on one server", head, tuple(_row(name, one, seconds) for name, one in many), note),
        Table("Listeners of one room", shared_head, rows, rule),
    ]


def crowded(count: int, talkers: int, listeners: int, seconds: float) -> Crowded:
    """Let a crowd talk at a server; StageError if it comes to nothing."""
    with tempfile.TemporaryDirectory() as name, password_file() as (_, password):
        folder, port = Path(name), free_port()
        common = ["--port", str(port), "--password-file", str(password), "--seconds", str(seconds)]
        told = folder / "server.json"
        server_command = [sys.executable, "-m", "bench.watched", *common, "--json", str(told)]
        server = Party("the watched server", server_command, environment(), folder / "server.log")
        crowd: Party | None = None
        try:
            server.wait_for("listening")
            people = ["--rooms", str(count), "--talkers", str(talkers), "--listeners", str(listeners)]
            crowd_command = [sys.executable, "-m", "bench.crowd", *common, *people]
            crowd = Party("the crowd", crowd_command, environment(), folder / "crowd.log")
            crowd.wait_for("talking", LOGIN_SECONDS)
            before, others, start = procstat.sample(server.pid), procstat.sample(crowd.pid), time.monotonic()
            rest(seconds - 0.5)
            taken = time.monotonic() - start
            cost = procstat.between(before, procstat.sample(server.pid), taken)
            theirs = procstat.between(others, procstat.sample(crowd.pid), taken)
            crowd.wait_until_end(LOGIN_SECONDS)
            said = json.loads(crowd.written().splitlines()[-1])
        finally:
            if crowd is not None:
                crowd.stop()
            server.stop()
        if not told.exists():
            raise StageError(f"the watched server told nothing: {server.written()[-200:].strip()}")
        return Crowded(json.loads(told.read_text()), said, cost.cpu / 0.6, theirs.cpu / 0.6, cost.rss_mb)


def _row(name: str, one: Crowded, seconds: float) -> tuple[str, ...]:
    server, crowd = one.server, one.crowd
    if not server["ticks"]:
        return (name, *[NONE] * 12)
    return (
        name,
        *(f"{server[key]:.1f}" for key in ("begin_p50", "begin_p99", "end_p50", "end_p99")),
        f"{server['skipped']:.0f}",
        f"{server['encodes']:.1f}",
        f"{one.cpu:.0f}",
        f"{one.rss_mb:.0f}",
        f"{one.crowd_cpu:.0f}",
        f"{crowd['late_ms']:.1f}",
        f"{crowd['sent'] / seconds:.0f}",
        f"{crowd['mixed'] / seconds:.0f}",
    )


def _shared(name: str, one: Crowded, seconds: float) -> tuple[str, ...]:
    return (
        name,
        f"{one.server.get('encodes', 0):.2f}",
        f"{one.server.get('decodes', 0):.2f}",
        f"{one.cpu:.0f}",
        f"{one.crowd['mixed'] / seconds:.0f}",
        f"{(one.crowd['heard'] - one.crowd['mixed']) / seconds:.0f}",
    )
