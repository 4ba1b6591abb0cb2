"""``voicechat-server``: its commands and options, without a reactor."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.scripts.twistd import ServerOptions  # type: ignore[attr-defined]

from voicechat import invite
from voicechat.options.completion import script
from voicechat.security.secret import Secret
from voicechat.server import command, state
from voicechat.server.command import InviteOptions, NewPasswordOptions, Serve
from voicechat.server.options import OPTIONS, ServerExit, public
from voicechat.server.tap import Options

PASSWORD = "a password of four words"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing of the machine's own settings; the usual state folder is one of the test's."""
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)
    for name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "voicechat" / "server"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints that ends well."""
    assert command.main(words) == ServerExit.OK
    seen = capsys.readouterr()
    assert seen.err == ""
    return seen.out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """With which status it ends, and the one line that it says."""
    with pytest.raises(SystemExit) as end:
        command.main(words)
    seen = capsys.readouterr()
    assert seen.err.count("\n") == 1
    assert isinstance(end.value.code, int)
    return int(end.value.code), seen.err


def serving(*words: str) -> Serve:
    options = Serve()
    options.parseOptions(words)
    return options


def test_the_first_start_makes_a_password_and_the_second_has_the_same(home: Path) -> None:
    first = serving()
    assert (home / state.PASSWORD).stat().st_mode & 0o777 == 0o600
    assert first.warnings == [f"no password was given: a new one is kept in {home / state.PASSWORD}"]
    second = serving()
    assert second["password"] == first["password"]
    assert second["password-file"] == str(home / state.PASSWORD), "SIGHUP reads it again"
    assert second.warnings == []


@pytest.mark.parametrize("way", ["option", "file", "variable", "credential"])
def test_a_password_that_is_given_is_not_made(home: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (home.parent / "password").parent.mkdir(parents=True)
    (home.parent / "password").write_text(PASSWORD)
    words = {"option": ["--password", PASSWORD], "file": ["--password-file", f"{home.parent}/password"]}.get(way, [])
    if way == "variable":
        monkeypatch.setenv("VOICECHAT_PASSWORD", PASSWORD)
    elif way == "credential":
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(home.parent))
    assert serving(*words)["password"] == Secret(PASSWORD)
    assert not home.exists()


def test_without_a_home_a_password_that_is_given_will_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As under a user without an account, in a container."""

    def nowhere(*_: object, **__: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_state_path", nowhere)
    assert serving("--password", PASSWORD)["password"] == Secret(PASSWORD)
    with pytest.raises(SystemExit) as end:
        serving()
    assert end.value.code == ServerExit.CONFIG
    assert "--state DIR" in capsys.readouterr().err


def test_another_folder_may_be_named_for_twistd_too_which_else_keeps_none(home: Path, tmp_path: Path) -> None:
    named = tmp_path / "named"
    options = Options()
    options.parseOptions(["--state", str(named)])
    assert serving("--state", str(named))["password"] == options["password"]
    with pytest.raises(SystemExit) as end:
        Options().parseOptions([])
    assert end.value.code == ServerExit.CONFIG
    assert not home.exists()


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as end:
        serving("--state", f"{tmp_path}/file")
    assert end.value.code == ServerExit.CONFIG
    assert "--password-file FILE, or another folder with --state DIR" in capsys.readouterr().err


def test_an_empty_password_that_is_kept_is_no_password(home: Path) -> None:
    home.mkdir(parents=True)
    (home / state.PASSWORD).touch()
    with pytest.raises(SystemExit) as end:
        serving()
    assert end.value.code == ServerExit.CONFIG


def test_the_invitation_of_a_server_is_its_link(capsys: pytest.CaptureFixture[str]) -> None:
    server = serving()
    link = told(capsys, "invite", "--host", "play.example.org").removesuffix("\n")
    assert invite.parse(link) == invite.Invite("play.example.org", 1234, "", server["password"])


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--host", "h", "--port", "4000"], invite.Invite("h", 4000)),
        (["--host", "h:5", "--port", "4000", "--room", "the den"], invite.Invite("h", 5, "the den")),
        (["--public-host", "p", "--listen", "tcp6:4000"], invite.Invite("p", 4000)),
        (["--public-host", "p", "--host", "h"], invite.Invite("h", 1234)),
        (["--public-host", "2001:db8::7", "--listen", "systemd:domain=INET6:index=0"], invite.Invite("2001:db8::7")),
        (["--host", "[2001:db8::7]:99"], invite.Invite("2001:db8::7", 99)),
    ],
)
def test_what_stands_in_the_link(words: list[str], wanted: invite.Invite, capsys: pytest.CaptureFixture[str]) -> None:
    link = told(capsys, "invite", "--password", PASSWORD, *words).removesuffix("\n")
    assert invite.parse(link) == wanted._replace(password=Secret(PASSWORD))


def test_without_a_host_all_addresses_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICECHAT_PORT", "4000")
    text = told(capsys, "invite", "--password", PASSWORD)
    assert "from outside:  voicechat-client 'voicechat://OUTER-ADDRESS:4000#a%20password" in text
    monkeypatch.setenv("VOICECHAT_PUBLIC_HOST", "play.example.org")
    assert told(capsys, "invite", "--password", PASSWORD).startswith("voicechat://play.example.org:4000#")


