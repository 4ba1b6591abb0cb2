"""Programs of the bench around one server: started, asked, and ended again."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.rig.stage import Party, StageError, rest
from testkit.processes import environment

LONGEST: Final = 60.0
"""Seconds after which what has not come about never will."""

AT_ONCE: Final = 100
"""Connections of one address before login that a watched server takes: as many as come back at once."""


@contextmanager
def party(name: str, ready: str, folder: Path, *words: str) -> Iterator[Party]:
    """A program of the bench that runs and is ready."""
    log = folder / f"{name}.log"
    running = Party(name, [sys.executable, "-m", *words], environment(), log)
    try:
        if ready:
            running.wait_for(ready, LONGEST)
        yield running
    finally:
        running.stop()


def watched(port: int, password: Path, folder: Path) -> Any:
    words = ("--port", str(port), "--password-file", str(password), "--json", str(folder / "server.json"))
    rest_of = ("--seconds", str(10 * LONGEST), "--each", str(AT_ONCE))
    return party("the watched server", "\n", folder, "bench.watched", *words, *rest_of)


def crowd(port: int, password: Path, folder: Path) -> Any:
    words = ("--port", str(port), "--password-file", str(password), "--rooms", "1", "--talkers", "4")
    return party("the crowd", "talking", folder, "bench.crowd", *words, "--seconds", str(100 * LONGEST))


def noted(server: Party, folder: Path) -> dict[str, Any]:
    """What the server noted since it was asked last."""
    path, deadline = folder / "server.json", time.monotonic() + LONGEST
    path.unlink(missing_ok=True)
    os.kill(server.pid, signal.SIGUSR1)
    while not path.exists():
        if server.ended is not None or time.monotonic() > deadline:
            raise StageError(f"the watched server told nothing: {server.written()[-200:].strip()}")
        rest(0.02)
    noted: dict[str, Any] = json.loads(path.read_text())
    return noted
