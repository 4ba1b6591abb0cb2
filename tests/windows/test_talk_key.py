"""The talk key by Raw Input: keys that another program injects, while the client has no window at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testkit.children import Children, Program, Server
from testkit.wine import Wine
from tests.windows import inject
from tests.windows.conftest import Friend
from voicechat.client.exits import Exit

CLIENT = "voicechat-client.exe"

Press = Callable[..., None]


@pytest.fixture
def server(house: Children) -> Server:
    return house.server()


@pytest.fixture
def press(tester: Friend, house: Children) -> Press:
    """Somebody at the keyboard: another program that hands its input to Windows."""

    def it(*words: str) -> None:
        status, out, err = tester.run(house, "python.exe", Wine.path(Path(inject.__file__)), *words)
        assert status == 0, out + err

    return it


def talker(friend: Friend, house: Children, server: Server, key: str) -> Program:
    words = ["--host", "127.0.0.1", "--port", str(server.port), "--name", "Win", "--ui", "line"]
    words += ["--password-file", Wine.path(house.password_file), "--input", "tone:440", "--output", "null"]
    program = friend.start(house, CLIENT, *words, "--talk", "push", "--ptt-key", key)
    program.line("you are in as Win")
    return program


@pytest.mark.parametrize(
    ("name", "down", "up"),
    [
        ("F9", ("key", "0x78", "down"), ("key", "0x78", "up")),
        ("mouse8", ("button", "0x80", "down", "1"), ("button", "0x100", "up", "1")),
    ],
)
def test_a_client_is_heard_while_the_key_is_held_whoever_has_the_focus(
    name: str, down: tuple[str, ...], up: tuple[str, ...], friend: Friend, house: Children, server: Server, press: Press
) -> None:
    ben = house.client(server.port, "Ben")
    ben.line("you are in as Ben")
    talker(friend, house, server, name)
    ben.line("Win joined")
    press("key", "0x41", "down")  # another key
    press("key", "0x41", "up")
    press("button", "0x02", "down")  # and the left button
    press("button", "0x04", "up")
    assert "Win talks" not in ben.out
    press(*down)
    ben.line("Win talks")
    press(*up)
    ben.line("Win stops")


def test_a_key_that_is_none_is_told_and_the_program_ends(friend: Friend, house: Children) -> None:
    words = ["--host", "127.0.0.1", "--ui", "line", "--input", "silence", "--output", "null", "--ptt-key", "F99"]
    status, out, err = friend.run(house, CLIENT, *words, VOICECHAT_PASSWORD="a word")
    assert status == Exit.CONFIG, out + err
    assert "there is no key 'F99'; keys are named F9, Pause, Control_R" in err
