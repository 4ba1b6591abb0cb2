"""Counters, and a log that nobody can flood."""

from twisted.logger import Logger

from tests.server.house import Log
from voicechat.server.metrics import EVERY, MOST_KEYS, MOST_LINES, Metrics


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
