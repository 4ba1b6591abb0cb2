"""What --input and --output name; real cards are tested in tests/sound."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicechat.client import devices
from voicechat.client.bridge import SILENT_BLOCK
from voicechat.client.devices import Devices, PortAudio, SoundCard, list_devices, quiet_stderr
from voicechat.client.synthetic import Null, RealTime, Recording, Silence, Tone, WavSink
from voicechat.errors import DeviceError
from voicechat.format import BLOCK_SAMPLES, SAMPLE_RATE, TICKS_PER_SECOND
from voicechat.media.gate import TalkGate
from voicechat.media.levels import mean_square

NAMES = [("Webcam", 1, 0), ("USB Headset", 1, 2), ("USB Headset Pro", 1, 2), ("HDMI", 0, 8)]
"""Devices: name, inputs, outputs."""


class Stream:
    """A stream that was opened."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.running = False
        self.closed = False

    def start_stream(self) -> None:
        """Run."""
        self.running = True

    def close(self) -> None:
        """Stop."""
        self.closed = True

    def get_input_latency(self) -> float:
        """Seconds."""
        return 0.01

    def get_output_latency(self) -> float:
        """Seconds."""
        return 0.02


class Library:
    """PortAudio on a machine with NAMES; ``default`` is the index of both defaults, or None."""

    paContinue = 0
    paFloat32 = 1

    def __init__(self, default: int | None = 1, *, duplex: bool = True) -> None:
        self.default = default
        self.duplex = duplex
        self.opened: list[Stream] = []
        self.ended = False

    def PyAudio(self) -> "Library":
        """Itself."""
        return self

    def terminate(self) -> None:
        """The end."""
        self.ended = True

    def get_device_count(self) -> int:
        """So many."""
        return len(NAMES)

    def get_device_info_by_index(self, index: int) -> dict[str, Any]:
        """One of them."""
        name, inputs, outputs = NAMES[index]
        return {"index": index, "name": name, "maxInputChannels": inputs, "maxOutputChannels": outputs}

    def get_default_input_device_info(self) -> dict[str, Any]:
        """The default, as PyAudio has it."""
        if self.default is None:
            raise OSError("No Default Input Device Available")
        return self.get_device_info_by_index(self.default)

    get_default_output_device_info = get_default_input_device_info

    def open(self, **options: Any) -> Stream:
        """A stream."""
        if options["input"] and options["output"] and not self.duplex:
            raise OSError("Invalid sample rate")
        self.opened.append(Stream(**options))
        return self.opened[-1]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setitem(sys.modules, "pyaudio", made)
    return made


@pytest.fixture
def recording(tmp_path: Path) -> str:
    path = tmp_path / "said.wav"
    sink = WavSink(str(path))
    sink.write(np.full(BLOCK_SAMPLES, 0.5, np.float32).tobytes())
    sink.close()
    return str(path)


