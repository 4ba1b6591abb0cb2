"""Options of ``voicechat-client``."""

import contextlib
import errno
import io
import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client import cli, stats
from voicechat.client.options import OPTIONS
from voicechat.errors import ConfigError
from voicechat.options.option import Option
from voicechat.security.secret import Secret


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own environment."""
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)
    monkeypatch.setenv("VOICECHAT_CONFIG", os.devnull)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setattr(cli, "begin_lean", lambda: None)  # what it leaves out, other tests may need


def usage_error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        cli.options(arguments)
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("voicechat-client: error: ")
    assert told.count("\n") == 1, "one line, and not the whole usage"
    return told.rstrip("\n")


def test_the_defaults() -> None:
    chosen = cli.options(["--host", "example.org"])
    wanted: dict[str, Any] = {
        "host": "example.org",
        "port": 1234,
        "room": "",
        "input": "default",
        "output": "default",
        "quality": "normal",
        "ui": "auto",
        "complexity": 8,
        "gate": "auto",
        "duration": None,
        "stats": None,
        "name": None,
        "list_devices": False,
    }
    assert {name: getattr(chosen, name) for name in wanted} == wanted


def test_flags_stand_above_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HOST": "env.example", "PORT": "1", "NAME": "Env", "COMPLEXITY": "5"}.items():
        monkeypatch.setenv(f"VOICECHAT_{name}", value)
    chosen = cli.options(["--port", "2", "--name", "Flag"])
    assert (chosen.host, chosen.port, chosen.name, chosen.complexity) == ("env.example", 2, "Flag", 5)


@pytest.mark.parametrize(("text", "level"), [("-45", -45.0), ("-52.5", -52.5), ("auto", "auto")])
def test_a_gate_is_a_level_or_auto(monkeypatch: pytest.MonkeyPatch, text: str, level: float | str) -> None:
    assert cli.options(["--host", "h", "--gate", text]).gate == level
    monkeypatch.setenv("VOICECHAT_GATE", text)
    assert cli.options(["--host", "h"]).gate == level


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration file at the platform's place."""
    monkeypatch.delenv("VOICECHAT_CONFIG")
    monkeypatch.setattr("platformdirs.user_config_path", lambda name, appauthor: tmp_path / name)
    path = tmp_path / "voicechat" / "client.toml"
    path.parent.mkdir()
    return path


def test_the_environment_stands_above_the_file_and_the_file_above_the_defaults(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    file.write_text("host = 'file.example'\nport = 3\nname = 'File'\ncomplexity = 5\n")
    monkeypatch.setenv("VOICECHAT_PORT", "1")
    monkeypatch.setenv("VOICECHAT_NAME", "Env")
    chosen = cli.options(["--name", "Flag"])
    assert (chosen.host, chosen.port, chosen.name) == ("file.example", 1, "Flag")
    assert (chosen.complexity, chosen.path) == (5, "auto")


def test_another_file_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: Path) -> None:
    file.write_text("nonsense")
    (tmp_path / "other.toml").write_text("host = 'other.example'")
    assert cli.options(["--config", str(tmp_path / "other.toml")]).host == "other.example"
    monkeypatch.setenv("VOICECHAT_CONFIG", str(tmp_path / "other.toml"))
    assert cli.options([]).host == "other.example"
    with pytest.raises(ConfigError, match=r"no configuration file .*missing\.toml"):
        cli.options(["--config", str(tmp_path / "missing.toml")])


