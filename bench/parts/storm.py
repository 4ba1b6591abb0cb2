"""What floods of strangers, and a hundred clients who come back at once, do to the beat and to a friend who comes."""

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.calls import Studio
from bench.figures import NONE, Table, percentile, told
from bench.parts.around import AT_ONCE, LONGEST, crowd, noted, party, watched
from bench.parts.flooded import flooded
from bench.rig import procstat
from bench.rig.stage import Party, StageError, rest
from testkit.processes import environment, free_port, password_file
from testkit.stage import LOW, stage

FLOODS: Final[dict[str, tuple[str, ...]]] = {
    "nobody": (),
    "connections, 1 address": ("connect", "--rate", "1500"),
    "connections, 64 addresses": ("connect", "--rate", "1500", "--sources", "64"),
    "first strings of logins, 64 addresses": ("hello", "--rate", "1500", "--sources", "64"),
    "requests for the page, 64 addresses": ("pages", "--rate", "1500", "--sources", "64"),
    "WebSockets full of pings, 64 addresses": ("pings", "--rate", "1500", "--sources", "64"),
    "forged datagrams": ("datagrams", "--rate", "10000"),
    "STUN, DTLS and SRTP of nobody": ("bindings", "--rate", "10000"),
}

FLOOD_SECONDS: Final = 60.0
VISITS: Final = 5
"""Friends who log in during a flood, one after the other."""

CLIENTS: Final = AT_ONCE
TIMES: Final = 10
AFTER: Final = 3.0
"""Seconds of rest between two returns."""

Returns = list[tuple[list[float], dict[str, Any]]]
"""For each time: when each client talked, and what the server noted of its ticks."""


def storm(studio: Studio) -> list[Table]:
    """Floods of strangers, floods by one core, then a hundred who come back."""
    quick = studio.plan.quick
    rows_of_floods = [(name, during(*words, seconds=5.0 if quick else FLOOD_SECONDS)) for name, words in FLOODS.items()]
    head = (
        *("strangers", "a second", "tick begins late, ms: p50", "p99", "p99.9", "skipped", "a friend's login, s"),
        *("frames lost", "RSS, MB more", "bytes answered"),
    )
    note = (
        "Four talk in one room and are mixed at each tick; one more is forwarded in another, and their frames are "
        "counted; friends log in, one after the other. Server, talkers and strangers share the machine."
    )
    times = 2 if quick else TIMES
    rows = (
        _returns("the server was killed", killed(times)),
        _returns("all lines were cut", cut(times)),
    )
    rule = (
        f"{CLIENTS} clients, {times} times: seconds from the port's opening, or from the cut, until a client is heard "
        "by their friend; lowest to highest in brackets. After the cut they log in anew, though they had tickets; the "
        "ticks are those of four others, who are mixed meanwhile."
    )
    return [
        Table("Floods", head, tuple(_flood(*one) for one in rows_of_floods), note),
        flooded(quick),
        Table("Returns", ("since", "all talk, s", "one talks, s: p50", "p90", "tick begins late, ms: p99"), rows, rule),
    ]


def during(*flood: str, seconds: float) -> dict[str, Any]:
    """A flood, and what was seen meanwhile; no words: no flood."""
    with tempfile.TemporaryDirectory() as name, stage(Path(name)) as held:
        port, folder, password = free_port(), Path(name), held.children.password_file
        with watched(port, password, folder) as server, crowd(port, password, folder):
            ann, ben = (held.guest(who, port, room="one talks") for who in ("Ann", "Ben"))
            held.until(lambda: ann.call.path == ben.call.path == "udp", "two friends are in", LONGEST)
            ann.tone = LOW
            held.run(1.0)
            before, strangers = procstat.sample(server.pid).rss_mb, None
            noted(server, folder)
            if flood:
                words = [sys.executable, "-m", "testkit.flood", flood[0], str(port), str(seconds), *flood[1:]]
                strangers = Party("the flood", words, environment(), folder / "flood.log")
            logins, end = [], held.now + seconds
            for visit in range(VISITS):
                zoe = held.guest(f"Zoe{visit}", port, room="visits")
                logins.append(held.until(lambda: zoe.in_room, "a friend gets in", LONGEST))  # noqa: B023
                zoe.close()
                held.run(max(0.0, (end - held.now) / (VISITS - visit)))
            seen = noted(server, folder) | {"logins": logins}
            seen["more"] = procstat.sample(server.pid).rss_mb - before
            if strangers is not None:
                strangers.wait_until_end(LONGEST)
                seen |= json.loads(strangers.written())
            ann.tone = None
            held.run(1.0)
            return seen | {"lost": ann.call.uplink.sent - ben.came(ann)}


