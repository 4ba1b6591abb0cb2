"""Servers on machines that are not as ours: one line and a status of its own, or a call all the same."""

import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.children import SOON, Children, Program, children
from testkit.processes import command, free_port

ODD = {
    "a pidfile in no folder": (["--pidfile=/no/such/folder.d/v.pid"], [], 78, "cannot write the pidfile"),
    "a folder that is none": (["--pidfile=", "--rundir=/no/such/folder.d"], [], 78, "cannot go to --rundir"),
    "a log in no folder": (["--pidfile=", "--logfile=/no/such/folder.d/log"], [], 78, "cannot write the log file"),
    "a user without account": (["--pidfile=", "--uid=54321"], [], 78, "nobody's account"),
    "an interface's name": (["--pidfile="], ["-i", "localhost"], 2, "an address of this machine"),
    "an address of others": (["--pidfile="], ["-i", "192.0.2.1"], 1, "Cannot assign requested address"),
    "a zone that is none": (["--pidfile="], ["-i", "fe80::1%nope0"], 1, "cannot listen on port 0 of fe80::1%nope0"),
    "a port of 5000 digits": (["--pidfile="], ["-p", "1" * 5000], 2, "is a whole number from 0 to 65535"),
    "a folder as password": (["--pidfile="], ["--password-file=/"], 78, "Is a directory"),
    "a password without end": (["--pidfile="], ["--password-file=/dev/zero"], 78, "too long"),
}
"""Options of twistd's, of the server's, the status, a word of the line."""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Program]]:
    """All of them, started at once."""
    with children(tmp_path_factory.mktemp("odd")) as home:
        usual = ["-p", "0", f"--password-file={home.password_file}"]
        yield {
            name: home.start("twistd", "-n", *of_twistd, "voicechat", *usual, *ours)
            for name, (of_twistd, ours, _, _) in ODD.items()
        }


@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_is_told_in_one_line(ended: dict[str, Program], name: str) -> None:
    program, (_, _, status, word) = ended[name], ODD[name]
    assert program.end() == status, program.out + program.err
    said = program.out + program.err
    assert "Traceback" not in said
    (line,) = [line for line in said.splitlines() if "voicechat: " in line]
    assert word in line


def test_without_any_descriptor_and_umask_it_serves_and_keeps_its_files_to_itself(
    house: Children, tmp_path: Path
) -> None:
    """Number 1 was the first socket, and what was printed went to a friend."""
    port = free_port()
    words = f"-n --pidfile=pid --logfile=log voicechat -p {port} --password-file={house.password_file}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(SOON)
        variables = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        closed = f"umask 0; exec {command('twistd')} {words} <&- >&- 2>&-"
        server = house.start("sh", "-c", closed, variables=variables)
        assert systemd.recv(1000).startswith(b"READY=1")
    for number in range(3):
        assert str(Path(f"/proc/{server.pid}/fd/{number}").readlink()) == os.devnull
    ann = house.client(port, "Ann", "--duration", "0.2")
    assert ann.end() == 0, ann.err
    for name in ("pid", "log"):
        assert stat.S_IMODE((house.folder / name).stat().st_mode) == 0o600
    server.signal(signal.SIGTERM)
    server.end()
    assert "Traceback" not in (house.folder / "log").read_text()


def test_ctrl_c_while_it_waits_for_its_password(house: Children, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    program = house.start("twistd", "-n", "--pidfile=", "voicechat", "-p", "0", f"--password-file={fifo}")
    with fifo.open("wb"):  # it has begun to read
        program.signal(signal.SIGINT)
        assert program.end() == 130
    assert program.err + program.out == ""
