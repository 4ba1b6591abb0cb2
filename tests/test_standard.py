"""Standard streams and signals as a shell, a service or a full disk leaves them."""

import io
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from testkit.processes import command
from voicechat import standard
from voicechat.errors import DeviceError

OPENED = """
import socket, sys
from voicechat import standard
standard.open_closed()
assert socket.socket().fileno() > 2, "what is printed would go over the line"
standard.write("told"), standard.warn("warned")
assert sys.stdin.read() == ""
"""


def closing(*numbers: int) -> Callable[[], object]:
    """What a child does to its descriptors before it runs."""
    return lambda: [*map(os.close, numbers)]


def run(words: Sequence[str], prepare: Callable[[], object] = lambda: None, **rest: object) -> tuple[int, bytes, bytes]:
    """A program's code, and what it wrote to its outputs."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | rest
    child = subprocess.Popen(words, preexec_fn=prepare, **pipes)  # type: ignore[call-overload]  # noqa: PLW1509
    out, err = child.communicate(timeout=30)
    return child.returncode, out or b"", err or b""


@pytest.mark.parametrize("closed", [some for n in range(4) for some in itertools.combinations(range(3), n)])
def test_closed_descriptors_are_opened_on_nothing(closed: tuple[int, ...]) -> None:
    code, out, err = run([sys.executable, "-c", OPENED], closing(*closed))
    assert (code, out, err) == (0, b"" if 1 in closed else b"told", b"" if 2 in closed else b"warned")


@pytest.mark.parametrize("words", ["voicechat-client --version", "voicechat-client --help", "voicechat-ctl --help"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_who_has_seen_enough_is_no_fault(words: str, unbuffered: str) -> None:
    name, *options = words.split()
    reading, writing = os.pipe()
    os.close(reading)
    variables = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    try:
        assert run([command(name), *options], stdout=writing, env=variables) == (0, b"", b"")
        assert run([command(name), "--frob"], stderr=writing, env=variables) == (2, b"", b"")
    finally:
        os.close(writing)


@pytest.mark.parametrize("name", ["voicechat-client", "voicechat-ctl"])
def test_no_room_for_what_is_told_is_one_line(name: str) -> None:
    with Path("/dev/full").open("w") as full:
        code, _, err = run([command(name), "--version"], stdout=full)
        assert code == 74
        assert err.decode() == f"{name}: cannot write to standard output: No space left on device\n"
        assert run([command(name), "--frob"], stderr=full) == (2, b"", b"")


@pytest.mark.parametrize(("encoding", "told"), [("latin-1", b"\\u017dofie"), ("ascii", b"\\u017dofie")])
def test_a_sign_that_the_terminal_lacks_is_escaped(monkeypatch: pytest.MonkeyPatch, encoding: str, told: bytes) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    standard.write("\u017dofie")
    assert stream.buffer.getvalue() == told


def test_bytes_that_were_no_text_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", stream)
    standard.warn(os.fsdecode(b"caf\xe9"))
    assert stream.buffer.getvalue() == b"caf\\udce9"


class Full(io.StringIO):
    """A stream without room."""

    def write(self, text: str) -> int:
        """There is none."""
        raise OSError(28, "No space left on device")


def test_only_standard_output_has_room_worth_telling_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    monkeypatch.setattr(sys, "stderr", Full())
    with pytest.raises(DeviceError, match="No space left"):
        standard.write("told")
    standard.warn("nobody can be told")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_was_ignored_stays_ignored(number: signal.Signals) -> None:
    heard: list[int] = []
    before = signal.signal(number, signal.SIG_IGN)
    try:
        standard.obey(number, lambda *_: heard.append(number))
        signal.raise_signal(number)
        assert heard == []
        signal.signal(number, signal.SIG_DFL)
        standard.obey(number, lambda *_: heard.append(number))
        signal.raise_signal(number)
        assert heard == [number]
    finally:
        signal.signal(number, before)


def test_a_terminal_is_one_and_nul_of_windows_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """NUL says that it is a terminal; so would this one, of which Windows' Python has a file below it."""
    master, slave = os.openpty()
    with open(slave, encoding="utf-8") as stream:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", stream)
        assert standard.is_terminal("stdin", "linux")
        assert not standard.is_terminal("stdin", "win32")
    os.close(master)

    class Console(io.RawIOBase):
        """As a console of Windows: no file."""

        def isatty(self) -> bool:
            return True

        def readable(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Console())))
    assert standard.is_terminal("stdin", "win32")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert not standard.is_terminal("stdin", "linux")
