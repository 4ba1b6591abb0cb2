"""A log that stands still, flows again, breaks, and ends."""

import re
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.application.service import Application
from twisted.logger import ILogObserver, LogEvent, Logger, eventAsText
from twisted.scripts.twistd import ServerOptions  # type: ignore[attr-defined]

from voicechat.server.log import LAST_MOMENT, MOST_WAITING, LoggedServices, PatientLog
from voicechat.server.sinks import LogLine

SOON = 20.0
"""A deadline for what takes a thousandth of a second."""


class Valve:
    """Where lines go: open, shut (who writes waits) or broken (it fails)."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.broken = False
        self.fault: Exception | None = None
        self.written: list[str] = []
        self.files = 1

    def line(self, event: LogEvent) -> LogLine | None:
        text = eventAsText(event, includeTimestamp=False, includeSystem=False)
        return LogLine(text) if text else None

    def write(self, line: LogLine) -> None:
        assert self.open.wait(SOON)
        if self.broken:
            raise OSError
        if self.fault is not None:
            raise self.fault
        self.written.append(line.text)

    def rotate(self) -> None:
        self.files += 1


def made() -> tuple[Valve, PatientLog, Logger]:
    valve = Valve()
    log = PatientLog(valve)
    return valve, log, Logger("test", observer=log)


def told(lines: list[str]) -> list[int | None]:
    """Numbers of the lines that were written; in the place of each that was left out, as a note counts them, None."""
    found: list[int | None] = []
    for line in lines:
        note = re.fullmatch(r"(\d+) lines were left out", line)
        found += [None] * int(note[1]) if note else [int(line)]
    return found


def test_what_stands_still_holds_nobody_up_and_what_is_left_out_is_told_in_its_place() -> None:
    valve, log, logger = made()
    log.begin()
    for n in range(10 * MOST_WAITING):
        logger.info("{n}", n=n)
    assert len(log._waiting) <= MOST_WAITING + 1
    valve.open.set()
    log.end(SOON)
    logger.info("{n}", n=10 * MOST_WAITING)
    found = told(valve.written)
    assert len(found) == 10 * MOST_WAITING + 1
    assert found == [n if number is not None else None for n, number in enumerate(found)]
    assert found.count(None) >= 9 * MOST_WAITING - 1
    assert found[-1] == 10 * MOST_WAITING


STEPS = st.one_of(
    st.tuples(st.just("log"), st.integers(1, 2 * MOST_WAITING)),
    st.tuples(st.sampled_from(["open", "shut", "break", "mend", "rotate"]), st.just(0)),
)


@settings(max_examples=30)
@given(st.lists(STEPS, max_size=12))
def test_every_line_is_written_or_counted_in_its_place(steps: list[tuple[str, int]]) -> None:
    valve, log, logger = made()
    log.begin()
    count = 0
    for step, number in steps:
        for _ in range(number):
            logger.info("{n}", n=count)
            count += 1
        if step == "rotate":
            log.rotate()
        elif step in ("open", "shut"):
            (valve.open.set if step == "open" else valve.open.clear)()
        else:
            valve.broken = step == "break"
    valve.open.set()
    log.end(SOON)
    valve.broken = False
    logger.info("{n}", n=count)  # what a broken one left out is told with the next line
    found = told(valve.written)
    assert found == [n if number is not None else None for n, number in enumerate(found)]
    assert len(found) == count + 1


def test_what_comes_before_the_thread_is_written_by_it() -> None:
    """Twistd forks between its first line and the service, and no thread lives through that."""
    valve, log, logger = made()
    valve.open.set()
    logger.info("1")
    assert [thread for thread in threading.enumerate() if thread is log._thread] == []
    log.begin()
    log.end(SOON)
    assert valve.written == ["1"]


def test_the_end_waits_for_each_last_line_but_not_for_one_that_stands_still() -> None:
    valve, log, logger = made()
    logger.info("1")
    valve.open.set()
    log.end(SOON)
    logger.info("2")
    assert valve.written == ["1", "2"]
    stuck, log, logger = made()
    logger.info("1")
    log.end(0.0)
    until = log._until
    logger.info("2")
    log.end()
    assert log._until == until, "there is one moment, for all of them"
    assert LAST_MOMENT <= 1.0
    stuck.open.set()


def test_a_line_made_by_a_line_does_not_block() -> None:
    """Destructors log, at any moment."""
    valve, log, logger = made()
    valve.open.set()

    class Dying:
        def __str__(self) -> str:
            logger.info("the inner")
            return "the outer"

    with log._changed:
        logger.info("{it}", it=Dying())
    log.end(SOON)
    assert valve.written == ["the inner", "the outer"]


def test_a_new_file_begins_where_it_was_asked_for() -> None:
    valve, log, _ = made()
    for _ in range(1000):
        log.rotate()
    assert len(log._waiting) == 1
    valve.open.set()
    log.end(SOON)
    assert valve.files == 2


def test_an_application_logs_by_what_its_services_bring() -> None:
    _, log, _ = made()
    application: Any = Application("test")
    LoggedServices(log).setServiceParent(application)
    assert application.getComponent(ILogObserver) is log
    assert ServerOptions()["logger"] is None, "which would be asked first"


def test_a_fault_of_any_kind_in_a_line_costs_that_line_alone() -> None:
    valve, log, logger = made()
    valve.open.set()
    valve.fault = RuntimeError("a sink's")
    log.begin()
    logger.info("1")
    with log._changed:
        assert log._changed.wait_for(lambda: log._lost == 1, SOON)
    valve.fault = None
    logger.info("2")
    log.end(SOON)
    assert told(valve.written) == [None, 2]


def test_where_no_thread_can_be_started_the_server_ends_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    valve, log, logger = made()
    valve.open.set()
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(SystemExit, match=r"^voicechat: cannot begin: .* allow more processes"):
        LoggedServices(log).privilegedStartService()
    logger.info("the last words")
    log.end(0.0)
    assert valve.written == ["the last words"]
