"""Sound devices: names into sources, sinks and cards. The only importer of pyaudio.

A card is opened as ONE duplex stream of float32 mono blocks where both halves are
real (43 ms end to end against 46 ms for two streams, and less CPU, measured). If the
two cannot be opened together, they become two streams, and playback is the clock.
"""

import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from voicechat.client.bridge import SILENT_BLOCK
from voicechat.client.synthetic import (
    Exchange,
    Null,
    RealTime,
    Recording,
    Silence,
    Sink,
    Source,
    Tone,
    WavSink,
    read_wav,
)
from voicechat.errors import DeviceError
from voicechat.format import BLOCK_SAMPLES, SAMPLE_RATE
from voicechat.media.gate import GUARD_DBFS

DEFAULT: Final = "default"

_SIDES: Final = {"input": "maxInputChannels", "output": "maxOutputChannels"}


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep C libraries off the terminal: ALSA alone prints 80 lines when there is no card (measured)."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        keep = os.dup(2)
    except OSError:  # no standard error at all: nothing to keep quiet
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(keep, 2)
        os.close(keep)
        os.close(null)


def _pyaudio() -> Any:
    try:
        import pyaudio
    except ImportError:
        raise DeviceError("PyAudio is not installed: pip install '.[client]' in voicechat's folder") from None
    return pyaudio


class PortAudio:
    """PortAudio, initialised; ends it when closed."""

    def __init__(self) -> None:
        self.module = _pyaudio()
        try:
            with quiet_stderr():
                self.library = self.module.PyAudio()
        except OSError as error:
            raise DeviceError(f"PortAudio does not start: {error}") from None

    def close(self) -> None:
        """Let PortAudio go."""
        self.library.terminate()

    def names(self, side: str) -> dict[int, str]:
        """Devices of a side ('input' or 'output') by index."""
        every = (self.library.get_device_info_by_index(i) for i in range(self.library.get_device_count()))
        return {int(info["index"]): str(info["name"]) for info in every if info[_SIDES[side]] > 0}

    def default(self, side: str) -> int | None:
        """The index of the default device, or None if there is none."""
        ask = getattr(self.library, f"get_default_{side}_device_info")
        try:
            return int(ask()["index"])
        except OSError:
            return None

    def find(self, side: str, wanted: str) -> int | None:
        """The index of a device by name or index; None for a default that does not exist. DeviceError with the list."""
        if wanted == DEFAULT:
            return self.default(side)
        names = self.names(side)
        if wanted.isascii() and wanted.isdigit() and int(wanted) in names:
            return int(wanted)
        exact = [index for index, name in names.items() if name == wanted]
        similar = exact or [index for index, name in names.items() if wanted.lower() in name.lower()]
        if exact or len(similar) == 1:
            return similar[0]
        problem = "several devices match" if similar else "there is no"
        known = ", ".join(f"{index}: {name}" for index, name in names.items()) or "none at all"
        raise DeviceError(f"{problem} {side} {wanted!r}; {side}s here: {known}")


def list_devices() -> str:
    """What --list-devices prints."""
    audio = PortAudio()
    try:
        lines = []
        for side in _SIDES:
            lines.append(f"{side}s:")
            standard = audio.default(side)
            names = audio.names(side)
            lines += [
                f"  {index:3}  {name}{'   (default)' if index == standard else ''}" for index, name in names.items()
            ]
            if not names:
                lines.append("       none")
        return "\n".join(lines)
    finally:
        audio.close()


