"""Options of ``twistd voicechat``, and the service made from them."""

from pathlib import Path
from typing import Any

import pytest
from twisted.application.service import IService
from twisted.internet.address import IPv4Address
from twisted.scripts.twistd import ServerOptions  # type: ignore[attr-defined]

from tests.memory import VoiceReactor
from voicechat.carriage.tcp import StringProtocol
from voicechat.media.quality import Quality
from voicechat.security.secret import Secret
from voicechat.server import web
from voicechat.server.limits import MOST_SEATS
from voicechat.server.oneport import OnePort
from voicechat.server.options import ServerExit
from voicechat.server.protocol import RemoteClient
from voicechat.server.service import VoiceService
from voicechat.server.tap import Options, makeService
from voicechat.wire import messages

PASSWORD = "a password of four words"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own environment."""
    for name in (
        "PASSWORD",
        "PASSWORD_FILE",
        "PORT",
        "INTERFACE",
        "MAX_CLIENTS",
        "ROOM_SIZE",
        "BITRATE",
        "HIGH_BITRATE",
        "COMPLEXITY",
        "MIXING",
        "KICK_ON_RELOAD",
        "WEB",
        "METRICS",
        "TRUSTED_PROXY",
    ):
        monkeypatch.delenv(f"VOICECHAT_{name}", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def parsed(*arguments: str) -> Options:
    options = Options()
    options.parseOptions(arguments)
    return options


def ended(*arguments: str) -> int:
    """The status with which the program ends."""
    with pytest.raises(SystemExit) as end:
        parsed(*arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def test_the_defaults() -> None:
    options = parsed("--password", PASSWORD)
    named = {name: options[name] for name in ("port", "interface", "max-clients", "bitrate", "mixing", "password-file")}
    named |= {name: options[name] for name in ("room-size", "complexity")}
    assert named == {
        "port": 1234,
        "interface": "",
        "max-clients": 4,
        "room-size": MOST_SEATS,
        "bitrate": 12_000,
        "mixing": "auto",
        "complexity": 6,
        "password-file": None,
    }
    assert options["password"] == Secret(PASSWORD)
    assert PASSWORD not in repr(options)
    assert not options.get("warning")


def test_everything_can_be_chosen() -> None:
    options = parsed(
        *("--password", PASSWORD, "-p", "4321", "-i", "::1", "--max-clients", "6", "--room-size", "3"),
        *("-b", "24000", "--mixing", "always", "--complexity", "8"),
    )
    assert options["room-size"] == 3
    assert (options["port"], options["interface"], options["max-clients"]) == (4321, "::1", 6)
    assert (options["bitrate"], options["mixing"], options["complexity"]) == (24_000, "always", 8)


def test_the_bitrates_are_those_of_the_welcome() -> None:
    options = parsed("--password", PASSWORD, "--bitrate", "16000", "--high-bitrate", "32000")
    (service,) = list(makeService(options, VoiceReactor()))
    assert isinstance(service, VoiceService)
    peer = RemoteClient(service.hub, "192.0.2.1", service.listeners[0].factory.datagrams)
    given = [service.hub.enter(peer, messages.Request(quality.value, quality=quality))[1] for quality in Quality]
    assert [(welcome.bitrate, welcome.quality) for welcome in given] == [
        (16_000, Quality.SAVER),
        (16_000, Quality.NORMAL),
        (32_000, Quality.HIGH),
    ]


def test_the_environment_stands_behind_the_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PORT": "1", "MAX_CLIENTS": "7", "MIXING": "always", "PASSWORD": PASSWORD}.items():
        monkeypatch.setenv(f"VOICECHAT_{name}", value)
    options = parsed("--port", "2")
    assert (options["port"], options["max-clients"], options["mixing"]) == (2, 7, "always")
    assert options["password"] == Secret(PASSWORD)


def test_a_line_end_is_no_part_of_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file of variables with CR LF leaves it."""
    for name, value in {"PORT": "1", "MIXING": "always", "KICK_ON_RELOAD": "yes", "PASSWORD": PASSWORD}.items():
        monkeypatch.setenv(f"VOICECHAT_{name}", f"{value}\r")
    options = parsed()
    assert (options["port"], options["mixing"], options["kick-on-reload"]) == (1, "always", True)
    assert options["password"] == Secret(PASSWORD)


