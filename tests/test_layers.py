"""What the whole package keeps to, and what no linter of ours can see.

Who may import whom is checked by ``lint-imports`` (contracts in ``pyproject.toml``). Here:
the sound format's numbers stand in one place, an entry point loads only what it needs, and
the client can be imported where there is no POSIX.
"""

import ast
import io
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "voicechat").rglob("*.py"))

FORMAT_NUMBERS = {48_000, 960, 480, 0.02}
"""Sample rate, samples of a frame and of a block, seconds of a tick: ``voicechat.format`` names them."""

POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
"""Modules of the standard library that Windows lacks."""


def names(module: Path) -> str:
    """A module's path from the root, to name its test."""
    return module.relative_to(ROOT).as_posix()


def numbers(source: str) -> Iterator[tuple[int, float]]:
    """Each number in a text, with its line; however it is written, and not in comments or strings."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NUMBER:
            value = ast.literal_eval(token.string)
            if not isinstance(value, complex):
                yield token.start[0], value


def imported_at_once(node: ast.AST) -> Iterator[str]:
    """The modules that importing this one imports: those outside every function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.module or ""
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imported_at_once(child)


def loaded_by(module: str) -> set[str]:
    """All modules that a fresh interpreter has loaded after importing one."""
    program = f"import sys, {module}; print(*sys.modules)"
    child = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(child.stdout.split())


def test_numbers_are_found_however_they_are_written() -> None:
    source = "a = 48_000 + 0xBB80  # 960\nb = [.02, 2e-2, 4.8E4]\nc = '480'\n"
    assert list(numbers(source)) == [(1, 48_000), (1, 48_000), (2, 0.02), (2, 0.02), (2, 48_000)]


def test_imports_are_found_outside_functions_alone() -> None:
    source = "import a.b\nif a:\n    from c import d\nclass E:\n    import f\n    def g(self):\n        import h\n"
    assert list(imported_at_once(ast.parse(source))) == ["a.b", "c", "f"]


@pytest.mark.parametrize("module", MODULES, ids=names)
def test_only_the_format_module_writes_the_formats_numbers(module: Path) -> None:
    """Another frame length or rate must be a change of one file."""
    found = [(line, value) for line, value in numbers(module.read_text()) if value in FORMAT_NUMBERS]
    assert not found or module == ROOT / "voicechat" / "format.py"


@pytest.mark.parametrize("module", MODULES, ids=names)
def test_no_module_needs_posix_to_be_imported(module: Path) -> None:
    """The client is to run on Windows: such modules are imported where they are used."""
    tops = {name.partition(".")[0] for name in imported_at_once(ast.parse(module.read_text()))}
    assert not tops & POSIX_ONLY


def test_the_server_imports_no_portaudio() -> None:
    """It runs on hosts that have none."""
    assert "pyaudio" not in loaded_by("voicechat.server.tap")


def test_the_clients_command_imports_nothing_heavy() -> None:
    """``--help`` answers at once, and the reactor's clock is set before the reactor is used."""
    assert not loaded_by("voicechat.client.cli") & {"numpy", "pyaudio", "twisted.internet.reactor"}


def test_voicechat_ctl_imports_next_to_nothing() -> None:
    """It is bound to a key: each of these would double what it takes, or more."""
    heavy = {
        "numpy",
        "twisted",
        "msgspec",
        "argparse",
        "typing",
        "pathlib",
        "logging",
        "voicechat.client.call.controls",
    }
    assert not loaded_by("voicechat.client.remote.ctl") & heavy


def test_no_two_public_classes_share_a_name() -> None:
    """One word means one thing, also to whoever reads a traceback or a search's results."""
    homes: dict[str, list[str]] = {}
    for module in MODULES:
        for node in ast.parse(module.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(names(module))
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


@pytest.mark.parametrize(("guard", "kept"), [("", False), ("if TYPE_CHECKING:\n    ", False), ("# ", True)])
def test_a_circle_is_found_also_among_imports_for_type_checkers_alone(tmp_path: Path, guard: str, kept: bool) -> None:
    """What ``lint-imports`` is relied on for: the contract of our own pyproject.toml, on a house of two rooms."""
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").touch()
    (house / "den.py").write_text("from house import hall\n")
    (house / "hall.py").write_text(f"from typing import TYPE_CHECKING\n{guard}from house import den\n")
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = (one for one in ours["contracts"] if one["type"] == "acyclic_siblings")
    assert {"voicechat", "testkit", "demo", "bench"} == set(contract["ancestors"]) == set(ours["root_packages"])
    assert not ours.get("exclude_type_checking_imports")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.importlinter]\nroot_packages = ["house"]\n'
        '[[tool.importlinter.contracts]]\nname = "circles"\ntype = "acyclic_siblings"\nancestors = ["house"]\n'
    )
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([lint, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode == 0) is kept, run.stdout
