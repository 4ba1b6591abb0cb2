"""The folder of the sockets: whose it is, and what lies dead in it."""

import errno
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from voicechat.client.remote import runtime
from voicechat.errors import ConfigError


@pytest.fixture
def places() -> Iterator[dict[str, str]]:
    """An environment with both kinds of folder; pytest's own would be too long for a local socket's path."""
    with TemporaryDirectory() as held:
        for name in ("run", "tmp"):
            Path(held, name).mkdir()
        yield {"XDG_RUNTIME_DIR": f"{held}/run", "TMPDIR": f"{held}/tmp"}


def listening(folder: str, number: int) -> socket.socket:
    there = socket.socket(socket.AF_UNIX)
    there.bind(f"{folder}/client-{number}.sock")
    there.listen(1)
    return there


def gone() -> int:
    """The number of a process that is no more."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_the_folder_is_made_for_its_owner_alone(places: dict[str, str]) -> None:
    folder = runtime.own_folder(places)
    assert folder == places["XDG_RUNTIME_DIR"] + "/voicechat"
    assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
    assert runtime.own_folder(places) == folder
    assert runtime.path_in(folder) == f"{folder}/client-{os.getpid()}.sock"


@pytest.mark.parametrize("given", ["/no/such/folder", "relative"])
def test_without_a_runtime_folder_it_is_in_the_temporary_one(places: dict[str, str], given: str) -> None:
    folder = runtime.own_folder(places | {"XDG_RUNTIME_DIR": given})
    assert folder == f"{places['TMPDIR']}/voicechat-{os.geteuid()}"
    assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700


def test_another_users_runtime_folder_is_not_ours(places: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    assert next(runtime._folders(places)) == f"{places['TMPDIR']}/voicechat-54321"


def test_a_folder_that_somebody_else_made_is_refused(places: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path(places["TMPDIR"], "voicechat-54321").mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    for use in (runtime.own_folder, runtime.find):
        with pytest.raises(ConfigError, match="somebody else made it"):
            use(places)


def test_what_somebody_else_made_elsewhere_hides_no_client(places: dict[str, str]) -> None:
    folder = runtime.own_folder(places)
    Path(places["TMPDIR"], f"voicechat-{os.geteuid()}").mkdir(mode=0o755)
    with listening(folder, 1):
        assert runtime.find(places) == [f"{folder}/client-1.sock"]
    with pytest.raises(ConfigError, match="chmod 700"):
        runtime.find(places)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777, 0o711])
def test_a_folder_that_others_may_open_is_refused(places: dict[str, str], mode: int) -> None:
    Path(runtime.own_folder(places)).chmod(mode)
    for use in (runtime.own_folder, runtime.find):
        with pytest.raises(ConfigError, match="chmod 700"):
            use(places)


def test_a_link_to_a_folder_and_a_file_are_refused(places: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    place = Path(places["XDG_RUNTIME_DIR"], "voicechat")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="not a folder of yours"):
        runtime.own_folder(places)
    place.unlink()
    place.touch(0o700)
    with pytest.raises(ConfigError, match="not a folder of yours"):
        runtime.own_folder(places)


def cannot_make(monkeypatch: pytest.MonkeyPatch, *folders: str) -> None:
    """As on a disk that is read-only, also for the superuser."""
    real = os.mkdir

    def mkdir(folder: str, mode: int = 0o777) -> None:
        if folder.startswith(folders):
            raise OSError(errno.EROFS, "Read-only file system")
        real(folder, mode)

    monkeypatch.setattr(os, "mkdir", mkdir)


def test_a_folder_that_cannot_be_made_leaves_the_next_place(
    places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cannot_make(monkeypatch, places["XDG_RUNTIME_DIR"])
    assert runtime.own_folder(places) == f"{places['TMPDIR']}/voicechat-{os.geteuid()}"
    cannot_make(monkeypatch, places["XDG_RUNTIME_DIR"], places["TMPDIR"] + "/")
    Path(places["TMPDIR"], f"voicechat-{os.geteuid()}").rmdir()
    with pytest.raises(ConfigError, match=r"cannot make .*/tmp/voicechat-\d+: Read-only file system"):
        runtime.own_folder(places)


@pytest.mark.parametrize("temporary", ["", "relative", "/no/such/folder", "/etc/passwd", "/tmp/" + "x" * 100])
def test_a_temporary_folder_that_is_none_is_the_systems(places: dict[str, str], temporary: str) -> None:
    variables = {"XDG_RUNTIME_DIR": "/no/such/folder", "TMPDIR": temporary}
    assert list(runtime._folders(variables)) == [f"/tmp/voicechat-{os.geteuid()}"]


def test_a_folder_with_too_long_a_path_for_a_socket_is_none(places: dict[str, str], tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    folder = runtime.own_folder(places | {"XDG_RUNTIME_DIR": str(long)})
    assert folder == f"{places['TMPDIR']}/voicechat-{os.geteuid()}"
    with listening(folder, 4_194_304):
        assert runtime.find(places | {"XDG_RUNTIME_DIR": str(long)}) == [f"{folder}/client-4194304.sock"]
    edge = "/" + "x" * (runtime.LONGEST_PATH - len("/client-1234567.sock") - 1)
    assert runtime._has_room(edge)
    assert not runtime._has_room(edge + "x")


def test_what_cannot_be_looked_at_hides_no_client(places: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runtime.own_folder(places | {"XDG_RUNTIME_DIR": ""})
    other = runtime.own_folder(places)
    real = os.listdir

    def listdir(path: str) -> list[str]:
        if path == other:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    with listening(folder, 1):
        assert runtime.find(places) == [f"{folder}/client-1.sock"]


@pytest.mark.parametrize(
    "name", ["client-\u00b2.sock", "client-.sock", "client--1.sock", "client-x.sock", f"client-{'9' * 99}.sock"]
)
def test_a_dead_socket_of_any_name_is_removed(places: dict[str, str], name: str) -> None:
    folder = Path(runtime.own_folder(places))
    (folder / name).touch()
    assert runtime.find(places) == []
    assert not (folder / name).exists()


def test_the_living_are_found_in_both_places_and_the_dead_removed(places: dict[str, str]) -> None:
    first, second = runtime.own_folder(places), runtime.own_folder(places | {"XDG_RUNTIME_DIR": "/no/such"})
    dead = gone()
    listening(first, dead).close()
    Path(first, "something else").touch()
    with listening(first, 1), listening(second, 2):
        assert runtime.find(places) == [f"{first}/client-1.sock", f"{second}/client-2.sock"]
    assert not Path(first, f"client-{dead}.sock").exists()
    assert Path(first, "something else").exists()


def test_a_socket_of_a_living_process_is_not_removed_though_nobody_listens_yet(places: dict[str, str]) -> None:
    folder = runtime.own_folder(places)
    listening(folder, os.getppid()).close()
    assert runtime.find(places) == []
    assert Path(folder, f"client-{os.getppid()}.sock").exists()
    listening(folder, os.getpid()).close()
    assert runtime.find(places) == []
    assert not Path(folder, f"client-{os.getpid()}.sock").exists(), "an earlier process had our number"


def test_one_who_is_busy_is_not_dead(places: dict[str, str]) -> None:
    folder = runtime.own_folder(places)
    with listening(folder, 1), socket.socket(socket.AF_UNIX) as a, socket.socket(socket.AF_UNIX) as b:
        for waiting in (a, b):  # one more than its queue
            waiting.connect(f"{folder}/client-1.sock")
        assert runtime.find(places) == [f"{folder}/client-1.sock"]


def test_nothing_is_found_where_nothing_is(places: dict[str, str]) -> None:
    assert runtime.find(places) == []
    assert not list(Path(places["XDG_RUNTIME_DIR"]).iterdir()), "looking makes no folder"


def test_who_is_at_the_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = socket.socketpair(socket.AF_UNIX)
    with left, right:
        assert runtime.is_ours(left)
        monkeypatch.setattr(os, "geteuid", lambda: 54_321)
        assert not runtime.is_ours(left)
        monkeypatch.delattr(socket, "SO_PEERCRED")
        assert runtime.is_ours(left), "where the system does not tell, the folder has to do"
