"""Sound without a sound card: wav, tone, silence and null, in real time.

Sources give blocks, sinks take them. `RealTime` drives the same bridge as a sound
card does, from a thread of its own, one exchange each 10 ms of the monotonic clock. A
source or sink may also stand in for one half of a real card (card.SoundCard).
"""

import math
import threading
import time
import wave
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from voicechat.client.bridge import SILENT_BLOCK
from voicechat.errors import DeviceError
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, SAMPLE_RATE, Samples

BLOCK_NS: Final = round(BLOCK_SECONDS * 1_000_000_000)

LATEST: Final = 5
"""Blocks that a late thread makes up for; beyond that (a stopped process) the lost time stays lost."""

HEADER_EVERY: Final = SAMPLE_RATE // BLOCK_SAMPLES // 2
"""Blocks between two corrections of a WAV file's header: half a second, so that a killed client leaves a valid file."""

_FULL_SCALE: Final = 32767.0

Exchange = Callable[[bytes], bytes]


class Source(Protocol):
    """Where blocks come from."""

    start_ns: int | None

    def begin(self) -> None:
        """The client is in the room: sound may begin."""

    def read(self) -> bytes:
        """The next block: 480 float32 samples."""


class Sink(Protocol):
    """Where blocks go."""

    start_ns: int | None

    def write(self, block: bytes) -> None:
        """Take one block."""

    def close(self) -> None:
        """No more blocks."""


class Silence:
    """A microphone in an empty room."""

    start_ns: int | None = None

    def begin(self) -> None:
        """Nothing begins."""

    def read(self) -> bytes:
        """Digital silence."""
        return SILENT_BLOCK


class _Played:
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

    def _next(self) -> Samples:
        """At most 480 samples; fewer are filled up with silence."""
        raise NotImplementedError


class Recording(_Played):
    """Plays an array once, from `begin` on; silence before and after."""

    def __init__(self, samples: Samples) -> None:
        super().__init__()
        self._samples = samples
        self._at = 0

    def _next(self) -> Samples:
        block = self._samples[self._at : self._at + BLOCK_SAMPLES]
        self._at += len(block)
        return block


class Tone(_Played):
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

    def write(self, block: bytes) -> None:
        """Forget the block."""

    def close(self) -> None:
        """Nothing to close."""


class WavSink:
    """Records 16-bit mono; the file is a valid WAV at any time. DeviceError if it cannot be written."""

    def __init__(self, path: str) -> None:
        try:
            self._file = Path(path).open("wb")  # noqa: SIM115  closed by close()
        except OSError as error:
            raise DeviceError(f"cannot write {path}: {error.strerror}") from None
        self._blocks = 0
        self._closed = False
        self._lock = threading.Lock()
        self.start_ns: int | None = None
        """Monotonic time when the first block was taken."""
        self._file.write(_header(0))

    def write(self, block: bytes) -> None:
        """Append one block."""
        with self._lock:
            if self._closed:
                return
            if self.start_ns is None:
                self.start_ns = time.perf_counter_ns()
            samples = np.frombuffer(block, np.float32)
            try:
                self._file.write(np.rint(samples.clip(-1, 1) * _FULL_SCALE).astype("<i2").tobytes())
            except OSError:  # the disk is full: the call goes on, the file ends here
                self._closed = True
                return
            self._blocks += 1
            if self._blocks % HEADER_EVERY == 0:
                self._settle()

    def close(self) -> None:
        """Write the final header; later blocks are forgotten."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._settle()
                self._file.close()

    def _settle(self) -> None:
        with suppress(OSError):
            self._file.seek(0)
            self._file.write(_header(self._blocks * BLOCK_SAMPLES * 2))
            self._file.seek(0, 2)
            self._file.flush()


def _header(data_bytes: int) -> bytes:
    """The 44 bytes before the samples: RIFF, fmt (PCM, mono, 16 bit), data."""
    rate, width = SAMPLE_RATE, 2
    fields = (
        b"RIFF",
        (36 + data_bytes).to_bytes(4, "little"),
        b"WAVEfmt ",
        (16).to_bytes(4, "little"),
        (1).to_bytes(2, "little"),
        (1).to_bytes(2, "little"),
        rate.to_bytes(4, "little"),
        (rate * width).to_bytes(4, "little"),
        width.to_bytes(2, "little"),
        (8 * width).to_bytes(2, "little"),
        b"data",
        data_bytes.to_bytes(4, "little"),
    )
    return b"".join(fields)


def read_wav(path: str) -> Samples:
    """The samples of a 48 kHz mono 16-bit file, as float32; DeviceError names what the file is instead."""
    try:
        with wave.open(path, "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except OSError as error:
        raise DeviceError(f"cannot read {path}: {error.strerror}") from None
    except (wave.Error, EOFError, RuntimeError) as error:  # the wave module raises all three on a broken file
        raise DeviceError(f"{path} is not a WAV file: {error}") from None
    if (rate, channels, width) != (SAMPLE_RATE, 1, 2):
        raise DeviceError(
            f"{path} is {rate} Hz with {channels} channel(s) of {8 * width} bit; needed: {SAMPLE_RATE} Hz, mono, 16 bit"
        )
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / (_FULL_SCALE + 1)


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
