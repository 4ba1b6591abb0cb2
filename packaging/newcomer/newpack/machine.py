"""Bare Debian 12 machines: a folder each, in which programs see nothing of this machine but its network.

What lives here: ``Debian``, ``Machine`` and ``Session``. May import the standard library, ``relpack`` and ``winpack``.
Only root can make one (chroot). The base is made once by debootstrap, from the mirror that this machine uses, and kept
in .cache; each machine is a copy. What the machines get of ours: apt's settings for fetching, pip's settings with the
files that they name, and the repository, in whose address's place git is told to take it.
"""

import ast
import os
import pty
import select
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from relpack.everything import address
from winpack.debian import mirror
from winpack.tools import BuildFailed, run, say

RELEASE: Final = "bookworm"

HAS: Final = "git,make,python3,ca-certificates"
"""What a newcomer has, besides what every Debian has; git brings certificates along, as far as apt is concerned."""

HOME: Final = "/home/newcomer"
"""The home folder of whoever types, in the bare Debian."""

PATH: Final = f"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{HOME}/.local/bin"

REPOSITORY: Final = "/mnt/repository"
"""Where a machine has the commit that is tried."""

# A person who has root by sudo, and answers apt's question with yes. The namespace takes all of it away at its end.
_INSIDE: Final = """\
set -e
root=$1; shift
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do mount --bind "$1" "$root$2"; shift 2; done
shift
exec chroot "$root" "$@"
"""


class Debian:
    """Makes machines; all of them are gone at its end."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._base = root / ".cache" / "newcomer" / f"{RELEASE}.tar"
        self._scratch = Path()
        self._shared: dict[str, str] = {}

    def __enter__(self) -> Self:
        if os.geteuid():
            raise BuildFailed("only root can make a machine in a folder (chroot): run it as root")
        self._scratch = Path(tempfile.mkdtemp(prefix="voicechat-newcomer-"))
        try:
            if not self._base.exists():
                self._bootstrap()
            repository = self._scratch / "repository"
            run(["git", "clone", "-q", "--bare", self._root, repository])
            self._shared[str(repository)] = REPOSITORY
        except BaseException:
            shutil.rmtree(self._scratch)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)

    def machine(self, name: str) -> "Machine":
        """A new one, on which nobody has typed anything yet."""
        folder = self._scratch / name
        folder.mkdir()
        run(["tar", "-xpf", self._base, "--numeric-owner", "-C", folder])
        self._apt(folder / "etc/apt")
        shared = dict(self._shared)
        (folder / "etc/pip.conf").write_text(self._pip(shared), "utf-8")
        (folder / "etc/gitconfig").write_text(
            f'[url "{REPOSITORY}"]\n\tinsteadOf = {address(self._root)}\n[safe]\n\tdirectory = *\n', "utf-8"
        )
        if Path("/etc/resolv.conf").exists():
            shutil.copyfile("/etc/resolv.conf", folder / "etc/resolv.conf")
        for ours, theirs in shared.items():
            place = folder / theirs.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.mkdir(exist_ok=True) if Path(ours).is_dir() else place.touch()
        return Machine(folder, shared)

    def _bootstrap(self) -> None:
        say("making a bare Debian 12 (debootstrap; once)")
        folder = self._scratch / "base"
        run(["debootstrap", "--variant=minbase", f"--include={HAS}", RELEASE, folder, mirror()])
        self._base.parent.mkdir(parents=True, exist_ok=True)
        half = self._base.with_suffix(".part")
        run(["tar", "-cf", half, "--numeric-owner", "-C", folder, "."])
        half.replace(self._base)
        shutil.rmtree(folder)

    @staticmethod
    def _apt(folder: Path) -> None:
        """This machine's mirrors of the release, and how it fetches."""
        form = "$(RELEASE) deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
        rows = set(run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines())
        ours = sorted(row.partition(" ")[2] for row in rows if row.split()[0].partition("-")[0] == RELEASE)
        (folder / "sources.list").write_text("\n".join(ours) + "\n", "utf-8")
        settings = run(["apt-config", "dump", "Acquire"]) + 'APT::Get::Assume-Yes "true";\n'
        (folder / "apt.conf.d/00newcomer").write_text(settings, "utf-8")

    @staticmethod
    def _pip(shared: dict[str, str]) -> str:
        """This machine's settings of pip as a file; what they name is added to ``shared``."""
        settings: dict[str, str] = {}
        listed = run(["python3", "-m", "pip", "config", "list"]).splitlines()
        for line in sorted(listed, key=lambda line: line.startswith(":env:")):  # the environment wins
            name, _, value = line.partition("=")
            if name.startswith((":env:.", "global.")):
                settings[name.partition(".")[2]] = str(ast.literal_eval(value))
        for word in " ".join(settings.values()).split():
            path = Path(word.removeprefix("file://"))
            if word.startswith("file://"):
                path = path.parent  # the pages of an index name files beside it
            if path.is_absolute() and path.exists():
                shared[str(path)] = str(path)
        return "\n".join(["[global]", *(f"{name} = {' '.join(v.split())}" for name, v in settings.items())]) + "\n"


class Machine:
    """A folder with a Debian in it, and the files of ours that it sees."""

    def __init__(self, folder: Path, shared: Mapping[str, str]) -> None:
        self.folder = folder
        self._shared = shared

    @property
    def home(self) -> Path:
        """HOME, from outside; made if it is not there."""
        home = self.folder / HOME.lstrip("/")
        home.mkdir(parents=True, exist_ok=True)
        return home

    def typed(self, lines: list[str], variables: Mapping[str, str]) -> "Session":
        """A terminal in which the lines are typed, one after the other, while each goes well."""
        script = self.home / f"typed-{time.monotonic_ns()}"
        told = [f"echo '$' {shlex.quote(line)}\n{line}" for line in lines]
        script.write_text("\n".join(["set -e", 'sudo() { "$@"; }', "cd", *told]) + "\n", "utf-8")
        binds = [word for pair in self._shared.items() for word in pair]
        environment = {"HOME": HOME, "USER": "root", "PATH": PATH, "LANG": "C.UTF-8", "TERM": "xterm"} | dict(variables)
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL"]
        words += ["bash", "-c", _INSIDE, "newcomer", str(self.folder), *binds, "--"]
        words += ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        words += ["bash", f"{HOME}/{script.name}"]
        return Session(words)


class Session:
    """A terminal: what was written to it, and what is typed there. Killed, with all that it started, at its end."""

    def __init__(self, words: list[str]) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.written = ""

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{text}\n".encode())

    def read(self, seconds: float) -> bool:
        """Take what is written within some seconds; False if everything has ended."""
        if select.select([self._ours], [], [], seconds)[0]:
            try:
                data = os.read(self._ours, 65_536)
            except OSError:  # Linux tells so that nobody has the other side open any more
                data = b""
            self.written += data.decode(errors="replace").replace("\r", "")
            return bool(data)
        return True

    def until(self, reached: Callable[[str], bool], deadline: float, what: str) -> None:
        """Read until ``reached`` is true of all that was written; BuildFailed at the deadline or the end."""
        while not reached(self.written):
            if not self.read(0.2) or time.monotonic() > deadline:
                raise BuildFailed(f"not reached: {what}. The terminal's last lines:\n" + self.tail())

    def tail(self) -> str:
        """Its last lines."""
        return "\n".join(line for line in self.written.splitlines()[-15:])

    def close(self) -> None:
        """End all of it."""
        self._process.kill()
        self._process.wait()
        os.close(self._ours)