def killed(times: int) -> Returns:
    """The server is killed and started again."""
    found = []
    with tempfile.TemporaryDirectory() as name, password_file() as (_, password):
        port, folder = free_port(), Path(name)
        with watched(port, password, folder) as server, _returning(port, password, folder) as clients:
            _talking(clients, 1)
            os.kill(server.pid, signal.SIGKILL)
            for number in range(times):
                with watched(port, password, folder) as fresh:
                    opened = float(fresh.written().split()[1])
                    talked_at = _talking(clients, number + 2)["talked_at"]
                    found.append(([at - opened for at in talked_at], dict[str, Any]()))
                    rest(AFTER)
                    os.kill(fresh.pid, signal.SIGKILL)
    return found


def cut(times: int) -> Returns:
    """All lines are lost at one moment, tickets too; four others go on."""
    found = []
    with tempfile.TemporaryDirectory() as name, password_file() as (_, password):
        port, folder = free_port(), Path(name)
        with watched(port, password, folder) as server, _returning(port, password, folder) as clients:
            _talking(clients, 1)
            with crowd(port, password, folder):
                for number in range(times):
                    rest(AFTER)
                    noted(server, folder)
                    os.kill(clients.pid, signal.SIGUSR1)
                    told = _talking(clients, number + 2)
                    seen = noted(server, folder)
                    found.append(([at - told["lost_at"] for at in told["talked_at"]], seen))
    return found


def _returning(port: int, password: Path, folder: Path) -> Any:
    words = ("--port", str(port), "--password-file", str(password), "--clients", str(CLIENTS))
    return party("those who return", "", folder, "bench.returning", *words)


def _talking(clients: Party, times: int) -> dict[str, Any]:
    """What they told when all of them talked for the n-th time; StageError if that does not happen."""
    deadline = time.monotonic() + LONGEST
    while (written := clients.written()).count("\n") < times:
        if clients.ended is not None or time.monotonic() > deadline:
            raise StageError(f"not all of {CLIENTS} clients came back: {written[-200:].strip() or 'none did'}")
        rest(0.05)
    last: dict[str, Any] = json.loads(written.splitlines()[times - 1])
    return last


def _flood(name: str, seen: dict[str, Any]) -> tuple[str, ...]:
    return (
        name,
        f"{seen['sent'] / seen['seconds']:.0f}" if "sent" in seen else NONE,
        *(f"{seen[key]:.1f}" for key in ("begin_p50", "begin_p99", "begin_p99.9")),
        f"{seen['skipped']:.0f} of {seen['ticks'] + seen['skipped']:.0f}",
        told(seen["logins"], 2),
        f"{seen['lost']}",
        f"{seen['more']:.1f}",
        f"{seen['answered']}" if "answered" in seen else NONE,
    )


def _returns(name: str, found: Returns) -> tuple[str, ...]:
    singles = [seconds for times, _ in found for seconds in times]
    late = [seen["begin_p99"] for _, seen in found if "begin_p99" in seen]
    return (
        name,
        told((max(times) for times, _ in found), 1),
        *(told([percentile(singles, percent)], 1) for percent in (50, 90)),
        told(late, 1),
    )
