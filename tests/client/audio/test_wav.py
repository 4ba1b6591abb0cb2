"""WAV files as other programs and machines leave them, and recordings on disks that are full."""

import contextlib
import io
import os
import resource
import signal
import struct
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.audio.wav import EXTENSIBLE, HEADER_EVERY, MOST_CHUNKS, PCM, Recording, WavSink, header
from voicechat.errors import DeviceError
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, SAMPLE_RATE, SILENT_BLOCK, Samples

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
SOUND = np.arange(-2000, 2000, dtype="<i2")
UNKNOWN = 0xFFFFFFFF


def chunk(name: bytes, data: bytes, size: int | None = None) -> bytes:
    """A chunk, whatever size it claims, with what makes it even."""
    return name + struct.pack("<I", len(data) if size is None else size) + data + b"\0" * (len(data) % 2)


def form(tag: int = PCM, channels: int = 1, rate: int = SAMPLE_RATE, bits: int = 16, rest: bytes = b"") -> bytes:
    """A format chunk."""
    width = channels * (bits // 8)
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * width, width, bits) + rest)


def extensible(tag: int, bits: int = 16, valid: int = 16, tail: bytes = GUID_TAIL) -> bytes:
    """The same, extended."""
    return form(EXTENSIBLE, bits=bits, rest=struct.pack("<HHIH", 22, valid, 4, tag) + tail)


def file_of(*chunks: bytes, kind: bytes = b"RIFF", size: int | None = None) -> bytes:
    """A file of chunks, whatever size it claims."""
    body = b"WAVE" + b"".join(chunks)
    return kind + struct.pack("<I", len(body) if size is None else size) + body


def played(path: Path) -> Samples:
    """All that a file is played as, in whole blocks."""
    source = Recording(str(path))
    assert source.read() == SILENT_BLOCK, "not begun"
    source.begin()
    blocks = range(path.stat().st_size // 2 // BLOCK_SAMPLES + 2)
    sound = np.frombuffer(b"".join(source.read() for _ in blocks), np.float32)
    assert not sound[-BLOCK_SAMPLES:].any(), "it has an end"
    source.close()
    assert source.read() == SILENT_BLOCK
    return sound


def is_played_as(data: bytes, tmp_path: Path, wanted: Samples = SOUND) -> None:
    path = tmp_path / "said.wav"
    path.write_bytes(data)
    sound = played(path)
    assert (sound[: len(wanted)] * 32768 == wanted).all()
    assert not sound[len(wanted) :].any()


def refusal(data: bytes, tmp_path: Path) -> str:
    path = tmp_path / "said.wav"
    path.write_bytes(data)
    with pytest.raises(DeviceError) as told:
        Recording(str(path))
    assert str(told.value).startswith(f"{path} is ")
    return str(told.value).removeprefix(f"{path} is ")


DATA = chunk(b"data", SOUND.tobytes())
LIST = chunk(b"LIST", b"INFOISFT\x06\0\0\0sox 14")


def ds64(length: int) -> bytes:
    return chunk(b"ds64", struct.pack("<QQQI", 0, length, 0, 0))


@pytest.mark.parametrize(
    "data",
    [
        file_of(form(), DATA),
        file_of(form(), DATA, LIST),
        file_of(LIST, form(), chunk(b"odd ", b"123"), LIST, DATA, LIST),
        file_of(form(rest=b"\0\0"), DATA),
        file_of(extensible(PCM), DATA),
        file_of(extensible(PCM, valid=12), DATA),
        file_of(form(), chunk(b"data", SOUND.tobytes(), UNKNOWN), size=UNKNOWN),
        file_of(form(), chunk(b"data", SOUND.tobytes(), 0x7FFFF000), size=0x7FFFF024),
        file_of(form(), chunk(b"data", SOUND.tobytes(), 0), size=0),
        file_of(form(), chunk(b"data", SOUND.tobytes(), 0), size=36),
        file_of(form(), chunk(b"data", SOUND.tobytes(), 0), size=UNKNOWN),
        file_of(ds64(SOUND.nbytes), form(), chunk(b"data", SOUND.tobytes(), UNKNOWN), LIST, kind=b"RF64", size=UNKNOWN),
        file_of(ds64(SOUND.nbytes), form(), chunk(b"data", SOUND.tobytes(), UNKNOWN), LIST, kind=b"BW64", size=UNKNOWN),
        file_of(form(), chunk(b"data", SOUND.tobytes(), UNKNOWN), kind=b"RF64", size=UNKNOWN),
        file_of(form(), chunk(b"data", SOUND.tobytes() + b"x")),
        file_of(form(), chunk(b"data", SOUND.tobytes(), SOUND.nbytes + 1)),
    ],
    ids=[
        "plain", "list after", "chunks before", "18 bytes of format", "extensible", "12 of 16 bit", "streamed",
        "streamed by sox", "streamed 0 and 0", "never finished", "0 in FFFFFFFF", "RF64", "BW64", "RF64 without sizes",
        "half a sample", "cut off",
    ],
)  # fmt: skip
def test_our_format_is_played_however_its_header_is_written(data: bytes, tmp_path: Path) -> None:
    is_played_as(data, tmp_path)


def test_a_file_without_sound_is_silence(tmp_path: Path) -> None:
    is_played_as(file_of(form(), chunk(b"data", b""), LIST), tmp_path, SOUND[:0])
    is_played_as(file_of(form(), chunk(b"data", b"")), tmp_path, SOUND[:0])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (file_of(form(3, bits=32), DATA), "48000 Hz with 1 channel(s) of 32 bit float; needed: 48000 Hz, mono, 16 bit"),
        (file_of(extensible(3, bits=32), DATA), "32 bit float"),
        (file_of(form(bits=24), DATA), "24 bit"),
        (file_of(form(bits=8), DATA), "8 bit"),
        (file_of(form(6, bits=8), DATA), "8 bit A-law"),
        (file_of(form(7, bits=8), DATA), "8 bit mu-law"),
        (file_of(form(0x11, bits=4), DATA), "4 bit IMA ADPCM"),
        (file_of(form(0x1234), DATA), "16 bit format 0x1234"),
        (file_of(extensible(PCM, tail=bytes(14)), DATA), "16 bit format 0xfffe"),
        (file_of(form(EXTENSIBLE), DATA), "16 bit format 0xfffe"),
        (file_of(form(channels=2), DATA), "48000 Hz with 2 channel(s)"),
        (file_of(form(rate=44_100), DATA), "44100 Hz with 1 channel(s)"),
        (b"", "not a WAV file"),
        (b"RIFF", "not a WAV file"),
        (b"not a recording at all, but long enough to be one", "not a WAV file"),
        (b"fLaC" + bytes(100), "not a WAV file, but FLAC"),
        (b"OggS" + bytes(100), "not a WAV file, but Ogg"),
        (b"ID3\4" + bytes(100), "not a WAV file, but MP3"),
        (file_of(form()), "not a WAV file: no sound"),
        (file_of(DATA), "not a WAV file: no sound"),
        (file_of(chunk(b"fmt ", b"123"), DATA), "not a WAV file: its description is cut off"),
        (file_of(form(), chunk(b"junk", b"") * MOST_CHUNKS, DATA), "not a WAV file: no sound"),
    ],
)
def test_what_is_not_our_format_is_called_by_its_name(data: bytes, words: str, tmp_path: Path) -> None:
    assert words in refusal(data, tmp_path)


