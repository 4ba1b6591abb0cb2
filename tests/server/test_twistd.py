"""Options of twistd that lead nowhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.scripts.twistd import ServerOptions  # type: ignore[attr-defined]

from voicechat.errors import ConfigError
from voicechat.server import twistd


def check(*words: str) -> None:
    options = ServerOptions()
    options.parseOptions([*words, "-y", "some.tac"])
    twistd.check(options)


def refusal(*words: str) -> str:
    with pytest.raises(ConfigError) as told:
        check(*words)
    return str(told.value)


def test_what_can_be_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.pid").write_text(f"{os.getpid()}")
    check("--pidfile=")
    check("--pidfile=new.pid", f"--rundir={tmp_path}")
    check("--pidfile=old.pid", f"--uid={os.getuid()}")
    check()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"old.pid": f"{os.getpid()}"}


def test_a_pidfile_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "No such file" in refusal(f"--pidfile={tmp_path}/no/v.pid")
    assert "Is a directory" in refusal(f"--pidfile={tmp_path}")
    assert "Not a directory" in refusal(f"--pidfile={tmp_path}/file/v.pid")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("number", [2**31, 10**30])
def test_a_number_that_no_process_has(tmp_path: Path, number: int) -> None:
    (tmp_path / "v.pid").write_text(str(number))
    assert "no process number" in refusal(f"--pidfile={tmp_path}/v.pid")


def test_the_pidfile_of_a_process_that_is_gone_must_be_one_that_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "v.pid").write_text(str(gone.pid))
    check(f"--pidfile={tmp_path}/v.pid")
    monkeypatch.setattr(os, "access", lambda *_: False)  # as to another user than these tests may have
    assert "cannot remove" in refusal(f"--pidfile={tmp_path}/v.pid")


def test_folders_to_go_to_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "No such file" in refusal("--pidfile=", f"--rundir={tmp_path}/no")
    assert "Not a directory" in refusal("--pidfile=", f"--rundir={tmp_path}/file")
    assert "No such file" in refusal("--pidfile=", f"--chroot={tmp_path}/no")


def test_only_root_changes_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "only root" in refusal(f"--chroot={tmp_path}")


def test_a_user_without_an_account_is_told() -> None:
    assert "nobody's account" in refusal("--pidfile=", "--uid=54321", "--gid=54321")
