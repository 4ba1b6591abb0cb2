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
def test_a_closed_window_ends_make_serve_its_server_and_its_password(
    house: Children, tmp_path: Path, leader: tuple[str, ...]
) -> None:
    """With Ctrl-S pressed in it besides, of which no friend notices anything."""
    port = free_port()
    folder = tmp_path / "temporary"
    folder.mkdir()
    root = str(Path(__file__).parents[2])
    serve = (*leader, command("python"), "-m", "demo.serve") if leader else ("python", "-m", "demo.serve")
    terminal = on_a_terminal(house, *serve, PORT=str(port), TMPDIR=str(folder), PYTHONPATH=root)
    try:
        terminal.until("Ctrl-C ends the server")
        (file,) = folder.glob("*.password")
        terminal.type("\x13")
        ann = house.client(port, "Ann", "--duration", "0.2", password_file=str(file))
        assert ann.end() == 0, ann.err
        terminal.hang_up()
        assert terminal.process.wait(CLOSED_WITHIN) == 0
        assert not is_open(port)
        assert not list(folder.iterdir())
    finally:
        terminal.close()


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
