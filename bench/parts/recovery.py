"""How soon a call is what it was: after the server was killed, stood still, or the line was cut."""

import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from bench.calls import Studio
from bench.figures import NONE, Table, percentile, told
from testkit.children import Server
from testkit.stage import HIGH, LOW, Guest, Stage, stage

KILLS: Final = 20
SOON: Final = 2.0
"""Seconds, the goal for nine of ten returns."""

DOWN: Final = 0.3
"""Seconds between a server's end and the next one's start."""

STANDSTILLS: Final = ((0.5, 10), (5.0, 5), (30.0, 3))
CUTS: Final = ((1.0, 10), (5.0, 5), (60.0, 1))
"""Seconds, and how often."""

LONGEST: Final = 60.0
CHANGE: Final = 0.25
"""Seconds between two changes of the tone by which the delay is told."""

WATCHED: Final = 3.0
"""Seconds after a recovery in which the delay is watched."""

SPARE: Final = 0.06
"""Seconds beyond the usual delay that still count as usual."""


@dataclass
class Found:
    """What several recoveries of one kind gave; seconds."""

    back: list[float] = field(default_factory=list)
    """Until something said after the end of the trouble was heard."""
    normal: list[float | None] = field(default_factory=list)
    """Until the delay was what it was; None if not within WATCHED."""
    reconnects: int = 0


def recovery(studio: Studio) -> list[Table]:
    """Kills, standstills, cuts."""
    quick = studio.plan.quick
    returns = killed(5 if quick else KILLS)
    within = sum(seconds <= SOON for seconds in returns) / len(returns)
    middle, most = (f"{percentile(returns, percent):.1f}" for percent in (50, 90))
    row = ("4 clients", f"{len(returns)}", middle, most, f"{max(returns):.1f}", f"{100 * within:.0f} %")
    kills = Table(
        "A server that was killed and started again",
        ("who", "returns", "talks again after, s: p50", "p90", "longest", f"within {SOON:g} s (goal 90 %)"),
        (row,),
        "Seconds from the new server's line that says that the port is open, until a client's friend hears them.",
    )
    rows = []
    for seconds, times in STANDSTILLS:
        rows.append(_row(f"the server stands still for {seconds:g} s", _stopped(seconds, _fewer(times, quick))))
    for udp in (True, False):
        for seconds, times in CUTS:
            way = "UDP" if udp else "TCP"
            rows.append(_row(f"the line is cut for {seconds:g} s, {way}", _cut(seconds, _fewer(times, quick), udp)))
    troubles = Table(
        "Standstills and cuts",
        ("what", "times", "live speech after, s", "usual delay after, s", "new connections of one client"),
        tuple(rows),
        "Seconds from the end of the trouble, median (lowest to highest). A relay makes the cuts: it loses datagrams "
        "and holds back the rest. The delay is usual within "
        f"{SPARE * 1000:.0f} ms of what it was, and is told by changes of a tone each {CHANGE * 1000:.0f} ms.",
    )
    return [kills, troubles]


def killed(times: int) -> list[float]:
    """Until each of four clients is heard again by their friend, for each time."""
    found = []
    with tempfile.TemporaryDirectory() as name, stage(Path(name)) as held:
        server = held.server()
        pairs = [[held.guest(f"{who}{pair}", server.port, room=f"{pair}") for who in ("a", "b")] for pair in (1, 2)]
        held.all_in()
        for ann, ben in pairs:
            ann.tone, ben.tone = LOW, HIGH
        held.until(lambda: all(hear(0.0) for hear in _ears(pairs)), "everybody is heard")
        program = server.program
        for _ in range(times):
            program.signal(signal.SIGKILL)
            program.end()
            held.run(DOWN)
            program = held.children.start(*_again(held, server.port))
            held.line(program, "listening on port", LONGEST)
            opened, waiting = held.now, _ears(pairs)
            while waiting:
                held.until(lambda: any(hear(opened) for hear in waiting), "all talk again", LONGEST)  # noqa: B023
                found += [held.now - opened for hear in waiting if hear(opened)]
                waiting = [hear for hear in waiting if not hear(opened)]
            held.run(1.0)
    return found


