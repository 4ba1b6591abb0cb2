"""The file of --log: what is in it, and what never is."""

import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from twisted.logger import Logger

from voicechat.client.ui import logfile
from voicechat.client.ui.line import Console
from voicechat.client.ui.logfile import LogFile, Logged
from voicechat.errors import ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "call.log"


def begun(path: Path, **chosen: object) -> LogFile:
    return LogFile(str(path), chosen, lambda: "21:04")


def test_what_the_player_is_told_is_there_and_what_friends_write_is_not(path: Path) -> None:
    log = begun(path)
    out, err = (path.with_name(name).open("w+", encoding="utf-8") for name in ("out", "err"))
    notices = Logged(Console(out, err), log)
    notices.say("you are in as Ann")
    notices.people("Ben joined")
    notices.chat("[21:04] Ben: my password is hunter2")
    notices.trouble("the line broke")
    notices.talk("Ben talks")
    notices.warn("no microphone found")
    log.end(69, {"packets": {"in": 7}})
    log.close(5.0)
    lines = path.read_text().splitlines()
    assert lines[1:] == [
        "21:04 say        you are in as Ann",
        "21:04 people     Ben joined",
        "21:04 chat       (a line of 35 letters)",
        "21:04 trouble    the line broke",
        "21:04 talk       Ben talks",
        "21:04 warn       no microphone found",
        '21:04 figures    {"packets": {"in": 7}}',
        "21:04 ended      69",
    ]
    assert lines[0].startswith("21:04 voicechat  ")
    assert "hunter2" not in path.read_text()


def test_options_are_there_but_no_secret(path: Path) -> None:
    log = begun(path, host="play.example.org", port=1234, password="hunter2", quality="high", stats=None)
    log.close(5.0)
    assert path.read_text().splitlines()[1:] == [
        "21:04 option     host = play.example.org",
        "21:04 option     quality = high",
    ]


def test_it_is_its_owners_alone_and_begins_anew(path: Path) -> None:
    path.write_text("of yesterday\n")
    path.chmod(0o644)
    begun(path).close(5.0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "yesterday" not in path.read_text()


def test_a_fault_is_there_with_where_it_came_from(path: Path) -> None:
    log = begun(path)
    with suppress(ValueError), Logger().failuresHandled("a turn failed"):
        int("what is this")
    Logger().info("all is well")
    log.close(5.0)
    told = path.read_text()
    assert "a turn failed" in told
    assert "ValueError: invalid literal for int() with base 10: 'what is this'" in told
    assert "test_logfile.py" in told
    assert "all is well" not in told
    Logger().warn("afterwards")
    assert "afterwards" not in path.read_text()


def test_a_flood_does_not_fill_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "MOST_BYTES", 2000)
    log = begun(path)
    for number in range(200):
        log.write("say", f"line {number} " + "é" * 20)
        if number % 50 == 0:
            log._lines.flush(5.0)
    log.close(5.0)
    assert 1000 < path.stat().st_size <= 2000
    assert path.read_text().endswith("\n")


def test_what_cannot_be_written_is_told_before_the_call(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place, why in (
        (tmp_path / "none" / "call.log", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "pipe", "nobody reads this pipe"),
    ):
        with pytest.raises(ConfigError, match=why):
            begun(place)
