"""Words for who has no pip, and for who has."""

import sys

import pytest

from tests.client.sound_library import Library
from voicechat.client.audio.portaudio import PortAudio
from voicechat.codecs import opus
from voicechat.errors import DeviceError, VoiceChatError
from voicechat.unpacked import instead_of, is_unpacked

FOLDER = "C:/voicechat/voicechat-client.exe"


@pytest.mark.parametrize(
    ("executable", "unpacked"),
    [
        ("/usr/bin/python3", False),
        ("/home/ann/voicechat-env/bin/python", False),
        ("C:/Python313/python.exe", False),
        (FOLDER, True),
        ("C:/voicechat/Voicechat-CTL.EXE", True),
        ("", False),
        (None, False),
    ],
)
def test_the_folder_is_known_by_the_program_that_is_python(
    executable: str | None, unpacked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert is_unpacked() is unpacked
    assert instead_of("pip install x") == ("unpack the whole zip again" if unpacked else "pip install x")


@pytest.mark.parametrize(("executable", "advice"), [("python", "pip install"), (FOLDER, "unpack the whole zip again")])
def test_what_is_missing_is_told_with_what_can_be_done(
    executable: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(DeviceError) as told:
        PortAudio()
    assert advice in str(told.value)
    assert ("pip" in str(told.value)) == (executable != FOLDER)
    monkeypatch.setitem(sys.modules, "pyaudio", Library())
    PortAudio().close()


def test_opus_is_told_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opuslib", None)
    monkeypatch.setattr(sys, "executable", FOLDER)
    with pytest.raises(VoiceChatError, match=r"the Opus library cannot be loaded \(.*\); unpack the whole zip again"):
        opus._load()
