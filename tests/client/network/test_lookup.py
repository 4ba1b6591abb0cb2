"""Names: found, not found, or looked for by a resolver that stands still."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IHostResolution, IResolutionReceiver
from zope.interface import implementer

from tests.memory import VoiceReactor
from voicechat.client.network.lookup import LONGEST, MOST_AT_ONCE, Lookups

SOON = 10.0


@implementer(IResolutionReceiver)
class Receiver:
    """Who asks."""

    def __init__(self) -> None:
        self.found: list[IAddress] = []
        self.complete = 0

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        self.resolution = resolutionInProgress

    def addressResolved(self, address: IAddress) -> None:
        self.found.append(address)

    def resolutionComplete(self) -> None:
        self.complete += 1

    def completed(self) -> int:
        """How often it was told that this is all."""
        return self.complete


class Names:
    """A resolver on a reactor in memory; what its threads bring waits for `arrive`."""

    def __init__(self) -> None:
        self.reactor = VoiceReactor()
        self._came = threading.Semaphore(0)
        self._waiting: list[Any] = []
        self.reactor.callFromThread = self._from_thread  # type: ignore[assignment]
        self.lookups = Lookups(self.reactor)

    def _from_thread(self, work: Any, *rest: Any) -> None:
        self._waiting.append((work, rest))
        self._came.release()

    def arrive(self) -> None:
        """A thread has come back."""
        assert self._came.acquire(timeout=SOON)
        work, rest = self._waiting.pop(0)
        work(*rest)

    def ask(self, name: str = "play.example.org") -> Receiver:
        """Look a name up."""
        receiver = Receiver()
        self.lookups.resolveHostName(receiver, name, 1234)
        return receiver


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The system's resolver stands still until it is set."""
    event = threading.Event()

    def wait(*_: object, **__: object) -> list[Any]:
        event.wait(SOON)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    yield event
    event.set()


def test_both_kinds_of_addresses_are_found_with_their_zone(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 1234, 0, 2)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 1234)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    asked = names.ask()
    names.arrive()
    assert asked.found == [IPv6Address("TCP", "fe80::1%2", 1234, 0, 2), IPv4Address("TCP", "192.0.2.7", 1234)]
    assert asked.complete == 1
    assert not names.reactor.getDelayedCalls()


@pytest.mark.parametrize("why", [socket.gaierror(-2, "unknown"), UnicodeError("label too long"), OSError(24, "files")])
def test_a_name_that_nobody_knows_gives_no_addresses(
    names: Names, monkeypatch: pytest.MonkeyPatch, why: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise why

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    asked = names.ask()
    names.arrive()
    assert (asked.found, asked.complete) == ([], 1)


def test_a_resolver_that_stands_still_counts_as_one_that_found_nothing(names: Names, stuck: threading.Event) -> None:
    asked = names.ask()
    names.reactor.advance(LONGEST - 0.1)
    assert asked.completed() == 0
    names.reactor.advance(0.2)
    assert (asked.found, asked.completed()) == ([], 1)
    stuck.set()
    names.arrive()
    assert asked.completed() == 1, "what comes too late is of no interest"


def test_no_more_than_some_threads_stand_still(names: Names, stuck: threading.Event) -> None:
    before = threading.active_count()
    asked = [names.ask() for _ in range(3 * MOST_AT_ONCE)]
    assert threading.active_count() - before == MOST_AT_ONCE
    names.reactor.advance(0)
    assert [one.complete for one in asked] == [0] * MOST_AT_ONCE + [1] * 2 * MOST_AT_ONCE
    stuck.set()
    for _ in range(MOST_AT_ONCE):
        names.arrive()
    again = names.ask()
    names.reactor.advance(0)
    assert not again.complete, "there is a place again"


def test_nobody_waits_for_a_thread_that_looks(names: Names, stuck: threading.Event) -> None:
    names.ask()
    (looking,) = [thread for thread in threading.enumerate() if thread.name == "looking up a name"]
    assert looking.daemon


def test_one_that_was_given_up_tells_nobody(names: Names, stuck: threading.Event) -> None:
    asked = names.ask()
    asked.resolution.cancel()
    stuck.set()
    names.arrive()
    names.reactor.advance(LONGEST)
    assert not asked.complete


def test_where_no_thread_can_be_started_nothing_is_found(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", start)
        receiver = names.ask()
    names.reactor.advance(0.0)
    assert receiver.completed() == 1
    assert receiver.found == []
