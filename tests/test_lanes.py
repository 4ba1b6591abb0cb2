"""The lanes of the tests: no folder is left out of all of them, CI runs each and lets no skipped test pass.

And who measures real time in the quick one is not among those who compute.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import ON_STAGE, REAL_TIME, real_time_group

ROOT: Final = Path(__file__).parents[1]
MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8")
CI: Final = ROOT / ".ci" / "run"
SETTINGS: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]

FOLDERS: Final = sorted({path.relative_to(ROOT / "tests").parts[0] for path in ROOT.glob("tests/*/**/test_*.py")})
QUICK: Final = "quick"


def rules() -> dict[str, tuple[list[str], str]]:
    """The Makefile's targets: what each needs, and its recipe."""
    found = re.findall(r"^([a-z-]+):([^#\n]*)(?:##.*)?\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)
    return {target: (needs.split(), recipe) for target, needs, recipe in found}


def lanes(folder: str) -> list[str]:
    """Where the tests of a folder run."""
    left_out = f"tests/{folder}" in SETTINGS["norecursedirs"]
    named = [target for target, (_, recipe) in rules().items() if re.search(rf"\btests/{folder}\b", recipe)]
    return named if left_out else [QUICK, *named]


def needed(target: str) -> set[str]:
    """A target, and all that make runs for it."""
    return {target}.union(*(needed(other) for other in rules().get(target, ([], ""))[0]))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_is_in_one_lane_which_ci_runs(folder: str) -> None:
    (lane,) = lanes(folder)
    (started,) = re.findall(r"^for lane in (.*); do$", CI.read_text(encoding="utf-8"), re.MULTILINE)
    assert lane in set().union(*(needed(target) for target in started.split()))


def test_make_test_is_quick_and_more() -> None:
    assert "test" in rules()
    assert QUICK in needed("test")
    assert "pytest" in rules()[QUICK][1]


def test_a_folder_of_another_lane_is_collected_where_it_is_named_and_only_there(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    other = next(name for name in SETTINGS["norecursedirs"] if name.startswith("tests/"))
    for place in ("tests/test_one.py", "tests/carriage/test_two.py", f"{other}/test_three.py"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("def test() -> None: ...\n")

    def collected(*words: str) -> set[str]:
        line = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        told = subprocess.run([*line, *words], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        return set(re.findall(r"(test_\w+)\.py", told))

    assert collected() == {"test_one", "test_two"}
    assert collected(other) == {"test_three"}


GREEN: Final = "== 7 passed in 1.23s =="


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"test": GREEN}, 0),
        ({"test": GREEN, "test-windows": "7 passed in 70.00s (0:01:10)", "newcomer": "you are in"}, 0),
        ({"test": f"== 7 passed, 1 skipped in 1.23s ==\n{GREEN}"}, 1),
        ({"test": f"{GREEN}\n1 skipped in 1.23s\nthe rest is fine"}, 1),
        ({"test": f"== 7 passed, 2 deselected, 1 xfailed in 264.30s (0:04:24) ==\n{GREEN}"}, 1),
        ({"test": GREEN, "test-windows": "== 7 passed, 1 skipped in 1.23s =="}, 1),
        ({"test": GREEN, "newcomer": None}, 2),
        ({"test": None, "newcomer": GREEN}, 2),
        ({"newcomer": GREEN}, 2),
    ],
)
def test_ci_runs_the_lanes_that_there_are_and_fails_if_one_fails_or_skips(
    tmp_path: Path, said: dict[str, str | None], code: int
) -> None:
    """With a Makefile whose targets only say something; None for one that fails."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(CI, tmp_path / ".ci")
    rows = []
    for lane, words in said.items():
        (tmp_path / f"{lane}.txt").write_text(f"{lane} ran\n{words}\n")
        rows.append(f"{lane}:\n\t@cat {lane}.txt\n" + ("\t@false\n" if words is None else ""))
    (tmp_path / "Makefile").write_text("".join(rows))
    ended = subprocess.run(tmp_path / ".ci" / "run", capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stdout
    assert ("was skipped" in ended.stderr) == (code == 1)
    assert code or all(f"{lane} ran" in ended.stdout for lane in said)


PROGRAMS: Final = {"testkit.children", "testkit.relay", "testkit.rig", "testkit.stage"}
"""What makes a test one in real time: clients, servers and sound systems that run beside it."""


def test_all_that_runs_in_real_time_is_in_a_group_that_others_give_way_to() -> None:
    found = set()
    for path in sorted(ROOT.glob("tests/**/test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if PROGRAMS & {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}:
            found.add(path.relative_to(ROOT / "tests").parts[0])
        for part in tree.body:
            if path.parent.name == "goals" and isinstance(part, ast.FunctionDef):
                used = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
                assert part.name.startswith("test_") or not used & (ON_STAGE - {"server"}), part.name
    assert {folder for folder in found if QUICK in lanes(folder)} == set(REAL_TIME), "a lane of its own has one worker"


def test_the_groups_are_no_more_than_the_workers_so_that_all_of_them_begin_at_once() -> None:
    (workers,) = re.findall(r"pytest -n (\d+) --dist loadgroup", rules()[QUICK][1])
    assert len(set().union(*REAL_TIME.values())) < int(workers), "and somebody computes meanwhile"


def test_tests_in_real_time_come_first_and_each_group_in_one_worker(request: pytest.FixtureRequest) -> None:
    groups = [real_time_group(item) for item in request.session.items]
    if "PYTEST_XDIST_WORKER" in os.environ:  # which deals out by what stands behind the @
        dealt = [item.nodeid.rpartition("]")[-1].partition("@")[2] or None for item in request.session.items]
        assert dealt == groups
    begins = [group for group, before in zip(groups, [object(), *groups], strict=False) if group != before]
    assert len(begins) == len(set(begins))
    assert None not in begins[:-1]