@given(st.binary(max_size=200), st.integers(0, 60), st.sampled_from([b"RIFF", b"RF64"]))
def test_any_bytes_are_sound_or_a_device_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, keep: int, kind: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.wav"
    path.write_bytes(file_of(form(), DATA, kind=kind)[:keep] + data)
    with contextlib.suppress(DeviceError):
        played(path)


def test_a_file_over_four_gib_is_played_to_its_end(tmp_path: Path) -> None:
    """Sparse: it takes no room, and no more memory than a short one."""
    path, length = tmp_path / "long.wav", 5 << 30
    with path.open("wb") as file:
        file.write(file_of(ds64(length), form(), chunk(b"data", b"", UNKNOWN), kind=b"RF64", size=UNKNOWN))
        start = file.tell()
        file.seek(start + length - SOUND.nbytes)
        file.write(SOUND.tobytes() + LIST)
    source = Recording(str(path))
    source.begin()
    assert source._left == length
    source._left = SOUND.nbytes  # the last of it
    source._file.seek(start + length - SOUND.nbytes)
    sound = np.frombuffer(b"".join(source.read() for _ in range(10)), np.float32)
    assert (sound[: len(SOUND)] * 32768 == SOUND).all()
    assert not sound[len(SOUND) :].any()
    source.close()


