"""The folder that a friend unpacks, and its zip.

What lives here: ``build``, the order of all steps. May import everything beside it.
"""

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from winpack import leaving, locks
from winpack.checking import programs, unresolved
from winpack.debian import Archive
from winpack.library import PACKAGES, Interpreter, write_zip
from winpack.licences import Licences
from winpack.locks import HERE
from winpack.native import Compiler
from winpack.tools import BuildFailed, run, say, sha256
from winpack.wheels import TARGET, Shelf, own_source, pure_wheel, unpack

ROOT: Final = HERE.parents[1]

CACHE: Final = ROOT / ".cache" / "windows"
"""What was fetched and what takes long to compile; git ignores it, and `make clean` leaves it."""

ZIP: Final = ROOT / "dist" / "voicechat-windows-x64.zip"

TOP: Final = "voicechat"
"""The folder in the zip."""

MOST_BYTES: Final = 34_000_000
"""Of the zip: what a friend waits for. One that is larger has something inside that nobody needs."""

CLIENT: Final = ('-DMODULE=L"voicechat.client.cli"', "-DGAME_TIMER")
CTL: Final = ('-DMODULE=L"voicechat.client.remote.ctl"',)


MINGW_COPYRIGHT: Final = Path("/usr/share/doc/mingw-w64-common/copyright")
"""Its start-up code is in what is compiled here."""


class Build:
    """One build: the folder, from what is pinned."""

    def __init__(self, cache: Path, scratch: Path, folder: Path) -> None:
        self.archive = Archive(cache / "debian")
        self._shelf = Shelf(cache / "wheels")
        self._scratch = scratch
        self._folder = folder
        self._lib = folder / "lib"
        self._packages = self._lib / "site-packages"
        self._compiler = Compiler(scratch, cache)
        self._licences = Licences(folder / "licences")

    def make(self) -> None:
        """All of it."""
        self._packages.mkdir(parents=True)
        version = self._own_and_other_packages()
        self._python()
        self._opus()
        self._library()
        self._programs(version)
        self._texts(version)
        missing = unresolved(self._folder)
        if missing:
            raise BuildFailed("\n".join(["Windows would not find these DLLs:", *missing]))

    def _own_and_other_packages(self) -> str:
        """site-packages; gives voicechat's version."""
        tools = self._scratch / "tools"
        for file in self._shelf.fetch(locks.wheels("build.lock")).values():
            unpack(file, tools)
        for wheel, file in self._shelf.fetch(locks.wheels("client.lock"), *TARGET).items():
            unpack(file, self._packages)
            self._licences.add_wheel(wheel, self._packages)
        for source, file in self._shelf.fetch(locks.wheels("pure.lock"), "--no-build-isolation").items():
            unpack(pure_wheel(file, tools, self._scratch / source.name), self._packages)
            self._licences.add_wheel(source, self._packages)
        own = self._scratch / "own"
        wheel_file = pure_wheel(own_source(ROOT, own), tools, own)
        unpack(wheel_file, self._packages)
        leaving.trim(self._packages)
        return wheel_file.name.split("-")[1]

    def _python(self) -> None:
        """Python's DLLs and its modules in C, each as pinned."""
        pinned = locks.dlls()
        (wheel,) = self._shelf.fetch(locks.wheels("python.lock"), *TARGET).values()
        wanted = [*leaving.DLLS, *(f"{name}.pyd" for name in leaving.EXTENSIONS)]
        with zipfile.ZipFile(wheel) as file:
            for name in wanted:
                target = self._lib / name
                target.write_bytes(file.read(f"deploy_libs/{name}"))
                if sha256(target) != pinned.get(name):
                    raise BuildFailed(f"{name} of {wheel.name} is not the file that dlls.lock pins")
        self._compiler.forwarder(self._lib / "python3.dll", self._lib / "python313.dll")
        (self._lib / "python313._pth").write_bytes(b"python313.zip\r\n.\r\nsite-packages\r\n")

    def _opus(self) -> None:
        (source,) = locks.sources()
        tarball = self.archive.source(source)
        shutil.copyfile(self._compiler.opus(tarball), self._lib / "opus.dll")
        texts = self._scratch / "opus-texts"
        names = ("COPYING", "AUTHORS")
        top = source.file.partition(".orig")[0].replace("_", "-")
        run(
            [
                "tar",
                "-xf",
                tarball,
                "-C",
                self._made(texts),
                "--strip-components=1",
                *(f"{top}/{name}" for name in names),
            ]
        )
        self._licences.add("opus", top.partition("-")[2], {name: texts / name for name in names})

    def _library(self) -> None:
        packages = self.archive.packages(locks.packages())
        interpreter = Interpreter.unpacked(packages.values(), self._scratch / "python")
        interpreter.library_zip(self._lib / "python313.zip", self._scratch / "library")
        interpreter.compile_packages(self._packages)
        (library,) = (package for package in packages if package.name == PACKAGES[0])
        text = {"python.txt": interpreter.copyright("libpython3.13-minimal")}
        self._licences.add("python", f"3.13, library {library.version}", text)

    def _programs(self, version: str) -> None:
        python = "python313.dll"
        client, ctl = self._folder / "voicechat-client.exe", self._folder / "voicechat-ctl.exe"
        self._compiler.program(client, python, version, "voicechat: talk with your friends", CLIENT)
        self._compiler.program(ctl, python, version, "voicechat: change a running client", CTL)
        self._licences.add("mingw-w64", "", {"copyright": MINGW_COPYRIGHT})

    def _texts(self, version: str) -> None:
        self._licences.add("voicechat", version, {"LICENSE": ROOT / "LICENSE"})
        (self._folder / "licences" / "versions.txt").write_bytes(self._licences.versions().encode())
        readme = (HERE / "README.txt").read_text("utf-8").replace("VERSION", version)
        (self._folder / "README.txt").write_bytes(readme.replace("\n", "\r\n").encode())

    @staticmethod
    def _made(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def build(target: Path = ZIP, cache: Path = CACHE) -> None:
    """Make the zip, and say what it is and what is not as it was pinned."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="voicechat-windows-") as scratch:
        folder = Path(scratch) / TOP
        made = Build(cache, Path(scratch), folder)
        made.make()
        files = {f"{TOP}/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*") if file.is_file()}
        size = sum(file.stat().st_size for file in files.values())
        dlls = sum(1 for _ in programs(folder))
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_suffix(".part")
        write_zip(half, files)
        if half.stat().st_size > MOST_BYTES:
            raise BuildFailed(f"the zip has {half.stat().st_size} bytes, more than {MOST_BYTES} (left as {half})")
        half.replace(target)
    for note in made.archive.notes:
        say(f"NOTE: {note}")
    if made.archive.notes:
        say("NOTE: to pin what the mirror has now: .venv/bin/python packaging/windows/build.py pin")
    sizes = f"{target.stat().st_size / 1e6:.1f} MB, {size / 1e6:.1f} MB unpacked"
    say(f"{target}: {sizes}, {len(files)} files, {dlls} programs and DLLs")
    say(f"sha256 {sha256(target)}")
