"""Windows' sound devices over a sound system of the test's own: each once, by WASAPI, and a call opens them."""

import json
import re
from collections.abc import Iterator

import pytest

from testkit.children import Children
from testkit.rig import SoundRig, sound_rig
from testkit.wine import Wine
from tests.windows.conftest import Friend
from voicechat.client.exits import Exit

CLIENT = "voicechat-client.exe"


@pytest.fixture(scope="module")
def rig() -> Iterator[SoundRig]:
    with sound_rig(1) as it:
        yield it


def test_each_device_is_listed_once_and_the_default_named(
    friend: Friend, tester: Friend, house: Children, rig: SoundRig
) -> None:
    program = (
        "import pyaudio\n"
        "audio = pyaudio.PyAudio()\n"
        "every = [audio.get_device_info_by_index(i)['name'] for i in range(audio.get_device_count())]\n"
        "print(every.count('In: default'))\n"
    )
    variables = rig.client_environment(0)
    status, out, err = tester.run(house, "python.exe", "-c", program, **variables)
    assert status == 0, err
    assert int(out) == 3, "PortAudio has it by MME, DirectSound and WASAPI"
    status, out, err = friend.run(house, CLIENT, "--list-devices", **variables)
    assert status == 0, err
    assert re.sub(r" +\d+ +", " ", out.replace("\r", "")).splitlines() == [
        "inputs:",
        " In: default   (default)",
        "outputs:",
        " Out: default   (default)",
    ]


@pytest.mark.parametrize("chosen", [(), ("--input", "In: default", "--output", "Out: default")])
def test_a_call_would_open_them(chosen: tuple[str, ...], friend: Friend, house: Children, rig: SoundRig) -> None:
    """The first microphone of a process calls after more than a second there."""
    server = house.server()
    words = ["doctor", "--host", "127.0.0.1", "--port", str(server.port)]
    words += ["--password-file", Wine.path(house.password_file), *chosen]
    status, out, err = friend.run(house, CLIENT, *words, **rig.client_environment(0))
    assert status == Exit.OK, out + err
    assert "microphone: In: default" in out
    assert "loudspeaker: Out: default" in out
    assert "no microphone" not in out + err


def test_the_program_itself_looks_for_devices_that_were_plugged_in(
    friend: Friend, house: Children, rig: SoundRig
) -> None:
    """PortAudio makes its list once: a process of its own makes another one, of the program that is Python there."""
    words = ["-m", "voicechat.client.audio.portaudio"]
    status, out, err = friend.run(house, CLIENT, *words, **rig.client_environment(0))
    assert status == 0, err
    names, defaults = json.loads(out)
    assert list(names["input"].values()) == ["In: default"]
    assert names["output"][str(defaults["output"])] == "Out: default"
