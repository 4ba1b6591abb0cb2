from pathlib import Path

import numpy as np
import pytest

from demo import __main__ as demo
from demo.compare import Figure, Hearing, Listening
from demo.picture import draw
from demo.timeline import Track
from testkit.processes import Child, End, follow
from voicechat.format import SAMPLE_RATE

STATS = {
    "bytes": {"in": 3000, "out": 6000},
    "frames": {"sent": 50, "played": 40, "recovered": 1, "concealed": 2, "silent": 3, "late": 4, "dropped": 5},
    "path": "tcp",
    "wav": {"in_start_ns": 5, "out_start_ns": 7},
}
TONE = (0.1 * np.sin(np.arange(2 * SAMPLE_RATE) / 10)).astype(np.float32)
GOOD, NONE = Figure(0.93, 20), Figure(0.0, 0)


def call() -> demo.Call:
    tracks = {name: Track(TONE, 10**9) for name in ("Ann", "Ben")}
    ends = {"server": End(0, 0.5, 30.0), "Ann": End(0, 2.0, 60.0)}
    return demo.Call(tracks, tracks, {"Ann": STATS, "Ben": STATS}, ends)


def judged() -> list[Listening]:
    ann = Listening(
        "Ann", (Hearing("Ben", 61.2, 97.9, GOOD, GOOD, Figure(0.71, 9)),), GOOD, Figure(0.01, 9), Figure(0.2, 9)
    )
    ben = Listening("Ben", (Hearing("Ann", None, None, NONE, NONE, NONE),), NONE, NONE, NONE)
    return [ann, ben]


def test_the_table_tells_likeness_delay_bytes_and_cpu() -> None:
    lines = demo.table(call(), judged()).splitlines()
    ann = lines.index("Ann hears")
    assert lines[ann + 1].split() == ["Ben", "0.93", "0.93", "0.71", "61", "ms", "98", "ms"]
    assert lines[ann + 2].split() == ["all", "together", "0.93"]
    assert lines[ann + 3].split() == ["own", "voice", "0.01", "0.20"]
    assert "3000 bytes/s out, 1500 in, by tcp" in lines[ann + 4]
    assert "40 played, 1 recovered, 2 concealed, 4 late, 5 dropped" in lines[ann + 4]
    assert lines[-1].strip() == "server 1.0, Ann 2.0"


def test_what_was_not_measured_is_a_dash() -> None:
    lines = demo.table(call(), judged()).splitlines()
    ben = lines.index("Ben hears")
    assert lines[ben + 1].split() == ["Ann", "-", "-", "-", "-", "-"]


def test_the_table_fits_a_terminal() -> None:
    assert max(map(len, demo.table(call(), judged()).splitlines())) <= 110


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    draw(tmp_path / "demo.png", call().said, call().heard, judged())
    assert (tmp_path / "demo.png").read_bytes()[:4] == b"\x89PNG"


def test_silence_can_be_drawn_too(tmp_path: Path) -> None:
    silent = {"Ann": Track(np.zeros(SAMPLE_RATE, np.float32), 0)}
    draw(tmp_path / "demo.png", silent, silent, [Listening("Ann", (), NONE, NONE, NONE)])
    assert (tmp_path / "demo.png").stat().st_size > 0


def test_no_password_stands_in_a_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "command", lambda name: name)
    secret = tmp_path / "password"
    for words in (demo.server_command(1, secret), demo.client_command("Ann", 1, secret, 2.0, tmp_path)):
        assert "--password-file" in words
        assert "--password" not in words


def test_a_client_that_fails_ends_the_demo_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = "import socket,sys\ns = socket.create_server(('127.0.0.1', {port}))\nwhile True: s.accept()"
    monkeypatch.setattr(demo, "OUT", tmp_path)
    monkeypatch.setattr(demo, "server_command", lambda port, _: ["python3", "-c", server.format(port=port)])
    monkeypatch.setattr(
        demo, "client_command", lambda *_: ["python3", "-c", "raise SystemExit('the password was refused')"]
    )
    assert demo.main() == 1
    assert "ended with status 1: the password was refused" in capsys.readouterr().err


def test_a_server_that_cannot_start_ends_the_demo_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "OUT", tmp_path)
    monkeypatch.setattr(demo, "server_command", lambda *_: ["python3", "-c", "raise SystemExit('no luck')"])
    assert demo.main() == 1
    assert "demo: server ended with status 1: no luck" in capsys.readouterr().err


def test_clients_that_leave_nothing_behind_end_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = "import signal,socket,sys\nsignal.signal(15, lambda *_: sys.exit(0))\n"
    server += "s = socket.create_server(('127.0.0.1', {port}))\nwhile True: s.accept()"
    monkeypatch.setattr(demo, "OUT", tmp_path)
    monkeypatch.setattr(demo, "server_command", lambda port, _: ["python3", "-c", server.format(port=port)])
    monkeypatch.setattr(demo, "client_command", lambda *_: ["true"])
    assert demo.main() == 1
    assert "Ann left nothing to judge by" in capsys.readouterr().err


def test_a_line_of_a_client_is_told_with_the_time_and_his_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child = Child("Ann", ["echo", "Ben talks"], tmp_path / "log", demo._teller("Ann", 0.0))
    assert follow([child], 20, lambda: child.end is not None)
    assert " s  Ann: Ben talks\n" in capsys.readouterr().out


def test_a_reader_who_has_seen_enough_ends_it_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(out: Path, *, browser: bool = False) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(demo, "run", broken)
    assert demo.main() == 1
    assert capsys.readouterr() == ("", "")


def test_a_folder_that_cannot_be_written_to_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "out").touch()
    monkeypatch.setattr(demo, "OUT", tmp_path / "out" / "demo")
    assert demo.main() == 1
    told = capsys.readouterr()
    assert told.err.startswith("demo: ")
    assert told.err.count("\n") == 1
    assert "Not a directory" in told.err
