"""Python's library and the client's packages, compiled by Python 3.13 itself.

What lives here: ``Interpreter``, a Debian package's Python that runs here by its own loader and C library, and what
it compiles. May import the standard library, ``leaving`` and ``tools``.
"""

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from winpack.leaving import library_keeps
from winpack.tools import BuildFailed, run

PACKAGES: Final = (
    *("libpython3.13-stdlib", "libpython3.13-minimal", "python3.13-minimal"),
    *("libc6", "libexpat1", "zlib1g"),
)
"""Debian's packages: the library, and what its interpreter needs to run here."""

SOURCE_KEPT: Final = ("urwid",)
"""Packages whose source lies beside what is compiled of it, and counts when it is changed: LGPL, section 6."""

_TAG: Final = "cpython-313"

_LIBRARIES: Final = "usr/lib/x86_64-linux-gnu"


class Interpreter:
    """Python 3.13 of unpacked Debian packages."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.library = root / "usr/lib/python3.13"

    @classmethod
    def unpacked(cls, packages: Iterable[Path], root: Path) -> "Interpreter":
        """Unpack it; nothing is installed."""
        for package in packages:
            run(["dpkg-deb", "--extract", package, root])
        return cls(root)

    def copyright(self, package: str) -> Path:
        """What Debian says of a package's licences."""
        return self._root / "usr/share/doc" / package / "copyright"

    def compile(self, jobs: Iterable[tuple[Path, Path, str]]) -> None:
        """Compile (source, target, name) each, as `compiling` says."""
        libraries = self._root / _LIBRARIES
        loader = libraries / "ld-linux-x86-64.so.2"
        told = "".join(f"{source}\t{target}\t{name}\n" for source, target, name in jobs)
        run(
            [loader, "--library-path", libraries, self._root / "usr/bin/python3.13", "-S", "-B", _COMPILING],
            variables={"PYTHONHOME": str(self._root / "usr")},
            told=told,
        )

    def library_zip(self, target: Path, scratch: Path) -> int:
        """Python's library as one zip of .pyc; the number of its modules."""
        modules = sorted(
            module
            for module in (path.relative_to(self.library) for path in self.library.rglob("*.py") if path.is_file())
            if library_keeps(module)
        )
        if not modules:
            raise BuildFailed(f"there is no Python library in {self.library}")
        made = {module: scratch / module.with_suffix(".pyc") for module in modules}
        self.compile((self.library / module, made[module], f"<stdlib>/{module}") for module in modules)
        write_zip(target, {module.with_suffix(".pyc").as_posix(): path for module, path in made.items()})
        return len(modules)

    def compile_packages(self, packages: Path) -> None:
        """Every module of a site-packages folder becomes a .pyc in its place, but for `SOURCE_KEPT`."""
        modules = sorted(packages.rglob("*.py"))
        jobs, replaced = [], []
        for module in modules:
            name = module.relative_to(packages)
            if name.parts[0] in SOURCE_KEPT:
                jobs.append(
                    (module, module.parent / "__pycache__" / f"{module.stem}.{_TAG}.pyc", f"{name.as_posix()}*")
                )
            else:
                jobs.append((module, module.with_suffix(".pyc"), name.as_posix()))
                replaced.append(module)
        self.compile(jobs)
        for module in replaced:
            module.unlink()


_COMPILING: Final = Path(__file__).with_name("compiling.py")


def write_zip(target: Path, files: dict[str, Path]) -> None:
    """A zip whose bytes depend on names and contents alone: sorted, one date, one mode, one system."""
    with zipfile.ZipFile(target, "w") as file:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.create_system = 0
            entry.external_attr = 0x20  # MS-DOS: archive
            file.writestr(entry, files[name].read_bytes(), zipfile.ZIP_DEFLATED, 9)
