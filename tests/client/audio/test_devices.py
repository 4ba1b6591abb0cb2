"""What --input and --output name; real cards are tested in tests/sound."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.client.sound_library import HDMI, HEADSET, WEBCAM, Library
from voicechat.client.audio import devices
from voicechat.client.audio.card import STARVED
from voicechat.client.audio.devices import Devices, Missing
from voicechat.client.audio.portaudio import PortAudio, list_devices, look, quiet_stderr
from voicechat.client.audio.synthetic import Null, Silence, Tone
from voicechat.client.audio.wav import Recording, WavSink
from voicechat.errors import DeviceError
from voicechat.format import BLOCK_SAMPLES, SAMPLE_RATE, SILENT_BLOCK, TICKS_PER_SECOND
from voicechat.media.gate import TalkGate
from voicechat.media.levels import mean_square

MICROPHONE, LOUDSPEAKER = Missing("microphone", None, None), Missing("loudspeaker", None, None)
PRO = ("USB Headset Pro", 1, 2)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library(HEADSET, WEBCAM, PRO, HDMI)
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
        assert not chosen.any_real
        called = threading.Event()
        assert chosen.open(lambda block, called=called: called.set() or block) == (None, None, ())  # type: ignore[misc]
        assert called.is_set()
        chosen.close()
    chosen = Devices("silence", f"wav:{tmp_path}/heard.wav")
    assert type(chosen.sink) is WavSink
    chosen.close()
    assert (tmp_path / "heard.wav").stat().st_size == 44


def test_a_file_is_not_recorded_to_while_it_is_played(
    recording: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.wav").symlink_to(recording)
    (tmp_path / "twin.wav").hardlink_to(recording)
    before = Path(recording).read_bytes()
    for name in (recording, "said.wav", "./said.wav", "~/said.wav", "link.wav", "twin.wav"):
        with pytest.raises(DeviceError, match="the same file"):
            Devices(f"wav:{recording}", f"wav:{name}")
    assert Path(recording).read_bytes() == before
    Devices(f"wav:{recording}", "wav:other.wav").close()


@pytest.mark.parametrize(
    "text", ["tone:", "tone:x", "tone:0", "tone:-1", "tone:24000", "tone:nan", "tone:inf", "tone:\u0664\u0664\u0660"]
)
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
    with pytest.raises(DeviceError, match=r"pip install 'voicechat\[client\]'"):
        Devices("default", "null")


@pytest.mark.parametrize(
    ("wanted", "index"), [("default", 0), ("1", 1), ("USB Headset", 0), ("usb headset pro", 2), ("webcam", 1)]
)
def test_a_microphone_is_found_by_name_index_or_part_of_a_name(library: Library, wanted: str, index: int) -> None:
    assert PortAudio().find("input", wanted) == index


@pytest.mark.parametrize(
    ("side", "wanted", "words"),
    [
        ("input", "Gramophone", "there is no input 'Gramophone'; inputs here: 0: USB Headset, 1: Webcam"),
        ("input", "usb", "several devices match input 'usb'"),
        ("input", "3", "there is no input '3'"),
        ("output", "1", "there is no output '1'; outputs here: 0: USB Headset, 2: USB Headset Pro, 3: HDMI"),
    ],
)
def test_a_named_device_that_is_not_there_is_told_with_those_that_are(
    library: Library, side: str, wanted: str, words: str
) -> None:
    with pytest.raises(DeviceError) as told:
        PortAudio().find(side, wanted)
    assert words in str(told.value)


def test_a_card_is_known_again_where_alsa_has_put_it_elsewhere(library: Library) -> None:
    library.plug(("Mic: USB Audio (hw:3,0)", 1, 0), ("Mic: USB Audio Two (hw:4,0)", 1, 0))
    audio = PortAudio()
    assert audio.find("input", "Mic: USB Audio (hw:1,0)") == 4
    assert audio.same("input", "Mic: USB Audio (hw:1,0)") == 4
    assert audio.same("input", "Mic: USB Audio (hw:4,0)") == 4
    assert audio.same("input", "Mic: USB") is None


def test_no_default_device_is_not_the_end(library: Library) -> None:
    library.unplug(HEADSET, PRO, WEBCAM, HDMI)
    chosen = Devices("default", "default")
    assert chosen.open(lambda block: block) == (None, None, (MICROPHONE, LOUDSPEAKER))
    assert chosen.idle
    chosen.close()
    assert not library.initialised


def test_both_halves_of_a_card_are_one_stream(library: Library) -> None:
    chosen = Devices("default", "default")
    assert chosen.open(lambda block: block[::-1]) == ("USB Headset", "USB Headset", ())
    (stream,) = library.streams
    assert stream.running
    wanted = {
        "rate": SAMPLE_RATE,
        "channels": 1,
        "format": Library.paFloat32,
        "frames_per_buffer": BLOCK_SAMPLES,
        "input": True,
        "output": True,
        "input_device_index": 0,
        "output_device_index": 0,
    }
    assert {name: stream.options[name] for name in wanted} == wanted
    assert stream.beat(b"abc") == b"cba"
    chosen.close()
    assert stream.closed
    assert not library.initialised
    assert stream.options["stream_callback"](b"abc", 480, {}, 0)[0] == SILENT_BLOCK, "nobody calls after the end"


def test_halves_that_cannot_be_opened_together_are_two_streams(library: Library) -> None:
    library.duplex = False
    chosen = Devices("Webcam", "HDMI")
    heard: list[bytes] = []

    def exchange(block: bytes) -> bytes:
        heard.append(block)
        return b"played"

    chosen.open(exchange)
    microphone, loudspeaker = library.streams
    assert (microphone.options["input"], microphone.options["output"]) == (True, False)
    heard.clear()
    for n in range(5):
        assert microphone.beat(b"%d" % n) == b""
    for _ in range(4):
        assert loudspeaker.beat() == b"played"
    assert heard == [b"2", b"3", b"4", SILENT_BLOCK], "the oldest are dropped, and silence fills in"
    for _ in range(STARVED - 2):
        assert not chosen.starved
        loudspeaker.beat()
    loudspeaker.beat()
    assert chosen.starved, "half a second without the microphone"
    microphone.beat(b"back")
    loudspeaker.beat()
    assert not chosen.starved
    chosen.close()


def test_a_recording_may_be_played_to_a_card_and_a_card_recorded(library: Library, recording: str) -> None:
    to_card = Devices(f"wav:{recording}", "default")
    to_card.source.begin()
    assert to_card.open(lambda block: block) == (None, "USB Headset", ())
    (stream,) = library.streams
    assert np.frombuffer(stream.beat() or b"", np.float32)[0] == 0.0, "the first was played at the start"
    to_card.close()
    from_card = Devices("default", "null")
    taken: list[bytes] = []

    def exchange(block: bytes) -> bytes:
        taken.append(block)
        return block

    assert from_card.open(exchange) == ("USB Headset", None, ())
    (stream,) = library.streams
    stream.beat(b"mic")
    assert taken[-1] == b"mic"
    from_card.close()


def test_a_named_card_that_cannot_be_opened_is_told(library: Library) -> None:
    library.broken = {"Webcam"}
    chosen = Devices("Webcam", "default")
    with pytest.raises(DeviceError, match=r"cannot open the sound device 'Webcam': .*Device unavailable"):
        chosen.open(lambda block: block)
    chosen.close()
    assert not library.streams


def test_a_default_card_that_cannot_be_opened_costs_its_half(library: Library) -> None:
    library.unplug(HEADSET, PRO)
    library.broken = {"Webcam"}
    chosen = Devices("default", "default")
    assert chosen.open(lambda block: block) == (None, "HDMI", (MICROPHONE,))
    (stream,) = library.streams
    assert chosen.improve() == (None, "HDMI", (MICROPHONE,))
    assert library.streams == [stream], "what runs goes on"
    library.broken = set()
    assert chosen.improve() == ("Webcam", "HDMI", ())
    assert stream.closed
    assert [stream.names for stream in library.streams] == [{"input": "Webcam", "output": "HDMI"}]
    chosen.close()


def test_a_card_that_opens_and_does_not_call_is_none(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "FIRST_WITHIN", 0.001)
    library.mute = True
    chosen = Devices("default", "default")
    assert chosen.open(lambda block: block) == (None, None, (MICROPHONE, LOUDSPEAKER))
    assert not library.streams
    library.mute = False
    assert chosen.reopen() == ("USB Headset", "USB Headset", ())
    chosen.close()


def test_a_call_that_hangs_and_returns_later_opens_nothing(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Devices("default", "default")
    chosen.open(lambda block: block)
    (stream,) = library.streams
    hanging, go_on = threading.Event(), threading.Event()

    def close() -> None:
        hanging.set()
        go_on.wait(20)

    monkeypatch.setattr(stream, "close", close)
    job = threading.Thread(target=chosen.reopen)
    job.start()
    assert hanging.wait(20)
    chosen.abandon()
    assert chosen.reopen() == ("USB Headset", "USB Headset", ())
    opened = list(library.opened)
    go_on.set()
    job.join(20)
    assert library.opened == opened
    assert opened[-1].beat(b"x") == b"x"
    assert stream.beat(b"x") == SILENT_BLOCK
    assert library.lists == 1, "PortAudio is not ended beside what hangs"


def test_devices_are_listed_with_the_defaults(library: Library) -> None:
    listed = list_devices().splitlines()
    assert listed[0] == "inputs:"
    assert [line.split()[0] for line in listed if "(default)" in line] == ["0", "0"]
    assert sum("HDMI" in line for line in listed) == 1
    assert not library.initialised


def test_a_machine_without_devices_lists_none(library: Library) -> None:
    library.unplug(HEADSET, PRO, WEBCAM, HDMI)
    *lines, advice = list_devices().splitlines()
    assert lines == ["inputs:", "       none", "outputs:", "       none"]
    assert advice.startswith("no sound at all: is PipeWire or PulseAudio running?")


def test_another_process_makes_a_list_of_its_own() -> None:
    with quiet_stderr():
        audio = PortAudio()
        audio.close()
    assert look() == audio.listing


def test_what_c_libraries_print_is_kept_off_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, b"ALSA lib confmisc.c: cannot find card '0'\n")
    os.write(2, b"this is shown\n")
    assert capfd.readouterr().err == "this is shown\n"


def test_what_python_says_meanwhile_is_shown() -> None:
    program = (
        "import os, sys\n"
        "from voicechat.client.audio.portaudio import quiet_stderr\n"
        "with quiet_stderr():\n"
        "    os.write(2, b'ALSA')\n"
        "    print('told', file=sys.stderr)\n"
        "print('after', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "told\nafter\n"


def test_stderr_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), quiet_stderr():
        raise ZeroDivisionError
    os.write(2, b"shown\n")
    assert capfd.readouterr().err == "shown\n"
