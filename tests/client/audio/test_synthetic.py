"""Sound without a card: sources, sinks, and the clock that drives them."""

import math
import threading
import time
from collections.abc import Callable

import numpy as np

from voicechat.client.audio.synthetic import Null, RealTime, Silence, Tone, unheard
from voicechat.format import BLOCK_BYTES, BLOCK_SAMPLES, BLOCK_SECONDS, SAMPLE_RATE, SILENT_BLOCK, Samples


def samples_of(block: bytes) -> Samples:
    assert len(block) == BLOCK_BYTES
    return np.frombuffer(block, np.float32)


def test_silence_is_silent_for_ever() -> None:
    source = Silence()
    source.begin()
    assert [source.read() for _ in range(3)] == [SILENT_BLOCK] * 3
    assert source.start_ns is None


def test_a_tone_begins_when_it_is_told_to_and_has_no_seams() -> None:
    tone = Tone(440.0)
    assert tone.read() == SILENT_BLOCK
    assert tone.start_ns is None
    tone.begin()
    sound = np.concatenate([samples_of(tone.read()) for _ in range(100)])
    wanted = 0.25 * np.sin(2 * math.pi * 440 / SAMPLE_RATE * np.arange(100 * BLOCK_SAMPLES))
    assert np.abs(sound - wanted).max() < 1e-3
    assert tone.start_ns is not None


def test_null_forgets() -> None:
    sink = Null()
    sink.write(SILENT_BLOCK)
    sink.close()
    assert sink.start_ns is None


class Device:
    """Counts what goes through, and says when there was enough."""

    start_ns: int | None = None

    def __init__(self, enough: int) -> None:
        self.read_blocks = self.written = 0
        self.threads: set[str] = set()
        self.enough = threading.Event()
        self.failed: Callable[[str], object] = unheard
        self._enough = enough

    def begin(self) -> None:
        """Nothing begins."""

    def read(self) -> bytes:
        """A block of ones."""
        self.read_blocks += 1
        return np.ones(BLOCK_SAMPLES, np.float32).tobytes()

    def write(self, block: bytes) -> None:
        """Count."""
        assert samples_of(block)[0] == 1.0
        self.threads.add(threading.current_thread().name)
        self.written += 1
        if self.written == self._enough:
            self.enough.set()

    def close(self) -> None:
        """Nothing to close."""


def test_real_time_exchanges_a_block_each_ten_milliseconds_on_a_thread_of_its_own() -> None:
    device = Device(50)
    machine = RealTime(device, device)
    started = time.monotonic()
    machine.start(lambda block: block)
    assert device.enough.wait(20)
    took = time.monotonic() - started
    machine.stop()
    assert took >= 49 * BLOCK_SECONDS - BLOCK_SECONDS * 5, "it never runs ahead of time"
    assert device.threads == {"synthetic sound"}
    count = device.written
    assert device.read_blocks == count
    assert not [thread for thread in threading.enumerate() if thread.name == "synthetic sound"]


def test_real_time_can_be_stopped_twice_or_never_started() -> None:
    device = Device(1)
    machine = RealTime(device, device)
    machine.stop()
    machine.start(lambda block: block)
    assert device.enough.wait(20)
    machine.stop()
    machine.stop()
