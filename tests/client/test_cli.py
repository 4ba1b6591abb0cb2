"""Options of ``voicechat-client``."""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from voicechat.client import cli
from voicechat.client.options import OPTIONS
from voicechat.errors import ConfigError
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
    return capsys.readouterr().err.splitlines()[-1]


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
        (("--host", "voicechat://a"), "without --host"),
        (("--host", "a b"), "name or address"),
        (("--hots", "a"), "there is no option --hots; did you mean --host?"),
        (("--frobnicate",), "--help"),
    ],
)
def test_who_errs_is_told_what_to_type(capsys: pytest.CaptureFixture[str], given: tuple[str, ...], words: str) -> None:
    assert words in usage_error(capsys, *given)


@pytest.mark.parametrize("given", [("--pasword=hunter2",), ("--pass", "hunter2"), ("voicechat://h", "hunter2")])
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
    cli.write_stats(str(tmp_path / "stats.json"), {"packets": {"in": 1}})
    assert json.loads((tmp_path / "stats.json").read_text()) == {"packets": {"in": 1}}


def test_figures_that_cannot_be_written_are_told() -> None:
    with pytest.raises(ConfigError, match=r"cannot write /no/such/folder/stats\.json: No such file"):
        cli.write_stats("/no/such/folder/stats.json", {})


def test_everybody_has_some_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.user_name()

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert cli.user_name() == "friend"