def _again(held: Stage, port: int) -> tuple[str, ...]:
    secret = ("--password-file", str(held.children.password_file))
    return ("twistd", "-n", "--pidfile=", "voicechat", "--interface", "127.0.0.1", "--port", str(port), *secret)


def _ears(pairs: list[list[Guest]]) -> list[Callable[[float], bool]]:
    """For each client, whether their friend has heard them since a time."""
    return [
        lambda since, listener=listener, tone=tone: listener.hears(tone, since)  # type: ignore[misc]
        for ann, ben in pairs
        for listener, tone in ((ben, LOW), (ann, HIGH))
    ]


def _stopped(seconds: float, times: int) -> Found:
    with _call() as (held, server):

        def trouble() -> None:
            server.program.signal(signal.SIGSTOP)
            held.run(seconds)
            server.program.signal(signal.SIGCONT)

        return _troubled(held, trouble, times)


def _cut(seconds: float, times: int, udp: bool) -> Found:
    with _call() as (held, server):
        relay = held.relay(server.port)
        relay.datagrams = udp
        held.guests[1].close()
        held.guests[1:] = []
        held.guest("Ben", server.port, relay.host)
        _begin(held)

        def trouble() -> None:
            relay.cut(seconds)
            held.run(seconds)

        return _troubled(held, trouble, times)


@contextmanager
def _call() -> Iterator[tuple[Stage, Server]]:
    """Ann sings, Ben hears them."""
    with tempfile.TemporaryDirectory() as name, stage(Path(name)) as held:
        server = held.server()
        for who in ("Ann", "Ben"):
            held.guest(who, server.port)
        _begin(held)
        yield held, server


def _begin(held: Stage) -> None:
    held.all_in()
    ann, ben = held.guests
    ann.tone = LOW
    held.until(lambda: ben.hears(LOW, 0.0), "Ben hears Ann")
    held.run(3.0)


def _troubled(held: Stage, trouble: Callable[[], None], times: int) -> Found:
    """Let trouble come several times, and watch what is heard after it."""
    found, (_, ben) = Found(), held.guests
    for _ in range(times):
        usual = median(lag for _, lag in _lags(held, WATCHED))
        trouble()
        end = held.now
        found.back.append(_heard_after(held, LONGEST))
        since = held.now
        late = [at + lag for at, lag in _lags(held, WATCHED) if lag > usual + SPARE]
        found.normal.append(None if late and late[-1] > since + WATCHED - 2 * CHANGE else max([since, *late]) - end)
        held.run(2.0)
    found.reconnects = ben.call.reconnects
    return found


def _heard_after(held: Stage, most: float) -> float:
    """Ann changes their tone; seconds until Ben hears it."""
    ann, ben = held.guests
    ann.tone, changed = HIGH if ann.tone == LOW else LOW, held.now
    return held.until(lambda: ben.hears(ann.tone or LOW, changed), "Ben hears another tone", most)


def _lags(held: Stage, seconds: float) -> list[tuple[float, float]]:
    """When the tone changed, and how long it took to be heard, again and again."""
    found, end = [], held.now + seconds
    while held.now < end:
        changed = held.now
        found.append((changed, _heard_after(held, LONGEST)))
        held.run(max(0.0, changed + CHANGE - held.now))
    return found


def _fewer(times: int, quick: bool) -> int:
    return min(times, 2) if quick else times


def _row(name: str, found: Found) -> tuple[str, ...]:
    late = sum(seconds is None for seconds in found.normal)
    normal = told(found.normal, 2) + (f", {late} not in {WATCHED:g} s" if late else "")
    return name, f"{len(found.back)}", told(found.back, 2), normal or NONE, f"{found.reconnects}"