def test_sources_and_sinks_without_a_card_need_no_portaudio(
    monkeypatch: pytest.MonkeyPatch, recording: str, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    kinds = {"silence": Silence, "tone:440": Tone, f"wav:{recording}": Recording}
    for text, kind in kinds.items():
        chosen = Devices(text, "null")
        assert type(chosen.source) is kind
        assert type(chosen.sink) is Null
        assert type(chosen.device) is RealTime
        assert not chosen.real
        assert chosen.notes == []
        chosen.close()
    chosen = Devices("silence", f"wav:{tmp_path}/heard.wav")
    assert type(chosen.sink) is WavSink
    chosen.close()
    assert (tmp_path / "heard.wav").stat().st_size == 44


@pytest.mark.parametrize("text", ["tone:", "tone:x", "tone:0", "tone:-1", "tone:24000", "tone:nan", "tone:inf"])
def test_a_tone_that_cannot_be_is_told(text: str) -> None:
    with pytest.raises(DeviceError, match="tone:HZ needs a number from 1 to 23999"):
        Devices(text, "null")


def test_a_tone_keeps_the_gate_open_for_ever() -> None:
    chosen = Devices("tone:440", "null")
    gates = {"as it is": TalkGate(), "as it is told": TalkGate(chosen.gate_dbfs)}
    chosen.source.begin()
    opened = dict.fromkeys(gates, True)
    for _ in range(20 * TICKS_PER_SECOND):
        samples = np.frombuffer(chosen.source.read() + chosen.source.read(), np.float32)
        opened = {name: gate.push(mean_square(samples)) for name, gate in gates.items()}
    assert opened == {"as it is": False, "as it is told": True}
    chosen.close()


def test_without_pyaudio_a_card_is_told_how_to_get(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(DeviceError, match=r"pip install '.\[client\]'"):
        Devices("default", "null")


@pytest.mark.parametrize(
    ("wanted", "index"), [("default", 1), ("0", 0), ("USB Headset", 1), ("usb headset pro", 2), ("webcam", 0)]
)
def test_a_microphone_is_found_by_name_index_or_part_of_a_name(library: Library, wanted: str, index: int) -> None:
    assert PortAudio().find("input", wanted) == index


@pytest.mark.parametrize(
    ("side", "wanted", "words"),
    [
        ("input", "Gramophone", "there is no input 'Gramophone'; inputs here: 0: Webcam, 1: USB Headset"),
        ("input", "usb", "several devices match input 'usb'"),
        ("input", "3", "there is no input '3'"),
        ("output", "0", "there is no output '0'; outputs here: 1: USB Headset, 2: USB Headset Pro, 3: HDMI"),
    ],
)
def test_a_named_device_that_is_not_there_is_told_with_those_that_are(
    library: Library, side: str, wanted: str, words: str
) -> None:
    with pytest.raises(DeviceError) as told:
        PortAudio().find(side, wanted)
    assert words in str(told.value)


def test_no_default_device_is_not_the_end(library: Library) -> None:
    library.default = None
    chosen = Devices("default", "default")
    assert chosen.notes == ["no microphone found: you are not heard", "no loudspeaker found: you hear nothing"]
    assert type(chosen.device) is RealTime
    chosen.close()
    assert library.ended


def test_both_halves_of_a_card_are_one_stream(library: Library) -> None:
    chosen = Devices("default", "default")
    assert chosen.real
    assert type(chosen.device) is SoundCard
    chosen.device.start(lambda block: block[::-1])
    (stream,) = library.opened
    assert stream.running
    wanted = {
        "rate": SAMPLE_RATE,
        "channels": 1,
        "format": Library.paFloat32,
        "frames_per_buffer": BLOCK_SAMPLES,
        "input": True,
        "output": True,
        "input_device_index": 1,
        "output_device_index": 1,
    }
    assert {name: stream.options[name] for name in wanted} == wanted
    assert stream.options["stream_callback"](b"abc", 480, {}, 0) == (b"cba", Library.paContinue)
    chosen.close()
    assert stream.closed
    assert library.ended


def test_halves_that_cannot_be_opened_together_are_two_streams(library: Library) -> None:
    library.duplex = False
    chosen = Devices("Webcam", "HDMI")
    heard: list[bytes] = []

    def exchange(block: bytes) -> bytes:
        heard.append(block)
        return b"played"

    chosen.device.start(exchange)
    microphone, loudspeaker = library.opened
    assert (microphone.options["input"], microphone.options["output"]) == (True, False)
    listen, play = microphone.options["stream_callback"], loudspeaker.options["stream_callback"]
    for n in range(5):
        assert listen(b"%d" % n, 480, {}, 0) == (None, Library.paContinue)
    for _ in range(4):
        assert play(None, 480, {}, 0) == (b"played", Library.paContinue)
    assert heard == [b"2", b"3", b"4", SILENT_BLOCK], "the oldest are dropped, and silence fills in"
    chosen.close()


def test_a_recording_may_be_played_to_a_card_and_a_card_recorded(library: Library, recording: str) -> None:
    to_card = Devices(f"wav:{recording}", "default")
    to_card.source.begin()
    to_card.device.start(lambda block: block)
    block, _ = library.opened[-1].options["stream_callback"](None, 480, {}, 0)
    assert np.frombuffer(block, np.float32)[0] == 0.5
    assert not to_card.real
    from_card = Devices("default", "null")
    taken: list[bytes] = []

    def exchange(block: bytes) -> bytes:
        taken.append(block)
        return block

    from_card.device.start(exchange)
    assert library.opened[-1].options["stream_callback"](b"mic", 480, {}, 0) == (None, Library.paContinue)
    assert taken == [b"mic"]
    for chosen in (to_card, from_card):
        chosen.close()


def test_a_card_that_cannot_be_opened_is_told(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> Stream:
        raise OSError(-9996, "Device unavailable")

    chosen = Devices("default", "default")
    monkeypatch.setattr(library, "open", fail)
    with pytest.raises(DeviceError, match=r"cannot open the sound device: .*Device unavailable"):
        chosen.device.start(lambda block: block)
    chosen.close()


def test_devices_are_listed_with_the_defaults(library: Library) -> None:
    listed = list_devices().splitlines()
    assert listed[0] == "inputs:"
    assert [line.split()[0] for line in listed if "(default)" in line] == ["1", "1"]
    assert sum("HDMI" in line for line in listed) == 1
    assert library.ended


def test_a_machine_without_devices_lists_none(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "get_device_count", lambda: 0)
    library.default = None
    assert list_devices().splitlines() == ["inputs:", "       none", "outputs:", "       none"]


def test_what_c_libraries_print_is_kept_off_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    import os

    with quiet_stderr():
        os.write(2, b"ALSA lib confmisc.c: cannot find card '0'\n")
    os.write(2, b"this is shown\n")
    assert capfd.readouterr().err == "this is shown\n"


def test_stderr_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    import os

    with pytest.raises(ZeroDivisionError), quiet_stderr():
        raise ZeroDivisionError
    os.write(2, b"shown\n")
    assert capfd.readouterr().err == "shown\n"
    assert devices.DEFAULT == "default"
