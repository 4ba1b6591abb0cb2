"""On what it was measured: the machine, and the versions of all that matters.

May import the standard library and ask installed programs for their versions. No name
of the machine or of its owner, and no path, gets into a result.
"""

import contextlib
import ctypes.util
import datetime as dt
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from bench.rig import procstat

PACKAGES = ("Twisted", "numpy", "opuslib", "PyAudio", "cryptography", "pesq", "pystoi")


def described() -> dict[str, str]:
    """What a reader must know to compare."""
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return {
        "when": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} cores of {_cpu()}, {platform.system()} {platform.release()}",
        "voicechat": f"{_version('voicechat')} at {_revision()}",
        "versions": f"Python {platform.python_version()}, {versions}, {_opus()}, {_pipewire()}",
        "load": f"{procstat.load():.1f}",
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(none)"


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _revision() -> str:
    return _answer("git", "describe", "--always", "--dirty") or "no revision"


def _opus() -> str:
    name = ctypes.util.find_library("opus")
    if name is None:
        return "no libopus"
    library = ctypes.CDLL(name)
    library.opus_get_version_string.restype = ctypes.c_char_p
    version: bytes = library.opus_get_version_string()
    return version.decode()


def _pipewire() -> str:
    for line in _answer("pipewire", "--version").splitlines():
        if "libpipewire" in line:
            return f"PipeWire {line.split()[-1]}"
    return "no PipeWire"


def _answer(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
