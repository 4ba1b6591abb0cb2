"""A sound card: PortAudio's streams, and the block that they hand over and take.

A card is opened as ONE duplex stream of float32 mono blocks where both halves are
real (43 ms end to end against 46 ms for two streams, and less CPU, measured). If the
two cannot be opened together, they become two streams, and playback is the clock.
"""

import sys
from collections import deque
from contextlib import suppress
from typing import Any, Final

from voicechat.client.audio.portaudio import PortAudio
from voicechat.client.audio.synthetic import Exchange, Sink, Source
from voicechat.errors import DeviceError
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, SAMPLE_RATE, SILENT_BLOCK

FIRST_WITHIN: Final = 2.5 if sys.platform == "win32" else 0.5
"""Seconds within which an opened card must call; 20-60 ms are usual on Linux (measured). One that does not is none.
On Windows the first microphone of a process took 1.0 s by WASAPI and 1.4 s by MME (measured under Wine)."""

STARVED: Final = 50
"""Blocks without any from a microphone that is a stream of its own, after which it is taken to be gone: 500 ms."""


class SoundCard:
    """PortAudio streams on one or two devices, by index; a half that is None is played by a source or sink."""

    def __init__(
        self, audio: PortAudio, microphone: int | None, loudspeaker: int | None, source: Source, sink: Sink
    ) -> None:
        self._audio = audio
        self._microphone, self._loudspeaker = microphone, loudspeaker
        self._source, self._sink = source, sink
        self._streams: list[Any] = []
        self._heard: deque[bytes] = deque(maxlen=3)
        self._without = STARVED - round(FIRST_WITHIN / BLOCK_SECONDS)
        """Blocks since the last of a microphone that is a stream of its own; its first one has more time."""

    @property
    def starved(self) -> bool:
        """The loudspeaker goes on, but its microphone has stopped."""
        return self._without >= STARVED

    def start(self, exchange: Exchange) -> None:
        """Open and run: PortAudio's thread calls ``exchange`` once a block. DeviceError if it cannot be opened."""
        try:
            self._open_all(exchange)
            for stream in self._streams:
                stream.start_stream()
        except (OSError, ValueError) as error:
            self.stop()
            raise DeviceError(f"cannot open the sound device: {error}") from None

    def stop(self, *, at_once: bool = False) -> None:
        """After return ``exchange`` is not called again. It may never return if the sound system hangs.

        ``at_once`` for a card that does not call any more: PortAudio then cancels its thread,
        which it must not do to one that may be in the middle of Python.
        """
        streams, self._streams = self._streams, []
        for stream in streams:
            with suppress(OSError):  # it was dead already
                if not at_once:
                    stream.stop_stream()
            with suppress(OSError):
                stream.close()

    def pause(self) -> None:
        """Stop for a while; ``exchange`` is not called until `go_on`. DeviceError if the device is gone."""
        self._each("stop_stream")

    def go_on(self) -> None:
        """Run again, 10 ms later (measured). DeviceError if the device is gone."""
        self._each("start_stream")

    def _each(self, what: str) -> None:
        try:
            for stream in self._streams:
                getattr(stream, what)()
        except OSError as error:
            raise DeviceError(f"the sound device is gone: {error}") from None

    def _open_all(self, exchange: Exchange) -> None:
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
            if heard:
                self._without = 0
                return exchange(heard.popleft()), go_on
            self._without += 1
            return exchange(SILENT_BLOCK), go_on

        if self._loudspeaker is None:
            self._open_half(capture_only, "input", self._microphone)
        elif self._microphone is None:
            self._open_half(play_only, "output", self._loudspeaker)
        else:
            try:
                self._open(both, input_device_index=self._microphone, output_device_index=self._loudspeaker)
            except (OSError, ValueError):
                self._open_half(listen, "input", self._microphone)
                self._open_half(play_beside, "output", self._loudspeaker)

    def _open_half(self, callback: object, side: str, device: int | None) -> None:
        try:
            self._open(callback, **{f"{side}_device_index": device})
        except (OSError, ValueError):
            other = None if device is None else self._audio.elsewhere(side, device)
            if other is None:
                raise
            self._open(callback, **{f"{side}_device_index": other})

    def _open(self, callback: object, **devices: int | None) -> None:
        self._streams.append(
            self._audio.library.open(
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
        )
