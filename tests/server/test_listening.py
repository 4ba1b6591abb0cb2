"""Where the server listens: ports, strings, and sockets that systemd opened."""

import configparser
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.memory import VoiceReactor
from tests.server.test_service import IN_USE, made
from tests.server.test_tap import PASSWORD, ended, parsed
from voicechat.errors import ConfigError
from voicechat.server import listening
from voicechat.server.factory import LET_IN
from voicechat.server.listening import WrongString, by_string
from voicechat.server.ports import LISTEN
from voicechat.server.protocol import RemoteClient
from voicechat.wire import messages

DOCS = Path(__file__).parents[2] / "docs"


def opened(reactor: VoiceReactor) -> list[tuple[str, int, str]]:
    return [(port.kind, port.number, port.interface) for port in reactor.ports if port.open]


@pytest.mark.parametrize(
    ("text", "number", "interface"),
    [
        ("tcp:4321", 4321, ""),
        ("tcp:port=4321", 4321, ""),
        ("tcp:4321:interface=127.0.0.1", 4321, "127.0.0.1"),
        ("tcp6:4321", 4321, "::"),
        (r"tcp6:4321:interface=\:\:1", 4321, "::1"),
        (r"tcp6:4321:interface=fe80\:\:7%lo", 4321, "fe80::7%lo"),
        ("haproxy:tcp:4321", 4321, ""),
    ],
)
def test_a_string_is_tcp_and_udp_on_one_number(text: str, number: int, interface: str) -> None:
    reactor = VoiceReactor()
    service, log = made(reactor, by_string(text))
    service.startService()
    assert opened(reactor) == [("tcp", number, interface), ("udp", number, interface)]
    assert log.lines[-1].endswith(f"listening on port {number}")
    assert reactor.ports[0].numberAccepts == LET_IN  # type: ignore[attr-defined]
    service.stopService()
    assert opened(reactor) == []


@pytest.mark.parametrize(("text", "backlog"), [("tcp:1:backlog=5", LISTEN), ("tcp:1:backlog=1000", 1000)])
def test_the_queue_is_never_shorter_than_ours(text: str, backlog: int) -> None:
    reactor = VoiceReactor()
    made(reactor, by_string(text))[0].startService()
    assert reactor.tcpServers[0][2] == backlog


def test_each_way_in_tells_its_own_udp_port() -> None:
    reactor = VoiceReactor()
    service, log = made(reactor, by_string("tcp:4321"), by_string("tcp:4322:interface=127.0.0.1"))
    service.startService()
    told = []
    for name, listener in zip(("Ann", "Ben"), service.listeners, strict=True):
        peer = RemoteClient(service.hub, "192.0.2.1", listener.factory.datagrams)
        told.append(service.hub.enter(peer, messages.Request(name))[1].udp_port)
    assert told == [4321, 4322]
    assert len(service.hub.live_rooms) == 1, "one hub"
    assert [line.rpartition("listening on ")[2] for line in log.lines[1:3]] == ["port 4321", "port 4322"]


def test_beside_a_socket_in_the_file_system_there_is_no_udp(tmp_path: Path) -> None:
    reactor = VoiceReactor()
    service, log = made(reactor, by_string(f"unix:{tmp_path / 'socket'}"))
    service.startService()
    assert opened(reactor) == []
    assert reactor.unixServers[0][0] == str(tmp_path / "socket")
    (listener,) = service.listeners
    assert RemoteClient(service.hub, "local", listener.factory.datagrams).udp_port == 0
    assert "listening on unix:" in log.lines[-1]


def test_if_one_cannot_be_opened_none_stays_open() -> None:
    for kind in ("tcp", "udp"):
        reactor = VoiceReactor({(kind, "127.0.0.2"): IN_USE})
        text = "tcp:4322:interface=127.0.0.2"
        service, _ = made(reactor, by_string("tcp:4321"), by_string(text))
        with pytest.raises(SystemExit) as end:
            service.startService()
        assert end.value.code == (
            f"voicechat: cannot listen on {text}: Address already in use; is another server running?"
        )
        assert opened(reactor) == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "1234", "tcp", "tcp:", "tcp:abc", "tcp:-1", "tcp:65536", "tcp:1234:foo=1", "tcp:1:2:3:4:5", "carrier:1"),
        *("tcp:1:interface=localhost", "tcp:1:interface=192.0.2.1000", "tcp:1:backlog=x", "haproxy:", "haproxy:tcp"),
        *("tcp6:x", "tcp6:1:interface=::1", "systemd:", "systemd:domain=INET", "systemd:domain=INET:index=0:name=x"),
        *("tcp:\0", "\N{SNOWMAN}", "tcp:" + "9" * 5000),
    ],
)
def test_a_wrong_string_ends_it_with_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WrongString):
        by_string(text)
    assert ended("--password", PASSWORD, "--listen", text) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--listen" in error
    assert "Traceback" not in error
    assert "_parse" not in error