class SoundCard:
    """PortAudio streams on one or two devices; a missing half is played by a source or sink."""

    def __init__(
        self, audio: PortAudio, microphone: int | None, loudspeaker: int | None, source: Source, sink: Sink
    ) -> None:
        self._audio = audio
        self._microphone, self._loudspeaker = microphone, loudspeaker
        self._source, self._sink = source, sink
        self._streams: list[Any] = []
        self._heard: deque[bytes] = deque(maxlen=3)

    def start(self, exchange: Exchange) -> None:
        """Open and run: PortAudio's thread calls ``exchange`` once a block. DeviceError if it cannot be opened."""
        try:
            self._streams = self._open_all(exchange)
            for stream in self._streams:
                stream.start_stream()
        except (OSError, ValueError) as error:
            self.stop()
            raise DeviceError(f"cannot open the sound device: {error}") from None

    def stop(self) -> None:
        """After return ``exchange`` is not called again."""
        for stream in self._streams:
            with quiet_stderr():
                stream.close()
        self._streams = []

    def _open_all(self, exchange: Exchange) -> list[Any]:
        go_on = self._audio.module.paContinue
        source, sink, heard = self._source, self._sink, self._heard

        def both(data: bytes, *_: object) -> tuple[bytes, int]:
            return exchange(data), go_on

        def capture_only(data: bytes, *_: object) -> tuple[None, int]:
            sink.write(exchange(data))
            return None, go_on

        def play_only(*_: object) -> tuple[bytes, int]:
            return exchange(source.read()), go_on

        def listen(data: bytes, *_: object) -> tuple[None, int]:
            heard.append(data)
            return None, go_on

        def play_beside(*_: object) -> tuple[bytes, int]:
            return exchange(heard.popleft() if heard else SILENT_BLOCK), go_on

        if self._loudspeaker is None:
            return [self._open(capture_only, input_device_index=self._microphone)]
        if self._microphone is None:
            return [self._open(play_only, output_device_index=self._loudspeaker)]
        try:
            return [self._open(both, input_device_index=self._microphone, output_device_index=self._loudspeaker)]
        except (OSError, ValueError):
            microphone = self._open(listen, input_device_index=self._microphone)
            return [microphone, self._open(play_beside, output_device_index=self._loudspeaker)]

    def _open(self, callback: object, **devices: int | None) -> Any:
        with quiet_stderr():
            return self._audio.library.open(
                rate=SAMPLE_RATE,
                channels=1,
                format=self._audio.module.paFloat32,
                frames_per_buffer=BLOCK_SAMPLES,
                input="input_device_index" in devices,
                output="output_device_index" in devices,
                stream_callback=callback,
                start=False,
                **devices,
            )


class Devices:
    """What the user chose with --input and --output, made ready. DeviceError for what cannot be used."""

    def __init__(self, microphone: str, loudspeaker: str) -> None:
        self.notes: list[str] = []
        """Lines for the user: which device is missing."""
        source, sink = _source(microphone), _sink(loudspeaker)
        self._audio: PortAudio | None = None
        inward = outward = None
        if source is None or sink is None:
            self._audio = PortAudio()
            if source is None:
                inward = self._audio.find("input", microphone)
                if inward is None:
                    self.notes.append("no microphone found: you are not heard")
            if sink is None:
                outward = self._audio.find("output", loudspeaker)
                if outward is None:
                    self.notes.append("no loudspeaker found: you hear nothing")
        self.source: Source = source or Silence()
        self.sink: Sink = sink or Null()
        self.device: RealTime | SoundCard
        if self._audio is None or (inward is None and outward is None):
            self.device = RealTime(self.source, self.sink)
        else:
            self.device = SoundCard(self._audio, inward, outward, self.source, self.sink)
        self.gate_dbfs: float | None = GUARD_DBFS if isinstance(source, Tone) else None
        """The level that opens the gate, where the source has no noise to learn: a tone would be learnt as noise."""
        self.real = inward is not None and outward is not None
        """Microphone and loudspeaker both exist, so headphones are worth a word."""

    def close(self) -> None:
        """Let everything go; recordings are complete afterwards."""
        self.device.stop()
        self.sink.close()
        audio, self._audio = self._audio, None
        if audio is not None:
            audio.close()


def _source(text: str) -> Source | None:
    """The source that --input names, or None for a real device."""
    kind, _, rest = text.partition(":")
    if kind == "wav":
        return Recording(read_wav(rest))
    if text == "silence":
        return Silence()
    if kind == "tone":
        try:
            hertz = float(rest)
        except ValueError:
            hertz = 0.0
        if not 0 < hertz < SAMPLE_RATE / 2:
            raise DeviceError(f"tone:HZ needs a number from 1 to {SAMPLE_RATE // 2 - 1}, not {rest!r}")
        return Tone(hertz)
    return None


def _sink(text: str) -> Sink | None:
    """The sink that --output names, or None for a real device."""
    kind, _, rest = text.partition(":")
    if kind == "wav":
        return WavSink(rest)
    return Null() if text == "null" else None
