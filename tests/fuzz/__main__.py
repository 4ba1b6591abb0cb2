"""Throw garbage at every parser until stopped: ``make fuzz``, or ``python -m tests.fuzz [TARGET ...] [--seconds S]``.

Each target has its turn of S seconds (60 if not told otherwise), one after the other,
round and round; with ``--once`` each has one turn. The inputs worth keeping, those that
reach a line of the parsers that no other reaches, are put into tests/fuzz/corpus after
each turn, to be committed, so that every later test begins with them. An input that
breaks a parser ends it all: it is printed, as the line to add to the corpus, and the
exit code is 1.

atheris guides the search by what each input reaches; it is not one of the tests'
requirements and is loaded here by name. Each turn is a process of its own, because
libFuzzer ends the process that it ran in.
"""

import argparse
import importlib
import itertools
import random
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

MOST_KEPT: Final = 60
"""Inputs kept of a target, the shortest first."""

LONGEST_KEPT: Final = 400
"""Bytes of an input that is kept: what reaches new lines seldom needs to be long."""


def main(arguments: list[str]) -> int:
    """Take turns until stopped or until something breaks."""
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the parsers.")
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="length of a turn")
    parser.add_argument("--once", action="store_true", help="one turn each")
    chosen = parser.parse_args(arguments)
    names = chosen.targets or list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    try:
        for name in names if chosen.once else itertools.cycle(names):
            say(f"{name}, {chosen.seconds} s")
            if not turn(name, chosen.seconds):
                return 1
    except KeyboardInterrupt:
        say("stopped")
    return 0


def say(line: str) -> None:
    """One line for whoever watches."""
    sys.stdout.write(f"fuzz: {line}\n")
    sys.stdout.flush()


def turn(name: str, seconds: int) -> bool:
    """One target for so long; False if it broke."""
    with tempfile.TemporaryDirectory() as folder:
        found, broken = Path(folder, "found"), Path(folder, "broken-")
        found.mkdir()
        lay_out(name, found)
        options = [f"-max_total_time={seconds}", f"-artifact_prefix={broken}", "-timeout=10", "-rss_limit_mb=2048"]
        result = _child(name, *options, str(found))
        crashes = sorted(broken.parent.glob("broken-*"))
        for crash in crashes:
            say(f"{name} breaks on this line for tests/fuzz/corpus/{name}.hex:\n{crash.read_bytes().hex()}")
        if crashes or result.returncode:
            say(result.stdout[-1_000:] + result.stderr[-3_000:])
            return False
        say(f"{name} keeps {gather(name, found)} inputs")
        return True


def lay_out(name: str, folder: Path) -> None:
    """Put a target's seeds and its corpus where libFuzzer wants them: a file each."""
    from tests.fuzz.targets import TARGETS, corpus

    for number, data in enumerate([*TARGETS[name].seeds(), *corpus(name)]):
        (folder / f"{number:04}").write_bytes(data)


def gather(name: str, folder: Path) -> int:
    """Keep the least inputs that reach all that ``folder``'s do, besides the seeds; how many there are now."""
    from tests.fuzz.targets import CORPUS, TARGETS

    with tempfile.TemporaryDirectory() as least:
        _child(name, "-merge=1", least, str(folder)).check_returncode()
        inputs = {path.read_bytes() for path in Path(least).iterdir()} - set(TARGETS[name].seeds())
    kept = sorted((data for data in inputs if 0 < len(data) <= LONGEST_KEPT), key=lambda data: (len(data), data))
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{name}.hex").write_text("".join(f"{data.hex()}\n" for data in kept[:MOST_KEPT]))
    return len(kept[:MOST_KEPT])


def _child(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", "--child", name, *options]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


def fuzz(name: str, options: list[str]) -> None:
    """Run libFuzzer on one target, in this process; never returns."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["voicechat"]):
        from tests.fuzz.targets import TARGETS, mutated
    target = TARGETS[name]
    seeds = target.seeds()

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        """By turns ours, which knows the first bytes and JSON, and libFuzzer's own."""
        chance = random.Random(seed)
        if chance.random() < 0.5:
            made = mutated(target, [data or chance.choice(seeds), chance.choice(seeds)], chance)
        else:
            made = bytes(atheris.Mutate(data, longest))
            if chance.random() < 0.9:
                made = chance.choice([data, *seeds])[: target.head] + made[target.head :]
        return made[:longest] or b"\0"

    again = f"{shlex.quote(sys.executable)} -m tests.fuzz --child {name}"  # a merge runs it in the shell
    atheris.Setup([again, *options], target.run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        fuzz(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main(sys.argv[1:]))
