"""No DLL is asked for that is neither in the folder nor part of Windows.

What lives here: ``unresolved``. May import the standard library and ``pe``. Neither a Windows nor a Wine is asked:
Wine has DLLs of its own (vcruntime140_1 is one) that hide that one is missing.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from winpack.pe import imports

WINDOWS: Final = frozenset(
    (
        *(
            "advapi32.dll",
            "bcrypt.dll",
            "bcryptprimitives.dll",
            "crypt32.dll",
            "iphlpapi.dll",
            "kernel32.dll",
            "msvcrt.dll",
        ),
        *("ntdll.dll", "ole32.dll", "oleaut32.dll", "rpcrt4.dll", "setupapi.dll", "user32.dll", "version.dll"),
        *("winmm.dll", "ws2_32.dll"),
    )
)
"""What every Windows 10 has in System32; only what is asked for stands here."""

API_SETS: Final = ("api-ms-win-core-path-l1-1-0.dll", "api-ms-win-core-synch-l1-2-0.dll")
"""Names that Windows 10 has for parts of those; the C runtime's (api-ms-win-crt-*) besides."""

_SUFFIXES: Final = frozenset((".dll", ".exe", ".pyd"))


def programs(folder: Path) -> Iterator[Path]:
    """Every program, DLL and extension below a folder."""
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES and path.is_file())


def unresolved(folder: Path) -> list[str]:
    """A line for each DLL that Windows would not find.

    It looks among its own, beside the asking file, and in lib, which the launcher makes a folder of the search
    (AddDllDirectory). And in a package's NAME.libs, for which its __init__ does the same (os.add_dll_directory, as
    delvewheel writes it).
    """
    lib = folder / "lib"
    packages = lib / "site-packages"
    missing = []
    for path in programs(folder):
        places = [path.parent, lib]
        if packages in path.parents:
            places.append(packages / f"{path.relative_to(packages).parts[0]}.libs")
        here = {file.name.lower() for place in places if place.is_dir() for file in place.iterdir()}
        for dll in imports(path.read_bytes()):
            name = dll.lower()
            if name not in here and not of_windows(name):
                missing.append(f"{path.relative_to(folder)} asks for {dll}")
    return missing


def of_windows(name: str) -> bool:
    """Whether Windows 10 has a DLL of that name (in small letters)."""
    return name in WINDOWS or name in API_SETS or name.startswith("api-ms-win-crt-")
