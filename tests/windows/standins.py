"""A copy of the Windows folder that Wine 8 can run, and that can run our tests.

What lives here: ``prepare``. The product is never touched. Into the copy goes what Debian 12's Wine lacks and every
Windows 10 has:

    bcryptprimitives.dll    random.c; cryptography asks for it
    complex functions       complex.c; numpy calls them, and Wine's ucrtbase has none. The name of the DLL that its
                            extensions ask for is replaced by one as long, of ours, which hands all else on

and what tests need: python.exe (the launcher without a module of its own), pytest and what else tests.lock pins,
what `leaving` leaves out of packages and of Python's library that a test imports, and the place of this checkout,
where tests, testkit and demo are found.
"""

import shutil
import zipfile
from pathlib import Path
from typing import Final

from winpack import locks
from winpack.debian import Archive
from winpack.folder import CACHE, ROOT, TOP
from winpack.library import Interpreter
from winpack.native import Compiler
from winpack.pe import imports
from winpack.wheels import TARGET, Shelf, unpack

HERE: Final = Path(__file__).parent

MATHS: Final = "api-ms-win-crt-math-l1-1-0.dll"
"""What numpy's extensions ask for complex functions."""

OURS: Final = "voicechat-wine-crt-maths-1.dll"
"""Ours, as many letters."""

_UCRT: Final = "ucrtbase"

LIBRARY: Final = ("_pyrepl", "pydoc_data", "curses", "wsgiref", "xmlrpc")
"""Of Python's library, what pytest's, scipy's and hypothesis' imports touch and the product does without."""


def prepare(product: Path, scratch: Path) -> Path:
    """Unpack the zip ``product`` into ``scratch`` and make it fit; gives its folder."""
    with zipfile.ZipFile(product) as file:
        file.extractall(scratch)
    folder = scratch / TOP
    work = scratch / "standins"
    work.mkdir()
    compiler = Compiler(work, CACHE)
    _add_what_tests_need(folder, work, compiler)
    packages = folder / "lib" / "site-packages"
    (rust,) = packages.glob("cryptography/hazmat/bindings/_rust.pyd")
    compiler.library(rust.with_name("bcryptprimitives.dll"), HERE / "random.c", ["-ladvapi32"])
    _add_complex_functions(packages, folder / "lib" / OURS, work, compiler)
    return folder


def _add_complex_functions(packages: Path, dll: Path, work: Path, compiler: Compiler) -> None:
    """Make the DLL, and have the extensions ask for it."""
    ours = set(locals_of(HERE / "complex.c"))
    asking = {path: imports(path.read_bytes()).get(MATHS, frozenset()) for path in packages.rglob("*.pyd")}
    asking = {path: names for path, names in asking.items() if names & ours}
    wanted = frozenset().union(*asking.values())
    table = work / "complex.def"
    lines = [f"{name} = " + (f"wine_{name}" if name in ours else f"{_UCRT}.{name}") for name in sorted(wanted)]
    table.write_text("\n".join([f"LIBRARY {OURS}", "EXPORTS", *lines]) + "\n")
    compiler.library(dll, HERE / "complex.c", [table])
    assert len(OURS) == len(MATHS)
    for path in asking:
        path.write_bytes(path.read_bytes().replace(MATHS.encode(), OURS.encode()))


def locals_of(source: Path) -> list[str]:
    """The functions that complex.c makes, without their prefix."""
    import re

    text = source.read_text()
    found = [name for name in re.findall(r"wine_(\w+)\(", text) if not name.startswith("#")]
    for macro in ("COMPLEX", "REAL"):
        for name in re.findall(rf"(?<!define ){macro}\((\w+)\)", text):
            found += [name, f"{name}f", f"{name}l"]
    return [name for name in found if name.isidentifier()]


def _add_what_tests_need(folder: Path, work: Path, compiler: Compiler) -> None:
    packages = folder / "lib" / "site-packages"
    shelf = Shelf(CACHE / "wheels")
    whole = work / "whole"
    for file in shelf.fetch(
        [wheel for wheel in locks.wheels("client.lock") if wheel.name == "numpy"], *TARGET
    ).values():
        unpack(file, whole)
    for file in shelf.fetch(locks.wheels("tests.lock"), *TARGET).values():
        unpack(file, whole)
    shutil.copytree(ROOT / "voicechat", whole / "voicechat", ignore=shutil.ignore_patterns("__pycache__"))
    for path in sorted(whole.rglob("*")):
        target = packages / path.relative_to(whole)
        if path.is_file() and not target.exists() and not target.with_suffix(".pyc").exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    interpreter = Interpreter.unpacked(Archive(CACHE / "debian").packages(locks.packages()).values(), work / "python")
    for name in LIBRARY:
        shutil.copytree(interpreter.library / name, folder / "lib" / name)
    compiler.program(folder / "python.exe", "python313.dll", "0", "Python, for tests")
    search = folder / "lib" / "python313._pth"
    search.write_bytes(search.read_bytes() + f"Z:{ROOT}\r\n".replace("/", "\\").encode())
