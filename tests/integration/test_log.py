"""A server whose log stands still: nobody in the call notices."""

import contextlib
import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from testkit.children import SOON, Children
from testkit.processes import command, environment, free_port
from testkit.terminal import Terminal


@contextlib.contextmanager
def full_pipe() -> Iterator[tuple[int, int]]:
    """The two ends of a pipe that takes no more."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    try:
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)


def a_friend_comes_and_goes(house: Children, port: int) -> None:
    friend = house.client(port, "Žofie", "--duration", "0.2")
    assert friend.end() == 0, friend.err


def test_a_pipe_that_nobody_reads_from_the_first_line_to_the_last(house: Children, tmp_path: Path) -> None:
    """It serves, and ends when it should; a reader finds all of it, in an encoding that lacks a name's sign."""
    port = free_port()
    words = ["-n", "--pidfile=", "voicechat", "--port", str(port), "--password-file", str(house.password_file)]
    with full_pipe() as (reading, writing), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(SOON)
        server = subprocess.Popen(
            [command("twistd"), *words],
            stdout=writing,
            stderr=writing,
            env=environment() | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "PYTHONIOENCODING": "ascii"},
        )
        try:
            assert systemd.recv(1000).startswith(b"READY=1")
            a_friend_comes_and_goes(house, port)
            assert server.poll() is None
            written = b""
            while b"left room" not in written:
                assert select.select([reading], [], [], SOON)[0], written
                written += os.read(reading, 65_536).lstrip(b"\0")
            assert b"starting up" in written
            assert b"'\\u017dofie' entered" in written
            server.send_signal(signal.SIGTERM)
            assert server.wait(SOON) == 0
            assert os.read(reading, 65_536).endswith(b"Server Shut Down.\n"), "the last line is not lost"
        finally:
            server.kill()
            server.wait()


def test_it_ends_though_its_last_lines_do_not_leave(house: Children, tmp_path: Path) -> None:
    """The same, and nobody reads at the end either."""
    with full_pipe() as (_, writing), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(SOON)
        server = subprocess.Popen(
            [command("twistd"), "-n", "--pidfile=", "voicechat", "-p0", f"--password-file={house.password_file}"],
            stdout=writing,
            env=environment() | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        try:
            assert systemd.recv(1000).startswith(b"READY=1")
            server.send_signal(signal.SIGINT)
            assert server.wait(SOON) == -signal.SIGINT, "as Twisted has it"
        finally:
            server.kill()
            server.wait()


def test_ctrl_s_in_its_terminal_holds_up_nobody(house: Children) -> None:
    port = free_port()
    words = ["twistd", "-n", "--pidfile=", "voicechat", "-p", str(port), "--password-file", str(house.password_file)]
    terminal = Terminal(words, 120, 50, folder=house.folder, variables={})
    try:
        terminal.until("listening on port")
        terminal.type("\x13")
        a_friend_comes_and_goes(house, port)
        assert "entered" not in terminal.shown
        terminal.type("\x11")
        terminal.until("'Žofie' entered", "left room")
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.end() == 0
    finally:
        terminal.close()
