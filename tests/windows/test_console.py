"""The console: the screen in it, lines typed in it, what they are written in, and what ends the program.

A pseudo terminal of ours is the console's window. What Wine 8's own console does not know (it draws escape sequences
wrongly, and sends no event but Ctrl-C) is looked at on a real PC: docs/windows.md.
"""

import contextlib
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testkit.children import PASSWORD, Children, Program, Server
from testkit.terminal import Terminal
from testkit.wine import Wine
from tests.windows import events
from tests.windows.conftest import Friend
from voicechat.client.exits import Exit
from voicechat.client.windows.console import CLOSE, CTRL_BREAK, CTRL_C, LOGOFF

CLIENT = "voicechat-client.exe"

Start = Callable[..., Terminal]


@pytest.fixture
def server(house: Children) -> Server:
    return house.server()


@pytest.fixture
def ben(house: Children, server: Server) -> Program:
    """A friend on Linux, who sees what becomes of it."""
    program = house.client(server.port, "Ben")
    program.line("you are in as Ben")
    return program


def words(house: Children, server: Server, name: str = "Zoë") -> list[str]:
    chosen = ["--host", "127.0.0.1", "--port", str(server.port), "--name", name]
    return [*chosen, "--password-file", Wine.path(house.password_file), "--input", "silence", "--output", "null"]


def opened(started: list[str], house: Children, variables: dict[str, str]) -> Terminal:
    """A console's window. Its keys go to Wine as they are, also before Wine has asked for that."""
    console = Terminal(started, 100, 30, folder=house.folder, variables=variables, controlling=True)
    tty.setraw(console._slave)
    return console


@pytest.fixture
def start(friend: Friend, house: Children, server: Server) -> Iterator[Start]:
    """Starts a client in a console, without TERM, as there is none on Windows."""
    terminals: list[Terminal] = []

    def it(*options: str) -> Terminal:
        started = friend.words(CLIENT, *words(house, server), *options)
        variables = friend.variables(TERM="", VOICECHAT_CUES="off")
        terminals.append(opened(started, house, variables))
        return terminals[-1]

    yield it
    for terminal in terminals:
        terminal.close()


def test_the_screen_is_there_without_term_and_takes_keys_and_text(start: Start, ben: Program) -> None:
    console = start()
    console.until("Zoë", "── friends", "Ben")
    console.type("m")
    ben.line("Zoë is muted")
    console.type("d")
    ben.line("Zoë is deafened")
    console.type("dm")
    ben.line("Zoë is unmuted")
    console.type("\rschöne Grüße 🎧\r")
    ben.line("] Zoë: schöne Grüße 🎧")
    console.type("q")
    assert console.end() == Exit.OK
    ben.line("Zoë left")


def test_a_double_click_asks_for_the_link_keeps_it_and_needs_no_word_the_next_time(
    friend: Friend, house: Children, server: Server, ben: Program
) -> None:
    """Started without a word, and with nothing in the environment."""
    variables = friend.variables(TERM="", VOICECHAT_CONFIG="", VOICECHAT_NAME="Zoë", VOICECHAT_CUES="off")
    variables |= {"VOICECHAT_INPUT": "silence", "VOICECHAT_OUTPUT": "null"}
    link = f"voicechat://127.0.0.1:{server.port}/#{PASSWORD}"
    for asked in (True, False):
        with contextlib.closing(opened(friend.words(CLIENT), house, variables)) as console:
            if asked:
                console.until("Paste the link")
                console.type("nonsense\r")
                console.until("a link begins with voicechat://")
                console.type(f"{link}\r")
                console.until("Keep this")
                console.type("y\r")
            console.until("── friends", "Ben")
            console.type("q")
            assert console.end() == Exit.OK
    (kept,) = friend.wine.prefix.glob("drive_c/users/*/AppData/Local/voicechat/client.toml")
    assert f"port = {server.port}" in kept.read_text()
    kept.unlink()


def test_lines_are_typed_and_written_in_utf_8(start: Start, ben: Program) -> None:
    console = start("--ui", "line")
    console.until("you are in as Zoë")
    console.type("schöne Grüße\r")
    ben.line("] Zoë: schöne Grüße")
    console.type("/mute\r")
    ben.line("Zoë is muted")
    console.type("/quit\r")
    assert console.end() == Exit.OK


def test_a_pipe_has_utf_8_and_one_end_of_line_each(friend: Friend, house: Children, server: Server) -> None:
    program = friend.start(house, CLIENT, *words(house, server), "--ui", "line", "--duration", "1")
    assert program.end() == Exit.OK
    assert "you are in as Zoë; nobody else is here yet\r\n" in program.out
    assert "\r\r" not in program.out
    assert "no more is read from here" not in program.out, "NUL, which says that it is a terminal, is none"


@pytest.mark.parametrize(
    ("event", "status"), [(CTRL_C, Exit.INTERRUPTED), (CTRL_BREAK, Exit.OK), (CLOSE, Exit.OK), (LOGOFF, Exit.OK)]
)
def test_what_happens_to_the_window_ends_the_call_at_once_and_friends_see_it(
    event: int, status: int, tester: Friend, house: Children, server: Server, ben: Program
) -> None:
    now = house.folder / "now"
    script, wanted = Wine.path(Path(events.__file__)), Wine.path(now)
    program = tester.start(
        house, "python.exe", script, str(event), wanted, *words(house, server, "Win"), "--ui", "line"
    )
    program.line("you are in as Win")
    ben.line("Win joined")
    now.touch()
    ben.line("Win left")
    assert program.end() == status
    held = event in (CLOSE, LOGOFF)
    assert ("the handler has returned" in program.out) is not held, "after it Windows ends the process"


@pytest.mark.parametrize(("number", "words"), [(10054, "Connection reset by peer"), (10999, "Windows' error 10999")])
def test_errors_of_sockets_have_windows_words(number: int, words: str, tester: Friend, house: Children) -> None:
    """Those of Wine; os.strerror says "Unknown error" of both."""
    program = "from voicechat.client.windows.system import words_of; print(words_of({}))"
    status, out, err = tester.run(house, "python.exe", "-c", program.format(number))
    assert (status, out.rstrip()) == (0, words), err


def test_a_process_that_is_no_more_is_known(tester: Friend, house: Children) -> None:
    program = (
        "import os, subprocess, sys\n"
        "from voicechat.client.windows.system import runs\n"
        "child = subprocess.Popen([sys.executable, '-c', ''])\n"
        "child.wait()\n"
        "number = child.pid\n"
        "del child\n"
        "print(runs(os.getpid()), runs(number), runs(99_999_996))\n"
    )
    status, out, err = tester.run(house, "python.exe", "-c", program)
    assert (status, out.split()) == (0, ["True", "False", "False"]), err
