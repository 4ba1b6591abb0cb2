"""A server that stands still, and one that is gone, as a player sees them on a terminal."""

import signal
from collections.abc import Iterator

import pytest

from testkit.children import Children, Program, Server
from testkit.terminal import Terminal


@pytest.fixture(params=[{}, {"NO_COLOR": "1"}], ids=["in colours", "without"])
def ann(house: Children, request: pytest.FixtureRequest) -> Iterator[tuple[Server, Program, Terminal]]:
    """Ann on a terminal, Ben who talks, and their server."""
    server = house.server()
    ben = house.client(server.port, "Ben", input="tone:440")
    ben.line("you are in as Ben")
    words = ["voicechat-client", "--host", "127.0.0.1", "--port", str(server.port), "--name", "Ann"]
    words += ["--password-file", str(house.password_file), "--input", "silence", "--output", "null"]
    terminal = Terminal(words, 60, 15, folder=house.folder, variables=request.param)
    yield server, ben, terminal
    terminal.close()


def alarmed(terminal: Terminal) -> bool:
    """The first row stands out from all others: in red, or reversed where there are no colours."""
    cells = terminal.cells(0)
    return all(cell.bg == "red" for cell in cells) or all(cell.reverse for cell in cells)


def test_nobody_seems_to_talk_while_nobody_hears_us(ann: tuple[Server, Program, Terminal], house: Children) -> None:
    server, _, screen = ann
    screen.until("> Ben", "talks", " ms")
    server.program.signal(signal.SIGSTOP)
    screen.until("NO ANSWER FOR 2 s", "Perhaps nobody hears you.", "? Ben", "unknown", without="talks", seconds=6.0)
    screen.until("NO ANSWER FOR 4 s", without="~")
    assert alarmed(screen)
    server.program.signal(signal.SIGCONT)
    screen.until("> Ben", "talks", without="NO ANSWER")
    assert "round trip" not in screen.lines[0] or int(screen.lines[0].split(" ms")[0].split()[-1]) < 500

    server.program.signal(signal.SIGKILL)
    screen.until("not connected: NOBODY HEARS YOU", "Trying again", "? Ben", "unknown", without="talks", seconds=6.0)
    screen.until("(try 3)")
    assert alarmed(screen)
    assert "~" not in screen.shown
    assert "silent" not in screen.shown
    screen.type("r")
    arguments = ["twistd", "-n", "--pidfile=", "voicechat", "--port", str(server.port)]
    Server(house.start(*arguments, "--password-file", str(house.password_file)))
    screen.until("> Ben", "talks", without="NOBODY")
    screen.type("q")
    assert screen.end() == 0
    assert screen.restored
