"""``python -m bench [WHAT ...]``: measure, print the tables, keep them in out/bench.

What lives here: the command line and the order. Exit status: 0, 1 if something could
not be measured (one line says why), 2 usage, 130 after Ctrl-C.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from subprocess import SubprocessError
from typing import Any, Final

from bench import machine, report
from bench.calls import Plan, Studio
from bench.echo_scenes import VoicesError
from bench.figures import Table
from bench.rig import network
from bench.rig.stage import StageError
from bench.systems import System, voicechat
from bench.tuned import changed, varied
from testkit.processes import ends_as_interrupt
from testkit.rig import RigError

OUT: Final = Path("out", "bench")
QUICKLY: Final = "quick"
"""The folder in it for quick runs."""

SOUND: Final = {
    "latency": "bench.parts.latency:latency",
    "bytes": "bench.parts.traffic:traffic",
    "quality": "bench.parts.quality:quality",
    "cpu": "bench.parts.cost:cost",
    "memory": "bench.parts.cost:memory",
}
"""Questions about a call; they can be asked of any system."""

OURS: Final = {
    "budget": "bench.parts.budget:budget",
    "startup": "bench.parts.startup:startup",
    "rooms": "bench.parts.rooms:rooms",
    "storm": "bench.parts.storm:storm",
    "recovery": "bench.parts.recovery:recovery",
    "handover": "bench.parts.handover:handover",
    "codec": "bench.parts.coding:coding",
    "comforts": "bench.parts.comforts:comforts",
    "echo": "bench.parts.echo:echo",
    "rehearsal": "bench.parts.rehearsal:rehearsal",
}
"""Questions about voicechat alone."""

LINES: Final = {"impaired": "bench.parts.impaired:impaired", "browser": "bench.parts.browser:browser"}
"""Needs root; the second one also what `.ci/prepare browser` installs."""

EVERY: Final = {**SOUND, **OURS, **LINES}
TUNABLE: Final = ("rehearsal", "handover", "comforts", "echo")
"""What runs the media core in this process, so that another tuning can be given to it."""

QUICK: Final = ("latency", "bytes", "quality", "cpu", "memory", "startup")

REPORT: Final = "report"


def main() -> int:
    """Measure what was asked for; gives the exit status."""
    chosen = options()
    if chosen.what == [REPORT]:
        print(f"{', '.join(map(str, report.PAGES))}: took {', '.join(report.write(OUT, OUT / QUICKLY)) or 'nothing'}")
        return 0
    try:
        system = voicechat() if chosen.client is None else System("other", chosen.server or "", chosen.client)
        plan = Plan(chosen.quick, chosen.minutes, chosen.voices, chosen.seed, chosen.judge, chosen.tune)
        with ends_as_interrupt():
            return measure(chosen.what or default(chosen.quick, system), system, plan)
    except FileNotFoundError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
        return 130


def options() -> argparse.Namespace:
    """The command line; ends the program with status 2 on a mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure a call: delay, bytes, quality, CPU, memory, bad lines, rooms.",
        epilog="In the commands stand {host}, {port}, {k} (the client's number) and {home}. A client finds its "
        "microphone and loudspeaker as ALSA's default device. Tables go to the terminal and to out/bench; "
        "'report' puts them into docs/performance.md and docs/sound.md.",
    )
    parser.add_argument(
        "what", nargs="*", choices=[*EVERY, REPORT, []], metavar="WHAT", help=", ".join([*EVERY, REPORT])
    )
    parser.add_argument("--quick", action="store_true", help="little speech, each call once, the chief questions only")
    parser.add_argument("--minutes", type=float, default=3.0, help="of the long call that shows growth (default 3)")
    parser.add_argument("--server", help="command of another system's server")
    parser.add_argument("--client", help="command of another system's client")
    parser.add_argument("--voices", type=Path, help="folder of 48 kHz mono voices for `echo`, two or more, WAV or FLAC")
    parser.add_argument("--seed", type=int, default=1, help="of the scenes of `echo` (default 1)")
    parser.add_argument(
        "--judge",
        action="store_true",
        help="`echo`: three seeds from the given one on; status 0 only if every goal but the CPU's is reached",
    )
    parser.add_argument(
        "--tune",
        action="append",
        default=[],
        metavar="PART.NAME=VALUE",
        help=f"another number of the media core's tuning (docs/tuning.md), for {', '.join(TUNABLE)}; may be given "
        "again; what is measured so is printed and not kept",
    )
    chosen = parser.parse_args()
    try:
        chosen.tune = varied(chosen.tune)
    except ValueError as error:
        parser.error(f"--tune {error}")
    if changed(chosen.tune) and not (chosen.what and set(chosen.what) <= set(TUNABLE)):
        parser.error(f"--tune is for {', '.join(TUNABLE)}")
    if (chosen.judge or chosen.voices) and chosen.what != ["echo"]:
        parser.error("--judge and --voices are for `echo` alone")
    if chosen.server is not None and chosen.client is None:
        parser.error("--server needs --client")
    return chosen


