"""What is missing is told with the line to type: this system's first."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat import lacking
from voicechat.client.audio.portaudio import PortAudio
from voicechat.codecs import opus
from voicechat.errors import DeviceError, VoiceChatError
from voicechat.lacking import LINES, Lack, named, own_package, told

BROKEN = (
    "print('Could not import the C module')\nraise ImportError('libportaudio.so.2: cannot open shared object file')\n"
)
"""As PyAudio is where PortAudio is not."""


@pytest.mark.parametrize(
    ("os_release", "system"),
    [
        ("PRETTY_NAME=x\nID=debian\n", "debian"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "debian"),
        ("ID=ubuntu\nID_LIKE=debian\n", "debian"),
        ('ID="fedora"\n', "fedora"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"),
        ("NAME='SteamOS'\nID=steamos\nID_LIKE=arch\n", "arch"),
        ("ID=alpine\n", None),
        ("VARIANT_ID=debian\n", None),
        ("", None),
    ],
)
def test_the_system_is_what_it_says_or_is_like(os_release: str, system: str | None) -> None:
    assert named(os_release) == system


@given(st.text())
def test_whatever_stands_in_the_file_it_names_one_that_has_a_line_or_none(text: str) -> None:
    assert named(text) in {None, *LINES[Lack.OPUS]}


@pytest.mark.parametrize("lack", Lack)
@pytest.mark.parametrize("here", [*LINES[Lack.OPUS], None])
def test_every_systems_line_is_told_once_and_ones_own_first(lack: Lack, here: str | None) -> None:
    text = told(lack, here)
    assert "\n" not in text
    for system, line in LINES[lack].items():
        assert line in text
        assert text.startswith(line) == (system == here)


def use(monkeypatch: pytest.MonkeyPatch, folder: Path, os_release: str) -> None:
    """Take the system for another."""
    (folder / "os-release").write_text(os_release)
    monkeypatch.setattr(lacking, "_OS_RELEASE", str(folder / "os-release"))


def test_a_player_without_portaudio_is_told_which_package_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, tmp_path, "ID=fedora\n")
    (tmp_path / "pyaudio.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pyaudio", raising=False)
    with pytest.raises(DeviceError, match=r"libportaudio.so.2.*: sudo dnf install portaudio \("):
        PortAudio()
    assert capsys.readouterr().out == ""


def test_a_player_without_pyaudio_is_told_how_to_install_it_and_what_compiles_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, tmp_path, "ID=ubuntu\nID_LIKE=debian\n")
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(DeviceError) as error:
        PortAudio()
    assert f"{own_package()}; it is compiled, which needs: sudo apt install gcc python3-dev" in str(error.value)


def test_whoever_has_no_opus_is_told_which_package_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, tmp_path, "ID=arch\n")
    (tmp_path / "opuslib.py").write_text("raise Exception('Could not find Opus library. Make sure it is installed.')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "opuslib"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(VoiceChatError, match=r"cannot be loaded \(.*\); sudo pacman -S opus \("):
        opus._load()


def test_on_a_mac_homebrews_line_comes_first_and_without_the_file_all_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lacking, "_OS_RELEASE", str(tmp_path / "none"))
    assert lacking.install(Lack.OPUS).startswith("Debian, Ubuntu: ")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert lacking.install(Lack.OPUS).startswith("brew install opus")


@pytest.mark.parametrize(
    ("prefix", "line"),
    [("/home/ann/.local/pipx/venvs/voicechat", "pipx install --force"), ("/home/ann/voicechat env", "-m pip install")],
)
def test_the_package_is_installed_into_where_it_is(prefix: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "executable", f"{prefix}/bin/python")
    assert line in own_package()
    assert ("'/home/ann/voicechat env/bin/python' " in own_package()) == ("pipx" not in line)