def test_a_mistake_in_the_file_is_bad_configuration(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("host = 'h'\n\nroomm = 'den'\n")
    assert cli.main([]) == 78
    told = capsys.readouterr().err
    assert told == f"voicechat-client: {file}: line 3: unknown key 'roomm'; did you mean 'room'?\n"


def test_the_password_of_the_file_is_the_weakest(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    file.touch(0o600)
    file.write_text("host = 'h'\npassword = 'in the file'\n")
    assert cli._password(cli.options([])) == Secret("in the file")
    chosen = cli.options(["--password", "typed"])
    assert cli._password(chosen) == Secret("typed")
    assert "in the file" not in repr(chosen)
    monkeypatch.setenv("VOICECHAT_PASSWORD", "in the environment")
    assert cli._password(cli.options([])) == Secret("in the environment")


def test_a_password_file_of_the_file_lies_beside_it(file: Path) -> None:
    file.write_text("host = 'h'\npassword-file = 'secret.txt'\n")
    (file.parent / "secret.txt").write_text("from beside")
    assert cli._password(cli.options([])) == Secret("from beside")


def test_a_file_is_written_with_what_is_given(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.parent.rmdir()
    assert cli.main(["--host", "h", "--password-file", "secret.txt", "--write-config"]) == 0
    assert capsys.readouterr().out == f"written: {file}\n"
    chosen = cli.options([])
    assert (chosen.host, chosen.in_file["password_file"]) == ("h", str(Path("secret.txt").absolute()))
    before = file.read_text()
    assert cli.main(["--host", "other", "--write-config"]) == 78
    assert "not overwritten" in capsys.readouterr().err
    assert file.read_text() == before


def test_the_file_can_be_written_where_it_is_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.toml"
    assert cli.main(["--config", str(path), "--write-config"]) == 0
    assert cli.main(["--config", str(path), "--list-devices"]) in (0, 74)
    assert path.read_text().startswith("# Settings")


def test_without_the_client_extra_there_is_no_usual_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VOICECHAT_CONFIG")
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert cli.options(["--host", "h"]).port == 1234
    assert cli.main(["--write-config"]) == 78
    assert "--config FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--host", "a:4000"), "--host a --port 4000"),
        (("--host", "[::1]:4000"), "--host ::1 --port 4000"),
        (("--host", "[::1]"), "name or address"),
        (("--host", "a:"), "a name has no colon"),
        (("--host", "a:b"), "the port is given with --port"),
        (("--host", "1:2:3"), "no IPv6 address"),
        (("--host", "voicechat://a"), "without --host"),
        (("--host", "a b"), "name or address"),
        (("--hots", "a"), "there is no option --hots; did you mean --host?"),
        (("--frobnicate",), "--help"),
        *(((f"--{option.name}=--",), f"--{option.name}") for option in OPTIONS),
    ],
)
def test_who_errs_is_told_what_to_type(capsys: pytest.CaptureFixture[str], given: tuple[str, ...], words: str) -> None:
    assert words in usage_error(capsys, *given)


@pytest.mark.parametrize(
    "given",
    [
        ("--pasword=hunter2",),
        ("--pass", "hunter2"),
        ("voicechat://h", "hunter2"),
        ("--passwordhunter2",),
        ("-phunter2",),
    ],
)
def test_a_password_with_a_mistyped_option_is_not_shown(
    capsys: pytest.CaptureFixture[str], given: tuple[str, ...]
) -> None:
    assert "hunter2" not in usage_error(capsys, *given)


def test_a_link_says_server_room_and_password(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    file.write_text("host = 'other'\nroom = 'other'\npassword-file = '/no/such/file'\nport = 5")
    monkeypatch.setenv("VOICECHAT_PORT", "6")
    monkeypatch.setenv("VOICECHAT_PASSWORD", "other")
    chosen = cli.options(["voicechat://h#a%20secret"])
    assert (chosen.host, chosen.port, chosen.room) == ("h", 1234, "")
    assert cli._password(chosen) == Secret("a secret")
    chosen = cli.options(["--name", "Ann", "voicechat://[::1]:99/den#secret", "--room", "cave"])
    assert (chosen.host, chosen.port, chosen.room, chosen.name) == ("::1", 99, "cave", "Ann")


def test_a_link_can_be_kept(file: Path) -> None:
    assert cli.main(["voicechat://h:99/den#a%20secret", "--write-config"]) == 0
    chosen = cli.options([])
    assert (chosen.host, chosen.port, chosen.room) == ("h", 99, "den")
    assert cli._password(chosen) == Secret("a secret")


def test_a_wrong_link_is_bad_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["voicechat://h:port/#hunter2"]) == 78
    assert cli.main(["hunter2"]) == 78
    told = capsys.readouterr().err
    assert "the link's port is not a number" in told
    assert "begins with voicechat://" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("play.example.org", "play.example.org", 7),
        ("play.example.org:4321", "play.example.org", 4321),
        ("localhost", "localhost", 7),
        ("nas:4321", "nas", 4321),
        ("192.0.2.7", "192.0.2.7", 7),
        ("2001:db8::7", "2001:db8::7", 7),
        ("[2001:db8::7]", "2001:db8::7", 7),
        ("[2001:db8::7]:4321", "2001:db8::7", 4321),
        ("bücher.example", "bücher.example", 7),
    ],
)
def test_a_server_alone_is_taken_as_people_type_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, host: str, port: int
) -> None:
    monkeypatch.setenv("VOICECHAT_PORT", "7")
    monkeypatch.setenv("VOICECHAT_ROOM", "den")
    chosen = cli.options([text, "--name", "Ann"])
    assert (chosen.host, chosen.port, chosen.room, chosen.name) == (host, port, "den", "Ann")
    if port == 7:
        assert cli.options([text, "--port", "5"]).port == 5
    else:
        assert "leave out --host and --port" in usage_error(capsys, text, "--port", "5")
    assert "leave out --host" in usage_error(capsys, text, "--host", "another.example")
    assert cli.options(["doctor", text]).doctor


