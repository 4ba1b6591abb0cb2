"""PyAudio for Debian 12's Python, with PortAudio linked in.

What lives here: ``wheel``. May import the standard library, ``own`` and ``winpack``. The index has PyAudio for Linux
as a source only, so a friend would need a compiler, Python's headers and PortAudio's. Of this wheel libasound2 is all
that Debian must have, and it has it wherever there is sound. Only ALSA is linked in: by its plugins it reaches
PulseAudio and PipeWire, and Debian's own PortAudio would bring JACK and Berkeley DB along.
"""

import os
import shutil
import tarfile
from pathlib import Path
from typing import Final

from relpack.own import built
from winpack import locks
from winpack.debian import Archive
from winpack.tools import BuildFailed, run, say
from winpack.wheels import Shelf

HERE: Final = Path(__file__).parents[1]

RELEASE: Final = "bookworm"

PYTHON: Final = "/usr/bin/python3"
"""Debian's own, since the wheel is for it; that of the .venv may be any."""

TAG: Final = "cp311-cp311-linux_x86_64"

OPTIONS: Final = (
    *("-q", "--with-alsa", "--without-jack", "--without-oss", "--without-asihpi"),
    *("--enable-static", "--disable-shared", "--with-pic", "--enable-cxx=no"),
)


def wheel(tools: Path, cache: Path, scratch: Path, variables: dict[str, str]) -> Path:
    """The wheel; BuildFailed if this machine is not what it is for."""
    archive = Archive(cache / "debian", release=RELEASE)
    original, mended = (archive.source(source) for source in locks.sources(str(HERE / "portaudio.lock")))
    (sdist,) = (
        Shelf(cache / "wheels")
        .fetch(locks.wheels(str(HERE / "pyaudio.lock")), *("--no-build-isolation", "--no-binary", ":all:"))
        .values()
    )
    say("compiling PortAudio and PyAudio")
    portaudio = _portaudio(original, mended, scratch / "portaudio")
    source = _unpacked(sdist, scratch / "pyaudio")
    shutil.copyfile(portaudio / "LICENSE.txt", source / "LICENSE-PortAudio.txt")  # setuptools takes LICENSE* along
    libraries = "-Wl,--no-as-needed -lasound -lm -Wl,--as-needed"  # who links a static library names what it needs
    flags = {
        "CFLAGS": f"-g0 -O2 -I{portaudio / 'include'}",
        "LDFLAGS": f"-L{portaudio / 'lib' / '.libs'} {libraries} -Wl,--build-id=none -Wl,-s",
    }
    made = built("wheel", source, tools, variables | flags, PYTHON)
    if TAG not in made.name:
        raise BuildFailed(f"{made.name} is not for {TAG}: it is built on Debian 12 (amd64), by its own python3")
    return made


def _portaudio(original: Path, mended: Path, folder: Path) -> Path:
    """PortAudio's source, patched as Debian does it, and compiled."""
    tree = _unpacked(original, folder)
    debian = _unpacked(mended, folder / "debian")
    for name in (debian / "patches" / "series").read_text("utf-8").split():
        # By git, since everybody here has it; a folder of its own, or the repository around it would be patched.
        patch = debian / "patches" / name
        run(["git", "apply", "--unsafe-paths", "-p1", patch], folder=tree, variables={"GIT_DIR": str(folder / "none")})
    run(["./configure", *OPTIONS, f"CFLAGS=-O2 -g0 -ffile-prefix-map={tree}=."], folder=tree)
    run(["make", f"-j{os.cpu_count() or 1}", "lib/libportaudio.la"], folder=tree)
    return tree


def _unpacked(tarball: Path, folder: Path) -> Path:
    """The one folder of a tarball."""
    with tarfile.open(tarball) as file:
        file.extractall(folder, filter="data")
    (tree,) = (each for each in folder.iterdir() if each.is_dir())
    return tree
