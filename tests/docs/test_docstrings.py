"""What docstrings name exists: a parameter that is gone is not told of any more."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

MODULES = [path for part in ("voicechat", "testkit", "bench", "demo") for path in sorted((ROOT / part).rglob("*.py"))]
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
_NAMED = re.compile(r"``([A-Za-z_][\w.]*)(?:\(\))?``")

OUTSIDE = {"VOICECHAT_NAME", "voicechat_", "path.1"}
"""No names of Python: of a variable of the environment, of metrics, of a file."""

MOST_LINES = 300


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Every name that a piece of code uses: of variables, attributes, parameters, functions, classes and modules."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name):
                yield from name.split(".")


EVERYWHERE = {name for tree in TREES.values() for name in identifiers(tree)}
EVERYWHERE |= {part for path in MODULES for part in path.with_suffix("").relative_to(ROOT).parts}


def unknown(node: ast.ClassDef) -> list[str]:
    """What a class' docstring names and the class does not have. A name with dots in it may be of another module."""
    known = set(identifiers(node)) - {node.name}
    found: list[str] = []
    for named in set(_NAMED.findall(ast.get_docstring(node) or "")) - OUTSIDE:
        of = EVERYWHERE if "." in named else known
        found += [named for part in named.split(".") if part not in of]
    return found


CLASSES = [
    pytest.param(node, id=f"{path.relative_to(ROOT)}: {node.name}")
    for path, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.ClassDef) and _NAMED.search(ast.get_docstring(node) or "")
]


@pytest.mark.parametrize("node", CLASSES)
def test_what_a_class_says_it_takes_exists(node: ast.ClassDef) -> None:
    assert unknown(node) == []


def test_a_name_that_is_gone_is_found_out() -> None:
    (node,) = ast.parse(
        '''class Gate:
    """``level`` is in dB, ``gone`` is nowhere, ``format.nothing_such`` neither; ``Gate`` is no parameter of its own."""

    def __init__(self, level: float) -> None:
        self.level = level
'''
    ).body
    assert isinstance(node, ast.ClassDef)
    assert sorted(unknown(node)) == ["Gate", "format.nothing_such", "gone"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_long_module_says_why(path: Path) -> None:
    """And one that has become short says so no longer."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    reason = "More than 300 lines, since" in (ast.get_docstring(TREES[path]) or "")
    assert reason == (lines > MOST_LINES), f"{lines} lines"


def test_the_cost_of_first_redundancy_is_told_alike() -> None:
    told = [
        re.findall(r"costs (\d+ KB) once", (ROOT / page).read_text(encoding="utf-8"))
        for page in ("docs/architecture.md", "voicechat/media/redundancy.py")
    ]
    assert told[0] == told[1] != []
