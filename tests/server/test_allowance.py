"""What one participant may send."""

from collections.abc import Callable

import pytest
from twisted.logger import Logger

from voicechat.errors import WireError
from voicechat.server.allowance import EXCESS, ParticipantAllowance
from voicechat.server.eventlog import EventLog
from voicechat.server.limits import Limits, media_bytes
from voicechat.server.metrics import Metrics, OverLimit

LIMITS = Limits()


def allowance(metrics: Metrics | None = None) -> ParticipantAllowance:
    metrics = metrics or Metrics()
    return ParticipantAllowance(LIMITS, metrics, EventLog(metrics, Logger("test")), "192.0.2.1", 24_000, 0.0)


def passed(ask: Callable[[float], bool], a_second: float, seconds: float) -> int:
    """Of so many a second, those that may pass."""
    return sum(ask(number / a_second) for number in range(round(a_second * seconds)))


def test_what_a_friend_sends_passes() -> None:
    """A frame every 20 ms, probes and answers while a line is measured, and a text now and then."""
    allowed = allowance()
    assert passed(allowed.datagram, 50 + 10 + 10, 60) == 70 * 60
    assert passed(lambda now: allowed.media(now, 100), 50, 60) == 50 * 60
    assert passed(allowed.message, 10, 60) == 600
    assert passed(allowed.control, 1, 60) == passed(allowed.text, 1, 60) == 60


def test_what_is_over_the_limit_is_dropped_and_counted() -> None:
    metrics = Metrics()
    allowed = allowance(metrics)
    let_in = passed(allowed.datagram, 500, 10)
    assert let_in == pytest.approx(LIMITS.datagrams_burst + 10 * LIMITS.datagrams_a_second, rel=0.01)
    assert metrics.over_limit_total[OverLimit.DATAGRAM].value == 5000 - let_in


def test_bytes_count_as_packets_do() -> None:
    """A packet of the largest size fits the number, and not the bytes."""
    metrics = Metrics()
    allowed = allowance(metrics)
    let_in = passed(lambda now: allowed.media(now, 1200), 50, 10)
    assert let_in == pytest.approx(LIMITS.media_share * media_bytes(24_000) * 11 / 1200, rel=0.01)
    assert metrics.over_limit_total[OverLimit.MEDIA].value == 500 - let_in


@pytest.mark.parametrize("kinds", [("datagram",), ("media",), ("datagram", "media")])
def test_ten_times_too_much_for_some_seconds_ends_it(kinds: tuple[str, ...]) -> None:
    """However it is shared out between media and the rest."""

    def flood(a_second: float, seconds: float) -> None:
        allowed = allowance()
        asked = {"datagram": allowed.datagram, "media": lambda now: allowed.media(now, 60)}
        for number in range(round(a_second * seconds)):
            asked[kinds[number % len(kinds)]](number / a_second)

    flood(EXCESS * LIMITS.media_a_second, 6 * LIMITS.excess_seconds)
    with pytest.raises(WireError):
        flood(60 * LIMITS.media_a_second, LIMITS.excess_seconds)


def test_messages_without_end_are_an_error_at_once() -> None:
    metrics = Metrics()
    allowed = allowance(metrics)
    for _ in range(int(LIMITS.messages_burst)):
        assert allowed.message(0.0)
    with pytest.raises(WireError):
        allowed.message(0.0)
    assert metrics.over_limit_total[OverLimit.MESSAGE].value == 1
