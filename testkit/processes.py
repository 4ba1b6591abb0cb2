"""Children of the demo: started, followed line by line, ended, and counted.

What lives here: ``Child``, ``follow`` and ``stop``, and what both commands need to
start a server: a free port, the environment, the password file. May import the
standard library, the password generator and what minds the standard streams. One thread:
everything waits in ``follow``, always with a deadline.

Each child has a session of its own, so that Ctrl-C reaches this program alone and
it ends them in order.
"""

import contextlib
import os
import random
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voicechat import standard
from voicechat.security.secret import generate

STOP_SECONDS: Final = 3.0
"""Time to end after SIGTERM (a server promises 2 s) before SIGKILL."""

OPEN_SECONDS: Final = 10.0
"""Longest wait for a server's port; it takes about one second."""

TAIL_LINES: Final = 4
"""Lines of a child's log that a message about its failure repeats."""

_LONGEST_SELECT: Final = 3600.0
"""Seconds; epoll takes no more than 24 days."""

_LOOK_SECONDS: Final = 0.05
"""Pause between two tries to connect."""


@dataclass(frozen=True)
class End:
    """How a child ended: its status (negative: the signal), CPU seconds of its own, and seconds that it lived."""

    status: int
    cpu_seconds: float
    seconds: float


class Child:
    """A running command; what it writes (both outputs) goes to ``log``, and line by line to ``tell``.

    ``variables`` are the whole environment; without them it is ``environment()``.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        tell: Callable[[str], None] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.end: End | None = None
        self._tell = tell
        self._rest = b""
        self._start = time.monotonic()
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment() if variables is None else variables,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def fileno(self) -> int:
        """The descriptor to wait for: readable when there are lines, or when the child has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def read(self) -> None:
        """Take what the child wrote; at its end, take its status and its cost."""
        data = os.read(self.fileno(), 65_536)
        self._log.write(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data and self._rest:
            lines, self._rest = [self._rest], b""
        if self._tell is not None:
            for line in lines:
                self._tell(line.decode(errors="replace"))
        if not data:
            self._reap()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child and to all that it started, if it still runs."""
        if self.end is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def tail(self) -> str:
        """The last lines that it wrote, in one."""
        lines = [line.strip() for line in self.written().splitlines() if line.strip()]
        return " | ".join(lines[-TAIL_LINES:]) or "it wrote nothing"

    def written(self) -> str:
        """All that was read from it so far."""
        if not self._log.closed:
            self._log.flush()
        return self.log.read_text(errors="replace")

    def failure(self) -> str | None:
        """One line about a bad end, None if it still runs or ended well."""
        if self.end is None or self.end.status == 0:
            return None
        how = f"status {self.end.status}" if self.end.status > 0 else signal.Signals(-self.end.status).name
        return f"{self.name} ended with {how}: {self.tail()}"

    def _reap(self) -> None:
        assert self._process.stdout is not None
        _, status, usage = os.wait4(self._process.pid, 0)
        seconds = time.monotonic() - self._start
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._process.stdout.close()
        self._log.close()
        self.end = End(self._process.returncode, usage.ru_utime + usage.ru_stime, seconds)


def follow(children: Sequence[Child], seconds: float, enough: Callable[[], bool]) -> bool:
    """Read what the children write until ``enough()``, asked after each event; False if ``seconds`` went by first."""
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for child in children:
            if child.end is None:
                selector.register(child.fileno(), selectors.EVENT_READ, child)
        while not enough():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in selector.select(min(left, _LONGEST_SELECT)):
                child = key.data
                # A child's last read closes the descriptor: it leaves the selector before.
                selector.unregister(key.fd)
                child.read()
                if child.end is None:
                    selector.register(key.fd, selectors.EVENT_READ, child)
    return True


def stop(children: Sequence[Child]) -> None:
    """End all that still run: asked first, killed after STOP_SECONDS."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for child in children:
            child.signal(number)
        if follow(children, STOP_SECONDS, lambda: all(child.end is not None for child in children)):
            return


def wait_for_port(server: Child, port: int) -> str | None:
    """Wait until the server takes connections on loopback; None, or one line that says why it does not."""
    deadline = time.monotonic() + OPEN_SECONDS
    while time.monotonic() < deadline:
        if follow([server], _LOOK_SECONDS, lambda: server.end is not None):
            return server.failure() or f"{server.name} ended at once: {server.tail()}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return None
    return f"{server.name} did not open port {port} within {OPEN_SECONDS:.0f} s: {server.tail()}"


def free_port() -> int:
    """A port of loopback that is free for TCP and for UDP right now.

    None of those that systems give away by themselves (Linux: from 32 768 on): until a server has it, somebody
    else's connection would get it now and then, with two workers once in some runs of all tests.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(10_000, 32_768)
        with socket.socket(type=socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port


def command(name: str) -> str:
    """The path of a command installed beside this Python, else the one on the PATH; FileNotFoundError if none is."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: pip install -e .[client,test]")
    return found


def environment() -> dict[str, str]:
    """Ours without the user's own settings of voicechat, lines written as they come; nobody is asked about a router."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VOICECHAT_")}
    return kept | {
        "PYTHONUNBUFFERED": "1",
        "VOICECHAT_CONFIG": os.devnull,
        "XDG_STATE_HOME": os.devnull,
        "VOICECHAT_MAP_PORT": "no",
    }


@contextlib.contextmanager
def password_file() -> Iterator[tuple[str, Path]]:
    """A fresh password, easy to read out, and a file with it that only this user can read; the file goes at the end."""
    password = generate().reveal()
    descriptor, name = tempfile.mkstemp(prefix="voicechat-", suffix=".password")  # made with mode 0600
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(password + "\n")
        yield password, path
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def ends_as_interrupt() -> Iterator[None]:
    """SIGTERM, and SIGHUP of a window that is closed, end the body as Ctrl-C does; what was ignored stays so.

    Once: closing a window may send several, and what the body then tidies up is not to be left in its midst.
    """

    def interrupt(*_: object) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    before = {number: signal.getsignal(number) for name in names if (number := getattr(signal, name, None))}
    for number in before:
        standard.obey(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
