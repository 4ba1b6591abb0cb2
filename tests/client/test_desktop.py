"""A click on a link: the entry that is written, and what the desktop makes of it."""

import configparser
import os
import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voicechat.client import cli, desktop
from voicechat.errors import ConfigError

PROGRAM = """#!/bin/sh
echo "$(basename "$0") $*" >>"$ASKED"
exit $ENDS
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home, with a desktop's two programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("update-desktop-database", "xdg-mime"):
        (folder / name).write_text(PROGRAM)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("ENDS", "0")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "my env" / "voicechat-client"), "--install-desktop"])
    return tmp_path


def read(path: Path) -> configparser.SectionProxy:
    parsed = configparser.RawConfigParser(delimiters=("=",))
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read(path, "utf-8")
    return parsed["Desktop Entry"]


def test_the_entry_starts_this_client_with_the_link_in_a_terminal(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--install-desktop"]) == 0
    target = home / ".local/share/applications/voicechat.desktop"
    entry = read(target)
    assert shlex.split(entry["Exec"]) == [str(home / "my env" / "voicechat-client"), "%u"]
    assert (entry["Type"], entry["Terminal"], entry["MimeType"]) == (
        "Application",
        "true",
        "x-scheme-handler/voicechat;",
    )
    assert (home / "asked").read_text().splitlines() == [
        f"update-desktop-database {target.parent}",
        "xdg-mime default voicechat.desktop x-scheme-handler/voicechat",
    ]
    assert capsys.readouterr().out.startswith(f"written: {target}\na click on a voicechat:// link starts")


def test_the_data_folder_may_be_elsewhere_and_a_relative_one_is_none(home: Path) -> None:
    assert desktop.place({"XDG_DATA_HOME": "/data", "HOME": "/h"}) == Path("/data/applications")
    for relative in ("", "data"):
        assert desktop.place({"XDG_DATA_HOME": relative, "HOME": "/h"}) == Path("/h/.local/share/applications")
    with pytest.raises(ConfigError, match="HOME"):
        desktop.place({})


def test_a_second_time_changes_nothing_and_another_client_takes_its_place(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop.install(os.environ)
    target = home / ".local/share/applications/voicechat.desktop"
    before = target.stat()
    assert desktop.install(os.environ).startswith(f"already there: {target}")
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    monkeypatch.setattr(sys, "argv", ["/opt/voicechat/bin/voicechat-client"])
    assert desktop.install(os.environ).startswith(f"written: {target}")
    assert read(target)["Exec"] == "/opt/voicechat/bin/voicechat-client %u"
    assert {file.name for file in target.parent.iterdir()} == {"voicechat.desktop"}


@pytest.mark.parametrize("there", [True, False])
def test_without_a_desktop_that_takes_it_the_line_to_type_is_told(
    there: bool, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDS", "3")
    if not there:
        monkeypatch.setenv("PATH", str(home))
    told = desktop.install(os.environ)
    assert told.splitlines()[1].endswith("xdg-mime default voicechat.desktop x-scheme-handler/voicechat")
    assert (home / ".local/share/applications/voicechat.desktop").exists()


def test_a_folder_that_cannot_be_written_ends_with_78_and_a_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".local").write_text("a file")
    assert cli.main(["--install-desktop"]) == 78
    assert capsys.readouterr().err.startswith("voicechat-client: cannot write ")


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_elsewhere_it_says_what_it_is_for(system: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(ConfigError, match="Linux"):
        desktop.install(os.environ)
    assert not (home / ".local").exists()


def unquoted(text: str) -> str:
    """As the specification reads a word of Exec: the value's escapes, then those within quotes, then percent signs."""
    text = text.replace("\\\\", "\\")
    if text.startswith('"'):
        inner, result, at = text[1:-1], "", 0
        while at < len(inner):
            at += inner[at] == "\\"
            result += inner[at]
            at += 1
        text = result
    assert "%" not in text.replace("%%", ""), "a field code"
    return text.replace("%%", "%")


@example("100 %u/$HOME/`x`\\")
@given(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs", "Cc"]), min_size=1))
def test_whatever_the_path_it_is_read_as_it_was(path: str) -> None:
    assert unquoted(desktop.quoted(f"/{path}")) == f"/{path}"


@pytest.mark.parametrize("path", ["/a\nExec=evil", "/a\r"])
def test_a_path_cannot_add_a_line(path: str) -> None:
    with pytest.raises(ConfigError):
        desktop.entry(path)
