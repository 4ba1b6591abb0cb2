"""What is compiled here, for Windows, by Debian's mingw: the two programs, python3.dll and opus.dll.

What lives here: ``Compiler``. May import the standard library, ``pe`` and ``tools``. The same bytes come of it each
time: linkers are told to write no time and to take no base address from a path, and strip keeps dates (-p).
"""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from winpack.locks import HERE
from winpack.pe import exports
from winpack.tools import BuildFailed, run, say, sha256

PREFIX: Final = "x86_64-w64-mingw32"

SAME_BYTES: Final = "-Wl,--no-insert-timestamp"

WARNINGS: Final = ("-Wall", "-Wextra", "-Werror")

OPUS_OPTIONS: Final = (
    f"--host={PREFIX}",
    *("--enable-shared", "--disable-static", "--disable-doc", "--disable-extra-programs"),
    *("--enable-deep-plc", "--enable-osce"),
    "CFLAGS=-O2 -D_FORTIFY_SOURCE=0",  # mingw has no __memcpy_chk without libssp
    f"LDFLAGS=-static-libgcc {SAME_BYTES}",
)
"""As Debian builds its own (deep PLC, OSCE, no DRED)."""

LOOSE_BASE: Final = "-Wl,--image-base=0x180000000"
"""Microsoft's usual one; ld else makes one from the name of its output, path and all."""

_DLL_MAIN: Final = """\
#include <windows.h>
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved)
{
    (void)instance, (void)reason, (void)reserved;
    return TRUE;
}
"""


class Compiler:
    """Compiles in ``scratch``; what takes long is kept in ``cache``."""

    def __init__(self, scratch: Path, cache: Path) -> None:
        self._scratch = scratch
        self._cache = cache

    def program(
        self, target: Path, python_dll: str, version: str, description: str, defines: Sequence[str] = ()
    ) -> None:
        """A program that starts Python; ``defines`` choose what it runs (launcher.c)."""
        numbers = ",".join([*version.split("."), "0", "0", "0"][:4])
        texts = {"VERSION_TEXT": version, "PROGRAM": target.name, "DESCRIPTION": description}
        stated = [f"#define VERSION_NUMBERS {numbers}", *(f'#define {name} "{text}"' for name, text in texts.items())]
        (self._scratch / "stated.h").write_text("\n".join(stated) + "\n")
        resource = self._scratch / f"{target.stem}.o"
        run([f"{PREFIX}-windres", "-I", self._scratch, "-I", HERE, HERE / "version.rc", resource])
        self._link(
            target,
            [*WARNINGS, "-O2", "-municode", "-D_WIN32_WINNT=0x0A00", f'-DPYTHON_DLL=L"{python_dll}"', *defines],
            [HERE / "launcher.c", resource],
            ["-lwinmm"],
        )

    def forwarder(self, target: Path, onto: Path) -> None:
        """A DLL that has all names of another and hands each on to it: python3.dll, which abi3 extensions ask for."""
        stem = onto.stem
        names = [f"{it.name} = {stem}.{it.name}" + ("" if it.code else " DATA") for it in exports(onto.read_bytes())]
        table, main = self._scratch / "forwarder.def", self._scratch / "dllmain.c"
        table.write_text("\n".join([f"LIBRARY {target.name}", "EXPORTS", *names]) + "\n")
        main.write_text(_DLL_MAIN)
        self._link(target, ["-shared", "-nostdlib", LOOSE_BASE, "-e", "DllMain"], [main, table], [])

    def library(self, target: Path, source: Path, options: Sequence[str | Path] = ()) -> None:
        """A DLL of one file of C."""
        self._link(target, [*WARNINGS, "-O2", "-shared", "-static-libgcc", LOOSE_BASE], [source], options)

    def opus(self, tarball: Path) -> Path:
        """Compile libopus out of its source; kept, since it takes a quarter of a minute."""
        compiler = run([f"{PREFIX}-gcc", "--version"]).splitlines()[0]
        made_of = "\n".join([sha256(tarball), compiler, *OPUS_OPTIONS])
        kept = self._cache / f"opus-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.dll"
        if not kept.exists():
            say("compiling libopus")
            with tarfile.open(tarball) as file:
                file.extractall(self._scratch / "opus", filter="data")
            (tree,) = (self._scratch / "opus").iterdir()
            run(["./configure", "-q", *OPUS_OPTIONS], folder=tree)
            run(["make", f"-j{os.cpu_count() or 1}"], folder=tree)
            made = next((tree / ".libs").glob("libopus-*.dll"), None)
            if made is None:
                raise BuildFailed("libopus was compiled, and left no DLL")
            stripped = self._scratch / "opus.dll"
            run([f"{PREFIX}-strip", "-p", "-o", stripped, made])
            self._cache.mkdir(parents=True, exist_ok=True)
            shutil.move(stripped, kept)
        return kept

    def _link(
        self, target: Path, options: Sequence[str], sources: Sequence[Path], libraries: Sequence[str | Path]
    ) -> None:
        run([f"{PREFIX}-gcc", "-s", SAME_BYTES, *options, "-o", target, *sources, *libraries])
