"""The two programs as a friend on Windows starts them: what they say, and the status that they end with."""

import pytest

from testkit.children import PASSWORD, Children, Server
from testkit.processes import free_port
from tests.windows.conftest import Friend
from voicechat.client.exits import Exit

CLIENT = "voicechat-client.exe"
SILENT = ("--input", "silence", "--output", "null", "--ui", "line")


@pytest.fixture
def server(house: Children) -> Server:
    return house.server()


def secret(house: Children, text: bytes) -> str:
    (house.folder / "other.txt").write_bytes(text)
    return str(house.folder / "other.txt")


def test_its_version_is_the_packages(friend: Friend, house: Children) -> None:
    status, out, err = friend.run(house, CLIENT, "--version")
    assert (status, out.replace("\r", ""), err) == (0, "voicechat 0.1.0\n", "")


def test_help_is_there(friend: Friend, house: Children) -> None:
    status, out, _ = friend.run(house, CLIENT, "--help")
    assert status == 0
    assert "--password-file" in out


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--nonsense",), Exit.USAGE, "there is no option --nonsense"),
        (("https://example.org/",), Exit.CONFIG, "voicechat://"),
        (("voicechat://127.0.0.1:{nobody}/#word",), Exit.UNREACHABLE, "nobody listens there"),
        (("voicechat://127.0.0.1:{port}/#wrong",), Exit.PASSWORD, "password"),
        (("--host", "127.0.0.1", "--port", "{port}", "--stats", "Z:\\no\\such\\folder\\x.json"), Exit.CONFIG, "x.json"),
    ],
)
def test_each_end_has_its_status_and_one_line(
    words: tuple[str, ...], status: Exit, said: str, friend: Friend, house: Children, server: Server
) -> None:
    filled = [word.format(port=server.port, nobody=free_port()) for word in words]
    rest = SILENT if words[0] != "--nonsense" else ()
    code, out, err = friend.run(house, CLIENT, *filled, *rest, VOICECHAT_PASSWORD=PASSWORD if "--host" in words else "")
    assert (code, "Traceback" in out + err) == (status, False), out + err
    assert said in out + err
