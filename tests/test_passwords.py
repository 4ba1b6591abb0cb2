"""Where a password comes from, and what is left of it."""

import io
import sys
from pathlib import Path

import pytest

from voicechat import passwords
from voicechat.errors import ConfigError
from voicechat.security.secret import Secret

TEXT = "Tr0ub4dor-staple"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(f"{TEXT}\n")
    path.chmod(0o600)
    return path


def revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def test_there_may_be_none() -> None:
    assert passwords.find(None, None, {}) is None
    assert passwords.find(None, "", {}) is None


def test_each_source_and_which_is_stronger(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("from the environment's file")
    (tmp_path / "password").write_text("a credential")
    environ = {
        "VOICECHAT_PASSWORD": "from the environment",
        "VOICECHAT_PASSWORD_FILE": str(other),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    assert revealed(passwords.find("given", str(file), dict(environ))) == TEXT
    assert revealed(passwords.find("given", None, dict(environ))) == "given"
    assert revealed(passwords.find(None, None, dict(environ))) == "a credential"
    (tmp_path / "password").unlink()
    assert revealed(passwords.find(None, None, dict(environ))) == "from the environment's file"
    del environ["VOICECHAT_PASSWORD_FILE"]
    assert revealed(passwords.find(None, None, dict(environ))) == "from the environment"


def test_the_file_that_is_read_is_named(file: Path, tmp_path: Path) -> None:
    assert passwords.file_of(None, str(file), {}) == str(file)
    assert passwords.file_of("given", None, {"VOICECHAT_PASSWORD_FILE": "x"}) is None
    assert passwords.file_of(None, None, {"VOICECHAT_PASSWORD_FILE": "x"}) == "x"
    assert passwords.file_of(None, None, {"CREDENTIALS_DIRECTORY": str(tmp_path)}) is None
    assert passwords.file_of(None, None, {"VOICECHAT_PASSWORD": "x"}) is None


def test_the_environment_forgets_the_password_even_when_it_is_not_used(file: Path) -> None:
    environ = {"VOICECHAT_PASSWORD": "from the environment", "HOME": "/"}
    passwords.find("given", str(file), environ)
    assert environ == {"HOME": "/"}


def test_an_empty_password_is_none_that_could_be_meant() -> None:
    with pytest.raises(ConfigError, match="empty"):
        passwords.find("", None, {})


@pytest.mark.parametrize("value", ["", "\n", "\r\n"])
def test_an_empty_variable_is_none(file: Path, value: str) -> None:
    """As compose writes one that is not set."""
    assert passwords.find(None, None, {"VOICECHAT_PASSWORD": value, "VOICECHAT_PASSWORD_FILE": ""}) is None
    environ = {"VOICECHAT_PASSWORD": "x", "VOICECHAT_PASSWORD_FILE": "", "CREDENTIALS_DIRECTORY": ""}
    assert revealed(passwords.find(None, None, environ)) == "x"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_line_end_is_no_part_of_a_variable(end: str) -> None:
    assert revealed(passwords.find(None, None, {"VOICECHAT_PASSWORD": TEXT + end})) == TEXT


@pytest.mark.parametrize("name", ["-", "file"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_byte_order_mark_is_no_part_of_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, end: bytes
) -> None:
    data = b"\xef\xbb\xbf" + TEXT.encode() + end
    (tmp_path / "file").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert passwords.from_file(name).reveal() == TEXT


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_called_by_its_name(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "file").write_bytes((TEXT + "\r\n").encode(encoding))
    with pytest.raises(ConfigError, match=r"file is not UTF-8 text but, it seems, UTF-16; save it as UTF-8$"):
        passwords.from_file(str(tmp_path / "file"))


def test_the_home_folder_is_known(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "USERPROFILE"):  # Windows' name for it
        monkeypatch.setenv(variable, str(file.parent))
    assert passwords.from_file(f"~/{file.name}").reveal() == TEXT
    assert not passwords.readable_by_others(f"~/{file.name}")
    with pytest.raises(ConfigError, match="cannot read the password file ~nobody-of-this-name/x"):
        passwords.from_file("~nobody-of-this-name/x")
    assert not passwords.readable_by_others("~nobody-of-this-name/x")


@pytest.mark.parametrize("data", [TEXT, f"{TEXT}\n", f"{TEXT}\r\n"])
def test_one_line_end_is_not_part_of_the_password(tmp_path: Path, data: str) -> None:
    (tmp_path / "file").write_bytes(data.encode())
    assert passwords.from_file(str(tmp_path / "file")).reveal() == TEXT


def test_blanks_belong_to_the_password(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(" a b \n")
    assert passwords.from_file(str(tmp_path / "file")).reveal() == " a b "


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"one\ntwo\n", "more than one line"),
        (b"x" * 1025, "too long"),
        (b"\xff\xfe\n", "not UTF-8"),
    ],
)
def test_a_file_that_is_none_is_told_without_its_text(tmp_path: Path, data: bytes, complaint: str) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(ConfigError, match=complaint) as told:
        passwords.from_file(str(tmp_path / "file"))
    assert "one\ntwo" not in str(told.value)
    assert told.value.__cause__ is None


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match="cannot read the password file /no/such/file: No such file"):
        passwords.from_file("/no/such/file")


def test_a_folder_is_no_password_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        passwords.from_file(str(tmp_path))


def test_standard_input_is_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{TEXT}\nthe rest\n".encode())))
    assert passwords.from_file("-").reveal() == TEXT
    assert sys.stdin.read() == "the rest\n"
