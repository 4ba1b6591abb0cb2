"""What `make dist` makes: the same bytes from two clones, and a PyAudio that needs no compiler."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from relpack.everything import CACHE, SUMS
from relpack.pyaudio import PYTHON
from testkit.rig import sound_rig
from winpack.tools import sha256

ROOT: Final = Path(__file__).parents[2]

LONG: Final = 600.0
"""Seconds for a build; it takes one minute."""


class Build:
    """A clone of the last commit, in which all is built."""

    def __init__(self, root: Path, umask: int, **variables: str) -> None:
        self.dist = root / "dist"
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, root], check=True)
        for cache in (CACHE, ROOT / ".cache" / "windows"):  # what was fetched; what was compiled is compiled again
            for kind in ("debian", "wheels"):
                if (cache / kind).exists():
                    shutil.copytree(cache / kind, root / cache.relative_to(ROOT) / kind)
        self._process = subprocess.Popen(
            [sys.executable, "packaging/release/release.py"],
            cwd=root,
            env=os.environ | {"PYTHONPATH": "packaging/windows"} | variables,
            umask=umask,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sums(self) -> dict[str, str]:
        """The sums that it wrote, by name."""
        _, err = self._process.communicate(timeout=LONG)
        assert self._process.returncode == 0, err
        lines = [line.split() for line in (self.dist / SUMS).read_text().splitlines()]
        return {name: digest for digest, name in lines}

    def close(self) -> None:
        """Nothing of it goes on."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    it = Build(tmp_path_factory.mktemp("first") / "voicechat", 0o022)
    it.sums()
    yield it
    it.close()


def test_all_is_there_and_as_its_sums_say(first: Build) -> None:
    sums = first.sums()
    assert [name.rpartition("-")[2] for name in sorted(sums)] == [
        "linux_x86_64.whl",
        "any.whl",
        "0.1.0.tar.gz",
        "x64.zip",
    ]
    assert {file.name for file in first.dist.iterdir()} == {*sums, SUMS}
    assert {name: sha256(first.dist / name) for name in sums} == sums


def test_two_clones_give_the_same_bytes(first: Build, tmp_path: Path) -> None:
    other = Build(tmp_path / "Jörgs clone", 0o077, TZ="Asia/Tokyo", LANG="tr_TR.UTF-8", LC_ALL="C", PYTHONHASHSEED="7")
    try:
        assert other.sums() == first.sums()
    finally:
        other.close()


def test_a_friend_without_a_compiler_has_a_client_with_sound(first: Build, tmp_path: Path) -> None:
    """By Debian's own Python, without headers: whatever had to be compiled would fail."""
    venv = tmp_path / "venv"
    subprocess.run([PYTHON, "-m", "venv", venv], check=True)
    (wheel,) = first.dist.glob("voicechat-*.whl")
    nothing = {"CC": "/bin/false", "CXX": "/bin/false", "PIP_NO_CACHE_DIR": "1"}
    subprocess.run(
        [venv / "bin" / "pip", "install", "-q", "--find-links", first.dist, f"{wheel}[client]"],
        env=os.environ | nothing,
        check=True,
    )
    with sound_rig(1) as rig:
        listed = subprocess.run(
            [venv / "bin" / "voicechat-client", "--list-devices"],
            env=rig.client_environment(0),
            capture_output=True,
            text=True,
            check=False,
        )
        played = subprocess.run(
            [venv / "bin" / "python", "-c", PLAY],
            env=rig.client_environment(0),
            capture_output=True,
            text=True,
            check=False,
        )
    assert listed.returncode == 0, listed.stderr
    assert "default" in listed.stdout
    assert played.stdout.split() == ["ALSA", "4800"], played.stderr


PLAY: Final = """
import pyaudio, voicechat
library = pyaudio.PyAudio()
stream = library.open(48000, 1, pyaudio.paInt16, input=True, output=True, frames_per_buffer=480)
stream.write(bytes(9600))
heard = stream.read(4800)
print(*(library.get_host_api_info_by_index(i)["name"] for i in range(library.get_host_api_count())), len(heard) // 2)
"""
