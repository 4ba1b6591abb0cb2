"""Sound without a card: sources, sinks, recordings, and the clock that drives them."""

import contextlib
import io
import math
import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.bridge import BYTES, SILENT_BLOCK
from voicechat.client.synthetic import HEADER_EVERY, Null, RealTime, Recording, Silence, Tone, WavSink, read_wav
from voicechat.errors import DeviceError
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, SAMPLE_RATE, Samples


def samples_of(block: bytes) -> Samples:
    assert len(block) == BYTES
    return np.frombuffer(block, np.float32)


def write(path: Path, values: list[int], *, rate: int = SAMPLE_RATE, channels: int = 1, width: int = 2) -> str:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(np.array(values, "<i2").tobytes())
    return str(path)


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


def test_a_recording_is_played_once_and_whole() -> None:
    sound = np.linspace(-0.5, 0.5, 3 * BLOCK_SAMPLES + 7, dtype=np.float32)
    source = Recording(sound)
    assert source.read() == SILENT_BLOCK
    before = time.monotonic_ns()
    source.begin()
    source.begin()
    blocks = [source.read() for _ in range(6)]
    played = np.concatenate([samples_of(block) for block in blocks])
    assert (played[: len(sound)] == sound).all()
    assert not played[len(sound) :].any()
    assert source.start_ns is not None
    assert before - BLOCK_SECONDS * 1e9 <= source.start_ns <= time.monotonic_ns()


def test_null_forgets() -> None:
    sink = Null()
    sink.write(SILENT_BLOCK)
    sink.close()
    assert sink.start_ns is None


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=20))
def test_a_recording_comes_back_as_it_was_heard(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    path = tmp_path_factory.getbasetemp() / "heard.wav"
    sink = WavSink(str(path))
    for value in values:
        sink.write(np.full(BLOCK_SAMPLES, value, np.float32).tobytes())
    sink.close()
    sound = read_wav(str(path))
    assert len(sound) == len(values) * BLOCK_SAMPLES
    wanted = np.clip(np.repeat(np.array(values, np.float32), BLOCK_SAMPLES), -1, 1)
    assert np.abs(sound - wanted).max() <= 2 / 32768


def test_a_recording_is_valid_at_any_time(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    sink = WavSink(str(path))
    lengths = []
    for n in range(3 * HEADER_EVERY):
        sink.write(np.full(BLOCK_SAMPLES, 0.5, np.float32).tobytes())
        data = path.read_bytes()
        if data:
            with wave.open(io.BytesIO(data), "rb") as file:
                lengths.append(file.getnframes())
                assert file.getnframes() * 2 <= len(data) - 44
        assert not lengths or lengths[-1] >= (n + 1 - HEADER_EVERY) * BLOCK_SAMPLES
    assert lengths[-1] == 3 * HEADER_EVERY * BLOCK_SAMPLES
    sink.close()


def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    sink = WavSink(str(path))
    assert sink.start_ns is None
    sink.write(SILENT_BLOCK)
    assert sink.start_ns is not None
    sink.close()
    sink.close()
    sink.write(SILENT_BLOCK)
    assert len(read_wav(str(path))) == BLOCK_SAMPLES


def test_a_recording_that_cannot_be_written_is_told() -> None:
    with pytest.raises(DeviceError, match=r"cannot write /no/such/x\.wav: No such file"):
        WavSink("/no/such/x.wav")


def test_our_format_is_read(tmp_path: Path) -> None:
    sound = read_wav(write(tmp_path / "a.wav", [0, 16384, -32768]))
    assert sound.dtype == np.float32
    assert list(sound) == [0.0, 0.5, -1.0]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"rate": 44_100}, "44100 Hz with 1 channel"),
        ({"channels": 2}, "2 channel"),
        ({"width": 1}, "8 bit"),
        ({"width": 4}, "32 bit"),
    ],
)
def test_any_other_format_is_named(tmp_path: Path, what: dict[str, int], words: str) -> None:
    path = write(tmp_path / "a.wav", [0] * 16, **what)
    with pytest.raises(DeviceError, match=words):
        read_wav(path)


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    for data in (b"", b"RIFF", b"not a recording at all, but long enough to be one"):
        (tmp_path / "x.wav").write_bytes(data)
        with pytest.raises(DeviceError, match="is not a WAV file"):
            read_wav(str(tmp_path / "x.wav"))
    with pytest.raises(DeviceError, match="No such file"):
        read_wav(str(tmp_path / "missing.wav"))


@given(st.binary(max_size=200), st.integers(0, 60))
def test_garbage_is_a_device_error_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, keep: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.wav"
    good = Path(write(path, [1, 2, 3])).read_bytes()
    path.write_bytes(good[:keep] + data)
    with contextlib.suppress(DeviceError):
        read_wav(str(path))


class Device:
    """Counts what goes through, and says when there was enough."""

    start_ns: int | None = None

    def __init__(self, enough: int) -> None:
        self.read_blocks = self.written = 0
        self.threads: set[str] = set()
        self.enough = threading.Event()
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
