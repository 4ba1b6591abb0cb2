"""The words that voicechat-ctl is given, without a client."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.remote import ctl
from voicechat.client.remote.lines import line_of
from voicechat.client.remote.words import LONGEST_LINE, WORDS

ARGUMENTS = st.lists(
    st.sampled_from([*WORDS, "--json", "--socket", "--socket=x", "--socket=", "--", "-6", "--frob"])
    | st.text(max_size=5),
    max_size=5,
)


@pytest.mark.parametrize(
    ("given_words", "parted"),
    [
        (["mute"], (["mute"], "", False)),
        (["--socket", "x", "mute"], (["mute"], "x", False)),
        (["mute", "--socket=x=y"], (["mute"], "x=y", False)),
        (["stats", "--json"], (["stats"], "", True)),
        (["volume", "Ben", "-6"], (["volume", "Ben", "-6"], "", False)),
        (["volume", "--", "--Ben", "-6"], (["volume", "--Ben", "-6"], "", False)),
        (["say", "--json", "--help"], (["say", "--json", "--help"], "", False)),
    ],
)
def test_options_stand_anywhere_but_in_what_is_said(
    given_words: list[str], parted: tuple[list[str], str, bool]
) -> None:
    assert ctl._parted(given_words) == parted


@given(ARGUMENTS)
def test_any_arguments_are_a_word_with_what_it_needs_or_a_usage_error(arguments: list[str]) -> None:
    try:
        word, rest = ctl._understood(ctl._parted(list(arguments))[0])
    except ctl.Failed as failed:
        assert failed.code == ctl.USAGE  # noqa: PT017  a word may come, too
        return
    assert len(rest) == len(WORDS[word][0].split())


def test_what_is_said_is_one_text() -> None:
    assert ctl._understood(["say", "back", "in five"]) == ("say", ["back in five"])


def test_what_is_no_text_is_told_before_anybody_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl.main(["say", os.fsdecode(b"caf\xe9")]) == ctl.USAGE
    assert ctl.main(["volume", os.fsdecode(b"\xff"), "-6"]) == ctl.USAGE
    assert ctl.main([os.fsdecode(b"\xff")]) == ctl.USAGE
    assert ctl.main([os.fsdecode(b"--\xff")]) == ctl.USAGE
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert lines[0] == "voicechat-ctl: what follows the word is not UTF-8 text"


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket of ours that listens; the test answers."""
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(tmp_path / "s"))
        there.listen(1)
        yield there


def asked(there: socket.socket, answer: Callable[[socket.socket], object]) -> ctl.Failed:
    """How voicechat-ctl takes an answer that is none."""

    def serve() -> None:
        peer, _ = there.accept()
        with peer, contextlib.suppress(OSError):
            answer(peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with pytest.raises(ctl.Failed) as failed:
            ctl.ask(there.getsockname(), {"word": "mute"})
    finally:
        thread.join()
    return failed.value


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", ctl.NO_ANSWER),
        (b"\n", ctl.NOT_UNDERSTOOD),
        (b"\xff\xfe\n", ctl.NOT_UNDERSTOOD),
        (b"[" * 100_000 + b"\n", ctl.NOT_UNDERSTOOD),
        (b"[]\n", ctl.NOT_UNDERSTOOD),
        (b'{"error": ["x"]}\n', ctl.CANNOT),
        (b"HTTP/1.1 400 Bad Request\r\n", ctl.NOT_UNDERSTOOD),
    ],
)
def test_an_answer_that_is_none_has_its_code(answering: socket.socket, answer: bytes, code: int) -> None:
    def reply(peer: socket.socket) -> None:
        peer.recv(100)
        peer.sendall(answer)

    assert asked(answering, reply).code == code


class Trickle:
    """The other end sends byte by byte, each within the time for one."""

    sent = 0

    def settimeout(self, seconds: float) -> None:
        """There is some left."""
        assert seconds > 0

    def recv(self, most: int) -> bytes:
        """The next byte."""
        self.sent += 1
        return b"x"


def test_an_answer_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is for all of it; here each look at the clock takes a second."""
    monkeypatch.setattr("time.monotonic", map(float, range(1000)).__next__)
    trickle = Trickle()
    with pytest.raises(TimeoutError):
        line_of(cast(socket.socket, trickle), ctl.LONGEST_ANSWER, ctl.PATIENCE)
    assert trickle.sent <= ctl.PATIENCE


def test_a_text_that_is_too_long_is_told_before_anybody_is_asked(answering: socket.socket) -> None:
    with pytest.raises(ctl.Failed, match="too long") as failed:
        ctl.ask(answering.getsockname(), {"word": "say", "rest": ["x" * LONGEST_LINE]})
    assert failed.value.code == ctl.CANNOT


@pytest.mark.parametrize("path", ["/tmp/" + "x" * 200, "/no/such/socket", "/etc/passwd", "/etc/passwd/x", "/", "~x/y"])
def test_a_path_where_nobody_listens_is_told(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl.main(["mute", "--socket", path]) == ctl.NOBODY
    assert capsys.readouterr().err.count("\n") == 1


def test_the_home_folder_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ctl.main(["mute", "--socket", "~/none"]) == ctl.NOBODY
    assert capsys.readouterr().err == f"voicechat-ctl: no client listens on {tmp_path}/none\n"
