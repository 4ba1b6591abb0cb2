"""What is left out of the folder, and why: it is a third of what would be unpacked.

What lives here: the tables, and ``trim``, which carries one out. May import the standard library and ``tools``.
"""

import shutil
from pathlib import Path
from typing import Final

from winpack.tools import BuildFailed

EXTENSIONS: Final = (
    "_asyncio",
    "_bz2",
    "_ctypes",
    "_decimal",
    "_elementtree",
    "_lzma",
    "_multiprocessing",
    "_overlapped",
    "_queue",
    "_socket",
    "_uuid",
    "_zoneinfo",
    "pyexpat",
    "select",
    "unicodedata",
)
"""Python's modules in C that come along.

Not so: _ssl and _hashlib with their two libraries (5 MB; Twisted and hashlib do without, and the
call's cryptography is in the package of that name), _sqlite3, _tkinter, _msi, winsound; and _wmi, without which
platform.uname asks the registry in place of a service that may take seconds.
"""

DLLS: Final = ("python313.dll", "VCRUNTIME140.dll", "VCRUNTIME140_1.dll", "libffi-8.dll", "zlib1.dll")
"""What those need; opus.dll and python3.dll are made here."""

LIBRARY: Final = frozenset(
    (
        *("__pycache__", "site-packages", "dist-packages", "lib-dynload"),
        *("test", "idlelib", "tkinter", "turtledemo", "lib2to3", "distutils", "ensurepip", "venv", "msilib"),
        *("sqlite3", "dbm", "curses", "wsgiref", "xmlrpc", "_pyrepl", "pydoc_data"),
        "sitecustomize.py",  # Debian's, a link into /etc
        "_distutils_system_mod.py",
    )
)
"""Of Python's library: tests, tools for who writes programs, and what needs a DLL that is not here."""

PACKAGES: Final = (
    "pycparser",  # only cffi's reading of C needs it, which is over when a wheel is made
    "twisted/conch",
    "twisted/cred",
    "twisted/mail",
    "twisted/names",
    "twisted/pair",
    "twisted/plugins",
    "twisted/runner",
    "twisted/spread",
    "twisted/trial",
    "twisted/web",
    "twisted/words",
    "numpy/_core/include",
    "numpy/_core/lib",
    "numpy/_pyinstaller",
    "numpy/f2py",
    "numpy/random/_examples",
    "numpy/random/lib",
    "numpy/testing",
    "voicechat/server",
    "voicechat/testing.py",
    "voicechat/web",
)
"""Of the packages: what no client imports."""

TESTS: Final = frozenset(("test", "tests", "_test"))
"""Folders anywhere in a package."""

SUFFIXES: Final = frozenset((".a", ".c", ".h", ".lib", ".pxd", ".pyi", ".pyx", ".rst"))
"""Files for who compiles or types against a package."""

RECORD: Final = "RECORD"
"""An installer's list of a package's files, of which many are gone then."""


def trim(packages: Path) -> None:
    """Take all that out of a site-packages folder; BuildFailed if a name of `PACKAGES` is of nothing."""
    gone = [name for name in PACKAGES if not (packages / name).exists()]
    if gone:
        raise BuildFailed(f"leaving.PACKAGES names what is in no package: {', '.join(gone)}")
    for name in PACKAGES:
        place = packages / name
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()
    for place in sorted(packages.rglob("*")):
        if place.is_dir() and place.name in TESTS:
            shutil.rmtree(place)
        elif place.is_file() and (place.suffix in SUFFIXES or place.name == RECORD):
            place.unlink()


def library_keeps(module: Path) -> bool:
    """Whether a module, named from its library's root, comes along."""
    top = module.parts[0]
    return not (top in LIBRARY or top.startswith(("config-", "_sysconfigdata")) or TESTS & set(module.parts[:-1]))
