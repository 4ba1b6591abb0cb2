"""The tests that run under Windows' Python import nothing that is not there; found here, before Wine is asked."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.windows.core import CORE, ELSEWHERE
from winpack import locks

ROOT: Final = Path(__file__).parents[2]
OURS: Final = {"voicechat", "tests", "testkit", "demo", "bench"}


def core() -> set[Path]:
    """The test files, and the helpers that they import."""
    places = [ROOT / name for name in CORE]
    waiting = [file for place in places for file in (place.rglob("test_*.py") if place.is_dir() else [place])]
    found: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file.relative_to(ROOT).as_posix() not in ELSEWHERE and file not in found:
            found.add(file)
            named = (ROOT / f"{name.replace('.', '/')}.py" for name in imported(file))
            waiting += [other for other in named if other.exists() and "voicechat" not in other.relative_to(ROOT).parts]
    return found


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports anywhere."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_they_import_what_is_pinned_for_windows_and_nothing_else() -> None:
    """Else pin it (`winpack.update.TESTS`), or name the test in `tests.windows.core.ELSEWHERE`, with the reason."""
    wheels = [wheel.name for lock in ("client.lock", "pure.lock", "tests.lock") for wheel in locks.wheels(lock)]
    there = sys.stdlib_module_names | OURS | {name.replace("-", "_") for name in wheels} | {"zope"}
    asked = {(file, name) for file in core() for name in imported(file) if name.partition(".")[0] not in there}
    assert sorted(f"{file.relative_to(ROOT)} imports {name}" for file, name in asked) == []
    assert all((ROOT / name).exists() for name in (*CORE, *ELSEWHERE))
