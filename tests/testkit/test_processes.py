import os
import signal
import socket
import stat
import sys
from pathlib import Path

import pytest

from testkit import processes
from testkit.processes import Child, ends_as_interrupt, follow, free_port, password_file, stop, wait_for_port

SOON = 20.0
"""A deadline for what takes a tenth of a second on an idle machine."""


def python(program: str, folder: Path, **rest: object) -> Child:
    return Child("child", [sys.executable, "-c", program], folder / "child.log", **rest)  # type: ignore[arg-type]


def ended(*children: Child) -> bool:
    return follow(children, SOON, lambda: all(child.end is not None for child in children))


def test_lines_are_told_as_they_come_and_kept_in_the_log(tmp_path: Path) -> None:
    told: list[str] = []
    child = python(
        "import sys; print('one\\ntwo'); print('three', end='', file=sys.stderr)", tmp_path, tell=told.append
    )
    assert ended(child)
    assert told == ["one", "two", "three"]
    assert child.written() == (tmp_path / "child.log").read_text() == "one\ntwo\nthree"


def test_a_good_end_is_no_failure_and_its_cost_is_known(tmp_path: Path) -> None:
    child = python("sum(range(10**6))", tmp_path)
    assert child.failure() is None
    assert ended(child)
    assert child.failure() is None
    assert child.end is not None
    assert child.end.status == 0
    assert 0 < child.end.cpu_seconds <= 2 * child.end.seconds


def test_a_failure_is_told_in_one_line_with_the_last_lines_of_the_log(tmp_path: Path) -> None:
    child = python("for k in range(9): print('line', k)\nraise SystemExit(74)", tmp_path)
    assert ended(child)
    assert child.failure() == "child ended with status 74: line 5 | line 6 | line 7 | line 8"


def test_a_child_that_says_nothing_and_is_killed_is_told_as_well(tmp_path: Path) -> None:
    child = python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", tmp_path)
    assert ended(child)
    assert child.failure() == "child ended with SIGKILL: it wrote nothing"


def test_several_are_followed_at_once_and_a_deadline_ends_the_waiting(tmp_path: Path) -> None:
    slow = Child("slow", ["sleep", "600"], tmp_path / "slow.log")
    quick = python("print('done')", tmp_path)
    try:
        assert follow([slow, quick], SOON, lambda: quick.end is not None)
        assert slow.end is None
        assert not follow([slow, quick], 0.0, lambda: slow.end is not None)
    finally:
        stop([slow, quick])
    assert slow.end is not None
    assert slow.end.status == -signal.SIGTERM


def test_who_does_not_end_when_asked_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.2)
    ready: list[str] = []
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); signal.pause()"
    child = python(deaf, tmp_path, tell=ready.append)
    assert follow([child], SOON, lambda: bool(ready))
    stop([child])
    assert child.end is not None
    assert child.end.status == -signal.SIGKILL


def test_stopping_again_is_nothing(tmp_path: Path) -> None:
    child = python("pass", tmp_path)
    stop([child])
    end = child.end
    stop([child])
    assert end is not None
    assert child.end is end


def test_a_server_that_listens_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    program = f"import socket; s = socket.create_server(('127.0.0.1', {port})); s.accept(); s.accept()"
    child = python(program, tmp_path)
    try:
        assert wait_for_port(child, port) is None
    finally:
        stop([child])


def test_a_server_that_ends_instead_of_listening_is_told_at_once(tmp_path: Path) -> None:
    child = python("raise SystemExit('no password')", tmp_path)
    assert wait_for_port(child, free_port()) == "child ended with status 1: no password"


def test_a_free_port_can_be_taken_for_both_protocols() -> None:
    port = free_port()
    with socket.socket(type=socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", port))
        udp.bind(("127.0.0.1", port))


def test_the_password_is_fresh_and_its_file_private_and_gone_afterwards() -> None:
    with password_file() as (first, path), password_file() as (second, _):
        assert path.read_text() == first + "\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert first != second
        assert len(first) == 14, "three groups of four letters that are easy to read out"
        assert not first.startswith("-"), "or the command line takes it for an option"
    assert not path.exists()


def test_sigterm_ends_the_body_like_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), ends_as_interrupt():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_missing_command_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-command is not installed"):
        processes.command("no-such-command")


def test_the_users_own_settings_do_not_reach_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICECHAT_PASSWORD", "other")
    ours = {name: value for name, value in processes.environment().items() if name.startswith("VOICECHAT_")}
    assert ours == {"VOICECHAT_CONFIG": os.devnull, "VOICECHAT_MAP_PORT": "no"}
