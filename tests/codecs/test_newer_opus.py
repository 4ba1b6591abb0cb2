"""The codec's tests once more, over a libopus that has the models, where the machine's own has none (Debian 12's).

The newer one is a later Debian release's, fetched by .ci/prepare opus into .cache/opus; a program of its own loads it,
since LD_LIBRARY_PATH is read when a program begins.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from voicechat.codecs.enhancing import Enhancement
from voicechat.codecs.opus import OpusCodec

ROOT: Final = Path(__file__).parents[2]
NEWER: Final = ROOT / ".cache" / "opus" / "libopus.so.0"
TESTS: Final = ("tests/codecs/test_opus.py", "tests/codecs/test_enhancing.py", "tests/media/test_repair.py")


def still() -> float:
    return 0.0


def over(folder: Path, *words: str) -> str:
    """What Python says, with libopus from there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    there = kept | {"LD_LIBRARY_PATH": str(folder)}
    ended = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=there, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def told(folder: Path) -> list[str]:
    """The version there, and what it can do."""
    line = "from voicechat.codecs.opus import OpusCodec as Codec; it = Codec(enhance=True, clock=lambda: 0.0);"
    return over(folder, "-c", f"{line} print(it.version); print(it.enhancement.value)").splitlines()


def test_the_tests_of_the_codec_hold_over_a_newer_libopus(tell: list[str]) -> None:
    own = OpusCodec(enhance=True, clock=still)
    if own.enhancement is Enhancement.LACE:
        tell.append(f"libopus: the machine's own, {own.version}, has the models")
        return
    if not NEWER.exists():
        pytest.fail("there is no newer libopus to try; .ci/prepare opus fetches one")
    version, enhancement = told(NEWER.parent)
    assert version != own.version
    assert enhancement == Enhancement.LACE.value
    said = over(NEWER.parent, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS)
    assert "skipped" not in said
    tell.append(f"libopus: {own.version} ({own.enhancement.value}), and {version}: {said.splitlines()[-1]}")