@pytest.mark.parametrize(
    "text", ["systemd:domain=INET:index=0", "systemd:domain=INET:name=x", "ssl:443:privateKey=gone.pem"]
)
def test_what_a_string_names_and_is_not_there_is_a_fault_of_the_configuration(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("--password", PASSWORD, "--listen", text) == 78
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("other", [("--port", "4321"), ("--interface", "127.0.0.1"), ("-p", "4321")])
def test_two_ways_to_say_where_are_one_too_many(other: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--password", PASSWORD, "--listen", "tcp:1", *other) == 2
    assert "give one of them" in capsys.readouterr().err


def places(*arguments: str) -> list[str]:
    return [place.name for place in parsed("--password", PASSWORD, *arguments).places]


def test_the_command_line_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert places() == ["port 1234"]
    monkeypatch.setenv("VOICECHAT_LISTEN", " tcp:1  tcp6:2\n")
    assert places() == ["tcp:1", "tcp6:2"]
    assert places("--listen", "tcp:3", "--listen", "tcp:4") == ["tcp:3", "tcp:4"]
    assert places("--port", "5") == ["port 5"]
    assert places("--interface", "127.0.0.1") == ["port 1234 of 127.0.0.1"]
    monkeypatch.setenv("VOICECHAT_PORT", "6")
    assert places("--listen", "tcp:3") == ["tcp:3"]
    assert ended("--password", PASSWORD) == 2
    monkeypatch.setenv("VOICECHAT_LISTEN", "")
    assert places() == ["port 6"]


def test_a_plain_port_needs_no_endpoints() -> None:
    """They import pyOpenSSL, which costs memory and time, where it is installed."""
    program = (
        "import sys; from tests.memory import VoiceReactor; from voicechat.server.tap import Options, makeService;"
        f"options = Options(); options.parseOptions([*sys.argv[1:], '--password', {PASSWORD!r}]);"
        "service = makeService(options, VoiceReactor()); service.privilegedStartService();"
        "print('twisted.internet.endpoints' in sys.modules)"
    )
    needed = [
        subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True).stdout
        for arguments in (["--port", "4321"], ["--listen", "tcp:4321"])
    ]
    assert needed == ["False\n", "True\n"]


def test_the_units_of_the_docs_fit_together() -> None:
    """One number for stream and datagrams, and a string that names what the unit opens."""
    unit = configparser.ConfigParser()
    unit.read(DOCS / "voicechat.socket", encoding="utf-8")
    opens = unit["Socket"]
    assert opens["ListenStream"] == opens["ListenDatagram"] == "1234"
    assert "VOICECHAT_LISTEN=systemd:domain=INET6:index=0" in (DOCS / "operating.md").read_text(encoding="utf-8")
    assert list(opens).index("listenstream") == 0, "index=0 is the first"


# -- systemd ---------------------------------------------------------------------------


class Passed:
    """Sockets such as systemd passes, from the lowest number that it may give."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.sockets: list[socket.socket] = []

    def give(self, *sockets: socket.socket, names: str | None = None) -> None:
        """These are passed, as far as the program can see."""
        from twisted.internet import endpoints
        from twisted.python import systemd

        self.sockets += sockets
        numbers = [sock.fileno() for sock in sockets]
        words = names.split(":") if names else ["unknown"] * len(numbers)
        # the numbers are what a test cannot have: pytest's own descriptors have them
        found = systemd.ListenFDs(numbers, words)
        self._monkeypatch.setattr(endpoints._SystemdParser, "_sddaemon", found)
        copies = [
            listening.Inherited(number, name, socket.socket(fileno=os.dup(number)))
            for number, name in zip(numbers, words, strict=True)
        ]
        self.sockets += [copy.sock for copy in copies]
        self._monkeypatch.setattr(listening, "inherited", lambda: copies)


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Passed]:
    held = Passed(monkeypatch)
    yield held
    for sock in held.sockets:
        sock.close()


def stream(family: socket.AddressFamily = socket.AF_INET6) -> socket.socket:
    sock = socket.socket(family)
    sock.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    sock.listen()
    return sock


def datagrams(beside: socket.socket) -> socket.socket:
    sock = socket.socket(beside.family, socket.SOCK_DGRAM)
    sock.bind(beside.getsockname())
    return sock


def test_a_name_that_stream_and_datagrams_share_is_the_streams(passed: Passed) -> None:
    """In a .socket unit all have one name; Twisted takes the last of it."""
    tcp = stream()
    passed.give(tcp, datagrams(tcp), names="v:v")
    reactor = VoiceReactor()
    made(reactor, by_string("systemd:domain=INET6:name=v"))[0].startService()
    assert [(number, family) for number, family, _ in reactor.adoptedPorts] == [(tcp.fileno(), socket.AF_INET6)]
    tcp.detach()  # it was the endpoint's to close


def test_what_systemd_passed_and_is_of_no_use_is_told(passed: Passed) -> None:
    tcp, bound = stream(), socket.socket()
    bound.bind(("127.0.0.1", 0))
    passed.give(tcp, datagrams(tcp), bound)
    for text, why in (
        ("systemd:domain=INET6:index=1", "ListenStream="),
        ("systemd:domain=INET:index=0", "domain=INET6"),
        ("systemd:domain=INET:index=2", "Accept=no"),
        ("systemd:domain=INET6:index=3", "it passed 3"),
        ("systemd:domain=INET6:name=w", "it passed 3"),
    ):
        with pytest.raises(ConfigError, match=why):
            by_string(text)


@pytest.mark.parametrize(
    ("count", "names"), [("", None), ("x", None), ("-1", None), ("9" * 5000, None), ("65", None), ("2", "a:b:c")]
)
def test_a_wrong_environment_passes_nothing(count: str, names: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", count)
    monkeypatch.delenv("LISTEN_FDNAMES", raising=False)
    if names:
        monkeypatch.setenv("LISTEN_FDNAMES", names)
    assert list(listening.inherited.__wrapped__()) == []


def test_what_is_passed_to_another_process_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", "1")
    monkeypatch.setenv("LISTEN_FDS", "1")
    assert list(listening.inherited.__wrapped__()) == []