def test_a_code_is_drawn_below_the_link(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "invite", "--password", PASSWORD, "--host", "h", "--qr")
    link, code = text.split("\n\n", 1)
    assert link.startswith("voicechat://h#")
    assert "█▄▄▄▄▄█" in code or "▄▄▄▄▄" in code


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["invite"], 78, "no password is kept in"),
        (["invite", "--password", PASSWORD, "--port", "0"], 2, "name it with --port"),
        (["invite", "--host", "a b"], 2, "--host is a name or address by which friends reach the server"),
        (["invite", "--host", "h/room"], 2, "--host is a name or address"),
        (["invite", "--host", "h#x"], 2, "--host is a name or address"),
        (["invite", "--room", "\x1b[2J"], 2, "--room: "),
        (["invite", "--rom", "x"], 2, "did you mean --room?; voicechat-server invite --help"),
        (["invite", "surplus"], 2, "Wrong number of arguments"),
        (["invit"], 2, "there are the commands invite, new-password"),
        (["--port", "5", "invite"], 2, "a command stands before all options: voicechat-server invite ..."),
        ([PASSWORD], 2, "there are the commands"),
        (["--port", "x"], 2, "voicechat-server: --port is a whole number from 0 to 65535, not 'x'"),
        (["--prot", "5"], 2, "did you mean --port?"),
        (["--limit", "x=1"], 2, "--limit: there is no limit 'x'; docs/security.md has all"),
        (["--limit", "failure=1"], 2, "--limit: there is no limit 'failure'; did you mean failures?"),
        (["--public-host", "voicechat://h"], 2, "--public-host is a name or address"),
        (["new-password", "--keep", "--password-file", "-"], 2, "--password-file FILE names one"),
    ],
)
def test_a_mistake_is_one_short_line(
    words: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = refused(capsys, *words)
    assert (code, says in line) == (status, True), line
    assert len(line) < 250
    assert PASSWORD not in line
    assert line.startswith("voicechat-server: ")


def test_a_new_password_is_printed_or_kept(home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shown = {told(capsys, "new-password") for _ in range(3)}
    assert len(shown) == 3
    assert not home.exists()
    old = serving()["password"]
    assert str(home / state.PASSWORD) in told(capsys, "new-password", "--keep")
    new = serving()["password"]
    assert new != old
    file = tmp_path / "other" / "secret.txt"
    text = told(capsys, "new-password", "--keep", "--password-file", str(file))
    assert str(file) in text
    assert file.read_text().strip() not in text
    assert serving()["password"] == new


@pytest.mark.parametrize(
    ("words", "again"),
    [
        ([], "invite"),
        (["-p", "4000", "--max-clients", "3"], "invite --port 4000"),
        (["--password", PASSWORD], "invite --password-file FILE"),
        (["--password-file", "FILE", "--public-host", "h:5"], "invite --password-file FILE --public-host h:5"),
        (["--state", "STATE", "--listen", "tcp:5", "--listen", "tcp6:5"],
         "invite --state STATE --listen tcp:5 --listen tcp6:5"),
    ],
)  # fmt: skip
def test_how_to_invite_is_told_so_that_it_can_be_typed(
    words: list[str], again: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/else/voicechat-server"])
    (tmp_path / "secret file").write_text(PASSWORD)
    places = {"FILE": f"{tmp_path}/secret file", "STATE": f"{tmp_path}/state"}
    line = serving(*(places.get(word, word) for word in words)).to_invite
    head, _, typed = line.partition(": ")
    assert head == "print the link for your friends with"
    given = words[:1] == ["--password-file"] or words[:1] == ["--state"]
    wanted = [places.get(word, word) if given else word for word in again.split()]
    assert shlex.split(typed) == ["/somewhere/else/voicechat-server", *wanted]
    assert PASSWORD not in line


def test_a_password_of_systemds_is_nothing_that_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert serving().to_invite.endswith("invite --password-file FILE")


@pytest.mark.parametrize(
    "text", ["play.example.org", "192.0.2.7", "2001:db8::7", "h:1", "[2001:db8::7]:65535", "[::1]"]
)
def test_a_public_host_is_a_host_and_perhaps_a_port(text: str) -> None:
    host, port = public(text)
    assert invite.parse(f"voicechat://{text}" if text.count(":") < 2 or "[" in text else f"voicechat://[{text}]") == (
        invite.Invite(host, port or 1234)
    )


@pytest.mark.parametrize("options", [Serve, InviteOptions, NewPasswordOptions])
def test_help_has_every_option_and_the_synopsis_once(options: type[Serve], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        options().parseOptions(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: {options.command} [options]\n")
    assert text.count("[options]") == 1
    for option in options.table:
        assert f"--{option.name}" in text


def test_twistds_help_has_the_synopsis_once(capsys: pytest.CaptureFixture[str]) -> None:
    options = Options()
    options.parent = ServerOptions()
    options.parent.subCommand = "voicechat"
    with pytest.raises(SystemExit):
        options.parseOptions(["--help"])
    text = capsys.readouterr().out
    assert text.startswith("usage: twistd voicechat [options]\n")
    assert text.count("[options]") == 1


def test_the_version_is_ours(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--version"], ["invite", "--version"]):
        with pytest.raises(SystemExit) as end:
            command.main(words)
        assert end.value.code == 0
        assert capsys.readouterr().out == "voicechat 0.1.0, protocol 1\n"


def test_completion_knows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(["--completion", "fish"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert text == script(command.PROGRAM, "fish")
    assert "new-password" in text
    assert "qr" in text


def test_whoever_reads_no_more_is_no_fault() -> None:
    """As in ``voicechat-server invite | head -0``."""
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "voicechat.server.command", "invite", "--password", PASSWORD]
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(words, stdout=nobody, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