@pytest.mark.parametrize(
    "text", ["a b.c", "a:b:c", "h.example:port", "h.example/den", "h.example#hunter2", "u@h.example", "https:/h"]
)
def test_what_is_neither_link_nor_server_is_told_and_not_shown(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert cli.main([text]) == 78
    told = capsys.readouterr().err
    assert "neither a link (voicechat://...) nor a server (play.example.org" in told
    assert text not in told
    assert told.count("\n") == 1


# Asked on a terminal


class Terminal(io.StringIO):
    """Somebody types these lines."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lines that somebody types when they are asked."""

    def lines(*lines: str) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal("".join(f"{line}\n" for line in lines)))
        monkeypatch.setattr("voicechat.client.asking.possible", lambda: True)

    return lines


def test_who_gives_nothing_is_asked_for_the_link(
    typed: Callable[..., None], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed("  'voicechat://h:99/den#a%20secret' ", "n")
    chosen = cli.options(["--name", "Ann"])
    assert (chosen.host, chosen.port, chosen.room, chosen.name) == ("h", 99, "den", "Ann")
    assert cli._password(chosen) == Secret("a secret")
    told = capsys.readouterr().err
    assert told.startswith("Paste the link that your host sent you")
    assert "a%20secret" not in told
    assert not file.exists()


def test_what_was_asked_for_is_kept_if_it_is_wanted(
    typed: Callable[..., None], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed("voicechat://h:99/#a%20secret", "y")
    cli.options(["--name", "Ann"])
    told = capsys.readouterr().err
    assert f"written: {file}; your password stands in it, and you alone can read it" in told
    typed()
    chosen = cli.options([])
    assert (chosen.host, chosen.port, chosen.name) == ("h", 99, "Ann")
    assert cli._password(chosen) == Secret("a secret")
    assert file.stat().st_mode & 0o077 == 0


def test_a_file_that_is_there_is_not_offered_to_be_overwritten(
    typed: Callable[..., None], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("name = 'Ann'\n")
    typed("h.example")
    assert cli.options([]).host == "h.example"
    assert "Keep" not in capsys.readouterr().err
    assert file.read_text() == "name = 'Ann'\n"


def test_a_wrong_link_is_asked_for_again_three_times_in_all(
    typed: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    typed("voicechat://h:port/#hunter2", "", "voicechat://h#x", "n")
    assert cli.options([]).host == "h"
    told = capsys.readouterr().err
    assert told.count("Paste the link") == 3
    assert "the link's port is not a number" in told
    assert "hunter2" not in told
    typed(*["what?"] * 4)
    assert cli.main([]) == 78
    typed()
    assert cli.main([]) == 78
    assert "nothing was typed" in capsys.readouterr().err


def test_a_link_and_a_server_are_one_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert "leave out --host" in usage_error(capsys, "voicechat://h#hunter2", "--port", "5")


@pytest.mark.parametrize("host", ["localhost", "192.0.2.7", "::1", "fe80::1%eth0", "2001:db8::1234", "bücher.example"])
def test_what_a_host_may_be(host: str) -> None:
    assert cli.options(["--host", host]).host == host


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.options(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"voicechat {version('voicechat')}\n"


def test_a_host_is_needed_unless_devices_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--host is needed" in usage_error(capsys)
    assert cli.options(["--list-devices"]).host is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "0"),
        ("--port", "65536"),
        ("--port", "٣٣"),
        ("--port", "x"),
        ("--duration", "-1"),
        ("--duration", "nan"),
        ("--duration", "soon"),
        ("--quality", "best"),
        ("--complexity", "11"),
        ("--complexity", "-1"),
        ("--gate", "loud"),
        ("--gate", "-91"),
        ("--gate", "1"),
        ("--gate", "nan"),
        ("--ui", "hologram"),
    ],
)
def test_what_cannot_be_is_a_usage_error(capsys: pytest.CaptureFixture[str], arguments: tuple[str, str]) -> None:
    line = usage_error(capsys, "--host", "h", *arguments)
    assert arguments[0] in line
    assert arguments[1] in line


def test_what_cannot_be_in_the_environment_is_a_usage_error_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICECHAT_PORT", "many")
    assert "many" in usage_error(capsys, "--host", "h")


def test_help_has_examples_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.options(["--help"])
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert "examples:" in told
    for option in OPTIONS:
        assert f"--{option.name}" in told
        assert not option.kept or f"${option.variable}" in told
    for code in ("69", "74", "75", "76", "77", "78", "130"):
        assert code in told


def test_the_password_leaves_the_options(tmp_path: Path) -> None:
    chosen = cli.options(["--host", "h", "--password", "a very long secret"])
    assert cli._password(chosen) == Secret("a very long secret")
    assert "a very long secret" not in repr(chosen)


def test_without_a_terminal_a_missing_password_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--host", "h", "--input", "silence", "--output", "null"]) == 78
    assert "--password-file" in capsys.readouterr().err


def test_on_a_terminal_the_password_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "typed in")
    assert cli._password(cli.options(["--host", "h"])) == Secret("typed in")


def test_figures_are_written_as_json(tmp_path: Path) -> None:
    stats.write(str(tmp_path / "stats.json"), {"packets": {"in": 1}})
    assert json.loads((tmp_path / "stats.json").read_text()) == {"packets": {"in": 1}}


def test_figures_that_could_not_be_written_are_told_before_the_call(tmp_path: Path) -> None:
    stats.check(str(tmp_path / "stats.json"))
    stats.check("/dev/stdout")
    for path, why in (
        (tmp_path, "Is a directory"),
        (tmp_path / "no" / "x", "No such file"),
        ("~nobody-of-this-name/x", "no such user"),
    ):
        with pytest.raises(ConfigError, match=why):
            stats.check(str(path))
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write"):
        stats.check(str(tmp_path / "file" / "x"))


def test_figures_that_cannot_be_written_are_told() -> None:
    with pytest.raises(ConfigError, match=r"cannot write /no/such/folder/stats\.json: No such file"):
        stats.write("/no/such/folder/stats.json", {})


@pytest.mark.parametrize("home", ["/dev/null", "/no/such/folder", "relative"])
def test_without_a_home_there_is_no_file_and_none_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], home: str
) -> None:
    monkeypatch.delenv("VOICECHAT_CONFIG")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", home)
    monkeypatch.chdir(tmp_path)
    assert cli.options(["--host", "h"]).port == 1234
    assert not list(tmp_path.iterdir())


