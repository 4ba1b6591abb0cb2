"""The configuration file: what it chooses, what it is told for, how one is made."""

import contextlib
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client import configuration
from voicechat.client.options import KEPT, Option
from voicechat.errors import ConfigError


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as told:
        configuration.parse(text.encode())
    assert "\n" not in str(told.value)
    return str(told.value)


def test_values_have_their_types() -> None:
    text = "host = 'h'\nport = 99\nduration = 2\ninput = 3\npassword-file = 'x'\ngate = -45\n"
    chosen = {"host": "h", "port": 99, "duration": 2.0, "input": "3", "password_file": "x", "gate": -45.0}
    assert configuration.parse(text.encode()) == chosen


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("host = 'h'\n# one\n\nroomm = ''", "line 4: unknown key 'roomm'; did you mean 'room'?"),
        ("zzz = 1", "line 1: unknown key 'zzz'"),
        ("[server]\nhost = 'h'", "line 1: unknown key 'server'"),
        ("list-devices = true", "line 1: unknown key 'list-devices'"),
        ("\nport = 70000", "line 2: port: a whole number from 1 to 65535 is needed, not '70000'"),
        ("port = '1234'", "line 1: port: a whole number from 1 to 65535 is needed, not '1234'"),
        ("port = true", "line 1: port: a whole number from 1 to 65535 is needed, not True"),
        ("port = 1.5", "line 1: port: a whole number from 1 to 65535 is needed, not 1.5"),
        ("name = true", "line 1: name: a text is needed, not True"),
        ("path = 'udp'", "line 1: path: auto, tcp is needed, not 'udp'"),
        ("host = 'a:99'", "line 1: host: a host without its port is needed: --host a --port 99"),
        ('name = """\nport = 0\n"""\nport = 0', "line 4: port: "),
        ("host.name = 'h'", "line 1: host: a text is needed, not {'name': 'h'}"),
        ("host = h", "this is not TOML: Invalid value (at line 1, column 8)"),
        ("name = 'a'\nname = 'b'\n", "this is not TOML: Cannot overwrite a value (at line 2"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(text: str, told: str) -> None:
    assert refused(text).startswith(told)


@pytest.mark.parametrize("text", ["password = 12345", "password = hunter12345", "password = ['12345']"])
def test_no_mistake_shows_the_password(text: str) -> None:
    assert "12345" not in refused(text)


def test_what_is_no_text_is_told() -> None:
    with pytest.raises(ConfigError, match="not UTF-8"):
        configuration.parse(b"name = '\xff'")
    with pytest.raises(ConfigError, match=r"nested|TOML"):
        configuration.parse(b"name = " + b"[" * 50_000)


def values(option: Option) -> st.SearchStrategy[Any]:
    """What an option may be in a file."""
    if option.choices and option.kind is str:
        return st.sampled_from(option.choices)
    if option.name == "host":
        return st.sampled_from(["h", "::1", "b\u00fccher.example"])
    least, most = option.between
    numbers = {int: st.integers(int(least), int(most)), float: st.floats(least, most), bool: st.booleans()}
    return numbers.get(option.kind, st.text(st.characters(codec="utf-8")))


CHOSEN = st.fixed_dictionaries({}, optional={option.field: values(option) for option in KEPT.values()})


@given(CHOSEN)
def test_what_is_composed_is_understood_again(chosen: dict[str, Any]) -> None:
    assert configuration.parse(configuration.compose(chosen).encode()) == chosen


@given(st.text() | st.text("abhost =\"'[]{}.\n#1-_"))
def test_any_text_is_understood_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        configuration.parse(text.encode(errors="replace"))


def test_every_option_stands_in_the_file_with_its_default_when_the_mark_is_taken_away() -> None:
    lines = configuration.compose({}).splitlines()
    settings = "\n".join(line[1:] for line in lines if line.startswith("#") and not line.startswith("# "))
    chosen = configuration.parse(settings.encode())
    assert list(chosen) == [option.field for option in KEPT.values()]
    assert all(chosen[option.field] == option.default for option in KEPT.values() if option.default is not None)
    assert configuration.parse("\n".join(lines).encode()) == {}


def test_a_written_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "client.toml"
    configuration.write(path, {"password": 'a "word"\\'})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert configuration.read(path) == {"password": 'a "word"\\'}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_with_a_password_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "client.toml"
    path.write_text("password = 'secret'")
    path.chmod(mode)
    with pytest.raises(ConfigError, match=r"client\.toml holds a password.*chmod 600") as told:
        configuration.read(path)
    assert "secret" not in str(told.value)
    path.write_text("name = 'Ann'")
    assert configuration.read(path) == {"name": "Ann"}


def test_a_password_file_is_found_from_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "client.toml"
    monkeypatch.setenv("HOME", "/home/ann")
    for given_name, found in (("x", f"{tmp_path}/x"), ("~/x", "/home/ann/x"), ("/x", "/x"), ("-", "-")):
        path.write_text(f"password-file = '{given_name}'")
        assert configuration.read(path) == {"password_file": found}


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        configuration.read(tmp_path)
    (tmp_path / "long").write_bytes(b"#" * (configuration.LONGEST + 1))
    with pytest.raises(ConfigError, match="too long"):
        configuration.read(tmp_path / "long")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write"):
        configuration.write(tmp_path / "file" / "client.toml", {})
