"""Windows' devices: each once, by WASAPI, and by MME where WASAPI does not open one."""

import sys

import pytest

from tests.client.sound_library import WindowsLibrary
from voicechat.client.audio import card, devices
from voicechat.client.audio.devices import Devices
from voicechat.client.audio.jobs import STUCK
from voicechat.client.audio.portaudio import PortAudio, list_devices
from voicechat.errors import DeviceError

HEADSET = ("Headset Microphone (2- USB Headset with a long name)", 1, 0)
WEBCAM = ("Microphone (Webcam)", 1, 0)
SPEAKERS = ("Speakers (Realtek)", 0, 2)
PHONES = ("Headphones (2- USB Headset with a long name)", 0, 2)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> WindowsLibrary:
    made = WindowsLibrary(HEADSET, SPEAKERS, WEBCAM, PHONES)
    monkeypatch.setitem(sys.modules, "pyaudio", made)
    return made


def test_each_device_is_listed_once_with_wasapis_number_and_default(windows: WindowsLibrary) -> None:
    assert list_devices().splitlines() == [
        "inputs:",
        "    6  Headset Microphone (2- USB Headset with a long name)",
        "    8  Microphone (Webcam)   (default)",
        "outputs:",
        "    7  Speakers (Realtek)",
        "    9  Headphones (2- USB Headset with a long name)   (default)",
    ]


@pytest.mark.parametrize("wanted", ["8", "Microphone (Webcam)", "webcam", "default"])
def test_a_microphone_that_is_chosen_in_any_way_is_wasapis(windows: WindowsLibrary, wanted: str) -> None:
    chosen = Devices(wanted, "null")
    assert chosen.open(lambda block: block).microphone == "Microphone (Webcam)"
    (stream,) = windows.streams
    assert stream.names == {"input": "WASAPI Microphone (Webcam)"}
    chosen.close()


def test_a_number_of_another_host_api_is_none_of_a_device(windows: WindowsLibrary) -> None:
    with pytest.raises(DeviceError, match="there is no input '1'; inputs here: 6: Headset Microphone"):
        PortAudio().find("input", "1")


def test_what_wasapi_refuses_is_opened_by_mme(windows: WindowsLibrary) -> None:
    """A microphone at 44.1 kHz: the two cannot be one stream, and it alone is opened by the other way."""
    windows.broken = {f"WASAPI {HEADSET[0]}"}
    chosen = Devices("Headset", "Headphones")
    opened = chosen.open(lambda block: block[::-1])
    assert (opened.microphone, opened.loudspeaker, opened.missing) == (HEADSET[0], PHONES[0], ())
    assert [stream.names for stream in windows.streams] == [
        {"input": f"MME {HEADSET[0][:31]}"},
        {"output": f"WASAPI {PHONES[0]}"},
    ]
    chosen.close()


def test_what_neither_opens_is_told(windows: WindowsLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "FIRST_WITHIN", 0.0)
    windows.broken = {f"WASAPI {WEBCAM[0]}", f"MME {WEBCAM[0]}"}
    chosen = Devices("Webcam", "null")
    with pytest.raises(DeviceError, match=r"cannot open the sound device 'Microphone \(Webcam\)'"):
        chosen.open(lambda block: block)
    chosen.close()


def test_names_that_mme_cannot_tell_apart_have_no_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better no microphone than another one."""
    twin = (HEADSET[0] + " too", 1, 0)
    monkeypatch.setitem(sys.modules, "pyaudio", WindowsLibrary(HEADSET, twin, WEBCAM))
    audio = PortAudio()
    numbers = {name: index for index, name in audio.listing.names["input"].items()}
    assert audio.elsewhere("input", numbers[HEADSET[0]]) is None
    assert audio.elsewhere("input", numbers[WEBCAM[0]]) == 2


def test_a_headset_in_another_socket_is_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows puts a number before its name there; of two that are alike the exact one is taken."""
    first, second = ("Microphone (USB Headset)", 1, 0), ("Microphone (2- USB Headset)", 1, 0)
    monkeypatch.setitem(sys.modules, "pyaudio", WindowsLibrary(second))
    audio = PortAudio()
    assert audio.same("input", first[0]) == audio.find("input", second[0]) == 3
    assert audio.same("input", "Microphone (USB Headset Pro)") is None
    monkeypatch.setitem(sys.modules, "pyaudio", WindowsLibrary(second, first))
    audio = PortAudio()
    assert audio.listing.names["input"][audio.find("input", first[0]) or 0] == first[0]
    assert audio.listing.names["input"][audio.find("input", second[0]) or 0] == second[0]


def test_without_wasapi_the_devices_are_mmes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", WindowsLibrary(WEBCAM, SPEAKERS, wasapi=False))
    audio = PortAudio()
    assert list(audio.listing.names["input"].values()) == ["Microsoft Sound Mapper", "Microphone (Webcam)"]
    assert audio.listing.defaults == {"input": 1, "output": 2}
    assert audio.elsewhere("input", 1) is None


def test_wasapi_without_a_microphone_has_no_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", WindowsLibrary(SPEAKERS))
    assert PortAudio().listing.defaults == {"input": None, "output": 3}


@pytest.mark.parametrize(("first", "blocks"), [(0.5, 50), (2.5, 250)])
def test_a_microphone_of_its_own_has_as_long_for_its_first_block_as_a_card(
    windows: WindowsLibrary, monkeypatch: pytest.MonkeyPatch, first: float, blocks: int
) -> None:
    """On Windows that took a second, and half a second without one was the end of it: open and close, for ever."""
    monkeypatch.setattr(card, "FIRST_WITHIN", first)
    windows.duplex = False
    windows.asleep = {f"WASAPI {WEBCAM[0]}"}
    chosen = Devices("Webcam", "Speakers")
    chosen.open(lambda block: block)
    microphone, loudspeaker = windows.streams
    for _ in range(blocks - 2):  # the first came as it started
        loudspeaker.beat()
        assert not chosen.starved
    loudspeaker.beat()
    assert chosen.starved
    windows.asleep.clear()
    microphone.beat()
    for _ in range(card.STARVED):
        loudspeaker.beat()
        assert not chosen.starved
    loudspeaker.beat()
    assert chosen.starved, "later it has half a second"
    chosen.close()


def test_a_job_has_time_for_all_pairs_of_devices() -> None:
    assert STUCK >= 9 * card.FIRST_WITHIN
