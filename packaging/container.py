"""Takes the steps of docs/Containerfile where no container engine is: in a bare Debian, made by debootstrap.

    sudo .venv/bin/python packaging/container.py [FOLDER]

Each stage is a folder below FOLDER (a temporary one), which programs take for the root of the file system. Its steps
are taken one by one; then the server is started as the user and with the command of the last stage, its health is asked
for, its libopus looked at, and it is ended. Needs root, debootstrap, and some minutes.

Exit status: 0 all went well; 1 a step failed, and which one is said; 2 usage.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).with_name("windows")))

CONTAINERFILE: Final = ROOT / "docs" / "Containerfile"

RELEASES: Final = {"13": "trixie"}
"""Debian's, by the number that its images have."""

CERTIFICATES: Final = "/etc/ssl/certs/this-machine.crt"
"""Inside; its own would be overwritten when Debian's are installed."""

TRUSTED: Final = tuple(f"{name}={CERTIFICATES}" for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"))

OF_THIS_MACHINE: Final = {
    "/etc/resolv.conf": "/etc/resolv.conf",
    "/etc/ssl/certs/ca-certificates.crt": CERTIFICATES,
}
"""By which names are found, and pip knows its index, where this machine has them; and where they go."""

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""As engines set it."""

HEALTHY_WITHIN: Final = 30.0
"""Seconds; the image's own --start-period is 10."""

ENDS_WITHIN: Final = 10.0
"""Seconds that an engine gives a container to end by itself."""


class StepFailed(Exception):
    """The text says which, and its last lines."""


@dataclass
class Stage:
    """What follows a FROM."""

    image: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    """Word and the rest, in order."""

    def last(self, word: str) -> str:
        """The rest of the last such step."""
        return [rest for step, rest in self.steps if step == word][-1]

    def environment(self) -> dict[str, str]:
        """What ENV sets."""
        return dict(rest.split("=", 1) for step, rest in self.steps if step == "ENV")


def stages(text: str) -> Iterator[Stage]:
    """The stages of a Containerfile; ValueError for a step that is not known here."""
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    stage: Stage | None = None
    for line in filter(str.strip, lines):
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            if stage is not None:
                yield stage
            image, *name = rest.split()
            stage = Stage(image, name[1] if name else "")
        elif stage is None or word not in ("RUN", "COPY", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "CMD"):
            raise ValueError(f"a step that is not known here: {line}")
        else:
            stage.steps.append((word, rest))
    if stage is not None:
        yield stage


def release(image: str) -> str:
    """The Debian release of an image's name."""
    found = re.search(r"debian:(\d+)", image)
    if found is None or found[1] not in RELEASES:
        raise StepFailed(f"{image}: which Debian release is that? Known here: {RELEASES}")
    return RELEASES[found[1]]


class Container:
    """A folder for each stage."""

    def __init__(self, folder: Path, mirror: str) -> None:
        self._folder = folder
        self._mirror = mirror
        self._roots: dict[str, Path] = {}

    def build(self, stage: Stage) -> Path:
        """Take its steps; gives its root."""
        base = self._folder / release(stage.image)
        if not base.exists():
            say(f"making a bare {base.name}")
            checked(["debootstrap", "--variant=minbase", base.name, str(base), self._mirror])
            for name in filter(os.path.exists, OF_THIS_MACHINE):
                target = Path(f"{base}{OF_THIS_MACHINE[name]}")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(name, target)
        root = self._roots[stage.name] = self._folder / (stage.name or "last")
        checked(["cp", "--archive", str(base), str(root)])
        for word, rest in stage.steps:
            say(f"{word} {' '.join(rest.split())[:100]}")
            if word == "RUN":
                checked(["chroot", str(root), "env", "-u", "SSL_CERT_DIR", *TRUSTED, "sh", "-c", rest])
            elif word == "COPY":
                self._copy(root, *rest.split())
        return root

    def _copy(self, root: Path, *words: str) -> None:
        *options, source, target = words
        onto = Path(f"{root}{target}")
        if options:
            (name,) = re.findall("--from=(.*)", options[0])
            checked(["cp", "--archive", f"{self._roots[name]}{source}", str(onto)])
        else:
            onto.mkdir()
            listed = checked(["git", "-C", str(ROOT), "ls-files", "-z"])
            for name in filter(None, listed.split("\0")):
                (onto / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, onto / name)


def serve(root: Path, stage: Stage) -> None:
    """Start what the stage starts, see that it is healthy, and end it."""
    secret = Path(f"{root}{stage.environment()['VOICECHAT_PASSWORD_FILE']}")
    secret.parent.mkdir(exist_ok=True)
    secret.write_text("correct horse battery\n")
    os.chown(secret, *map(int, stage.last("USER").split(":")))
    secret.chmod(0o400)
    inside = ["chroot", f"--userspec={stage.last('USER')}", str(root)]
    command = json.loads(stage.last("CMD"))
    python = str(Path(command[0]).with_name("python"))
    look = "from voicechat.codecs.opus import OpusCodec; print(*OpusCodec(enhance=True).described().values())"
    say(f"libopus {checked([*inside, python, '-c', look]).strip()}")
    health = json.loads(stage.last("HEALTHCHECK").partition(" CMD ")[2])
    free = {"VOICECHAT_PORT": str(free_port()), "VOICECHAT_METRICS": f"127.0.0.1:{free_port()}"}
    variables = {"PATH": PATH} | stage.environment() | free
    server = subprocess.Popen([*inside, *command], env=variables, stdout=sys.stderr)
    try:
        left, healthy = time.monotonic() + HEALTHY_WITHIN, False
        while not healthy:
            if server.poll() is not None or time.monotonic() > left:
                raise StepFailed("the server has ended, or is not healthy")
            asked = subprocess.run([*inside, *health], env=variables, capture_output=True, check=False)
            healthy = asked.returncode == 0
        server.terminate()
        code = server.wait(ENDS_WITHIN)
    finally:
        server.kill()
    if code:
        raise StepFailed(f"the server ended with {code}")


def free_port() -> int:
    """One that nobody listens on; the image's own is free in a container, and maybe not here."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def checked(command: list[str]) -> str:
    """What a program prints; StepFailed with its last lines if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
        raise StepFailed("\n".join([f"{' '.join(command)[-200:]} failed ({done.returncode}):", *lines]))
    return done.stdout


def say(line: str) -> None:
    """A line for who waits."""
    sys.stderr.write(f"container: {line}\n")
    sys.stderr.flush()


def main() -> int:
    """Build all stages, and try the last one."""
    if len(sys.argv) > 2 or sys.argv[1:2] == ["--help"]:
        sys.stderr.write(f"usage: {sys.argv[0]} [FOLDER]\n")
        return 2
    from winpack.debian import mirror
    from winpack.tools import BuildFailed

    with tempfile.TemporaryDirectory() as scratch:
        try:
            container = Container(Path(sys.argv[1] if len(sys.argv) > 1 else scratch).absolute(), mirror())
            for stage in stages(CONTAINERFILE.read_text(encoding="utf-8")):
                root = container.build(stage)
            serve(root, stage)
        except (StepFailed, BuildFailed, OSError) as error:
            say(str(error))
            return 1
    say("the server came up as nobody, was healthy, and ended with 0")
    return 0


if __name__ == "__main__":
    sys.exit(main())
