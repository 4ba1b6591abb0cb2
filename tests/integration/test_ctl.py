"""voicechat-ctl and a real client: the words, the errors, the socket's whole life."""

import contextlib
import json
import os
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.children import PASSWORD, Children, Program, Server
from voicechat.client.remote import ctl
from voicechat.client.remote.words import WORDS


def told(home: Children, *words: str, status: int = 0) -> Program:
    """What voicechat-ctl says, once it has ended with ``status``."""
    program = home.start("voicechat-ctl", *words)
    assert program.end() == status, program.out + program.err
    assert program.err.count("\n") == (status != 0), program.err
    return program


@pytest.fixture(scope="module")
def ann(server: Server, home: Children) -> Program:
    """The only client of the module."""
    client = home.client(server.port, "Ann")
    client.line("you are in")
    return client


def socket_of(home: Children, client: Program) -> Path:
    return home.folder / "voicechat" / f"client-{client.pid}.sock"


def test_the_socket_is_its_users_alone(home: Children, ann: Program) -> None:
    path = socket_of(home, ann)
    assert stat.S_ISSOCK(path.lstat().st_mode)
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.lstat().st_mode) == 0o700


def test_words_change_the_client_and_figures_show_it(home: Children, ann: Program) -> None:
    told(home, "deafen")
    told(home, "ptt-down")
    assert told(home, "stats").out.startswith("Ann: deafened, microphone at ")
    figures = json.loads(told(home, "stats", "--json").out)
    assert (figures["muted"], figures["deafened"], figures["key_held"]) == (True, True, True)
    assert figures["figures"]["pakes"] == 1
    assert set(figures["figures"]["opus"]) == {"version", "enhancement"}
    told(home, "ptt-up")
    told(home, "undeafen")
    told(home, "say", "back", "in", "five", "--json")
    ann.line("Ann: back in five --json")
    figures = json.loads(told(home, f"--socket={socket_of(home, ann)}", "--json", "stats").out)
    assert (figures["muted"], figures["deafened"], figures["key_held"]) == (False, False, False)


def test_devices_in_use_and_those_that_there_are(home: Children, ann: Program) -> None:
    out = told(home, "devices").out
    assert "microphone: no card (you asked for silence)\n" in out
    assert "inputs:\n" in out


def test_what_cannot_be_done_is_told_in_one_line(home: Children, ann: Program) -> None:
    assert "nobody is called 'Zoe'" in told(home, "volume", "Zoe", "-6", status=1).err
    assert "unknown command 'frobnicate'; see --help" in told(home, "frobnicate", status=2).err
    assert "unknown command 'stat'; did you mean stats?" in told(home, "stat", status=2).err
    assert "usage: voicechat-ctl COMMAND; commands: mute, unmute," in told(home, status=2).err
    assert "volume needs NAME DB" in told(home, "volume", "Zoe", status=2).err
    assert "--json is for stats" in told(home, "mute", "--json", status=2).err
    assert "no such option" in told(home, "--sock", status=2).err
    assert "no client listens on" in told(home, "--socket", str(home.folder / "none"), "mute", status=69).err
    assert "no client listens on" in told(home, "--socket", str(home.password_file), "mute", status=69).err


def test_a_silly_one_cannot_hurt_the_client(home: Children, ann: Program) -> None:
    path = str(socket_of(home, ann))
    with contextlib.ExitStack() as held:
        silent = [held.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(6)]
        for connection in silent:
            connection.connect(path)
            connection.sendall(b'{"word": ')
        with socket.socket(socket.AF_UNIX) as greedy, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            greedy.connect(path)
            greedy.settimeout(10)
            for _ in range(100):
                greedy.sendall(bytes(65_536))
        with socket.socket(socket.AF_UNIX) as garbage:
            garbage.connect(path)
            garbage.settimeout(10)
            garbage.sendall(b"\xff\xfe\n")
            assert b"not understood" in garbage.recv(1000)
        told(home, "mute")
        told(home, "unmute")
        for connection in silent:  # all are cut in the end
            connection.settimeout(10)
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""


