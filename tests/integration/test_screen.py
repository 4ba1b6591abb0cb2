"""The real client on a real terminal: keys are typed, the screen is read."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testkit.children import Children, Program, Server
from testkit.terminal import Terminal

Start = Callable[..., Terminal]


@pytest.fixture
def start(server: Server, home: Children, tmp_path: Path) -> Iterator[Start]:
    """Starts clients on terminals of their own."""
    terminals: list[Terminal] = []

    def on_terminal(name: str, columns: int, rows: int, *options: str, **variables: str) -> Terminal:
        words = ["voicechat-client", "--host", "127.0.0.1", "--port", str(server.port), "--name", name]
        words += ["--password-file", str(home.password_file), "--input", "silence", "--output", "null", *options]
        terminals.append(Terminal(words, columns, rows, folder=tmp_path, variables=variables))
        return terminals[-1]

    yield on_terminal
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def ben(server: Server, home: Children, request: pytest.FixtureRequest) -> Iterator[Program]:
    """A friend who talks all the time, in a room of the test's own."""
    program = home.client(server.port, "Ben", "--room", room(request), input="tone:440")
    program.line("you are in as Ben")
    yield program
    program.kill()


def room(request: pytest.FixtureRequest) -> str:
    return f"room {abs(hash(request.node.name)) % 1000}"


@pytest.mark.parametrize(("columns", "rows"), [(60, 15), (120, 40)])
def test_an_evening_on_the_screen(
    start: Start, ben: Program, request: pytest.FixtureRequest, columns: int, rows: int
) -> None:
    ann = start("Ann", columns, rows, "--room", room(request))
    ann.until("> Ben", "talks", "UDP", "ms round trip", "loss 0 %", "? help", "q leave")
    assert len(ann.lines) == rows
    talks = next(n for n, line in enumerate(ann.lines) if "talks" in line)
    at = ann.lines[talks].index("talks")
    assert ann.cells(talks)[at].fg not in ("default", ann.cells(talks)[2].fg), "a colour beside the word"

    ann.type("m")
    ann.until("you MUTED")
    ben.line("Ann is muted")
    ann.type("d")
    ann.until("you DEAFENED")
    ben.line("Ann is deafened")
    ann.type("dm")
    ann.until("you silent")
    ben.line("Ann is unmuted")

    ann.type(" ")
    ann.until("you talking", "talk key down")
    ben.line("Ann talks")
    ann.type(" ")
    ben.line("Ann stops")

    ann.type("\rhello Ben, schöne Grüße\r")
    ben.line("] Ann: hello Ben, schöne Grüße")
    ann.until("] Ann: hello Ben, schöne Grüße")

    ann.type("-")
    ann.until("-3 dB")
    ann.type("x")
    ann.until("muted by you")

    ann.type("?")
    ann.until("mute the chosen friend")
    ann.type("?")
    ann.until("> Ben", without="mute the chosen friend")

    ann.resize(180 - columns, 55 - rows)
    ann.wait(lambda: ann.lines[-1].startswith(" m mute") and len(ann.lines[0]) == 180 - columns - 1)
    ann.until("> Ben", "muted by you")

    ann.type("q")
    assert ann.end() == 0
    assert ann.restored
    ben.line("Ann left")


def test_a_terminal_that_stands_still_does_not_hold_up_the_call(
    start: Start, ben: Program, request: pytest.FixtureRequest
) -> None:
    """Sixteen screens of 10 KB each that nobody reads: more than a terminal's buffer takes (64 KB on Linux)."""
    ann = start("Ann", 1000, 20, "--room", room(request))
    ann.until("> Ben", "UDP")
    for n in range(16):
        ann.type("\x0cm")  # ctrl-l draws the whole screen anew
        ben.until(lambda n=n: ben.out.count("Ann is ") > n, "hear that Ann goes on")  # type: ignore[misc]
    ann.type("d")
    ann.until("you DEAFENED")
    ann.type("q")
    assert ann.end() == 0
    assert ann.restored


def test_ctrl_s_does_not_stop_the_screen(start: Start, ben: Program, request: pytest.FixtureRequest) -> None:
    ann = start("Ann", 60, 15, "--room", room(request))
    ann.until("> Ben", "UDP")
    ann.type("\x13m")
    ann.until("you MUTED")


def test_no_color_is_obeyed(start: Start, ben: Program, request: pytest.FixtureRequest) -> None:
    ann = start("Ann", 60, 15, "--room", room(request), NO_COLOR="1")
    ann.until("> Ben", "talks", "UDP")
    colours = {cell.fg for row in range(15) for cell in ann.cells(row)}
    colours |= {cell.bg for row in range(15) for cell in ann.cells(row)}
    assert colours == {"default"}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)], ids=str)
def test_the_terminal_is_given_back_after_a_signal(start: Start, number: signal.Signals, status: int) -> None:
    ann = start("Ann", 60, 15)
    ann.until("UDP", "nobody else is here")
    os.kill(ann.process.pid, number)
    assert ann.end() == status
    assert ann.restored


def test_the_last_word_is_read_on_the_terminal_afterwards(start: Start, home: Children) -> None:
    wrong = home.folder / "wrong.txt"
    wrong.write_text("guess\n")
    ann = start("Ann", 80, 24, "--password-file", str(wrong))
    assert ann.end() == 77
    assert ann.restored
    assert "the password was refused" in ann.written.rpartition(b"\x1b[?1049l")[2].decode()


def test_a_fault_of_ours_gives_the_terminal_back(start: Start, tmp_path: Path) -> None:
    """A broken view, as a fault would break it: put before ours on the path."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, importlib.abc\n"
        "class Breaks(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'voicechat.client.ui.screen':\n"
        "            import voicechat.client.ui.view as view\n"
        "            def top(*_): raise ZeroDivisionError('a fault')\n"
        "            view.top = top\n"
        "sys.meta_path.insert(0, Breaks())\n"
    )
    ann = start("Ann", 80, 24, PYTHONPATH=str(tmp_path))
    assert ann.end() == 1
    assert ann.restored
    assert "a fault" in ann.written.rpartition(b"\x1b[?1049l")[2].decode()


def test_on_a_dumb_terminal_lines_are_written(start: Start) -> None:
    ann = start("Ann", 60, 15, TERM="dumb")
    ann.until("you are in as Ann; nobody else is here yet")
    assert b"\x1b" not in ann.written


def test_a_screen_without_a_terminal_is_refused_in_one_line(server: Server, home: Children) -> None:
    program = home.client(server.port, "Ann", "--ui", "screen")
    assert program.end() == 78
    assert program.err == "voicechat-client: --ui screen needs a terminal; --ui line does not\n"
