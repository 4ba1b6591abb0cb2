"""A log that nobody can flood."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger

from tests.server.house import Log
from voicechat.server.eventlog import EVERY, MOST_KEYS, MOST_LINES, MOST_OF_PEOPLE, Event, EventLog
from voicechat.server.metrics import Metrics


def made() -> tuple[EventLog, Metrics, Log]:
    log, metrics = Log(), Metrics()
    return EventLog(metrics, Logger("test", observer=log)), metrics, log


@pytest.mark.parametrize("event", Event)
def test_each_line_is_a_sentence_with_the_address_in_its_place(event: Event) -> None:
    """Programs that ban addresses, such as fail2ban, look for it there."""
    events, _, log = made()
    events.note(event, "192.0.2.1", 0.0, "a {reason}")
    (line,) = log.lines
    assert re.search(r"\bfrom 192\.0\.2\.1\b", line)
    assert re.search(r" (failed|are|was|were|came) ?", line), "it has a verb"
    assert ("a {reason}" in line) == ("{what}" in event.value)


def test_what_many_of_one_address_do_is_a_line_and_a_count() -> None:
    events, metrics, log = made()
    for _ in range(100):
        events.note(Event.BAD_INPUT, "192.0.2.1", 0.0, "too long")
    assert len(log.lines) == 1
    assert "bad input came from 192.0.2.1: too long" in log.lines[0]
    assert metrics.log_lines_kept_back_total.value == 99


def test_the_next_line_says_how_many_were_kept_back() -> None:
    events, _, log = made()
    for n in range(50):
        events.note(Event.BAD_INPUT, "a", n * 0.1, "x")
    events.note(Event.BAD_INPUT, "a", EVERY, "x")
    assert len(log.lines) == 2
    assert "(49 more like it)" in log.lines[1]


def test_addresses_and_kinds_are_told_apart_up_to_a_number_of_lines() -> None:
    events, _, log = made()
    for n in range(100):
        events.note(Event.BAD_INPUT, f"192.0.2.{n}", 0.0)
    events.note(Event.BAN, "192.0.2.1", 0.0)
    assert len(log.lines) == MOST_LINES + 1


def test_what_is_remembered_is_bounded() -> None:
    events, _, _ = made()
    for n in range(3 * MOST_KEYS):
        events.note(Event.BAD_INPUT, f"address {n}", 0.0)
    assert len(events._next) <= MOST_KEYS


def fail(events: EventLog, now: float) -> None:
    try:
        dict[str, int]()["nothing"]
    except KeyError:
        events.failure("a tick failed", now)


def test_an_exception_is_told_with_its_traceback() -> None:
    events, _, log = made()
    fail(events, 0.0)
    (line,) = log.failures
    assert "a tick failed" in line
    assert "KeyError: 'nothing'" in line


def test_exceptions_in_a_row_are_told_a_few_times_and_counted() -> None:
    events, metrics, log = made()
    for n in range(1000):
        fail(events, n / 100)
    assert len(log.failures) == MOST_LINES
    fail(events, EVERY)
    assert len(log.failures) == MOST_LINES + 1
    assert metrics.faults_total.value == 1001


def test_braces_and_line_breaks_of_others_do_not_break_a_line() -> None:
    events, _, log = made()
    events.server(f"{'{name} %s {'!r} entered")
    assert "{name} %s {" in log.lines[0]


def test_who_comes_and_goes_without_end_is_told_in_part_and_counted() -> None:
    events, _, log = made()
    for n in range(MOST_OF_PEOPLE + 30):
        events.people(f"{n} entered", n / 100)
    assert len(log.lines) == MOST_OF_PEOPLE
    events.people("the next entered", EVERY)
    assert "the next entered (30 more like it)" in log.lines[-1]
    events.people("one more entered", EVERY)
    assert log.lines[-1].endswith("one more entered")


def test_faults_kept_back_are_counted_with_the_next() -> None:
    events, _, log = made()
    for n in range(MOST_LINES + 7):
        fail(events, n / 100)
    fail(events, EVERY)
    assert "a tick failed (7 more like it)" in log.failures[-1]


def test_at_the_end_it_is_told_what_no_next_line_told() -> None:
    events, _, log = made()
    for n in range(20):
        events.note(Event.WRONG_PASSWORD, "192.0.2.1", n / 10)
    for n in range(MOST_OF_PEOPLE + 3):
        events.people(f"{n} entered", n / 100)
    events.close()
    assert "19 more lines were kept back like: a login from ... failed: wrong password" in log.lines[-2]
    assert "3 more lines were kept back like: people who came or went" in log.lines[-1]
    told = len(log.lines)
    events.close()
    assert len(log.lines) == told


KINDS = (Event.BAN, Event.BAD_INPUT)
EVENTS = st.tuples(st.sampled_from(KINDS), st.integers(0, 9), st.floats(0, 8))


@given(st.lists(EVENTS, max_size=200))
def test_each_line_is_told_or_counted(happened: list[tuple[Event, int, float]]) -> None:
    """However many addresses they are from: also those that one limit let through, and the other did not."""
    events, metrics, log = made()
    now = 0.0
    for event, address, later in happened:
        now += later
        events.note(event, f"192.0.2.{address}", now)
    all_kept_back = 0
    for event in KINDS:
        events.note(event, "192.0.2.99", now + EVERY)
        told = [line for line in log.lines if event.value[:8] in line]
        kept_back = sum(int(found[1]) for line in told if (found := re.search(r"\((\d+) more like it\)", line)))
        assert len(told) + kept_back == sum(one[0] is event for one in happened) + 1
        all_kept_back += kept_back
    assert metrics.log_lines_kept_back_total.value == all_kept_back
