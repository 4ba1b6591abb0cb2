"""voicechat-ctl.exe and a client on Windows: the port, the proof, the file."""

from pathlib import Path

import pytest

from testkit.children import Children, Program, Server
from testkit.wine import Wine
from tests.windows.conftest import Friend

CLIENT, CTL = "voicechat-client.exe", "voicechat-ctl.exe"


@pytest.fixture
def server(house: Children) -> Server:
    return house.server()


@pytest.fixture
def ben(house: Children, server: Server) -> Program:
    """A friend on Linux, who sees what becomes of it."""
    program = house.client(server.port, "Ben")
    program.line("you are in as Ben")
    return program


@pytest.fixture
def win(friend: Friend, house: Children, server: Server, ben: Program) -> Program:
    words = ["--host", "127.0.0.1", "--port", str(server.port), "--name", "Win", "--ui", "line"]
    words += ["--password-file", Wine.path(house.password_file), "--input", "silence", "--output", "null"]
    program = friend.start(house, CLIENT, *words)
    program.line("you are in as Win")
    return program


def files(friend: Friend) -> list[Path]:
    """What tells of running clients, in the user's own folder."""
    return sorted(friend.wine.prefix.glob("drive_c/users/*/AppData/Local/voicechat/run/*"))


def test_words_reach_the_client_and_its_friends(friend: Friend, house: Children, ben: Program, win: Program) -> None:
    assert friend.run(house, CTL, "mute-toggle")[0] == 0
    ben.line("Win is muted")
    assert friend.run(house, CTL, "deafen")[0] == 0
    ben.line("Win is deafened")
    status, out, _ = friend.run(house, CTL, "stats")
    assert status == 0
    assert out.startswith("Win: deafened")
    assert friend.run(house, CTL, "say", "schöne", "Grüße 🎧")[0] == 0
    ben.line("] Win: schöne Grüße 🎧")
    status, _, err = friend.run(house, CTL, "volume", "Zoe", "-6")
    assert (status, "nobody is called 'Zoe'" in err) == (1, True)
    assert friend.run(house, CTL, "volume", "Ben", "-6")[0] == 0


def test_the_file_goes_with_the_client_and_one_that_was_killed_leaves_none_behind(
    friend: Friend, house: Children, win: Program
) -> None:
    (file,) = files(friend)
    status, out, err = friend.run(house, CTL, "--socket", Wine.path(file), "quit")
    assert status == 0, out + err
    assert win.end() == 0
    assert files(friend) == []
    status, _, err = friend.run(house, CTL, "mute")
    assert (status, "no voicechat-client of yours runs" in err) == (69, True)
    file.write_text(f"1 {'0' * 64}\n")  # as a killed one leaves it, of a process that is no more
    status, _, err = friend.run(house, CTL, "mute")
    assert (status, "no voicechat-client of yours runs" in err) == (69, True)
    assert files(friend) == []
