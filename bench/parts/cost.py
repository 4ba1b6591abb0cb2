"""CPU time and memory of clients and server, beside a bare loop through PyAudio in the same minutes."""

from collections.abc import Iterable, Sequence
from statistics import median

from bench.calls import Studio
from bench.figures import NONE, Table, told
from bench.rig.stage import FLOOR, Measured

SIZES = (2, 3, 4)
ROOMS = tuple((size, mixing) for mixing in ("auto", "always") for size in SIZES)


def cost(studio: Studio) -> list[Table]:
    """Clients, then the server."""
    return [_clients(studio), _server(studio)]


def memory(studio: Studio) -> list[Table]:
    """Resident memory at the end of a call's talk."""
    rows = []
    for name, call, party, goal in (
        ("client, room of two", "2 auto", "client0", "60"),
        ("client, room of four", "4 auto", "client0", "60"),
        ("server, room of two", "2 auto", "server", NONE),
        ("server, room of four", "4 auto", "server", NONE),
        ("server, room of four, --mixing always", "4 always", "server", NONE),
        ("loop through PyAudio", "2 auto", FLOOR, NONE),
    ):
        if not studio.can(call):
            continue
        costs = [held.phases[-1].costs[party] for held in studio.calls(call) if party in held.phases[-1].costs]
        if costs:
            rows.append((name, told(one.rss_mb for one in costs), told(one.peak_mb for one in costs), goal))
    return [Table("Memory", ("what", "RSS, MB", "highest, MB", "goal"), tuple(rows))]


def _clients(studio: Studio) -> Table:
    """What a client costs by what it does."""
    one, silence = studio.phases("2 auto", "talk 0"), studio.phases("2 auto", "silence")
    two = studio.phases("2 auto", "talk 1")
    rows = [
        _client("talks", [(m, "client0") for m in one] + [(m, "client1") for m in two], "1.4, aim 1.0"),
        _client("listens to one", [(m, "client1") for m in one] + [(m, "client0") for m in two], NONE),
        _client("listens to a mix", [(m, "client2") for m in studio.phases("3 auto", "talk 0+1")], NONE),
        _client("talks and hears three", _everyone(studio.phases("4 auto", "talk 0+1+2+3")), NONE),
        _client("silent room", _everyone(silence), "0.2"),
        _client("quiet noise", _everyone(studio.phases("2 all", "noise")), "0.2"),
        _client("muted for long", _everyone(studio.phases("2 muted", "muted")), "0.6 in all"),
    ]
    head = ("client", "CPU, s/min", "loop-through", "above it", "wake-ups/s", "switches/s", "goal above")
    note = (
        "CPU seconds of the whole process in a minute, a bare loop through PyAudio (blocks of 480) in the same phase, "
        "and the median of the differences. Wake-ups: how often the reactor's thread slept and was woken."
    )
    return Table("CPU time of a client", head, tuple(row for row in rows if row), note)


def _everyone(phases: Iterable[Measured]) -> list[tuple[Measured, str]]:
    return [(measured, party) for measured in phases for party in measured.costs if party.startswith("client")]


def _client(name: str, places: Sequence[tuple[Measured, str]], goal: str) -> tuple[str, ...]:
    if not places:
        return ()
    own = [measured.costs[party] for measured, party in places]
    floors = [measured.costs[FLOOR].cpu for measured, _ in places]
    above = median(cost.cpu - floor for cost, floor in zip(own, floors, strict=True))
    return (
        name,
        told((cost.cpu for cost in own), 2),
        told(floors, 2),
        f"{above:+.2f}",
        told(cost.wakeups for cost in own),
        told(cost.switches for cost in own),
        goal,
    )


def _server(studio: Studio) -> Table:
    """The server by the size of its room, who talks, and how it mixes; and the clients in the same minutes."""
    rows = []
    for size, mixing in ROOMS:
        call = f"{size} {mixing}"
        everyone = "talk " + "+".join(map(str, range(size)))
        for what, name, phase in (("one talks", call, "talk 0"), ("all talk", _with_all(call), everyone)):
            rows.append(_server_row(f"{size} clients, {mixing}: {what}", studio.phases(name, phase), _goal(call, what)))
        rows.append(_server_row(f"{size} clients, {mixing}: silent", studio.phases(call, "silence"), _goal(call, "")))
    head = ("room, --mixing", "server, s/min", "wake-ups/s", "talker", "listener", "loop-through", "goal of server")
    note = "CPU seconds in a minute of whole processes, all of one row in the same phases; median (lowest to highest)."
    return Table("CPU time of the server", head, tuple(row for row in rows if row), note)


def _with_all(call: str) -> str:
    """Two who both talk have a call of their own where a lone talker is forwarded."""
    return "2 all" if call == "2 auto" else call


def _goal(call: str, what: str) -> str:
    goals = {("2 auto", "one talks"): "0.65, aim 0.45", ("4 auto", "all talk"): "3.5"}
    return goals.get((call, what), "0.03" if not what else NONE)


def _server_row(name: str, phases: Sequence[Measured], goal: str) -> tuple[str, ...]:
    served = [measured for measured in phases if "server" in measured.costs]
    if not served:
        return ()
    talk = [m.costs[f"client{k}"].cpu for m in served for k in m.phase.talkers]
    idle = [m.costs[p].cpu for m, p in _everyone(served) if int(p.removeprefix("client")) not in m.phase.talkers]
    return (
        name,
        told((m.costs["server"].cpu for m in served), 2),
        told(m.costs["server"].wakeups for m in served),
        told(talk, 1),
        told(idle, 1),
        told((m.costs[FLOOR].cpu for m in served), 1),
        goal,
    )
