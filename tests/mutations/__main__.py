"""Break the program on purpose: ``python -m tests.mutations [--only N,M] [--list]``.

For each row of the table the tree is copied into a temporary folder, the one breakage is
made there, and the tests that the row names are run on it: each of them must go red. First
they are run on a copy in which nothing is broken, where all must be green. Exit code 1 if
a breakage stays unnoticed. ``make soak`` runs all of it, in some minutes.

The copy stands first on the path of whatever the tests start, before the installed
package, which is a link to the folder that was copied.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.mutations.mutation import ROOT, Mutation
from tests.mutations.table import MUTATIONS

LONGEST: Final = 120.0
"""Seconds for the tests of one breakage: ten times what the slowest take. A breakage after which they never end is not
shown by a red test either."""

CONTROL_LONGEST: Final = 600.0
"""Seconds for all of them in a tree where nothing is broken."""

_LEFT_OUT: Final = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info", "build", "dist", "out"
)
"""What the tests do not need. No compiled module above all: it might be younger than the file that is broken."""

_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) ([^\s\[]+)", re.MULTILINE)
_GREEN, _RED = 0, 1
"""Exit codes of pytest; all others mean that it could not even begin."""


class Run(NamedTuple):
    """What became of some tests."""

    code: int | None
    """pytest's exit code; None if it had to be ended."""
    failed: frozenset[str]
    """The tests that went red, without parameters."""
    written: str
    seconds: float


def main(arguments: list[str]) -> int:
    """Run the chosen rows, all unless told otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description="Break the program on purpose.")
    parser.add_argument("--only", type=_numbers, metavar="N,M", help="these rows of the table")
    parser.add_argument("--list", action="store_true", help="show the table, and run nothing")
    told = parser.parse_args(arguments)
    chosen = [number for number in range(1, len(MUTATIONS) + 1) if told.only is None or number in told.only]
    if told.list or len(chosen) < len(told.only or ()):
        for number in chosen:
            say(f"{number:3} {MUTATIONS[number - 1].of:12} {MUTATIONS[number - 1].what}")
        return 0 if told.list else parser.error(f"there are rows 1 to {len(MUTATIONS)}")
    if not sound(MUTATIONS[number - 1] for number in chosen):
        return 1
    green = [number for number in chosen if not noticed(number, MUTATIONS[number - 1])]
    say(f"{len(chosen) - len(green)} of {len(chosen)} breakages were noticed")
    return 1 if green else 0


def sound(mutations: Iterable[Mutation]) -> bool:
    """Whether all their tests are green where nothing is broken."""
    tests = sorted({test for mutation in mutations for test in mutation.tests})
    with copied() as root:
        run = tested(root, tests, CONTROL_LONGEST)
    if run.code != _GREEN:
        say(run.written)
        say("the tests are not green where nothing is broken, so their red would mean nothing")
        return False
    say(f"nothing is broken: {len(tests)} tests are green after {run.seconds:.0f} s")
    return True


def noticed(number: int, mutation: Mutation) -> bool:
    """Whether every test that the row names goes red; tells it in a line."""
    with copied() as root:
        (root / mutation.file).write_text(mutation.broken(root), encoding="utf-8")
        run = tested(root, mutation.tests, LONGEST)
    missed = sorted(set(mutation.tests) - run.failed)
    if run.code is None:
        outcome = "NO END"
    elif run.code not in (_GREEN, _RED):
        outcome = "CANNOT RUN"
    else:
        outcome = "STAYS GREEN" if missed else "red"
    say(f"{number:3} {mutation.of:12} {mutation.what:70} {outcome} {run.seconds:5.1f} s")
    for test in missed:
        say(f"      {test}")
    return outcome == "red"


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the tree, gone afterwards; RuntimeError if the program's modules would not be taken from it."""
    with tempfile.TemporaryDirectory(prefix="voicechat-mutation-") as folder:
        root = Path(folder).resolve() / "tree"
        shutil.copytree(ROOT, root, ignore=_LEFT_OUT)
        words = [sys.executable, "-c", "import voicechat; print(voicechat.__file__)"]
        found = subprocess.run(words, cwd=folder, env=variables(root), capture_output=True, text=True, check=True)
        if not Path(found.stdout.strip()).is_relative_to(root):
            raise RuntimeError(f"voicechat would be taken from {found.stdout.strip()}, and not from the copy")
        yield root


def tested(root: Path, tests: Iterable[str], longest: float) -> Run:
    """Run tests in a copy, and end all that they have started if it takes too long."""
    words = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=no", "-rfE", "-p", "no:cacheprovider", *tests]
    start = time.monotonic()
    child = subprocess.Popen(
        words, cwd=root, env=variables(root), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        written, code = child.communicate(timeout=longest)[0], child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        written, code = child.communicate()[0], None
    return Run(code, frozenset(_FAILED.findall(written)), written, time.monotonic() - start)


def variables(root: Path) -> dict[str, str]:
    """The environment of the tests: the copy first on the path, and the short amounts also in a soak."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VOICECHAT_", "PYTEST_"))}
    return kept | {"PYTHONPATH": str(root), "COLUMNS": "500"}


def say(line: str) -> None:
    """One line for whoever watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _numbers(text: str) -> set[int]:
    return {int(word) for word in text.split(",")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
