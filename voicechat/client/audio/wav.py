"""WAV files: one that is played into a call, and one that a call is recorded to.

Both are 48 kHz, mono, 16 bit PCM. What programs and machines do to such files is taken as it
comes: headers that are extensible, or were never finished since their writer could not go
back, files over 4 GiB, chunks of all kinds before the sound, disks that are full. A file is
read and written as the call goes on, so an hour costs no more memory than a second.

Layouts: "Multimedia Programming Interface and Data Specifications 1.0" (RIFF, 1991),
"Multiple Channel Audio Data and WAVE Files" (Microsoft, 2007: the extensible format), and
EBU Tech 3306 (RF64: sizes of 64 bit).
"""

import errno
import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from voicechat.client.audio.synthetic import Played, unheard
from voicechat.errors import DeviceError
from voicechat.format import BLOCK_SAMPLES, SAMPLE_RATE, Samples

HEADER_EVERY: Final = SAMPLE_RATE // BLOCK_SAMPLES // 2
"""Blocks that are written at once, with the header that counts them: half a second is what a killed client loses."""

MOST_CHUNKS: Final = 1000
"""Chunks that are looked at before the sound; files have three or four."""

WIDTH: Final = 2
"""Bytes of a sample."""

PCM: Final = 1
EXTENSIBLE: Final = 0xFFFE

_FORMATS: Final = {
    PCM: "",
    2: " ADPCM",
    3: " float",
    6: " A-law",
    7: " mu-law",
    0x11: " IMA ADPCM",
    0x31: " GSM",
    0x50: " MPEG",
    0x55: " MP3",
}
"""What a format's number means (mmreg.h)."""

_GUID_TAIL: Final = bytes.fromhex("000000001000800000aa00389b71")
"""What follows the number in an extensible header, where it means the same as in a plain one (KSDATAFORMAT)."""

_WAVES: Final = (b"RIFF", b"RF64", b"BW64")
_OTHERS: Final = {b"fLaC": "FLAC", b"OggS": "Ogg", b"ID3": "MP3", b"FORM": "AIFF", b"riff": "Wave64", b"RIFX": "RIFX"}
"""How files begin that people take for WAV files."""

_UNKNOWN: Final = 0xFFFFFFFF
"""A size that the writer did not know, or that 32 bits cannot hold."""

_FULL_SCALE: Final = 32767.0


