"""The core's own tests, run by the Windows folder's Python against the folder's own modules."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from testkit.children import Program, children
from testkit.wine import Wine
from tests.windows.conftest import Friend, SecondBuild
from tests.windows.core import CORE, ELSEWHERE
from tests.windows.standins import prepare_for_tests
from winpack.folder import ROOT

LONGEST: Final = 900.0
"""Seconds; it takes about one minute on two idle cores."""

FEWEST: Final = 2000
"""Tests: fewer would mean that some were not found."""


@pytest.fixture
def run(friend: Friend, product: Path, tmp_path: Path, second_build: SecondBuild) -> Iterator[Program]:
    """Its pytest, in two processes; meanwhile the zip is built once more."""
    python = prepare_for_tests(product, tmp_path) / "python.exe"
    # faulthandler takes exceptions for fatal that Wine's own libraries throw and catch.
    without = [word for plugin in ("cacheprovider", "faulthandler") for word in ("-p", f"no:{plugin}")]
    words = ["wine", str(python), "-B", "-m", "pytest", "-q", "-n", "2", *without, "-o", "pythonpath="]
    words += [f"--basetemp={Wine.path(tmp_path / 'temporary')}", *(f"--ignore={test}" for test in ELSEWHERE), *CORE]
    with children(tmp_path) as house:
        # Started in the checkout, it shall leave nothing there.
        variables = friend.variables(TMPDIR=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path))
        yield house.start(*words, variables=variables, folder=ROOT)


def test_every_test_of_the_core_passes_and_none_is_left_out(run: Program, tell: list[str]) -> None:
    status = run.end(LONGEST)
    last = run.out.rstrip().splitlines()[-1]
    assert status == 0, run.out[-5000:] + run.err[-2000:]
    passed = re.fullmatch(r"(\d+) passed in [\d.]+s.*", last)
    assert passed is not None, last
    assert int(passed[1]) >= FEWEST
    tell.append(f"Windows' Python: {last}")
