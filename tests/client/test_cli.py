"""Options of ``voicechat-client``."""

import json
from pathlib import Path
from typing import Any

import pytest

from voicechat.client import cli
from voicechat.errors import ConfigError
from voicechat.security.secret import Secret


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own environment."""
    for name in (
        "HOST",
        "PORT",
        "NAME",
        "ROOM",
        "INPUT",
        "OUTPUT",
        "UI",
        "COMPLEXITY",
        "GATE",
        "PASSWORD",
        "PASSWORD_FILE",
    ):
        monkeypatch.delenv(f"VOICECHAT_{name}", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


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
        "ui": "line",
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