def test_of_two_clients_one_is_named_and_dead_ones_are_forgotten(server: Server, house: Children) -> None:
    ann, ben = (house.client(server.port, name, room="two") for name in ("Ann", "Ben"))
    for client in (ann, ben):
        client.line("you are in")
    err = told(house, "mute", status=78).err
    assert all(str(socket_of(house, client)) in err for client in (ann, ben))
    told(house, "--socket", str(socket_of(house, ben)), "volume", "ann", "-3")
    told(house, "--socket", str(socket_of(house, ben)), "mute")
    ann.line("Ben is muted")
    ben.kill()
    assert socket_of(house, ben).exists()
    told(house, "mute")  # the only living one now
    assert not socket_of(house, ben).exists()
    ann.kill()
    cid = house.client(server.port, "Cid", room="two")
    cid.line("you are in")
    assert not socket_of(house, ann).exists(), "a client cleans up, too"
    told(house, "quit")
    assert cid.end() == 0
    assert not socket_of(house, cid).exists()
    assert "no voicechat-client of yours runs" in told(house, "mute", status=69).err


def test_a_client_that_is_stopped_does_not_hang_the_key(server: Server, house: Children) -> None:
    ann = house.client(server.port, "Ann", room="stopped")
    ann.line("you are in")
    ann.signal(signal.SIGSTOP)
    try:
        assert "does not answer; is it stopped?" in told(house, "mute", status=75).err
    finally:
        ann.signal(signal.SIGCONT)


def test_a_folder_that_others_may_open_is_not_used(server: Server, house: Children) -> None:
    (house.folder / "voicechat").mkdir()
    (house.folder / "voicechat").chmod(0o755)
    assert "chmod 700" in told(house, "mute", status=77).err
    client = house.client(server.port, "Ann", room="open")
    assert "this client hears no voicechat-ctl" in client.line("chmod 700")
    client.line("you are in")
    client.signal(signal.SIGTERM)
    assert client.end() == 0


def test_help_and_version(house: Children) -> None:
    out = told(house, "--help").out
    assert all(f"\n  {word} " in out for word in WORDS)
    codes = (ctl.OK, ctl.CANNOT, ctl.USAGE, ctl.NOBODY, ctl.NO_ANSWER, ctl.NOT_UNDERSTOOD, ctl.NOT_OURS, ctl.SEVERAL)
    assert len(set(codes)) == len(codes)
    assert all(f"{code} " in out[out.index("exit codes") :] for code in codes)
    assert told(house, "--version").out.startswith("voicechat ")


# What answers in the client's place


@contextlib.contextmanager
def impostor(folder: Path, answer: bytes) -> Iterator[str]:
    """A socket on which somebody answers one request with something."""
    path = str(folder / "it.sock")
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(path)
        there.listen(1)

        def serve() -> None:
            peer, _ = there.accept()
            with peer, contextlib.suppress(ConnectionError):
                peer.recv(1000)
                peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield path
        thread.join()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\n", b"[]\n", b"{", b"\xff\n", b"x" * (2 << 20)])
def test_what_is_no_client_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: bytes) -> None:
    with impostor(tmp_path, answer) as path:
        assert ctl.main(["--socket", path, "mute"]) == ctl.NOT_UNDERSTOOD
    assert "is no voicechat-client" in capsys.readouterr().err


def test_one_that_hangs_up_is_busy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with impostor(tmp_path, b"") as path:
        assert ctl.main(["--socket", path, "mute"]) == ctl.NO_ANSWER
    assert "try again" in capsys.readouterr().err


def test_another_users_socket_is_told_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with impostor(tmp_path, b"{}\n") as path:
        monkeypatch.setattr(os, "geteuid", lambda: 54_321)
        assert ctl.main(["--socket", path, "say", PASSWORD]) == ctl.NOT_OURS


def test_where_there_are_no_local_sockets_a_port_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert ctl.main(["mute"]) == ctl.NOBODY
    assert "no voicechat-client of yours runs" in capsys.readouterr().err
