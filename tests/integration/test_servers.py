"""The server as a program: starting, signals, the daemon, what others can see of it."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from testkit.children import PASSWORD, SOON, Children, Program, Server

ROOT = Path(__file__).parents[2]


def refused(house: Children, *options: str, variables: dict[str, str] | None = None) -> Program:
    """A server that ended by itself."""
    program = house.start("twistd", "-n", "--pidfile=", "voicechat", *options, variables=variables)
    assert program.end() not in (0, None)
    return program


def test_without_a_password_it_ends_with_one_line(house: Children) -> None:
    program = refused(house, "--port", "0")
    assert program.end() == 78
    assert program.err.count("\n") == 1
    assert "--password-file" in program.err
    assert not program.out


def test_a_port_in_use_is_told_in_one_line(house: Children) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = refused(house, "--port", str(port), "--password-file", str(house.password_file))
    assert "Traceback" not in program.out + program.err
    (line,) = [line for line in (program.out + program.err).splitlines() if "cannot listen" in line]
    assert f"cannot listen on port {port}: Address already in use" in line


def test_sigterm_says_goodbye_and_is_a_good_end(house: Children) -> None:
    server = house.server()
    ann = house.client(server.port, "Ann")
    ann.line("you are in")
    server.program.signal(signal.SIGTERM)
    asked = time.monotonic()
    assert server.program.end() == 0
    assert time.monotonic() - asked < 2
    ann.line("the server is shutting down")
    assert "Traceback" not in server.program.out + server.program.err
    assert server.program.err == ""


def test_nobody_else_can_see_the_password_wherever_it_is_given(house: Children) -> None:
    server = house.server("--password", PASSWORD, variables={"VOICECHAT_PASSWORD": PASSWORD})
    client = house.client(server.port, "Ann", "--password", PASSWORD, password_file="")
    client.line("you are in")
    link = f"voicechat://127.0.0.1:{server.port}/#{PASSWORD}"
    invited = house.start("voicechat-client", link, "--name", "Ben", "--input", "silence", "--output", "null")
    invited.line("you are in as Ben, with Ann")
    for program in (server.program, client, invited):
        assert PASSWORD.encode() not in program.proc("cmdline")
        assert PASSWORD.encode() not in program.proc("environ")
        before = b"/#" if program is invited else b"--password\0"
        assert before + b"xxxx" in program.proc("cmdline"), "it was given there"
        program.signal(signal.SIGTERM)
        assert program.end() == 0
        assert PASSWORD not in program.out + program.err


def test_sighup_reads_the_password_again_and_keeps_those_inside(house: Children) -> None:
    file = house.folder / "changing.txt"
    file.write_text(PASSWORD + "\n")
    server = house.server("--password-file", str(file))
    ann = house.client(server.port, "Ann")
    ann.line("you are in")
    file.write_text("another password\n")
    server.program.signal(signal.SIGHUP)
    server.program.line("the password file was read again")
    old = house.client(server.port, "Old")
    new = house.client(server.port, "New", password_file=str(file))
    assert old.end() == 77
    new.line("you are in")
    ann.line("New joined")
    assert server.program.err == ""
    assert "another password" not in server.program.out


def test_systemd_is_told_and_a_new_password_may_end_all_sessions(house: Children, tmp_path: Path) -> None:
    file = tmp_path / "changing.txt"
    file.write_text(PASSWORD + "\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(SOON)
        variables = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
        server = house.server("--password-file", str(file), "--kick-on-reload", variables=variables)
        assert systemd.recv(1000).startswith(b"READY=1\nSTATUS=0 of 4")
        ann = house.client(server.port, "Ann")
        ann.line("you are in")
        while b"STATUS=1 of 4 seats taken" not in (news := systemd.recv(1000)):
            assert news.startswith(b"WATCHDOG=1\n")
        file.write_text("another password\n")
        server.program.signal(signal.SIGHUP)
        assert ann.end() == 77
        assert "was changed; ask your host for the new one" in ann.err
        server.program.line("'Ann' left room '': the password was changed")
        server.program.signal(signal.SIGTERM)
        assert server.program.end() == 0
        while systemd.recv(1000) != b"STOPPING=1":
            pass


def test_the_tac_file_runs_the_same_server(house: Children) -> None:
    program = house.start(
        *("twistd", "--pidfile=", "-ny", str(ROOT / "tac" / "voicechat.tac")),
        variables={"VOICECHAT_PASSWORD": PASSWORD, "VOICECHAT_PORT": "0", "VOICECHAT_MAX_CLIENTS": "1"},
    )
    server = Server(program)
    ann = house.client(server.port, "Ann")
    ann.line("you are in")
    second = house.client(server.port, "Ben")
    assert second.end() == 75
    assert PASSWORD.encode() not in program.proc("environ")
    program.signal(signal.SIGTERM)
    assert program.end() == 0


class Daemon:
    """A server in the background: its files are all that is known of it."""

    def __init__(self, house: Children) -> None:
        self.folder = house.folder / "daemon"
        self.folder.mkdir()
        (self.folder / "secret.txt").write_text(PASSWORD + "\n")
        parent = house.start("twistd", "voicechat", "--port", "0", "--password-file", "secret.txt", folder=self.folder)
        assert parent.end() == 0, parent.err
        assert parent.err == ""
        self.pid = int((self.folder / "twistd.pid").read_text())

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self.folder / "twistd.log").read_text()

    def wait_for(self, what: str) -> str:
        """Wait for a line of the log; nothing announces one to another process, so it is looked for."""
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            for line in self.log.splitlines():
                if what in line:
                    return line
            os.sched_yield()
        raise AssertionError(f"the daemon did not log {what!r}:\n{self.log}")

    def wait_gone(self) -> None:
        """Wait for its end, by its process descriptor."""
        import select

        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            assert select.select([descriptor], [], [], SOON)[0], "the daemon did not end"
        finally:
            os.close(descriptor)


def test_as_a_daemon_it_keeps_its_files_and_reads_its_password_again(house: Children) -> None:
    daemon = Daemon(house)
    try:
        port = int(daemon.wait_for("listening on port").rpartition(" ")[2])
        ann = house.client(port, "Ann")
        ann.line("you are in")
        (daemon.folder / "secret.txt").write_text("another password\n")
        os.kill(daemon.pid, signal.SIGHUP)
        daemon.wait_for("the password file was read again")
        assert house.client(port, "Old").end() == 77
        cmdline = Path(f"/proc/{daemon.pid}/cmdline").read_bytes()
        assert b"secret.txt" in cmdline
        os.kill(daemon.pid, signal.SIGTERM)
        daemon.wait_gone()
        ann.line("the server is shutting down")
        assert not (daemon.folder / "twistd.pid").exists()
        assert "Traceback" not in daemon.log
        assert PASSWORD not in daemon.log
    finally:
        with_pid = Path(f"/proc/{daemon.pid}/cmdline")
        if with_pid.exists() and b"twistd" in with_pid.read_bytes():
            os.kill(daemon.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("interface", "reached", "other"), [("127.0.0.1", "127.0.0.1", "::1"), ("::1", "::1", "127.0.0.1")]
)
def test_an_interface_is_the_only_one(house: Children, interface: str, reached: str, other: str) -> None:
    server = house.server("--interface", interface)
    socket.create_connection((reached, server.port), timeout=SOON).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((other, server.port), timeout=SOON)
