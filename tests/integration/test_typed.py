"""The real client in line mode on a real terminal: commands and text are typed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testkit.children import Children, Program, Server
from testkit.processes import command
from testkit.terminal import Terminal

Start = Callable[..., Terminal]


def room(request: pytest.FixtureRequest) -> str:
    """One of the test's own."""
    return f"room-{request.node.name[-20:]}"


def words(server: Server, home: Children, *options: str) -> list[str]:
    return [
        *("--host", "127.0.0.1", "--port", str(server.port), "--name", "Ann", "--ui", "line"),
        *("--password-file", str(home.password_file), "--input", "silence", "--output", "null", *options),
    ]


@pytest.fixture
def ben(server: Server, home: Children, request: pytest.FixtureRequest) -> Iterator[Program]:
    """A friend."""
    program = home.client(server.port, "Ben", "--room", room(request))
    program.line("you are in as Ben")
    yield program
    program.kill()


@pytest.fixture
def start(server: Server, home: Children, tmp_path: Path) -> Iterator[Start]:
    """Starts programs on terminals of their own."""
    terminals: list[Terminal] = []

    def on_terminal(*arguments: str, controlling: bool = True) -> Terminal:
        terminals.append(Terminal(arguments, 100, 40, folder=tmp_path, variables={}, controlling=controlling))
        return terminals[-1]

    yield on_terminal
    for terminal in terminals:
        terminal.close()


def test_commands_and_text_are_typed(
    start: Start, server: Server, home: Children, ben: Program, request: pytest.FixtureRequest
) -> None:
    ann = start("voicechat-client", *words(server, home, "--room", room(request)))
    ann.until("you are in as Ann, with Ben")
    ann.type("good morning\n")
    ben.line("] Ann: good morning")
    ann.type("/mute\n")
    ann.until("you are muted: nobody hears you")
    ben.line("Ann is muted")
    ann.type("/quti\n")
    ann.until("nothing was sent: unknown command 'quti'; did you mean quit?; see /help")
    ann.type("/vol Ben -6\n")
    ann.until("Ben: -6 dB")
    ann.type("/who\n")
    ann.until("Ben is here")
    ann.type("/quit\n")
    assert ann.end() == 0
    ben.line("Ann left")
    assert "quti" not in ben.out
    assert ann.settings() == ann._before, "the terminal is as it was"


def test_who_talks_is_not_told_on_a_terminal(start: Start, server: Server, home: Children) -> None:
    ann = start("voicechat-client", *words(server, home, "--room", "talk"))
    ann.until("you are in as Ann")
    dan = home.client(server.port, "Dan", "--room", "talk")
    dan.line("you are in as Dan")
    cid = home.client(server.port, "Cid", "--room", "talk", input="tone:440")
    dan.line("Cid talks")
    ann.type("/who\n")
    ann.until("are here; Cid talks")
    assert "Cid joined" in ann.shown
    assert "\nCid talks" not in ann.shown
    for program in (cid, dan):
        program.kill()


def test_the_end_of_what_is_typed_is_not_the_end_of_the_call(
    start: Start, server: Server, home: Children, ben: Program, request: pytest.FixtureRequest
) -> None:
    ann = start("voicechat-client", *words(server, home, "--room", room(request)))
    ann.until("you are in as Ann, with Ben")
    ann.type("\x04")
    ann.until("no more is read from here; Ctrl-C leaves")
    ben.line("Ann joined")
    assert ann.process.poll() is None
    ann.type("\x03")
    assert ann.end() == 130


def test_in_the_background_the_terminal_is_left_to_the_shell(
    start: Start, server: Server, home: Children, ben: Program, request: pytest.FixtureRequest
) -> None:
    """A program that read there would be stopped by the system, and the call with it."""
    shell = start("bash", "--norc", "-i")
    line = " ".join([command("voicechat-client"), *words(server, home, "--room", room(request))])
    shell.type(f"{line} &\n")
    shell.until("you are in as Ann, with Ben")
    for number in range(3):
        shell.type(f"echo the answer is $((40 + {number}))\n")
        shell.until(f"the answer is {40 + number}")
    ben.until(lambda: "Ann joined" in ben.out, "see Ann")
    shell.type("jobs\n")
    shell.until("Running")
    assert "Stopped" not in shell.shown
    assert "the answer" not in ben.out, "it was the shell's"
    shell.type("fg\n/quit\n")
    ben.line("Ann left")
