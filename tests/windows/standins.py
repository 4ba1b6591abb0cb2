"""Copies of the Windows folder that Wine 8 can run.

What lives here: ``prepare``, and ``prepare_for_tests``. The product is never touched. Into a copy goes what Debian 12's
Wine lacks and every Windows 10 has:

    bcryptprimitives.dll    random.c; cryptography asks for it
    complex functions       complex.c; numpy calls them, and Wine's ucrtbase has none. The name of the DLL that its
                            extensions ask for is replaced by one as long, of ours, which hands all else on

and nothing else: a module that the product lacks is lacking there, too. The copy that runs our tests has besides:
python.exe (the launcher without a module of its own), pytest and what else tests.lock pins, what `leaving` leaves
out, and the place of this checkout, where tests, testkit and demo are found.
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
"""Ours, of as many letters."""

REST: Final = "ucrtbase"
"""Whose all other functions are."""

LIBRARY: Final = ("_pyrepl", "pydoc_data", "curses", "wsgiref", "xmlrpc")
"""Of Python's library, what imports of pytest, scipy and Twisted's trial touch, and the product does without."""

COMPLEX: Final = (
    *("cacos", "cacosh", "casin", "casinh", "catan", "catanh", "ccos", "ccosh", "csin", "csinh", "ctan", "ctanh"),
    *("cexp", "clog", "cpow", "csqrt", "conj", "cproj", "cabs", "carg", "creal", "cimag"),
)
"""The functions of complex.c, each for three types."""


def prepare(product: Path, scratch: Path) -> Path:
    """Unpack the zip ``product`` into ``scratch`` and make it fit for Wine; gives its folder."""
    folder = _unpacked(product, scratch)
    _add_standins(folder, Compiler(scratch, CACHE), scratch)
    return folder


def prepare_for_tests(product: Path, scratch: Path) -> Path:
    """As `prepare`, and fit to run our tests."""
    folder = _unpacked(product, scratch)
    compiler = Compiler(scratch, CACHE)
    whole = scratch / "whole"
    wheels = [*locks.wheels("client.lock"), *locks.wheels("tests.lock")]
    for wheel in Shelf(CACHE / "wheels").fetch(wheels, *TARGET).values():
        unpack(wheel, whole)
    shutil.copytree(ROOT / "voicechat", whole / "voicechat", ignore=shutil.ignore_patterns("__pycache__"))
    _add_what_is_left_out(whole, folder / "lib" / "site-packages")
    packages = Archive(CACHE / "debian").packages(locks.packages())
    interpreter = Interpreter.unpacked(packages.values(), scratch / "python")
    for name in LIBRARY:
        shutil.copytree(interpreter.library / name, folder / "lib" / name)
    compiler.program(folder / "python.exe", "python313.dll", "0", "Python, for tests")
    search = folder / "lib" / "python313._pth"
    search.write_bytes(search.read_bytes() + f"Z:{ROOT}\r\n".replace("/", "\\").encode())
    _add_standins(folder, compiler, scratch)
    return folder


def _unpacked(product: Path, scratch: Path) -> Path:
    with zipfile.ZipFile(product) as file:
        file.extractall(scratch)
    return scratch / TOP


def _add_what_is_left_out(whole: Path, packages: Path) -> None:
    """Whatever is in ``whole`` and not in ``packages``, neither as it is nor compiled."""
    for path in sorted(whole.rglob("*")):
        target = packages / path.relative_to(whole)
        if path.is_file() and not target.exists() and not target.with_suffix(".pyc").exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _add_standins(folder: Path, compiler: Compiler, scratch: Path) -> None:
    """The two DLLs; and extensions that call a complex function ask ours for it."""
    (rust,) = folder.rglob("_rust.pyd")
    compiler.library(rust.with_name("bcryptprimitives.dll"), HERE / "random.c", ["-ladvapi32"])
    ours = {f"{name}{type_}" for name in COMPLEX for type_ in ("", "f", "l")}
    asking = {path: imports(path.read_bytes()).get(MATHS, frozenset()) for path in folder.rglob("*.pyd")}
    asking = {path: names for path, names in asking.items() if names & ours}
    wanted = sorted(frozenset().union(*asking.values()))
    table = scratch / "complex.def"
    lines = [f"{name} = " + (f"wine_{name}" if name in ours else f"{REST}.{name}") for name in wanted]
    table.write_text("\n".join([f"LIBRARY {OURS}", "EXPORTS", *lines]) + "\n")
    compiler.library(folder / "lib" / OURS, HERE / "complex.c", [table])
    assert len(OURS) == len(MATHS)
    for path in asking:
        path.write_bytes(path.read_bytes().replace(MATHS.encode(), OURS.encode()))