def test_a_password_given_is_stronger_than_a_file_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("another\n")
    monkeypatch.setenv("VOICECHAT_PASSWORD_FILE", str(tmp_path / "file"))
    options = parsed("--password", PASSWORD)
    assert options["password"] == Secret(PASSWORD)
    assert options["password-file"] is None
    assert parsed()["password"] == Secret("another")


def test_a_flag_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed("--password", PASSWORD)["kick-on-reload"] is False
    assert parsed("--password", PASSWORD, "--kick-on-reload")["kick-on-reload"] is True
    for text, chosen in {"yes": True, "1": True, "off": False}.items():
        monkeypatch.setenv("VOICECHAT_KICK_ON_RELOAD", text)
        assert parsed("--password", PASSWORD)["kick-on-reload"] is chosen
    monkeypatch.setenv("VOICECHAT_KICK_ON_RELOAD", "perhaps")
    assert ended("--password", PASSWORD) == ServerExit.USAGE


def test_systemd_is_told_if_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    for socket, told in {"": False, "/run/systemd/notify": True}.items():
        monkeypatch.setenv("NOTIFY_SOCKET", socket)
        service: VoiceService
        (service,) = list(makeService(parsed("--password", PASSWORD, "--kick-on-reload"), VoiceReactor()))
        assert (service.supervision is not None) is told
        assert service.kick_on_reload


def carried(*options: str) -> Any:
    """What takes the connections of a server with these options."""
    service: VoiceService
    (service,) = list(makeService(parsed("--password", PASSWORD, *options), VoiceReactor()))
    return service.listeners[0].factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 40_000))


def test_browsers_are_taken_where_that_is_installed_and_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    for there in (True, False):
        monkeypatch.setattr(web, "installed", lambda there=there: there)
        assert isinstance(carried(), OnePort) is there
        assert type(carried("--no-web")) is StringProtocol
        monkeypatch.setenv("VOICECHAT_WEB", "no")
        assert type(carried()) is StringProtocol
        monkeypatch.delenv("VOICECHAT_WEB")


def test_who_asks_for_browsers_and_cannot_have_them_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(web, "installed", lambda: False)
    assert ended("--password", PASSWORD, "--web") == ServerExit.CONFIG
    assert "pip install 'voicechat[web]'" in capsys.readouterr().err


