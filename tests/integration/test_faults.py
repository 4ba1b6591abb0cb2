"""Faults of the first voice chat that only real programs can show to be gone: F17, F20."""

import contextlib
import resource
import signal
import socket
import time
from pathlib import Path

from testkit.children import PASSWORD, SOON, Children, Server
from voicechat.server.limits import Limits

DESCRIPTORS = 64
CONNECTIONS = 500


def test_f17_sigterm_is_a_goodbye_and_the_client_comes_back_by_itself(house: Children) -> None:
    """There, nobody was told, and a client ended at the first error of the network."""
    server = house.server()
    ann = house.client(server.port, "Ann")
    ann.line("you are in")
    asked = time.monotonic()
    server.program.signal(signal.SIGTERM)
    ann.line("the server is shutting down")
    assert time.monotonic() - asked < 0.5 + SOON / 10
    assert server.program.end() == 0
    assert time.monotonic() - asked < 2
    Server(
        house.start(
            *("twistd", "-n", "--pidfile=", "voicechat", "--port", str(server.port)),
            *("--password-file", str(house.password_file)),
        )
    )
    ann.until(lambda: ann.out.count("you are in as Ann") == 2, "come back")
    ann.signal(signal.SIGTERM)
    assert ann.end() == 0
    assert ann.err == ""


def test_f20_a_server_without_descriptors_goes_on_and_does_not_spin(house: Children) -> None:
    """There, an error of accept was tried again at once, for ever."""
    server = house.server()
    _, hard = resource.prlimit(server.program.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.program.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    ann = house.client(server.port, "Ann")
    ann.line("you are in")
    with contextlib.ExitStack() as held:
        connections = [held.enter_context(socket.socket()) for _ in range(CONNECTIONS)]
        before, then = server.program.cpu(), time.monotonic()
        for n, connection in enumerate(connections):
            connection.bind((f"127.0.0.{2 + n % 100}", 0))
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.connect(("127.0.0.1", server.port))
        first = connections[0]
        first.settimeout(SOON)
        with contextlib.suppress(ConnectionResetError):
            assert first.recv(100) == b""
        waited = time.monotonic() - then
        assert waited > Limits().login_seconds / 2, "it had its time"
        assert server.program.cpu() - before < 0.2 * waited
        assert len(list(Path(f"/proc/{server.program.pid}/fd").iterdir())) <= DESCRIPTORS
    # what the kernel had half accepted may fill its queue for some seconds more
    socket.create_connection(("127.0.0.1", server.port), timeout=SOON).close()
    ben = house.client(server.port, "Ben")
    ben.line("you are in")
    ann.line("Ben joined")
    server.program.signal(signal.SIGTERM)
    assert server.program.end() == 0
    assert PASSWORD not in server.program.out
