"""voicechat-ctl and a client that meet at a port of this machine, as they do on Windows; all of it runs here, too."""

import contextlib
import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from voicechat.client.remote import ctl, loopback, meeting
from voicechat.client.remote.commands import Answer, Commands
from voicechat.client.remote.doors import Door, PortDoor, Stranger, door
from voicechat.client.remote.socket import Remote
from voicechat.client.remote.words import LONGEST_LINE
from voicechat.errors import ConfigError, PasswordRefused
from voicechat.security import proof

KEY = bytes(range(proof.KEY_BYTES))


@pytest.fixture(autouse=True)
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A system without local sockets, and the user's own folder there."""
    monkeypatch.delattr(socket, "AF_UNIX")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    return {"LOCALAPPDATA": str(tmp_path)}


class Port:
    """A port that was opened, in place of the reactor's."""

    def __init__(self, listening: socket.socket) -> None:
        self.listening = listening
        self.stopped = False

    def getHost(self) -> Any:
        return type("Address", (), {"port": self.listening.getsockname()[1]})

    def stopListening(self) -> None:
        self.stopped = True
        self.listening.close()


class Reactor(Clock):
    """Listens for real; `serve` has the factory's protocol serve one connection on a thread."""

    opened: Port

    def listenTCP(self, port: int, factory: Any, backlog: int, interface: str) -> Port:
        assert port == 0, "whichever is free"
        self.opened = Port(socket.create_server((interface, port), backlog=backlog))
        self.factory = factory
        return self.opened

    def serve(self) -> None:
        peer, _ = self.opened.listening.accept()
        with peer:
            peer.settimeout(10)
            protocol = self.factory.buildProtocol(None)
            transport = Transport(peer)
            protocol.makeConnection(transport)
            while not transport.over and (data := peer.recv(65_536)):
                protocol.dataReceived(data)
            protocol.connectionLost()


class Transport:
    """A connection's, which writes at once."""

    disconnecting = over = aborted = False

    def __init__(self, peer: socket.socket) -> None:
        self.socket = peer
        self.write = peer.sendall

    def loseConnection(self) -> None:
        self.over = self.disconnecting = True

    def abortConnection(self) -> None:
        self.over = self.disconnecting = self.aborted = True


class Told:
    """Commands that note what they were told."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def do(self, line: bytes) -> Answer:
        self.requests.append(json.loads(line))
        return Answer(["done"])


class Client:
    """A client that runs."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.commands = Told()
        self.remote = Remote(self.reactor, cast(Commands, self.commands))
        self.path = self.remote.start()

    @property
    def port(self) -> int:
        return int(self.reactor.opened.listening.getsockname()[1])

    @contextlib.contextmanager
    def serving(self, work: Callable[[], None] | None = None) -> Iterator[None]:
        thread = threading.Thread(target=work or self.reactor.serve)
        thread.start()
        yield
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def client() -> Iterator[Client]:
    held = Client()
    yield held
    held.remote.stop()