def test_a_trusted_proxy_is_an_address_or_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    named = ("--no-web", "--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "::1")
    assert isinstance(carried(*named), OnePort), "proxies speak for native clients, too"
    assert ended("--password", PASSWORD, "--trusted-proxy", "proxy.example.org") == ServerExit.USAGE
    assert "an address or a network" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "65536"),
        ("--port", "-1"),
        ("--port", "٣"),
        ("--max-clients", "0"),
        ("--max-clients", "201"),
        ("--room-size", "0"),
        ("--room-size", "201"),
        ("--bitrate", "7999"),
        ("--bitrate", "64001"),
        ("--bitrate", "12k"),
        ("--high-bitrate", "64001"),
        ("--mixing", "never"),
        ("--complexity", "11"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--password", PASSWORD, *arguments) == ServerExit.USAGE
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert arguments[0] in told
    assert repr(arguments[1]) in told
    assert PASSWORD not in told


def test_limits_can_be_changed_one_by_one() -> None:
    options = parsed("--password", PASSWORD, "--limit", "failures=3", "--limit", "login_seconds=2.5")
    service: VoiceService
    (service,) = list(makeService(options, VoiceReactor()))
    assert service.hub.limits.failures == 3
    assert service.hub.limits.login_seconds == 2.5
    assert service.hub.limits.max_clients == 4


@pytest.mark.parametrize(
    "text", ["failures", "failures=", "failures=0", "failures=x", "nothing=3", "failures=nan", "=3"]
)
def test_a_limit_that_cannot_be_is_told(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--password", PASSWORD, "--limit", text) == ServerExit.USAGE
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "--limit" in told


@pytest.mark.parametrize("wrong", [["--passwort", "x"], ["--port"], ["surplus"], [f"--password{PASSWORD}"]])
def test_what_is_no_option_is_told_in_one_line(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--password", PASSWORD, *wrong) == ServerExit.USAGE
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "--help" in told
    assert PASSWORD not in told


def test_without_a_password_it_does_not_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended() == ServerExit.CONFIG
    assert capsys.readouterr().err.count("\n") == 1


def test_a_password_file_that_cannot_be_read_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--password-file", "/no/such/file") == ServerExit.CONFIG
    assert capsys.readouterr().err == (
        "voicechat: cannot read the password file /no/such/file: No such file or directory\n"
    )


def test_a_short_password_and_an_open_file_are_warned_of(tmp_path: Path) -> None:
    assert "shorter than 8" in parsed("--password", "Qz9!x").warnings[0]
    file = tmp_path / "file"
    file.write_text(PASSWORD)
    file.chmod(0o644)
    assert "chmod 600" in parsed("--password-file", str(file)).warnings[0]
    file.write_text("Qz9!x")
    assert len(parsed("--password-file", str(file)).warnings) == 2
    file.write_text(PASSWORD)
    file.chmod(0o600)
    assert parsed("--password-file", str(file)).warnings == []


def test_the_service_is_made_of_the_options() -> None:
    reactor = VoiceReactor()
    options = parsed("--password", PASSWORD, "--port", "4321", "--max-clients", "6", "--interface", "127.0.0.1")
    options["room-size"] = 5
    parent = makeService(options, reactor)
    assert IService.providedBy(parent)
    (service,) = list(parent)
    assert isinstance(service, VoiceService)
    parent.privilegedStartService()
    ((number, _, _, interface),) = reactor.tcpServers
    assert (number, interface) == (4321, "127.0.0.1")
    assert service.hub.limits.max_clients == 6
    assert service.hub.limits.room_size == 5
    assert service.hub.password == Secret(PASSWORD)


EMPTY = ("PORT", "INTERFACE", "MAX_CLIENTS", "ROOM_SIZE", "BITRATE", "HIGH_BITRATE", "COMPLEXITY", "MIXING")


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*EMPTY, "KICK_ON_RELOAD", "PASSWORD", "PASSWORD_FILE"):
        monkeypatch.setenv(f"VOICECHAT_{name}", "")
    options = parsed("--password", PASSWORD)
    assert (options["port"], options["interface"], options["mixing"]) == (1234, "", "auto")
    assert not options["kick-on-reload"]


@pytest.mark.parametrize("name", EMPTY)
def test_a_wrong_variable_is_named_and_no_option_that_was_not_given(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"VOICECHAT_{name}", "five")
    assert ended("--password", PASSWORD) == ServerExit.USAGE
    told = capsys.readouterr().err
    assert told.startswith(f"voicechat: VOICECHAT_{name} is ")
    assert "--" not in told


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::", "0.0.0.0", "fe80::1%eth0"])
def test_an_interface_is_an_address(address: str) -> None:
    assert parsed("--password", PASSWORD, "-i", address)["interface"] == address


@pytest.mark.parametrize("name", ["localhost", "0", "eth0", "", "127.0.0.1:1", "[::1]", "127.1"])
def test_and_no_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Twisted's UDP takes no name, and showed a traceback."""
    assert ended("--password", PASSWORD, "-i", name) == ServerExit.USAGE
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("option", ["--interface", "--mixing", "--limit", "--port"])
def test_what_is_refused_is_shown_short(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--password", PASSWORD, option, "x" * 5000) == ServerExit.USAGE
    assert len(capsys.readouterr().err) < 800  # the limits' names take 600


def test_a_number_of_5000_digits_is_too_large(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--password", PASSWORD, "--port", "1" * 5000) == ServerExit.USAGE
    assert len(capsys.readouterr().err) < 200


def test_what_twistd_cannot_do_is_told_before_it_tries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = Options()
    options.parent = ServerOptions()
    options.parent.parseOptions([f"--pidfile={tmp_path}/no/such/v.pid", "-y", "some.tac"])
    with pytest.raises(SystemExit) as end:
        options.parseOptions(["--password", PASSWORD])
    assert end.value.code == ServerExit.CONFIG
    assert capsys.readouterr().err.count("\n") == 1