def test_a_file_that_was_named_by_a_variable_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICECHAT_CONFIG", str(tmp_path / "missing.toml"))
    assert cli.main(["--host", "h"]) == 78
    assert capsys.readouterr().err.startswith("voicechat-client: VOICECHAT_CONFIG: there is no configuration file ")
    (tmp_path / "file").touch()
    assert cli.main(["--config", str(tmp_path / "file" / "x")]) == 78
    assert "x (Not a directory)" in capsys.readouterr().err


def test_the_home_folder_is_known_in_every_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "secret.txt").write_text("in the file")
    assert cli.main(["--host", "h", "--password-file", "~/secret.txt", "--config", "~/c.toml", "--write-config"]) == 0
    for chosen in (cli.options(["--config", "~/c.toml"]), cli.options(["--host", "h", "--password-file=~/secret.txt"])):
        assert (chosen.host, cli._password(chosen)) == ("h", Secret("in the file"))
    monkeypatch.setenv("VOICECHAT_CONFIG", "~/c.toml")
    assert cli.options([]).host == "h"
    monkeypatch.setenv("VOICECHAT_PASSWORD_FILE", "~/secret.txt")
    assert cli._password(cli.options(["--host", "h"])) == Secret("in the file")
    stats.write("~/stats.json", {})
    assert (tmp_path / "stats.json").read_text() == "{}\n"
    with pytest.raises(ConfigError, match="cannot find ~nobody-of-this-name/x: there is no such user"):
        stats.write("~nobody-of-this-name/x", {})