def test_a_file_that_shrinks_while_it_is_played_ends(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    path.write_bytes(file_of(form(), chunk(b"data", bytes(1_000_000))))
    source = Recording(str(path))
    source.begin()
    source.read()
    os.truncate(path, 100)
    for _ in range(1000):
        assert source.read() == SILENT_BLOCK
    source.close()


@pytest.mark.parametrize("make", [Recording, WavSink])
def test_a_pipe_is_told_at_once_and_never_waited_for(tmp_path: Path, make: type[Recording]) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DeviceError, match=r"pipe: a file is needed, and this is a pipe"):
        make(str(tmp_path / "pipe"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/no/such/x.wav", "/no/such/x.wav: No such file"),
        (".", "Is a directory"),
        ("", "wav: needs the path of a file"),
        ("a\0b", "null byte"),
        ("x" * 300, "File name too long"),
        ("\udcff\ud800", "surrogates|No such file"),
    ],
)
def test_a_path_that_cannot_be_is_told(name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for make in (Recording, WavSink):
        if name.startswith("\udcff") and make is WavSink:
            continue  # which is a name like another where names are bytes
        with pytest.raises(DeviceError, match=words):
            make(name)


def test_the_home_folder_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    WavSink("~/heard.wav").close()
    Recording("~/heard.wav").close()
    assert (tmp_path / "heard.wav").exists()
    with pytest.raises(DeviceError, match="cannot write ~nobody-of-this-name/x"):
        WavSink("~nobody-of-this-name/x")


# -- recordings -------------------------------------------------------------------------


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=20))
def test_a_recording_comes_back_as_it_was_heard(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    path = tmp_path_factory.getbasetemp() / "heard.wav"
    sink = WavSink(str(path))
    for value in values:
        sink.write(np.full(BLOCK_SAMPLES, value, np.float32).tobytes())
    sink.close()
    sound = played(path)[: len(values) * BLOCK_SAMPLES]
    wanted = np.clip(np.repeat(np.array(values, np.float32), BLOCK_SAMPLES), -1, 1)
    assert np.abs(sound - wanted).max() <= 2 / 32768


def test_a_recording_is_valid_at_any_time(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    sink = WavSink(str(path))
    lengths = []
    for n in range(3 * HEADER_EVERY):
        sink.write(np.full(BLOCK_SAMPLES, 0.5, np.float32).tobytes())
        data = path.read_bytes()
        with wave.open(io.BytesIO(data), "rb") as file:
            lengths.append(file.getnframes())
            assert file.getnframes() * 2 <= len(data) - 44
        assert lengths[-1] >= (n + 1 - HEADER_EVERY) * BLOCK_SAMPLES
    assert lengths[-1] == 3 * HEADER_EVERY * BLOCK_SAMPLES
    sink.close()


def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    sink = WavSink(str(path))
    assert sink.start_ns is None
    before = time.perf_counter_ns()
    sink.write(SILENT_BLOCK)
    assert sink.start_ns is not None
    assert before <= sink.start_ns <= before + BLOCK_SECONDS * 1e11
    sink.close()
    sink.close()
    sink.write(SILENT_BLOCK)
    assert path.stat().st_size == 44 + BLOCK_SAMPLES * 2


def test_sizes_over_four_gib_are_unknown() -> None:
    assert header(5 << 30) == file_of(form(), chunk(b"data", b"", UNKNOWN), size=UNKNOWN)
    assert header(6) == file_of(form(), chunk(b"data", b"", 6), size=42)


@pytest.fixture
def little_room() -> Iterator[int]:
    """Bytes that a file may have; the next is as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    room = 44 + HEADER_EVERY * BLOCK_SAMPLES * 3 + 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    yield room
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_ends_the_recording_which_is_told_once_and_stays_playable(tmp_path: Path, little_room: int) -> None:
    path = tmp_path / "heard.wav"
    told: list[str] = []
    sink = WavSink(str(path))
    sink.failed = told.append
    for _ in range(5 * HEADER_EVERY):
        sink.write(np.full(BLOCK_SAMPLES, 0.5, np.float32).tobytes())
    sink.close()
    assert told == [f"the recording {path} ends here, the call goes on: File too large"]
    assert path.stat().st_size == little_room
    with wave.open(str(path), "rb") as file:
        assert file.getnframes() == (little_room - 44) // 2, "all that found room"


def test_a_disk_that_is_full_at_the_end_is_told_too(tmp_path: Path, little_room: int) -> None:
    sink = WavSink(str(tmp_path / "heard.wav"))
    told: list[str] = []
    sink.failed = told.append
    for _ in range(2 * HEADER_EVERY - 1):
        sink.write(SILENT_BLOCK)
    assert told == []
    sink.close()
    assert len(told) == 1


def test_a_disk_that_is_full_at_the_start_is_no_place_to_record() -> None:
    with pytest.raises(DeviceError, match="cannot write /dev/full: No space left on device"):
        WavSink("/dev/full")


def test_a_recording_may_go_nowhere() -> None:
    sink = WavSink(os.devnull)
    for _ in range(HEADER_EVERY):
        sink.write(SILENT_BLOCK)
    sink.close()