def test_a_word_is_said_and_answered(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    with client.serving():
        assert ctl.main(["--socket", client.path, "say", "grüße", "🎧"]) == ctl.OK
    assert client.commands.requests == [{"word": "say", "rest": ["grüße 🎧"]}]
    assert capsys.readouterr().out == "done\n"


def test_the_only_client_is_found(client: Client) -> None:
    def twice() -> None:
        client.reactor.serve()  # looked whether it lives
        client.reactor.serve()

    with client.serving(twice):
        assert ctl.main(["mute"]) == ctl.OK
    assert client.commands.requests == [{"word": "mute", "rest": []}]


def test_the_longest_request_fits_and_a_longer_one_does_not(client: Client) -> None:
    request = b'"' + b"x" * (LONGEST_LINE - 2) + b'"\n'
    with client.serving(), loopback.ask(client.path, request, 10.0) as connection:
        assert connection.recv(100) == b'{"lines":["done"]}\n'
    with client.serving(), loopback.ask(client.path, b"x" + request, 10.0) as connection:
        assert connection.recv(100) == b""
    assert len(client.commands.requests) == 1


@pytest.mark.parametrize(
    "said",
    [
        b'{"word": "quit"}\n',
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"0" * 32 + b'\n{"word": "quit"}\n',
        b"0" * 32 + b"\n" + b"0" * 64 + b' {"word": "quit"}\n',
        b"\xff\n",
        b"\n\n\n",
    ],
)
def test_who_cannot_read_the_file_is_not_obeyed(client: Client, said: bytes) -> None:
    with client.serving(), socket.create_connection(("127.0.0.1", client.port), 10.0) as stranger:
        stranger.sendall(said)
        with contextlib.suppress(ConnectionResetError):
            while stranger.recv(1000):
                pass
    assert client.commands.requests == []


def test_who_has_taken_a_dead_clients_port_is_told_nothing(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """Another user's program listens there now, and wants to know what is said."""
    heard = []

    def listen() -> None:
        peer, _ = client.reactor.opened.listening.accept()
        with peer:
            peer.settimeout(10)
            heard.append(peer.recv(1000))
            peer.sendall(b"0" * 64 + b" " + b"0" * 32 + b"\n")
            while data := peer.recv(1000):
                heard.append(data)

    with client.serving(listen):
        assert ctl.main(["--socket", client.path, "say", "the secret"]) == ctl.NOBODY
    assert "no client listens on" in capsys.readouterr().err
    assert len(b"".join(heard)) == 33, "a random number and a line's end"


def test_one_that_does_not_answer_is_given_up(
    client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped: the system takes connections for it."""
    monkeypatch.setattr(ctl, "PATIENCE", 0.05)
    assert ctl.main(["--socket", client.path, "mute"]) == ctl.NO_ANSWER
    assert "is it stopped?" in capsys.readouterr().err


def test_the_file_is_its_users_alone_and_goes_with_the_client(windows: dict[str, str]) -> None:
    client = Client()
    path = Path(client.path)
    assert path.parent == Path(windows["LOCALAPPDATA"], "voicechat", "run")
    assert path.name == f"client-{os.getpid()}.port"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert loopback._read(str(path))[0] == client.port
    client.remote.stop()
    assert not path.exists()
    assert client.reactor.opened.stopped
    assert ctl.main(["mute"]) == ctl.NOBODY


def test_a_file_that_cannot_be_written_leaves_no_open_port(windows: dict[str, str]) -> None:
    Path(windows["LOCALAPPDATA"], "voicechat").write_text("in the way")
    reactor = Reactor()
    with pytest.raises(OSError, match="voicechat"):
        PortDoor().open(reactor, None, 8, windows)
    assert reactor.opened.stopped


@pytest.mark.parametrize("own", [None, "", "relative"])
def test_without_a_folder_of_their_own_there_is_no_door_and_no_client(own: str | None) -> None:
    variables = {} if own is None else {"LOCALAPPDATA": own}
    reactor = Reactor()
    with pytest.raises(ConfigError, match="LOCALAPPDATA"):
        PortDoor().open(reactor, None, 8, variables)
    assert reactor.opened.stopped
    assert loopback.find(variables) == []


@pytest.fixture
def folder(windows: dict[str, str]) -> Path:
    it = Path(windows["LOCALAPPDATA"], "voicechat", "run")
    it.mkdir(parents=True)
    return it


def unused() -> int:
    with socket.create_server(("127.0.0.1", 0)) as there:
        return int(there.getsockname()[1])


def test_the_dead_are_removed_and_the_living_found(folder: Path, windows: dict[str, str]) -> None:
    def write(number: int, port: int) -> Path:
        path = folder / f"client-{number}.port"
        path.write_text(f"{port} {KEY.hex()}\n")
        return path

    (folder / "something else").touch()
    with socket.create_server(("127.0.0.1", 0)) as there:
        living = write(99_999_998, there.getsockname()[1])
        dead = write(99_999_999, unused())
        waiting = write(os.getppid(), unused())
        assert loopback.find(windows) == [str(living)]
    assert not dead.exists()
    assert waiting.exists(), "its process lives, and may be about to listen"
    assert (folder / "something else").exists()


@pytest.mark.parametrize(
    "text",
    ["", "1234", "1234 00", "1 " + "x" * 64, *(f"{port} {KEY.hex()}" for port in ("0", "65536", "-1", "²²"))],
)
def test_a_file_that_is_none_is_no_client(folder: Path, text: str) -> None:
    path = folder / "client-99999999.port"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConnectionRefusedError):
        loopback.ask(str(path), b"x\n", 1.0)
    assert loopback.is_dead(str(path))
    assert not path.exists()


@given(data=st.binary(max_size=200))
def test_any_bytes_of_a_file_are_a_port_and_a_key_or_a_value_error(data: bytes) -> None:
    try:
        port, key = loopback._parsed(data)
    except ValueError:
        return
    assert 0 < port < 65536
    assert len(key) == proof.KEY_BYTES


@given(lines=st.lists(st.binary(max_size=200), max_size=4))
def test_a_stranger_gets_nowhere_by_any_lines(lines: list[bytes]) -> None:
    stranger = Stranger(proof.new_key())
    for line in lines:
        try:
            _, request = stranger.said(line)
        except PasswordRefused:
            return
        assert request is None


def test_which_door_and_which_way_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(door(), PortDoor)
    assert not meeting.local_sockets()
    monkeypatch.undo()
    assert meeting.local_sockets()
    found: Door = door()
    assert not isinstance(found, PortDoor)
