"""Bytes and packets a second, at IP level; by the clients' own count where no namespaces are allowed."""

import contextlib
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bench.calls import SILENCE, Studio
from bench.figures import NONE, Table, told
from bench.rig import speech
from bench.rig.network import SERVER, Loopback
from bench.rig.stage import Measured, Party
from testkit.processes import environment, password_file

UP, DOWN = 0, 2
"""Places of the bytes in a client's traffic; packets follow each."""

HEAD = ("what", "bytes/s", "packets/s", "goal, bytes/s")


def traffic(studio: Studio) -> list[Table]:
    """Bytes each way: talking, hearing one, hearing four, silence."""
    one, many, silent = studio.phases("2 auto", "talk 0"), studio.phases("4 auto", "talk 0+1+2+3"), "silence"
    if not any(measured.traffic for measured in one):
        return [_counted(studio)] if studio.system.ours else []
    rows = [
        _row("up, talking (one of two)", one, (0,), UP, "3 700"),
        _row("down, hearing one", one, (1,), DOWN, "3 700"),
        *_by_quality(studio),
        _row("up, hearing one", one, (1,), UP, NONE),
        _row("up, all of four talk", many, range(4), UP, "3 700"),
        _row("down, all of four talk", many, range(4), DOWN, "3 700"),
        _row("up, silent room of two", studio.phases("2 auto", silent), (0, 1), UP, "50"),
        _row("down, silent room of two", studio.phases("2 auto", silent), (0, 1), DOWN, "50"),
        _row("up, silent room of four", studio.phases("4 auto", silent), range(4), UP, "50"),
        _row("down, silent room of four", studio.phases("4 auto", silent), range(4), DOWN, "50"),
        _row("up, quiet noise of -60 dBFS", studio.phases("2 all", "noise"), (0, 1), UP, "50"),
    ]
    spoken = [_spoken(measured) for measured in one]
    note = (
        "IPv4, IP headers included, over whole phases, pauses between spurts included (the gate was open for about "
        f"{told(spoken)} % of the talk phase). Median (lowest to highest) over clients and calls."
    )
    return [Table("Traffic of a client", HEAD, tuple(rows), note)]


def _by_quality(studio: Studio) -> list[tuple[str, ...]]:
    rows = []
    for quality, goal in (("saver", "2 650"), ("high", NONE)):
        phases = studio.phases(f"{quality} auto", "talk 0")
        if phases:
            rows.append(_row(f"up, talking (one of two), {quality} quality", phases, (0,), UP, goal))
            rows.append(_row(f"down, hearing one, {quality} quality", phases, (1,), DOWN, goal))
    return rows


def _spoken(measured: Measured) -> float:
    """Percent of a phase in which packets of talk were sent: 50 a second are all."""
    return min(100.0, measured.traffic[measured.phase.talkers[0]][UP + 1] * 2)


def _row(name: str, phases: Iterable[Measured], clients: Iterable[int], way: int, goal: str) -> tuple[str, ...]:
    places, counted = list(clients), [measured.traffic for measured in phases]
    values = [traffic[k] for traffic in counted for k in places]
    return (name, told(value[way] for value in values), told((value[way + 1] for value in values), 1), goal)


def _counted(studio: Studio) -> Table:
    """Without namespaces: calls of their own on loopback, counted by --stats, without TCP's, UDP's and IP's headers."""
    rows = []
    for name, clients, talkers in (
        ("one of two talks: the talker", 2, (0,)),
        ("all of four talk: each", 4, (0, 1, 2, 3)),
        ("silence in a room of two: each", 2, ()),
    ):
        ways = _by_stats(studio, clients, talkers)
        told_ways = [told(way[k] for way in ways) for k in range(2)]
        rows.append((name, *told_ways))
    note = (
        "No root, so no namespaces: sealed packets as the clients count them; headers of IP, TCP and UDP are missing."
    )
    return Table("Traffic of a client (payload)", ("who", "up, bytes/s", "down, bytes/s"), tuple(rows), note)


def _by_stats(studio: Studio, clients: int, talkers: tuple[int, ...]) -> list[tuple[float, float]]:
    """(bytes up, bytes down) a second of each talker, or of all where nobody talks."""
    lines, system = Loopback(), studio.system
    with contextlib.ExitStack() as running:
        _, password = running.enter_context(password_file())
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        words: dict[str, object] = {"port": lines.port, "password": password, "mixing": "auto", "bitrate": 12_000}
        words |= {"seats": 4, "quality": "normal", "host": lines.host(0), "home": folder}
        command = lines.command(SERVER, system.server_command(words | {"k": "", "stats": ""}))
        server = Party("server", command, environment(), folder / "server.log")
        running.callback(server.stop)
        server.wait_for(system.listens)
        parties, seconds = [], SILENCE
        for k in range(clients):
            source = "silence"
            if k in talkers:
                wav = folder / f"{k}.wav"
                seconds = speech.write(wav, k, SILENCE)
                source = f"wav:{wav}"
            words |= {"k": k, "stats": folder / f"{k}.json"}
            rest = ["--input", source, "--output", "null", "--duration", f"{seconds:.1f}"]
            party = Party(f"client{k}", [*system.client_command(words), *rest], environment(), folder / f"{k}.log")
            running.callback(party.stop)
            parties.append(party)
        for party in parties:
            party.wait_until_end(2 * seconds)
        counted = [json.loads((folder / f"{k}.json").read_text())["bytes"] for k in talkers or range(clients)]
        return [(count["out"] / seconds, count["in"] / seconds) for count in counted]
