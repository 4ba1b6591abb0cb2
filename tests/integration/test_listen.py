"""Several ways in, and those that systemd opens: with real sockets, and real calls over UDP."""

import signal
import socket
from pathlib import Path

import pytest

from testkit.children import SOON, Children, Program, stats
from testkit.processes import command, free_port

LAUNCHER = """
import os, socket, sys
# what systemd does with a .socket unit: opens, passes from 3 on, and becomes the program
kinds, program = sys.argv[1].split(","), sys.argv[2:]
stream = socket.socket(socket.AF_INET6)
stream.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
stream.bind(("::", 0))
stream.listen()
datagram = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
datagram.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
datagram.bind(stream.getsockname())
made = {"stream": stream, "datagram": datagram}
kept = [os.dup2(made[kind].fileno(), 50 + n) for n, kind in enumerate(kinds)]
stream.close()
datagram.close()
for number, descriptor in enumerate(kept, 3):
    os.dup2(descriptor, number)
    os.close(descriptor)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(kinds)))
if len(kinds) > 1:
    os.environ["LISTEN_FDNAMES"] = ":".join(["voicechat"] * len(kinds))
os.execv(program[0], program)
"""


def server(house: Children, *options: str) -> Program:
    return house.start(
        *("twistd", "-n", "--pidfile=", "voicechat", "--password-file", str(house.password_file)), *options
    )


def path_of(house: Children, port: int, name: str, host: str) -> str:
    """By what way somebody's sound goes who comes to a host's port and stays for some seconds."""
    file = house.folder / f"{name}.json"
    client = house.client(port, name, "--duration", "3", "--stats", str(file), host=host, input="tone:440")
    assert client.end() == 0
    return str(stats(file)["path"])


def test_ipv4_and_ipv6_may_have_ways_in_of_their_own_on_one_number(house: Children) -> None:
    port = free_port()
    program = server(house, "--listen", f"tcp6:{port}", "--listen", f"tcp:{port}:interface=127.0.0.1")
    program.line(f"listening on port {port}")
    for host in ("127.0.0.1", "::1"):
        assert path_of(house, port, f"at {host[-1]}", host) == "udp"
    assert "entered room '' from 127.0.0.1" in program.out
    assert "entered room '' from ::/64" in program.out
    program.signal(signal.SIGTERM)
    assert program.end() == 0
    assert "Traceback" not in program.out + program.err


def test_both_families_come_by_a_way_in_of_ipv6(house: Children) -> None:
    port = free_port()
    server(house, "--listen", f"tcp6:{port}").line("listening on port")
    for host in ("127.0.0.1", "::1"):
        socket.create_connection((host, port), timeout=SOON).close()


def test_a_port_in_use_is_told_in_one_line(house: Children) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
        program = server(house, "--listen", "tcp:0", "--listen", text)
        assert program.end() == 1
    (line,) = [line for line in (program.out + program.err).splitlines() if "cannot listen" in line]
    assert line.endswith(f"voicechat: cannot listen on {text}: Address already in use; is another server running?")
    assert "Traceback" not in program.out + program.err


@pytest.mark.parametrize(
    ("kinds", "which"),
    [
        ("stream,datagram", "index=0"),
        ("datagram,stream", "index=1"),
        ("stream,datagram", "name=voicechat"),
        ("stream", "index=0"),
    ],
)
@pytest.mark.parametrize("words", [("twistd", "-n", "--pidfile=", "voicechat"), ("voicechat-server",)])
def test_what_systemd_opened_is_taken_over(house: Children, kinds: str, which: str, words: tuple[str, ...]) -> None:
    """With datagrams or without: then the server opens them itself."""
    program = house.start(
        *("python", "-c", LAUNCHER, kinds, command(words[0]), *words[1:]),
        *("--password-file", str(house.password_file), "--listen", f"systemd:domain=INET6:{which}"),
    )
    port = int(program.line("listening on port").rpartition(" ")[2])
    sockets = [line.split() for line in Path(f"/proc/{program.pid}/net/udp6").read_text().splitlines()[1:]]
    assert len([row for row in sockets if int(row[1].rpartition(":")[2], 16) == port]) == 1, "one for datagrams"
    assert path_of(house, port, "Ann", "127.0.0.1") == "udp"
    program.signal(signal.SIGTERM)
    assert program.end() == 0
    assert "Traceback" not in program.out + program.err
