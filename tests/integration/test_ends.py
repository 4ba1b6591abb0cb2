"""How a client ends: a status of its own for each reason, and one line that says what to do.

All clients run at once, since each takes a second of its own to start and some wait
for five; each test looks at one of them.
"""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import wave
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from testkit.children import PASSWORD, SOON, Children, Program, Server, children
from testkit.processes import command, environment
from voicechat.wire.handshake import Reason, Refuse


class Stranger:
    """A socket that listens and answers everybody with the same bytes, once they have said something."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(SOON)
        self.port: int = self._socket.getsockname()[1]

    def answer(self) -> None:
        """Serve one."""
        peer, _ = self._socket.accept()
        with peer:
            peer.settimeout(SOON)
            peer.recv(100)
            peer.sendall(self._answer)
            with contextlib.suppress(ConnectionResetError):
                peer.recv(100)

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Program]]:
    """Clients that all have come to their end, by what happened to them."""
    with children(tmp_path_factory.mktemp("ends")) as home, contextlib.ExitStack() as held:
        yield all_of_them(home, held)


def all_of_them(home: Children, held: contextlib.ExitStack) -> dict[str, Program]:
    wrong = home.folder / "wrong.txt"
    wrong.write_text("guess\n")
    stereo = home.folder / "stereo.wav"
    with wave.open(str(stereo), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(bytes(400))
    server = home.server("--max-clients", "1")
    seated = home.client(server.port, "Ann")
    strangers = {
        "another version": string(Refuse(Reason.VERSION, 0, 9, 9).build()),
        "a web server": b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        "garbage": string(b"what is this?"),
    }
    listening = {name: held.enter_context(Stranger(answer)) for name, answer in strangers.items()}
    nobody = held.enter_context(socket.socket())
    nobody.bind(("127.0.0.1", 0))
    found = {name: home.client(stranger.port, "Eve") for name, stranger in listening.items()}
    found["nobody there"] = home.client(nobody.getsockname()[1], "Eve")
    found["a wrong password"] = home.client(server.port, "Eve", password_file=str(wrong))
    found["no such device"] = home.client(server.port, "Eve", input="Grandmother's gramophone")
    found["no such file to play"] = home.client(server.port, "Eve", input="wav:/no/such.wav")
    found["not our format"] = home.client(server.port, "Eve", input=f"wav:{stereo}")
    found["no such folder to record in"] = home.client(server.port, "Eve", output="wav:/no/such/folder.wav")
    found["no such password file"] = home.client(server.port, "Eve", password_file="/no/such/file")
    found["no password"] = home.client(server.port, "Eve", password_file="")
    found["a bad name"] = home.client(server.port, "Eve\x1b[2J")
    found["a long name"] = home.client(server.port, '"' * 31 + "a", room='"' * 64)
    found["no host"] = home.client(server.port, "Eve", host="")
    found["a bad port"] = home.client(server.port, "Eve", "--port", "70000")
    waiting = held.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler))
    threading.Thread(target=waiting.serve_forever, daemon=True).start()
    held.callback(waiting.shutdown)
    found["a web server that waits"] = home.client(waiting.server_address[1], "Eve")
    for stranger in listening.values():
        stranger.answer()
    seated.line("you are in")
    found["a full house"] = home.client(server.port, "Eve")
    found["a goodbye"] = seated
    for name, program in found.items():
        if name != "a goodbye":
            program.end()
    seated.signal(signal.SIGTERM)
    server.program.signal(signal.SIGTERM)
    assert server.program.end() == 0
    found["the server"] = server.program
    return found


@pytest.mark.parametrize(
    ("what", "status", "words"),
    [
        ("a wrong password", 77, ("password was refused", "ask your host")),
        ("a full house", 75, ("full", "try again")),
        ("another version", 76, ("another version", "update")),
        ("a web server", 76, ("does not speak voicechat", "a web server")),
        ("a web server that waits", 76, ("does not speak voicechat", "a web server")),
        ("SSH", 76, ("does not speak voicechat", "an SSH server")),
        ("garbage", 76, ("does not speak voicechat",)),
        ("nobody there", 69, ("cannot reach 127.0.0.1 port", "nobody listens there")),
        ("no such device", 74, ('there is no input "Grandmother\'s gramophone"', "inputs here")),
        ("no such file to play", 74, ("/no/such.wav", "No such file")),
        ("not our format", 74, ("44100 Hz with 2 channel(s) of 16 bit", "needed: 48000 Hz, mono, 16 bit")),
        ("no such folder to record in", 74, ("/no/such/folder.wav",)),
        ("no such password file", 78, ("/no/such/file",)),
        ("no password", 78, ("--password-file",)),
        ("a bad name", 78, ("control characters",)),
        ("a long name", 78, ("too long together",)),
    ],
)
def test_each_reason_has_its_status_and_its_line(
    ends: dict[str, Program], what: str, status: int, words: tuple[str, ...]
) -> None:
    program = ends[what]
    assert program.end() == status, program.err
    assert program.err.count("\n") == 1, program.err
    assert program.err.startswith("voicechat-client: ")
    for word in words:
        assert word in program.err
    assert "\x1b" not in program.err + program.out


@pytest.mark.parametrize(("what", "word"), [("no host", "--host is needed"), ("a bad port", "70000")])
def test_a_mistake_in_the_options_is_a_usage_error(ends: dict[str, Program], what: str, word: str) -> None:
    program = ends[what]
    assert program.end() == 2
    assert program.err.startswith("voicechat-client: error: ")
    assert program.err.count("\n") == 1
    assert word in program.err


def test_sigterm_is_a_good_end(ends: dict[str, Program]) -> None:
    assert ends["a goodbye"].end() == 0
    assert ends["a goodbye"].err == ""


def test_nobody_there_is_told_within_six_seconds(ends: dict[str, Program]) -> None:
    """Of trying; the program itself may take a few to start, beside a dozen others."""
    said = ends["nobody there"]
    assert said.lived < 6 + SOON / 2


def test_no_end_shows_a_traceback_or_a_password(ends: dict[str, Program]) -> None:
    for what, program in ends.items():
        assert "Traceback" not in program.out + program.err, what
        assert PASSWORD not in program.out + program.err, what
        assert "guess" not in program.out + program.err.replace("guesses", ""), what


def test_a_lost_server_is_waited_for_and_found_again(tmp_path: Path) -> None:
    """The port is the same after a restart; tickets are not, so the password is proved anew."""
    with children(tmp_path) as home:
        first = home.server()
        ann = home.client(first.port, "Ann", "--duration", "60", stats=f"{tmp_path}/ann.json")
        ann.line("you are in")
        first.program.signal(signal.SIGTERM)
        assert first.program.end() == 0
        ann.line("the server is shutting down")
        again = Server(
            home.start(
                *("twistd", "-n", "--pidfile=", "voicechat", "--port", str(first.port)),
                *("--password-file", str(home.password_file)),
            )
        )
        ann.until(lambda: ann.out.count("you are in as Ann") == 2, "come back")
        ann.signal(signal.SIGTERM)
        assert ann.end() == 0
        assert ann.err == ""
        assert again.port == first.port


def test_a_reader_who_stands_still_does_not_hold_up_the_call(house: Children) -> None:
    """Its standard output is a pipe that is full from the first; the call runs, and ends when it should."""
    server = house.server()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    password = f"--password-file={house.password_file}"
    words = ["--host", "127.0.0.1", "--port", str(server.port), "--input", "silence", "--output", "null", password]
    client = subprocess.Popen(
        [command("voicechat-client"), *words, "--duration", "0.5", "--name", "Ann"], stdout=writing, env=environment()
    )
    try:
        server.program.line("Ann")
        assert client.wait(SOON) == 0
    finally:
        client.kill()
        client.wait()
        os.close(reading)
        os.close(writing)


def test_a_log_for_a_bug_report_has_the_call_and_no_secret(house: Children, tmp_path: Path) -> None:
    server = house.server()
    path = tmp_path / "call.log"
    link = f"voicechat://127.0.0.1:{server.port}/den#{PASSWORD}"
    words = ["--name", "Ann", "--input", "silence", "--output", "null", "--duration", "0.5", "--log", str(path)]
    ann = house.start("voicechat-client", link, *words)
    assert ann.end() == 0, ann.err
    told = path.read_text()
    for word in ("option     room = den", "say        you are in as Ann", '"pakes": 1', "ended      0"):
        assert word in told
    assert PASSWORD not in told
    assert path.stat().st_mode & 0o077 == 0
    nowhere = house.client(server.port, "Ann", "--log", str(tmp_path / "none" / "call.log"))
    assert nowhere.end() == 78
    assert "cannot write" in nowhere.err
