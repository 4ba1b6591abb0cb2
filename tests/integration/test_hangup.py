"""The window of a server is closed: who has done that believes that nobody can come in any more."""

import os
import signal
import socket
from pathlib import Path

import pytest

from testkit.children import SOON, Children
from testkit.processes import command, free_port
from testkit.terminal import Terminal

CLOSED_WITHIN = 5.0
"""Seconds until the port is closed."""


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def on_a_terminal(house: Children, *words: str, **variables: str) -> Terminal:
    return Terminal(words, 150, 50, folder=house.folder, variables=variables, controlling=True)


def test_sighup_by_hand_reads_the_password_again_and_a_closed_window_ends_it(house: Children) -> None:
    port = free_port()
    server = ("twistd", "-n", "--pidfile=", "voicechat", "-p", str(port), f"--password-file={house.password_file}")
    terminal = on_a_terminal(house, *server)
    try:
        terminal.until("listening on port")
        ann = house.client(port, "Ann")
        ann.line("you are in")
        os.kill(terminal.process.pid, signal.SIGHUP)
        terminal.until("the password file was read again")
        assert is_open(port)
        terminal.hang_up()
        assert terminal.process.wait(CLOSED_WITHIN) == 0
        assert not is_open(port)
        ann.line("the server is shutting down")
    finally:
        terminal.close()


KEEPS_SIGHUP_TO_ITSELF = 'trap : HUP; "$@"; exit $?'
"""A leader of the session that waits for its job, as make does."""


def test_a_window_that_is_closed_without_a_signal_ends_it_too(house: Children) -> None:
    port = free_port()
    server = (
        command("twistd"),
        "-n",
        "--pidfile=",
        "voicechat",
        "-p",
        str(port),
        f"--password-file={house.password_file}",
    )
    terminal = on_a_terminal(house, "sh", "-c", KEEPS_SIGHUP_TO_ITSELF, "sh", *server)
    try:
        terminal.until("listening on port")
        terminal.hang_up()
        assert terminal.process.wait(CLOSED_WITHIN) == 0
        assert not is_open(port)
    finally:
        terminal.close()


@pytest.mark.parametrize("leader", [(), ("sh", "-c", KEEPS_SIGHUP_TO_ITSELF, "sh")], ids=["itself", "another"])
def test_a_closed_window_ends_make_serve_and_its_server_and_the_password_stays(
    house: Children, tmp_path: Path, leader: tuple[str, ...]
) -> None:
    """With Ctrl-S pressed in it besides, of which no friend notices anything."""
    port = free_port()
    folder, kept = tmp_path / "temporary", tmp_path / "state" / "voicechat" / "server" / "password"
    folder.mkdir()
    root = str(Path(__file__).parents[2])
    serve = (*leader, command("python"), "-m", "demo.serve") if leader else ("python", "-m", "demo.serve")
    variables = {
        "PORT": str(port),
        "TMPDIR": str(folder),
        "PYTHONPATH": root,
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    terminal = on_a_terminal(house, *serve, **variables)
    try:
        terminal.until("Ctrl-C ends the server", "same network:", "from outside:", f"forward port {port}, TCP and UDP")
        assert kept.stat().st_mode & 0o777 == 0o600
        password = kept.read_text()
        terminal.type("\x13")
        ann = house.client(port, "Ann", "--duration", "0.2", password_file=str(kept))
        assert ann.end() == 0, ann.err
        terminal.hang_up()
        assert terminal.process.wait(CLOSED_WITHIN) == 0
        assert not is_open(port)
        assert not list(folder.iterdir())
        assert kept.read_text() == password
    finally:
        terminal.close()


def test_make_serve_takes_a_new_password_if_asked_and_tells_of_a_port_in_use(house: Children, tmp_path: Path) -> None:
    kept = tmp_path / "voicechat" / "server" / "password"
    variables = {"PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(tmp_path)}
    passwords = []
    for new in ("", "1", "0"):
        serve = house.start("python", "-m", "demo.serve", variables=variables | {"PORT": str(free_port()), "NEW": new})
        serve.line("Ctrl-C ends the server")
        passwords.append(kept.read_text().strip())
        assert f"#{passwords[-1]}' --name NAME" in serve.out
        assert "print the link" not in serve.out, "it is shown"
        serve.signal(signal.SIGINT)
        assert serve.end() == 0
    assert passwords[0] != passwords[1] == passwords[2]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        serve = house.start("python", "-m", "demo.serve", variables=variables | {"PORT": port})
        assert serve.end() == 1
    assert "make serve PORT=" in serve.err
    serve = house.start("python", "-m", "demo.serve", variables=variables | {"PORT": "http"})
    assert serve.end() == 2
    assert "--port is a whole number from 0 to 65535, not 'http'" in serve.out


def test_under_nohup_it_goes_on_and_reads_its_password_again_at_sigusr2(house: Children) -> None:
    port = free_port()
    file, log, notify = (house.folder / name for name in ("changing.txt", "nohup.out", "notify"))
    file.write_text("the first one\n")
    server = (command("twistd"), "-n", "--pidfile=", "voicechat", "-p", str(port), f"--password-file={file}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(notify))
        systemd.settimeout(SOON)
        terminal = on_a_terminal(house, "nohup", *server, NOTIFY_SOCKET=str(notify))
        try:
            assert systemd.recv(1000).startswith(b"READY=1")
            terminal.hang_up()
            terminal.process.send_signal(signal.SIGHUP)
            file.write_text("the second one\n")
            terminal.process.send_signal(signal.SIGUSR2)
            ann = house.client(port, "Ann", "--duration", "0.2", password_file=str(file))
            assert ann.end() == 0, ann.err
            assert log.read_text().count("read again") == 1
            terminal.process.send_signal(signal.SIGTERM)
            assert terminal.process.wait(CLOSED_WITHIN) == 0
        finally:
            terminal.close()
