"""The client's dealings with real PortAudio devices."""

import subprocess
from pathlib import Path

import pytest

from demo.processes import command, free_port, password_file
from tests.sound.rig import SoundRig, sound_rig

pytestmark = pytest.mark.sound

NO_DEVICE = 74
"""The client's exit status when a named sound device cannot be used."""


def test_the_default_device_is_listed() -> None:
    with sound_rig(1) as rig:
        listed = client(rig, "--list-devices")
    assert listed.returncode == 0, listed.stderr
    assert "default" in listed.stdout


@pytest.mark.parametrize("way", ["--input", "--output"])
def test_a_named_device_that_is_missing_ends_with_74_and_the_list(way: str) -> None:
    with sound_rig(1) as rig, password_file() as (_, password):
        ended = client(
            rig,
            *("--host", "127.0.0.1", "--port", str(free_port()), "--password-file", str(password)),
            *("--name", "Ann", "--ui", "line", way, "Grandmother's gramophone"),
        )
    assert ended.returncode == NO_DEVICE, ended.stderr
    assert "Grandmother's gramophone" in ended.stderr
    assert "default" in ended.stderr + ended.stdout


def client(rig: SoundRig, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the client on the rig to its end."""
    return subprocess.run(
        [command("voicechat-client"), *arguments],
        env=rig.client_environment(0),
        cwd=Path(rig.base),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
