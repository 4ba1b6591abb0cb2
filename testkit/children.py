"""Real programs as children: a server, clients, and what they write.

What lives here: ``Program``, whose outputs are read apart and waited for with
deadlines, ``Server`` and ``client``. May import the standard library and the
demo's helpers. Nothing here sleeps: waiting is for a line, an end, or a condition
that a line or an end announces.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from testkit.processes import command, environment

SOON: Final = 20.0
"""Seconds in which anything happens that takes one or two on two idle cores."""

PASSWORD: Final = "Tr0ub4dor-und-3"
"""Occurs nowhere else, so that it can be looked for."""


class Program:
    """A running command. ``out`` and ``err`` are what was read of it so far."""

    def __init__(self, arguments: Sequence[str], *, folder: Path, variables: dict[str, str] | None = None) -> None:
        self.name = " ".join(Path(word).name for word in arguments[:3])
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment() | _places(folder) | (variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._written = [b"", b""]
        self._ended = 0
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(which, stream), daemon=True)
            for which, stream in enumerate((self._process.stdout, self._process.stderr))
        ]
        for reader in self._readers:
            reader.start()
        self.lived = 0.0
        """Seconds until its end, once `end` has returned."""

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    @property
    def out(self) -> str:
        """Standard output so far."""
        return self._written[0].decode(errors="replace")

    @property
    def err(self) -> str:
        """Standard error so far."""
        return self._written[1].decode(errors="replace")

    def proc(self, name: str) -> bytes:
        """A file of /proc about it."""
        return Path(f"/proc/{self.pid}/{name}").read_bytes()

    def memory(self) -> int:
        """Bytes of RAM that it holds."""
        (line,) = [line for line in self.proc("status").decode().splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) * 1024

    def cpu(self) -> float:
        """Seconds of CPU that it has used."""
        fields = self.proc("stat").decode(errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this one program."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def until(self, enough: Callable[[], bool], what: str, seconds: float = SOON) -> None:
        """Read on until ``enough()``; AssertionError with all it wrote if that takes too long, or it ends before."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not enough():
                left = deadline - time.monotonic()
                assert left > 0, f"{self.name} did not {what} within {seconds} s\n{self.out}\n{self.err}"
                assert self._writes(), f"{self.name} ended and did not {what}\n{self.out}\n{self.err}"
                self._changed.wait(left)

    def line(self, text: str, seconds: float = SOON) -> str:
        """Wait for a line with ``text`` in it, on either output."""
        self.until(lambda: bool(self._lines(text)), f"say {text!r}", seconds)
        return self._lines(text)[0]

    def end(self, seconds: float = SOON) -> int:
        """Wait for its end; its status."""
        deadline = time.monotonic() + seconds
        for reader in self._readers:
            reader.join(max(0.0, deadline - time.monotonic()))
        assert not self._writes(), f"{self.name} did not end within {seconds} s\n{self.out}\n{self.err}"
        status = self._process.wait(timeout=max(0.1, deadline - time.monotonic()))
        self.lived = time.monotonic() - self.started
        return status

    def kill(self) -> None:
        """Whatever it does, and whatever it started, is over."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        for reader in self._readers:
            reader.join()

    def _lines(self, text: str) -> list[str]:
        """The whole lines with ``text`` in them."""
        lines = [line for output in (self.out, self.err) for line in output.splitlines(keepends=True)]
        return [line.rstrip("\n") for line in lines if text in line and line.endswith("\n")]

    def _writes(self) -> bool:
        """It has not closed its outputs."""
        return self._ended < len(self._readers)

    def _read(self, which: int, stream: IO[bytes]) -> None:
        """Take what it writes, at once: a full pipe would stop it."""
        with stream:
            while data := os.read(stream.fileno(), 65_536):
                with self._changed:
                    self._written[which] += data
                    self._changed.notify_all()
        with self._changed:
            self._ended += 1
            self._changed.notify_all()


def _places(folder: Path) -> dict[str, str]:
    """Where clients and voicechat-ctl meet: so that no other client of this machine is among them."""
    return {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}


class Children:
    """Programs that end with the test that started them, at the latest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Program] = []
        self.password_file = folder / "password.txt"
        self.password_file.write_text(PASSWORD + "\n")
        self.password_file.chmod(0o600)

    def start(self, *arguments: str, variables: dict[str, str] | None = None, folder: Path | None = None) -> Program:
        """Any command that is installed beside this Python."""
        program = Program([command(arguments[0]), *arguments[1:]], folder=folder or self.folder, variables=variables)
        self.running.append(program)
        return program

    def server(self, *options: str, variables: dict[str, str] | None = None) -> "Server":
        """A server in the foreground, on a free port, that takes connections."""
        arguments = ["twistd", "-n", "--pidfile=", "voicechat", "--port", "0", *options]
        if not any(option.startswith("--password") for option in options) and not variables:
            arguments += ["--password-file", str(self.password_file)]
        return Server(self.start(*arguments, variables=variables))

    def client(self, port: int, name: str, *options: str, host: str = "127.0.0.1", **rest: str) -> Program:
        """A client; silent and deaf unless ``options`` say otherwise."""
        chosen = {
            "host": host,
            "port": str(port),
            "name": name,
            "password-file": str(self.password_file),
            "input": "silence",
            "output": "null",
        } | {key.replace("_", "-"): value for key, value in rest.items()}
        flags = [word for key, value in chosen.items() if value for word in (f"--{key}", value)]
        return self.start("voicechat-client", *flags, *options)

    def close(self) -> None:
        """End all."""
        for program in self.running:
            program.kill()


class Server:
    """A server that listens."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.port = int(program.line("listening on port").rpartition(" ")[2])


@contextlib.contextmanager
def children(folder: Path) -> Iterator[Children]:
    """Children for as long as the body runs."""
    held = Children(folder)
    try:
        yield held
    finally:
        held.close()


def stats(path: Path) -> dict[str, Any]:
    """What --stats wrote."""
    figures: dict[str, Any] = json.loads(path.read_text())
    return figures
