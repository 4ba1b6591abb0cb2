"""What blocks: done in a thread, one at a time, given up if it hangs."""

import threading
from collections.abc import Callable

import pytest
from twisted.internet import defer
from twisted.python.failure import Failure

from tests.memory import VoiceReactor
from voicechat.client.audio.jobs import MOST_STUCK, STUCK, Jobs
from voicechat.errors import DeviceError


class Desk:
    """Jobs whose threads run when the test says so."""

    def __init__(self) -> None:
        self.reactor = VoiceReactor()
        self.threads: list[Callable[[], None]] = []
        self.jobs = Jobs(self.reactor, self.threads.append)

    def begin(self, work: Callable[[], str]) -> list[str | type]:
        """Begin a job; what comes of it, when that is known."""
        came: list[str | type] = []
        done: defer.Deferred[str] = self.jobs.run(work)
        done.addCallbacks(came.append, lambda failure: came.append(failure.type))
        return came

    def pass_seconds(self, seconds: float) -> None:
        self.reactor.advance(seconds)


def fail() -> str:
    raise DeviceError("unplugged")


def test_a_job_gives_what_its_work_gives() -> None:
    desk = Desk()
    came = desk.begin(lambda: "opened")
    assert desk.jobs.running
    assert came == [], "not before its thread has done it"
    desk.threads.pop()()
    desk.pass_seconds(0.0)
    assert came == ["opened"]
    assert not desk.jobs.running
    assert desk.reactor.getDelayedCalls() == []


def test_a_job_fails_as_its_work_does() -> None:
    desk = Desk()
    came = desk.begin(fail)
    desk.threads.pop()()
    desk.pass_seconds(0.0)
    assert came == [DeviceError]
    assert not desk.jobs.running


def test_a_fault_of_ours_is_told_by_the_thread_and_fails_the_job() -> None:
    desk = Desk()
    came = desk.begin(lambda: str(1 // 0))
    with pytest.raises(ZeroDivisionError):
        desk.threads.pop()()
    desk.pass_seconds(0.0)
    assert came == [DeviceError]


def test_a_job_that_hangs_is_given_up_and_what_it_still_gives_is_dropped() -> None:
    desk = Desk()
    came = desk.begin(lambda: "too late")
    desk.pass_seconds(STUCK - 0.1)
    assert came == []
    assert desk.jobs.running
    desk.pass_seconds(0.1)
    assert came == [defer.TimeoutError]
    assert not desk.jobs.running
    beside = desk.begin(lambda: "in time")
    for thread in desk.threads:
        thread()
    desk.pass_seconds(0.0)
    assert came == [defer.TimeoutError]
    assert beside == ["in time"]


def test_of_jobs_that_hang_there_are_only_so_many_until_one_ends() -> None:
    desk = Desk()
    for number in range(MOST_STUCK + 1):
        assert not desk.jobs.hang, number
        desk.begin(lambda: "late")
        desk.pass_seconds(STUCK)
    assert desk.jobs.hang
    desk.threads.pop()()
    desk.pass_seconds(0.0)
    assert not desk.jobs.hang


def test_where_no_thread_can_be_started_the_job_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    reactor = VoiceReactor()
    jobs = Jobs(reactor)
    failed: list[Failure] = []
    for _ in range(MOST_STUCK + 2):
        jobs.run(fail).addErrback(failed.append)
    assert {failure.type for failure in failed} == {DeviceError}
    assert len(failed) == MOST_STUCK + 2
    assert not jobs.running
    assert not jobs.hang
    assert reactor.getDelayedCalls() == []
