"""Counters, and a log that nobody can flood."""

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger

from tests.server.house import Log
from voicechat.server.metrics import EVERY, MOST_KEYS, MOST_LINES, MOST_OF_PEOPLE, Metrics


def made() -> tuple[Metrics, Log]:
    log = Log()
    return Metrics(Logger("test", observer=log)), log


def test_events_are_counted_whether_told_or_not() -> None:
    metrics, log = made()
    for _ in range(100):
        metrics.note("bad input", "192.0.2.1", 0.0, "too long")
    metrics.count("ticks", 7)
    assert metrics.counts == {"bad input": 100, "ticks": 7}
    assert len(log.lines) == 1
    assert "bad input from 192.0.2.1: too long" in log.lines[0]


def test_the_next_line_says_how_many_were_kept_back() -> None:
    metrics, log = made()
    for n in range(50):
        metrics.note("bad input", "a", n * 0.1, "x")
    metrics.note("bad input", "a", EVERY, "x")
    assert len(log.lines) == 2
    assert "(49 more like it)" in log.lines[1]


def test_addresses_and_kinds_are_told_apart_up_to_a_number_of_lines() -> None:
    metrics, log = made()
    for n in range(100):
        metrics.note("bad input", f"192.0.2.{n}", 0.0)
    metrics.note("ban", "192.0.2.1", 0.0)
    assert len(log.lines) == MOST_LINES + 1


def test_what_is_remembered_is_bounded() -> None:
    metrics, _ = made()
    for n in range(3 * MOST_KEYS):
        metrics.note("bad input", f"address {n}", 0.0)
    assert len(metrics._next) <= MOST_KEYS


def fail(metrics: Metrics, now: float) -> None:
    try:
        dict[str, int]()["nothing"]
    except KeyError:
        metrics.failure("a tick failed", now)


def test_an_exception_is_told_with_its_traceback() -> None:
    metrics, log = made()
    fail(metrics, 0.0)
    (line,) = log.failures
    assert "a tick failed" in line
    assert "KeyError: 'nothing'" in line


def test_exceptions_in_a_row_are_told_a_few_times_and_counted() -> None:
    metrics, log = made()
    for n in range(1000):
        fail(metrics, n / 100)
    assert len(log.failures) == MOST_LINES
    fail(metrics, EVERY)
    assert len(log.failures) == MOST_LINES + 1
    assert metrics.counts["faults"] == 1001


def test_braces_and_line_breaks_of_others_do_not_break_a_line() -> None:
    metrics, log = made()
    metrics.say(f"{'{name} %s {'!r} entered")
    assert "{name} %s {" in log.lines[0]


def test_who_comes_and_goes_without_end_is_told_in_part_and_counted() -> None:
    metrics, log = made()
    for n in range(MOST_OF_PEOPLE + 30):
        metrics.people(f"{n} entered", n / 100)
    assert len(log.lines) == MOST_OF_PEOPLE
    metrics.people("the next entered", EVERY)
    assert "the next entered (30 more like it)" in log.lines[-1]
    metrics.people("one more entered", EVERY)
    assert log.lines[-1].endswith("one more entered")


def test_faults_kept_back_are_counted_with_the_next() -> None:
    metrics, log = made()
    for n in range(MOST_LINES + 7):
        fail(metrics, n / 100)
    fail(metrics, EVERY)
    assert "a tick failed (7 more like it)" in log.failures[-1]


EVENTS = st.tuples(st.sampled_from(["ban", "bad input"]), st.integers(0, 9), st.floats(0, 8))


@given(st.lists(EVENTS, max_size=200))
def test_each_line_is_told_or_counted(events: list[tuple[str, int, float]]) -> None:
    """However many addresses they are from: also those that one limit let through, and the other did not."""
    metrics, log = made()
    now = 0.0
    for name, address, later in events:
        now += later
        metrics.note(name, f"192.0.2.{address}", now)
    for name in ("ban", "bad input"):
        metrics.note(name, "192.0.2.99", now + EVERY)
        told = [line for line in log.lines if f"{name} from" in line]
        kept_back = sum(int(found[1]) for line in told if (found := re.search(r"\((\d+) more like it\)", line)))
        assert len(told) + kept_back == metrics.counts[name] == sum(event[0] == name for event in events) + 1
