"""``voicechat-server`` as a program: its first evening and its second, its invitation, its ends."""

import os
import re
import signal
import socket
from pathlib import Path

import pytest

from testkit.children import PASSWORD, SOON, Children, Program
from testkit.processes import free_port
from testkit.terminal import Terminal
from voicechat import invite

LISTENS = "listening on port"
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")


def started(house: Children, *options: str, state: Path, **variables: str) -> Program:
    """A server of the user whose state folder this is, that listens."""
    program = house.start("voicechat-server", *options, variables={"XDG_STATE_HOME": str(state)} | variables)
    program.line(LISTENS)
    return program


def asked(house: Children, *words: str, state: Path) -> str:
    """What a command of it prints."""
    program = house.start("voicechat-server", *words, variables={"XDG_STATE_HOME": str(state)})
    assert program.end() == 0, program.err
    return program.out.removesuffix("\n")


def stopped(program: Program, number: signal.Signals = signal.SIGTERM) -> None:
    program.signal(number)
    assert program.end() == (0 if number == signal.SIGTERM else -number)
    assert program.err == ""


def test_the_first_evening_and_the_second(house: Children, tmp_path: Path) -> None:
    """Nothing is decided: start, invite, join. The link of the first evening is good in the second."""
    port, state = str(free_port()), tmp_path / "state"
    first = started(house, "--port", port, state=state)
    lines = [STAMP.sub("", line) for line in first.out.splitlines()]
    assert lines[0] == "voicechat 0.1.0, protocol 1"
    assert lines[1].startswith("no password was given: a new one is kept in ")
    assert lines[2] == f"listening on port {port}"
    first.line(f"invite --port {port}")
    link = asked(house, "invite", "--host", "127.0.0.1", state=state)
    assert link == asked(house, "invite", "--host", "127.0.0.1", "--port", port, state=state)
    secret = invite.parse(link).password
    assert secret is not None
    ann = house.start("voicechat-client", link, "--name", "Ann", "--input", "silence", "--output", "null")
    ann.line("you are in as Ann")
    first.line("'Ann' entered room")
    stopped(first)
    second = started(house, "--port", port, state=state)
    assert [STAMP.sub("", line) for line in second.out.splitlines()][1] == f"listening on port {port}"
    ann.until(lambda: ann.out.count("you are in as Ann") == 2, "come back")
    stopped(second, signal.SIGINT)
    for program in (first, second):
        assert secret.reveal() not in program.out + program.err
        assert "twisted" not in program.out.lower()


def test_the_running_server_takes_a_new_password_at_sighup(house: Children, tmp_path: Path) -> None:
    state, folder = tmp_path / "none", str(tmp_path / "kept")
    server = started(house, "--port", "0", "--state", folder, state=state)
    words = ("invite", "--host", "127.0.0.1", "--state", folder)
    old = asked(house, *words, state=state)
    assert folder in asked(house, "new-password", "--keep", "--state", folder, state=state)
    server.signal(signal.SIGHUP)
    server.line("the password file was read again")
    new = asked(house, *words, state=state)
    join = ("--name", "Ann", "--input", "silence", "--output", "null")
    assert house.start("voicechat-client", old, *join).end() == 77
    house.start("voicechat-client", new, *join).line("you are in as Ann")
    assert not state.exists()


def test_closing_the_window_ends_it(house: Children, tmp_path: Path) -> None:
    port = free_port()
    words = ("voicechat-server", "--port", str(port))
    variables = {"XDG_STATE_HOME": str(tmp_path / "state")}
    terminal = Terminal(words, 150, 50, folder=house.folder, variables=variables, controlling=True)
    try:
        terminal.until(LISTENS)
        kept = tmp_path / "state" / "voicechat" / "server" / "password"
        ann = house.client(port, "Ann", password_file=str(kept))
        ann.line("you are in")
        terminal.hang_up()
        assert terminal.process.wait(5) == 0
        ann.line("the server is shutting down")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=SOON)
    finally:
        terminal.close()


def test_a_public_host_is_logged_without_the_password(house: Children, tmp_path: Path) -> None:
    server = started(house, "--port", "0", "--password", PASSWORD, "--public-host", "play.example.org", state=tmp_path)
    port = server.line(LISTENS).rpartition(" ")[2]
    assert server.line("friends reach it at").endswith(f"voicechat://play.example.org:{port}")
    server.line("invite --password-file FILE --port 0 --public-host play.example.org")
    stopped(server)
    assert PASSWORD not in server.out + server.err


def test_a_port_in_use_is_told_in_one_line(house: Children, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        state = {"XDG_STATE_HOME": str(tmp_path)}
        program = house.start("voicechat-server", "--port", str(port), variables=state)
        assert program.end() == 1
    (line,) = program.err.splitlines()
    assert line.endswith(f"port {port}: Address already in use; is another server running? --port takes another")


def test_a_daemon_is_told_of_a_port_in_use_in_a_whole_sentence(house: Children) -> None:
    """Twistd itself would cut it off after 100 bytes."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for where in (["--port", port, "--interface", "127.0.0.1"], ["--listen", f"tcp:{port}:interface=127.0.0.1"]):
            file = str(house.password_file)
            program = house.start("twistd", "--pidfile=x.pid", "voicechat", "--password-file", file, *where)
            assert program.end() == 1
            (line,) = program.err.splitlines()
            assert line.startswith("voicechat: cannot listen on ")
            assert "Address already in use; is another server running?" in line
            assert not (house.folder / "x.pid").exists()


def test_it_serves_as_an_ordinary_user_whose_home_cannot_be_written(house: Children, tmp_path: Path) -> None:
    """As in the systemd unit: with a credential it writes nothing."""
    (tmp_path / "password").write_text(PASSWORD)
    server = started(house, "--port", "0", state=Path(os.devnull), CREDENTIALS_DIRECTORY=str(tmp_path))
    port = int(server.line(LISTENS).rpartition(" ")[2])
    house.client(port, "Ann").line("you are in")
    stopped(server)


def test_without_a_place_to_keep_a_password_it_does_not_start(house: Children) -> None:
    program = house.start("voicechat-server", "--port", "0", variables={"XDG_STATE_HOME": os.devnull})
    assert program.end() == 78
    assert program.err.count("\n") == 1
    assert "--password-file FILE" in program.err
    assert not program.out
