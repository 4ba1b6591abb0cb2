"""Errors of sockets in words, also those that only Windows has."""

import errno
import os

import pytest
from twisted.internet.error import ConnectError
from twisted.python.failure import Failure

from voicechat.client.network import reasons


def told(number: int) -> str:
    return reasons.reason(Failure(ConnectError(osError=number)))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (10013, "this machine's firewall forbids it"),
        (10050, "this machine's network is down"),
        (10051, "there is no way to it from this network"),
        (10064, "it does not answer"),
        (10065, "there is no such machine in this network"),
    ],
)
def test_a_number_of_windows_has_words_of_ours(number: int, words: str) -> None:
    """os.strerror, which knows errno's numbers alone, says "Unknown error" of these."""
    assert told(number) == words


def test_another_number_has_the_systems_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(errno.ENOBUFS) == "no buffer space available"
    monkeypatch.setattr(reasons, "words_of", lambda number: f"Fehler Nummer {number}")
    assert told(10055) == "fehler Nummer 10055", "of words that may be German only the first letter is made small"


def test_errno_and_windows_do_not_share_a_number() -> None:
    windows = {reasons.WSAEACCES, reasons.WSAENETDOWN, reasons.WSAENETUNREACH, reasons.WSAEHOSTUNREACH}
    here = {number for name, number in vars(errno).items() if name.startswith("E")}
    assert os.name != "posix" or not windows & here
