"""The two programs as a friend on Windows starts them: what they say, and the status that they end with."""

import signal
import termios
from collections.abc import Iterator

import pytest

from testkit.children import PASSWORD, Children, Program, Server
from testkit.processes import free_port
from testkit.terminal import Terminal
from tests.windows.conftest import Friend
from voicechat.client.exits import Exit

CLIENT = "voicechat-client.exe"
SILENT = ("--input", "silence", "--output", "null", "--ui", "line")


@pytest.fixture
def server(house: Children) -> Server:
    return house.server()


def address(server: Server) -> tuple[str, ...]:
    return ("--host", "127.0.0.1", "--port", str(server.port))


def win(friend: Friend, house: Children, *words: str) -> Program:
    """A client on Windows that is in."""
    program = friend.start(house, CLIENT, *words, "--name", "Win", *SILENT, VOICECHAT_PASSWORD=PASSWORD)
    program.line("you are in as Win")
    return program


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


def test_ctrl_c_ends_it_and_friends_see_it_leave(friend: Friend, house: Children, server: Server) -> None:
    """Wine makes Windows' Ctrl-C of the signal."""
    ben = house.client(server.port, "Ben")
    ben.line("you are in as Ben")
    program = win(friend, house, *address(server))
    ben.line("Win joined")
    program.signal(signal.SIGINT)
    assert program.end() == Exit.INTERRUPTED
    assert "Traceback" not in program.out + program.err
    ben.line("Win left")


def test_the_doctor_finds_that_a_call_will_work(friend: Friend, house: Children, server: Server) -> None:
    words = ("doctor", *address(server), "--input", "silence", "--output", "null")
    status, out, err = friend.run(house, CLIENT, *words, VOICECHAT_PASSWORD=PASSWORD)
    assert status == 0, out + err
    assert "a call will work" in out
    assert "UDP gets through, both ways" in out


def test_the_doctor_says_what_is_wrong(friend: Friend, house: Children) -> None:
    words = ("doctor", "--host", "127.0.0.1", "--port", str(free_port()), "--input", "silence", "--output", "null")
    status, out, err = friend.run(house, CLIENT, *words, VOICECHAT_PASSWORD=PASSWORD)
    assert status == Exit.UNREACHABLE, out + err
    assert "nobody listens there" in out


@pytest.mark.parametrize("quotes", ["", "'"])
def test_a_link_is_enough_with_the_quotes_that_cmd_exe_leaves(
    quotes: str, friend: Friend, house: Children, server: Server
) -> None:
    link = f"{quotes}voicechat://127.0.0.1:{server.port}/den#{PASSWORD}{quotes}"
    status, out, err = friend.run(house, CLIENT, link, "--name", "Zoë 🎧", *SILENT, "--duration", "1")
    assert status == 0, out + err
    assert "you are in as Zoë 🎧" in out


@pytest.mark.parametrize("text", ["{}", "{}\n", "{}\r\n", "\ufeff{}\r\n"])
def test_a_password_comes_from_a_file_as_windows_programs_write_it(
    text: str, friend: Friend, house: Children, server: Server
) -> None:
    (house.folder / "Jörgs wörd.txt").write_bytes(text.format(PASSWORD).encode())
    words = (*address(server), "--name", "Win", "--password-file", "Jörgs wörd.txt", *SILENT, "--duration", "0.5")
    status, out, err = friend.run(house, CLIENT, *words)
    assert status == 0, out + err


@pytest.fixture
def terminal(friend: Friend, house: Children, server: Server) -> Iterator[Terminal]:
    """A window in which the password is asked for."""
    words = friend.words(CLIENT, *address(server), "--name", "Win", *SILENT)
    window = Terminal(words, 80, 24, folder=house.folder, variables=friend.variables())
    yield window
    window.close()


def test_the_password_is_asked_for_and_not_shown(terminal: Terminal) -> None:
    terminal.until("Password:")
    for _ in range(200):  # until then it is our own terminal that would show what is typed
        if not terminal.settings()[3] & termios.ECHO:
            break
        terminal._read(0.1)
    terminal.type(f"{PASSWORD}\r")
    terminal.until("you are in as Win")
    assert PASSWORD.encode() not in terminal.written


def test_settings_are_kept_where_windows_keeps_them(friend: Friend, house: Children, server: Server) -> None:
    nowhere = {"VOICECHAT_CONFIG": ""}
    status, out, err = friend.run(house, CLIENT, *address(server), "--name", "Kept", "--write-config", **nowhere)
    assert status == 0, out + err
    written = out.strip().removeprefix("written: ")
    try:
        assert written.startswith("C:\\users\\")
        assert written.endswith("\\AppData\\Local\\voicechat\\client.toml")
        words = (*SILENT, "--duration", "0.5")
        status, out, err = friend.run(house, CLIENT, *words, VOICECHAT_PASSWORD=PASSWORD, **nowhere)
        assert status == 0, out + err
        assert "you are in as Kept" in out
    finally:
        friend.run(house, "cmd", "/c", "del", written)


def test_a_killed_server_is_missed_and_found_again(friend: Friend, house: Children, server: Server) -> None:
    program = win(friend, house, *address(server))
    server.program.kill()
    program.line("nobody hears you")
    house.server("--port", str(server.port))
    program.until(lambda: program.out.count("you are in as Win") == 2, "come back")
    program.signal(signal.SIGINT)
    assert program.end() == Exit.INTERRUPTED