def test_every_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for option in OPTIONS:
        monkeypatch.setenv(option.variable, "")
    monkeypatch.setenv("HOME", os.devnull)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    chosen = vars(cli.options(["--host", "h"]))
    assert {option.field: chosen[option.field] for option in OPTIONS} == {
        option.field: option.default for option in OPTIONS
    } | {"host": "h"}
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(ConfigError, match="no password"):
        cli._password(cli.options(["--host", "h"]))


def test_a_line_end_is_no_part_of_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a file of variables with CR LF leaves it."""
    (tmp_path / "c.toml").write_text("room = 'den'")
    (tmp_path / "pw").write_text("secret")
    values = {
        "HOST": "h",
        "PORT": "5",
        "UI": "line",
        "LOUDNESS": "no",
        "NAME": "Ann",
        "CONFIG": str(tmp_path / "c.toml"),
    }
    for name, value in (values | {"PASSWORD_FILE": str(tmp_path / "pw")}).items():
        monkeypatch.setenv(f"VOICECHAT_{name}", f"{value}\r")
    chosen = cli.options([])
    assert (chosen.host, chosen.port, chosen.ui, chosen.loudness, chosen.name) == ("h", 5, "line", False, "Ann")
    assert chosen.room == "den"
    assert cli._password(chosen) == Secret("secret")


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.kept and option.choices + option.between])
def test_a_wrong_variable_is_called_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: Option
) -> None:
    if option.kind is str and not option.choices:
        return
    monkeypatch.setenv(option.variable, "what is this")
    line = usage_error(capsys, "--host", "h")
    assert line.startswith(f"voicechat-client: error: {option.variable}: ")
    assert f"--{option.name}" not in line


NUMBERS = [option for option in OPTIONS if option.kind in (int, float)]
ODD = ["nan", "inf", "-inf", "1e999", "-1e9", "0x10", "1_0", "\u0663", "\u00b2", "9" * 5000, "1,5", "--1", "1e", ""]


@pytest.mark.parametrize("option", NUMBERS, ids=lambda option: option.name)
@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:5])
def test_an_odd_number_is_refused_in_one_short_line(
    capsys: pytest.CaptureFixture[str], option: Option, text: str
) -> None:
    line = usage_error(capsys, "--host", "h", f"--{option.name}={text}")
    assert f"--{option.name}" in line
    assert "number from" in line
    assert len(line) < 250


@pytest.mark.parametrize("columns", ["0", "1", "10", "30", "-5", "x", "100000"])
def test_help_is_shown_at_any_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit) as end:
        cli.options(["--help"])
    assert end.value.code == 0
    assert "--frobnicate" in usage_error(capsys, "--frobnicate")


def test_what_was_chosen_is_known_by_where_it_was(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    file.write_text("host = 'h'\nname = 'File'\nroom = 'File'\ninput = 'silence'\n")
    monkeypatch.setenv("VOICECHAT_ROOM", "Env")
    chosen = cli.options(["--input", "tone:4"])
    wanted = {"host": f"{file}: host", "name": f"{file}: name", "room": "VOICECHAT_ROOM", "input": "--input"}
    assert chosen.origin == wanted


def one_line(told: str) -> bool:
    return told.startswith("voicechat-client: error: ") and told.endswith("\n")


VALUES = st.text(max_size=8) | st.sampled_from(
    ["-", "--", "", "~", "~x/y", "1", "nan", "voicechat://h#s", "\udcff", "a:1", "wav:"]
)
WORDS = st.sampled_from([f"--{option.name}" for option in OPTIONS] + ["--no-loudness", "doctor", "--", "-h"])


@given(st.lists(WORDS | VALUES | st.tuples(WORDS, VALUES).map("=".join), max_size=6))
def test_any_arguments_are_understood_or_told_to_be_wrong(arguments: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(io.StringIO()) as told:
        patch.setattr("sys.stdout", io.StringIO())
        try:
            chosen = cli.options(arguments)
            assert set(vars(chosen)) >= {option.field for option in OPTIONS}
            assert not any(isinstance(value, list) for value in vars(chosen).values())
        except SystemExit as end:
            assert end.code == 0 or (end.code == 2 and one_line(told.getvalue()))  # noqa: PT017
        except ConfigError as error:
            assert "\n" not in str(error)  # noqa: PT017


@given(
    st.dictionaries(
        st.sampled_from([option.variable for option in OPTIONS]), VALUES.filter(lambda text: "\0" not in text)
    )
)
def test_any_variables_are_understood_or_told_to_be_wrong(variables: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(io.StringIO()) as told:
        patch.setenv("VOICECHAT_CONFIG", os.devnull)
        try:
            for name, value in variables.items():
                patch.setenv(name, value)
        except UnicodeEncodeError:
            return  # no environment holds this
        try:
            cli.options(["--port", "5", "--host", "h"])
        except SystemExit as end:
            assert end.code == 2  # noqa: PT017
            assert any(f"error: {name}: " in told.getvalue() for name in variables)
        except ConfigError as error:
            assert str(error).startswith("VOICECHAT_CONFIG: ")  # noqa: PT017


def test_in_a_folder_that_is_no_more_a_relative_file_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert cli.main(["--config", str(tmp_path / "c.toml"), "--password-file", "x", "--write-config"]) == 78
    assert "is no more" in capsys.readouterr().err
    assert not (tmp_path / "c.toml").exists()


def test_too_many_files_and_threads_are_told_and_faults_of_ours_are_not_hidden(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problem: Exception = OSError(errno.EMFILE, "Too many open files")

    def fail() -> str:
        raise problem

    monkeypatch.setattr("voicechat.client.audio.portaudio.list_devices", fail)
    assert cli.main(["--list-devices"]) == 78
    assert capsys.readouterr().err == "voicechat-client: too many files are open; allow more (ulimit -n)\n"
    problem = RuntimeError("can't start new thread")  # Python's words at the limit of processes (ulimit -u)
    assert cli.main(["--list-devices"]) == 78
    assert capsys.readouterr().err.endswith("starts no thread for us; allow more processes (ulimit -u)\n")
    problem = RuntimeError("another one")
    with pytest.raises(RuntimeError, match="another"):
        cli.main(["--list-devices"])
    problem = OSError(errno.EINVAL, "Invalid argument")
    with pytest.raises(OSError, match="Invalid"):
        cli.main(["--list-devices"])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--name", "'Ann", "Lee'"], True),
        (["--name", "'Ann'"], True),
        (["--name='Ann", "Lee'"], True),
        (["--name", "Ann"], False),
        (["--name", "d'Arc"], False),
        (["--output", "wav:'", "--name", "Ann"], False),
        (["'voicechat://play.example.org/#word'", "--name", "Ann"], False),
        (["voicechat://play.example.org/#word", "--name", "'s-Gravenhage"], False),
    ],
)
def test_single_quotes_that_cmd_exe_has_left_are_found(words: list[str], found: bool) -> None:
    assert cli.in_single_quotes(words, "win32") is found
    assert not cli.in_single_quotes(words, "linux"), "there they are meant"


def test_a_link_is_understood_with_the_quotes_that_cmd_exe_leaves() -> None:
    assert cli.flags(["'voicechat://play.example.org/#word'"])["host"] == "play.example.org"


def test_what_is_shown_to_be_typed_is_in_double_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    """They are quotes for every shell, single ones are none for cmd.exe."""
    with pytest.raises(SystemExit):
        cli.flags(["--help"])
    shown = capsys.readouterr().out
    assert 'voicechat-client "voicechat://play.example.org/#SECRET"' in shown
    assert not [line for line in shown.splitlines() if " '" in line]