class Recording(Played):
    """Plays a file once, from `begin` on; silence before and after. DeviceError names what the file is instead."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._file = _opened(path, "rb")
        try:
            start, end = _sound(self._file, path)
            self._file.seek(start)
        except OSError as error:
            self._file.close()
            raise DeviceError(f"cannot read {path}: {error.strerror}") from None
        except DeviceError:
            self._file.close()
            raise
        self._left = (end - start) // WIDTH * WIDTH

    def _next(self) -> Samples:
        data = b""
        if self._left:
            try:
                data = self._file.read(min(self._left, BLOCK_SAMPLES * WIDTH))
            except (OSError, ValueError):  # the disk is gone, or this was closed
                self._left = 0
        self._left = self._left - len(data) if data else 0
        whole = len(data) // WIDTH * WIDTH
        return np.frombuffer(data[:whole], "<i2").astype(np.float32) / (_FULL_SCALE + 1)

    def close(self) -> None:
        """No more blocks are wanted."""
        self._file.close()


class WavSink:
    """Records; the file is a valid WAV at any time. DeviceError if it cannot be written.

    If it cannot be written any more, since the disk is full, it ends there, whole, and ``failed`` is
    called with a line for the player, on whichever thread wrote.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = _opened(path, "wb")
        self._waiting: list[bytes] = []
        self._written = 0
        self._closed = False
        self._lock = threading.Lock()
        self.start_ns: int | None = None
        """Monotonic time when the first block was taken."""
        self.failed: Callable[[str], object] = unheard
        try:
            self._put(header(0))
        except OSError as error:
            self._file.close()
            raise DeviceError(f"cannot write {path}: {error.strerror}") from None

    def write(self, block: bytes) -> None:
        """Append one block."""
        with self._lock:
            if self._closed:
                return
            if self.start_ns is None:
                self.start_ns = time.perf_counter_ns()
            samples = np.frombuffer(block, np.float32)
            self._waiting.append(np.rint(samples.clip(-1, 1) * _FULL_SCALE).astype("<i2").tobytes())
            if len(self._waiting) == HEADER_EVERY:
                self._settle()

    def close(self) -> None:
        """Write what is left; later blocks are forgotten."""
        with self._lock:
            if not self._closed:
                self._settle()
                self._end()

    def _settle(self) -> None:
        """Bring what waits to the file, then the header that counts it."""
        data = b"".join(self._waiting)
        self._waiting.clear()
        problem = None
        try:
            self._put(data)
        except OSError as error:  # the call goes on, the file ends here
            problem = error
        try:
            self._file.seek(0)
            self._put(header(self._written // WIDTH * WIDTH))
            self._file.seek(0, os.SEEK_END)
        except OSError as error:
            problem = error
        if problem is not None:
            self._end()
            self.failed(f"the recording {self._path} ends here, the call goes on: {problem.strerror}")

    def _put(self, data: bytes) -> None:
        """Write all of it, or OSError; samples are counted as they get there."""
        counts = self._file.tell() > 0
        view = memoryview(data)
        while view:
            written = self._file.write(view)
            view = view[written:]
            self._written += counts * written

    def _end(self) -> None:
        self._closed = True
        try:
            self._file.close()
        except OSError as error:
            self.failed(f"the recording {self._path} may not be whole: {error.strerror}")


def header(data_bytes: int) -> bytes:
    """The 44 bytes before the samples: RIFF, fmt (PCM, mono, 16 bit), data.

    From 4 GiB on (12 h) the sizes say that they are unknown, and readers take all that there is.
    """
    riff_bytes, data_bytes = (min(size, _UNKNOWN) for size in (36 + data_bytes, data_bytes))
    form = struct.pack("<IHHIIHH", 16, PCM, 1, SAMPLE_RATE, SAMPLE_RATE * WIDTH, WIDTH, 8 * WIDTH)
    return struct.pack("<4sI8s", b"RIFF", riff_bytes, b"WAVEfmt ") + form + struct.pack("<4sI", b"data", data_bytes)


def _opened(path: str, mode: str) -> Any:
    """A file in which one can go to and fro; not waiting for the other end of a pipe. DeviceError if it cannot be."""
    if not path:
        raise DeviceError("wav: needs the path of a file behind it")
    doing = "write" if mode == "wb" else "read"
    pipe = DeviceError(f"cannot {doing} {path}: a file is needed, and this is a pipe or a terminal")
    try:
        file = open(  # noqa: SIM115  Path.open takes no opener
            Path(path).expanduser(), mode, buffering=0 if mode == "wb" else -1, opener=_without_waiting
        )
    except (OSError, ValueError, RuntimeError) as error:  # a name that the system's encoding lacks; nobody's home
        if getattr(error, "errno", None) == errno.ENXIO:
            raise pipe from None
        raise DeviceError(f"cannot {doing} {path}: {getattr(error, 'strerror', None) or error}") from None
    if not file.seekable():
        file.close()
        raise pipe
    return file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def _sound(file: BinaryIO, path: str) -> tuple[int, int]:
    """Where the samples begin and end in a file of our format. DeviceError names what it is instead."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(12)
    if start[:4] not in _WAVES or start[8:] != b"WAVE":
        kind = next((f", but {kind}" for begin, kind in _OTHERS.items() if start.startswith(begin)), "")
        raise DeviceError(f"{path} is not a WAV file{kind}")
    riff_end = 8 + int.from_bytes(start[4:8], "little")
    at, long, described = 12, _UNKNOWN, False
    for _ in range(MOST_CHUNKS):
        file.seek(at)
        chunk = file.read(8)
        if len(chunk) < 8:
            break
        name, length = struct.unpack("<4sI", chunk)
        at += 8
        if name == b"ds64":
            long = int.from_bytes(file.read(16)[8:].ljust(8, b"\xff"), "little")
        elif name == b"fmt ":
            _ours(file.read(min(length, 40)), path)
            described = True
        elif name == b"data" and described:
            if length == _UNKNOWN:
                length = long
            elif length == 0 and not at < riff_end <= size:  # never finished: nothing is said to follow either
                length = size
            return at, max(at, min(size, at + length))
        at += length + length % 2
    raise DeviceError(f"{path} is not a WAV file: no sound was found in it")


def _ours(form: bytes, path: str) -> None:
    """DeviceError unless a format chunk is that of 48 kHz, mono, 16 bit PCM."""
    if len(form) < 16:
        raise DeviceError(f"{path} is not a WAV file: its description is cut off")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if tag == EXTENSIBLE and form[26:40] == _GUID_TAIL:
        tag = int.from_bytes(form[24:26], "little")
    if (tag, channels, rate, bits) != (PCM, 1, SAMPLE_RATE, 8 * WIDTH):
        kind = _FORMATS.get(tag, f" format 0x{tag:04x}")
        raise DeviceError(
            f"{path} is {rate} Hz with {channels} channel(s) of {bits} bit{kind}; needed: {SAMPLE_RATE} Hz, mono, "
            f"16 bit (ffmpeg -i FILE -ar {SAMPLE_RATE} -ac 1 OUT.wav makes one)"
        )
