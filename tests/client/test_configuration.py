"""The configuration file: what it chooses, what it is told for, how one is made."""

import contextlib
import resource
import signal
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client import configuration
from voicechat.client.call import volumes
from voicechat.client.options import KEPT
from voicechat.errors import ConfigError
from voicechat.options.option import Option


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
        ("path = 'udp'", "line 1: path: one of auto, tcp is needed, not 'udp'"),
        ("host = 'a:99'", "line 1: host: a host without its port is needed: --host a --port 99"),
        ('name = """\nport = 0\n"""\nport = 0', "line 4: port: "),
        ("host.name = 'h'", "line 1: host: a text is needed, not {'name': 'h'}"),
        ("name = 'a\0b'", "is not UTF-8 text but, it seems, UTF-16"),
        ('name = "a\\u0000b"', "line 1: name: a text is needed, not 'a\\x00b'"),
        (f"port = {'9' * 5000}", "a number in this is too long"),
        (f"port = 0x{'f' * 5000}", "line 1: port: a whole number from 1 to 65535 is needed, not such a number"),
        (f"name = 0x{'f' * 5000}", "line 1: name: a text is needed, not such a number"),
        ("duration = nan", "line 1: duration: a number from 0 to 1000000000 is needed, not 'nan'"),
        ("duration = -inf", "line 1: duration: a number from 0 to 1000000000 is needed, not '-inf'"),
        ("duration = 1979-05-27", "line 1: duration: a number from 0 to 1000000000 is needed, not datetime.date("),
        (f"ui = '{'x' * 500}'", f"line 1: ui: one of auto, screen, line is needed, not '{'x' * 59}..."),
        (f"{'x' * 500} = 1", f"line 1: unknown key '{'x' * 59}..."),
        ("\r\n# 1\r\nroomm = 1\r\n", "line 3: unknown key 'roomm'"),
        ("host = h", "this is not TOML: Invalid value (at line 1, column 8)"),
        ("name = 'a'\nname = 'b'\n", "this is not TOML: Cannot overwrite a value (at line 2"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(text: str, told: str) -> None:
    assert refused(text).startswith(told)


@pytest.mark.parametrize("text", ["password = 12345", "password = hunter12345", "password = ['12345']"])
def test_no_mistake_shows_the_password(text: str) -> None:
    assert "12345" not in refused(text)


@pytest.mark.parametrize("text", ["host = 'h'", "host = 'h'\r\n# two lines\r\n", "\r\nhost = 'h'\r\n"])
def test_a_byte_order_mark_is_no_part_of_the_text(text: str) -> None:
    assert configuration.parse(text.encode("utf-8-sig")) == {"host": "h"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_called_by_its_name(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "client.toml").write_bytes("host = 'h'\r\n".encode(encoding))
    with pytest.raises(ConfigError, match=r"client\.toml: is not UTF-8 text but, it seems, UTF-16; save it as UTF-8$"):
        configuration.read(tmp_path / "client.toml")


def test_a_mistake_at_the_end_of_a_long_file_is_found_soon() -> None:
    """By counted work: lines before the first that has the key are not tried as files of their own."""
    tried: list[str] = []
    real = tomllib.loads

    def loads(text: str) -> dict[str, Any]:
        tried.append(text)
        return real(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tomllib.loads", loads)
        assert refused("# a remark\n" * 5000 + "roomm = 'den'").startswith("line 5001: unknown key")
    assert len(tried) < 5


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
    return numbers.get(option.kind, st.text(st.characters(codec="utf-8", exclude_characters="\0")))


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


@pytest.mark.parametrize("place", ["missing", "file/below", "loop/below", "x" * 300, "closed/below"])
def test_a_file_whose_folder_is_none_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    if place.startswith("closed"):  # to anybody but the superuser, who may be who runs this

        def forbidden(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.open", forbidden)
        monkeypatch.setattr("os.lstat", forbidden)
    with pytest.raises(FileNotFoundError):
        configuration.read(tmp_path / place)


def test_a_file_that_is_there_and_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "client.toml").touch()

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", forbidden)
    with pytest.raises(ConfigError, match=r"cannot read .*client\.toml: Permission denied"):
        configuration.read(tmp_path / "client.toml")


@pytest.mark.parametrize("variables", [{"HOME": "relative"}, {"XDG_CONFIG_HOME": "relative", "XDG_STATE_HOME": "x"}])
def test_no_place_depends_on_the_folder_that_we_are_in(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for place in (configuration.place(), volumes.place()):
        assert place is None or place.is_absolute()


def test_who_has_neither_home_nor_account_has_no_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert configuration.place() is None
    assert volumes.place() is None
    with pytest.raises(ConfigError, match="cannot find ~/x: there is no such user, or no home folder"):
        configuration.located("~/x")
    assert not list(tmp_path.iterdir()), "no folder that is called ~"


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        configuration.read(tmp_path)
    (tmp_path / "long").write_bytes(b"#" * (configuration.LONGEST + 1))
    with pytest.raises(ConfigError, match="too long"):
        configuration.read(tmp_path / "long")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write"):
        configuration.write(tmp_path / "file" / "client.toml", {})


def test_a_file_for_which_there_is_no_room_is_none(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(ConfigError, match=r"cannot write .*client\.toml: File too large"):
            configuration.write(path, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert not path.exists(), "it would be in the way of the next try"


def test_what_is_no_text_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        configuration.write(tmp_path / "client.toml", {"name": "\udcff"})
    assert not (tmp_path / "client.toml").exists()