def default(quick: bool, system: System) -> list[str]:
    """What is measured when nothing is named."""
    if not system.ours:
        return [*SOUND, *LINES]
    return list(QUICK if quick else EVERY)


def measure(what: list[str], system: System, plan: Plan) -> int:
    """Measure and print, part by part; what fails is tried once more. 1 if one of them could not be measured."""
    folder = OUT if system.ours and not plan.quick else OUT / (QUICKLY if system.ours else system.name)
    if not network.allowed():
        print("bench: no root, so no namespaces: all on loopback, no bytes at IP level, no bad lines", file=sys.stderr)
        what = [part for part in what if part not in LINES]
    studio, start = Studio(system, plan, folder), time.monotonic()
    failed = [part for part in what if not answered(part, studio, folder)]
    # Calls that were held are kept, so what is tried again takes only what was missing.
    failed = [part for part in failed if not answered(part, studio, folder)]
    print(f"{machine_line()}; {busy(studio)}; {(time.monotonic() - start) / 60:.1f} min")
    if plan.judge:
        print("every goal is reached" if not studio.missed else f"missed: {'; '.join(studio.missed)}")
    return 1 if failed or (plan.judge and studio.missed) else 0


def answered(part: str, studio: Studio, folder: Path) -> bool:
    """Measure a part, print and keep its tables; False, and a line, if that cannot be done."""
    print(f"{part}:", file=sys.stderr)
    before = machine.described()
    try:
        tables = _asked(part)(studio)
    except (RigError, StageError, VoicesError, OSError, SubprocessError) as error:
        print(f"bench: {part} could not be measured: {error}", file=sys.stderr)
        return False
    if changed(studio.plan.tuning):
        print("with " + " ".join(changed(studio.plan.tuning)))
    else:
        report.save(folder, part, tables, before | {"busy": busy(studio)})
    print("\n" + "\n".join(table.text() for table in tables), flush=True)
    return True


def machine_line() -> str:
    """Where it was measured, in a line."""
    made = machine.described()
    return f"{made['machine']}; voicechat {made['voicechat']}; {made['versions']}"


def busy(studio: Studio) -> str:
    """How busy the machine was beside and because of us."""
    loads, stalls = studio.loads(), studio.stalls()
    if not loads:
        return f"load {machine.described()['load']}"
    disturbed = f"; {studio.disturbed} calls disturbed" if studio.disturbed else ""
    waited = f"{median(stalls):.0f} % of the time some task waited for a CPU{disturbed}"
    return f"load {median(loads):.1f} (to {max(loads):.1f}), {waited}"


def _asked(part: str) -> Callable[[Studio], list[Table]]:
    """The function that answers; imported late, so that --help and errors are quick."""
    module, _, name = EVERY[part].partition(":")
    found: Any = getattr(importlib.import_module(module), name)
    answer: Callable[[Studio], list[Table]] = found
    return answer


if __name__ == "__main__":
    sys.exit(main())
