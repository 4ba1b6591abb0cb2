"""The state folder: a password that is made once, whole, and its owner's alone."""

import stat
from pathlib import Path

import pytest

from voicechat import passwords
from voicechat.errors import ConfigError
from voicechat.server import state


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_password_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "voicechat" / "server" / state.PASSWORD
    assert state.first_password(file)
    first = passwords.from_file(str(file))
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert not passwords.warnings(first, str(file)), "it is a good one"
    assert not state.first_password(file)
    assert passwords.from_file(str(file)) == first
    assert [path.name for path in file.parent.iterdir()] == [state.PASSWORD]


def test_one_that_is_there_is_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder may be one that cannot be written, as on a medium that is read-only."""
    file = tmp_path / state.PASSWORD
    assert state.first_password(file)

    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert not state.first_password(file)


def test_another_takes_its_place_whole(tmp_path: Path) -> None:
    file = tmp_path / "secret.txt"
    file.write_text("the old one\n")
    file.chmod(0o644)
    state.new_password(file)
    assert passwords.from_file(str(file)).reveal() != "the old one"
    assert mode(file) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.txt"]


def test_of_two_that_begin_at_once_both_have_the_password_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / state.PASSWORD
    monkeypatch.setattr("os.path.lexists", lambda path: False)  # as it looked to the second
    assert state.first_password(file)
    first = file.read_text()
    assert not state.first_password(file)
    assert file.read_text() == first
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot keep a password in .*file/x: Not a directory; give --password-file"):
        state.first_password(tmp_path / "file" / "x" / state.PASSWORD)


def test_a_disk_that_is_full_leaves_no_half_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        state.first_password(tmp_path / state.PASSWORD)
    assert not list(tmp_path.iterdir())


def test_the_usual_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state.usual({}) == tmp_path / "voicechat" / "server"
    assert state.usual({"STATE_DIRECTORY": "/var/lib/voicechat:/var/lib/other"}) == Path("/var/lib/voicechat")


def test_a_named_folder_is_found_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")
    assert state.located("here") == tmp_path / "here"
    assert state.located("~/state") == Path("/home/ann/state")
    with pytest.raises(ConfigError, match="cannot find ~nobody-of-this-name"):
        state.located("~nobody-of-this-name")


@pytest.mark.parametrize("text", ["", "x", "0", "65536", "-1", "\u0663", "1" * 5000, "12\n34"])
def test_a_port_that_is_none_is_not_remembered(tmp_path: Path, text: str) -> None:
    assert state.remembered_port(tmp_path) is None
    (tmp_path / state.PORT).write_text(text)
    assert state.remembered_port(tmp_path) is None


def test_the_port_of_the_last_start_is_remembered(tmp_path: Path) -> None:
    for port in (1, 65_535):
        state.remember_port(tmp_path, port)
        assert state.remembered_port(tmp_path) == port
    assert mode(tmp_path / state.PORT) == 0o600
