"""Sound without a sound card: tone, silence and null, in real time; `wav` has the files.

Sources give blocks, sinks take them. `RealTime` drives the same bridge as a sound
card does, from a thread of its own, one exchange each 10 ms of the monotonic clock. A
source or sink may also stand in for one half of a real card (card.SoundCard).
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, SAMPLE_RATE, SILENT_BLOCK, Samples

BLOCK_NS: Final = round(BLOCK_SECONDS * 1_000_000_000)

LATEST: Final = 5
"""Blocks that a late thread makes up for; beyond that (a stopped process) the lost time stays lost."""

Exchange = Callable[[bytes], bytes]


class Source(Protocol):
    """Where blocks come from."""

    start_ns: int | None

    def begin(self) -> None:
        """The client is in the room: sound may begin."""

    def read(self) -> bytes:
        """The next block: 480 float32 samples."""

    def close(self) -> None:
        """No more blocks are wanted."""


class Sink(Protocol):
    """Where blocks go."""

    start_ns: int | None
    failed: Callable[[str], object]
    """Called, on any thread, with a line for the player when blocks cannot be taken any more."""

    def write(self, block: bytes) -> None:
        """Take one block."""

    def close(self) -> None:
        """No more blocks."""


def unheard(line: str) -> None:
    """Nobody wants to know that a sink failed."""


class Silence:
    """A microphone in an empty room."""

    start_ns: int | None = None

    def begin(self) -> None:
        """Nothing begins."""

    def read(self) -> bytes:
        """Digital silence."""
        return SILENT_BLOCK

    def close(self) -> None:
        """Nothing to close."""


class Played:
    """A source that is silent until `begin`, and stamps its first block."""

    def __init__(self) -> None:
        self._begun = threading.Event()
        self.start_ns: int | None = None
        """Monotonic time of the first sample, as a microphone hears it: one block before the block is handed over."""

    def begin(self) -> None:
        """Start with the next block; later calls change nothing."""
        self._begun.set()

    def read(self) -> bytes:
        """The next 480 samples."""
        if not self._begun.is_set():
            return SILENT_BLOCK
        if self.start_ns is None:
            self.start_ns = time.perf_counter_ns() - BLOCK_NS
        return self._next().tobytes().ljust(len(SILENT_BLOCK), b"\0")

    def close(self) -> None:
        """No more blocks are wanted."""

    def _next(self) -> Samples:
        """At most 480 samples; fewer are filled up with silence."""
        raise NotImplementedError


class Tone(Played):
    """A sine of -12 dBFS for ever."""

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._step = 2 * math.pi * hertz / SAMPLE_RATE
        self._phase = 0.0

    def _next(self) -> Samples:
        phases = self._phase + self._step * np.arange(BLOCK_SAMPLES)
        self._phase = float((self._phase + self._step * BLOCK_SAMPLES) % (2 * math.pi))
        block: Samples = (0.25 * np.sin(phases)).astype(np.float32)
        return block


class Null:
    """A loudspeaker that nobody hears."""

    start_ns: int | None = None

    def __init__(self) -> None:
        self.failed: Callable[[str], object] = unheard

    def write(self, block: bytes) -> None:
        """Forget the block."""

    def close(self) -> None:
        """Nothing to close."""


class RealTime:
    """Drives the bridge from a source and to a sink, without any card."""

    def __init__(self, source: Source, sink: Sink) -> None:
        self._source = source
        self._sink = sink
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, exchange: Exchange) -> None:
        """Exchange a block each 10 ms from now on, on a thread of our own."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, args=(exchange,), name="synthetic sound", daemon=True)
        self._thread.start()

    def stop(self, *, at_once: bool = False) -> None:
        """After return ``exchange`` is not called again."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, exchange: Exchange) -> None:
        due = time.perf_counter()
        while not self._stopped.wait(max(0.0, due - time.perf_counter())):
            self._sink.write(exchange(self._source.read()))
            due = max(due + BLOCK_SECONDS, time.perf_counter() - LATEST * BLOCK_SECONDS)
