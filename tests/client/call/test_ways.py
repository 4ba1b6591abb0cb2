"""UDP or TCP, there and back: what is told, and when."""

import pytest
from twisted.internet.task import Clock

from voicechat.client.call.ways import UDP_WITHIN, Ways


class Told:
    """Both ways, and what was said of them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.lines: list[str] = []
        self.changes = 0
        self.ways = Ways(self.clock, self.lines.append, self._changed)

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
def told() -> Told:
    return Told()


def test_both_ways_over_udp_are_one_line(told: Told) -> None:
    told.ways.entered(udp=True)
    told.ways.received_over(False)
    told.ways.sent_over(True)
    told.ways.received_over(True)
    told.clock.advance(60)
    assert told.lines == ["your sound goes over UDP now"]
    assert (told.ways.out, told.ways.back) == ("udp", "udp")
    assert told.changes == 3


def test_one_way_only_is_told_once_it_stays_so(told: Told) -> None:
    told.ways.entered(udp=True)
    told.ways.sent_over(True)
    told.ways.received_over(False)
    told.clock.advance(UDP_WITHIN)
    assert told.lines[1:] == ["your sound goes over UDP, but what you hear comes over TCP"]
    for _ in range(1000):
        told.ways.received_over(True)
        told.ways.received_over(False)
        told.clock.advance(0.1)
    assert len(told.lines) < 100, "a server that goes to and fro cannot fill the screen"
    told.ways.received_over(True)
    told.clock.advance(UDP_WITHIN)
    assert told.lines[-1] == "what you hear comes over UDP, too"


def test_no_udp_at_all_is_told_once(told: Told) -> None:
    told.ways.entered(udp=True)
    told.ways.received_over(False)
    told.clock.advance(60)
    told.ways.disconnected()
    told.ways.entered(udp=True)
    told.clock.advance(60)
    assert told.lines == ["your sound goes over TCP: UDP does not get through (has the host forwarded it?)"]


def test_whoever_wants_no_udp_is_told_nothing(told: Told) -> None:
    told.ways.entered(udp=False)
    told.ways.received_over(False)
    told.clock.advance(60)
    assert told.lines == []


def test_nothing_is_told_of_a_connection_that_is_over(told: Told) -> None:
    told.ways.entered(udp=True)
    told.ways.received_over(True)
    told.ways.disconnected()
    told.clock.advance(60)
    assert told.lines == []
    told.ways.entered(udp=True)
    told.ways.stop()
    assert told.clock.getDelayedCalls() == []
