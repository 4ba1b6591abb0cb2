"""A line that breaks, and a server that falls silent: what is known, told and done then."""

import pytest
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.python.failure import Failure

from tests.client.call.test_call import Evening, figures
from tests.client.player import Host, Player, pass_time
from voicechat.client.network.answers import LOOK_EVERY, SILENT_AFTER
from voicechat.client.network.outage import TOLD_EVERY, Outage
from voicechat.client.network.retry import SOONEST
from voicechat.errors import ControlError
from voicechat.wire import messages as m


@pytest.fixture
def ann() -> Player:
    player = Player()
    pass_time([player], 0.05)
    player.service.start()
    return player


def inside(player: Player) -> Host:
    """Ben talks, and how late they are heard is known."""
    host: Host = player.accepted()
    host.let_in()
    player.reactor.advance(0)
    answer(player, host, 0.03)
    host.tell(m.Talk(2, talking=True, way_ms=20, held_ms=10))
    (ben,) = player.controls.status().friends
    assert ben.talks
    assert ben.delay_ms is not None
    return host


def answer(player: Player, host: Host, after: float = 0.0) -> None:
    """All pings that have come are answered, so many seconds later."""
    asked = [message for message in host.received() if isinstance(message, m.Ping)]
    player.reactor.advance(after)
    for ping in asked:
        host.tell(m.Pong(ping.id))


def outage(player: Player) -> Outage:
    found = player.controls.status().outage
    assert found is not None
    return found


def assert_nothing_is_known(player: Player) -> None:
    status = player.controls.status()
    assert status.round_trip_ms is None
    for friend in status.friends:
        assert friend.unknown
        assert not friend.talks
        assert friend.delay_ms is None


def test_nobody_talks_on_a_line_that_broke(ann: Player) -> None:
    host = inside(ann)
    host.lose()
    assert_nothing_is_known(ann)
    assert ann.call.friends.talking == [], "nobody's frames are counted for Ben, either"
    found = outage(ann)
    assert (found.why, found.tries) == ("the connection was closed", 1)
    assert found.next_s == pytest.approx(0.8)


def test_how_long_and_when_the_next_try_is_are_counted(ann: Player) -> None:
    host = inside(ann)
    host.lose()
    ann.reactor.advance(0.5)
    assert outage(ann).seconds == pytest.approx(0.5)
    assert outage(ann).next_s == pytest.approx(0.3)
    ann.reactor.advance(0.4)
    assert outage(ann).next_s is None, "it is under way"
    ann.refused()
    found = outage(ann)
    assert (found.why, found.tries) == ("nobody listens there", 2)


def test_who_is_back_knows_it_all_again(ann: Player) -> None:
    inside(ann).lose()
    ann.reactor.advance(0.9)
    inside(ann)
    status = ann.controls.status()
    assert status.outage is None
    assert not status.friends[0].unknown


def test_before_the_first_entering_there_is_no_outage(ann: Player) -> None:
    assert ann.controls.status().outage is None
    ann.refused()
    assert ann.controls.status().outage is None


def test_the_round_trip_of_the_last_connection_stays_in_the_figures(ann: Player) -> None:
    inside(ann).lose()
    assert figures(ann)["round_trip_ms"] == pytest.approx(30.0)


def test_r_tries_now(ann: Player) -> None:
    inside(ann).lose()
    for _ in range(60):  # long gone: the waits are long
        ann.reactor.advance(5.0)
        if ann.attempts():
            ann._taken -= 1
            ann.refused()
    wait = outage(ann).next_s
    assert wait is not None
    assert wait > 2 * SOONEST
    ann.controls.retry()
    ann.reactor.advance(SOONEST)
    assert len(ann.attempts()) == 1
    ann.controls.retry()
    assert ann.attempts() == [], "one is under way"


def test_a_key_that_is_held_makes_no_flood_of_tries(ann: Player) -> None:
    inside(ann).lose()
    tries = 0
    for _ in range(300):  # ten seconds of a key that repeats
        ann.controls.retry()
        ann.reactor.advance(1 / 30)
        if ann.attempts():
            ann._taken -= 1
            tries += 1
            factory = ann.reactor.tcpClients[-1][2]
            ann.attempts()
            factory.clientConnectionFailed(None, Failure(Refused()))  # type: ignore[arg-type]
    assert 10 <= tries <= 10 / SOONEST + 1


def test_who_is_connected_has_nothing_to_try(ann: Player) -> None:
    inside(ann)
    with pytest.raises(ControlError, match="nothing to try"):
        ann.controls.retry()


def fall_silent(player: Player, host: Host) -> None:
    """Time goes by, and nothing comes any more."""
    host.strings()
    player.says = 0.25
    pass_time([player], SILENT_AFTER + 2 * LOOK_EVERY)
    assert not host.transport.aborted


def test_a_server_that_does_not_answer_is_told_before_the_line_breaks(ann: Player) -> None:
    host = inside(ann)
    fall_silent(ann, host)
    assert_nothing_is_known(ann)
    found = outage(ann)
    assert found.tries == 0, "the connection stands"
    assert found.seconds >= SILENT_AFTER
    assert ann.lines[-1] == "192.0.2.10 port 1234 has not answered for 2 s: perhaps nobody hears you"
    pings = [message for message in host.received() if isinstance(message, m.Ping)]
    assert pings, "it was asked"
    host.tell(m.Pong(pings[-1].id))
    pass_time([ann], 2 * LOOK_EVERY)
    assert ann.controls.status().outage is None
    assert ann.controls.status().friends[0].talks, "as it was before"
    assert "192.0.2.10 port 1234 answers again" in ann.lines


def test_r_leaves_a_server_that_does_not_answer(ann: Player) -> None:
    host = inside(ann)
    fall_silent(ann, host)
    ann.controls.retry()
    assert host.transport.aborted
    host.lose()
    ann.reactor.advance(0)
    assert len(ann.attempts()) == 1


def test_a_line_that_flaps_is_not_told_each_time(ann: Player) -> None:
    host = inside(ann)
    ann.says = 0.25
    for _ in range(10):
        pass_time([ann], SILENT_AFTER + 2 * LOOK_EVERY)
        answer(ann, host)
        pass_time([ann], 2 * LOOK_EVERY)
    told = [line for line in ann.lines if "has not answered" in line]
    assert len(told) == 1 + int(10 * (SILENT_AFTER + 4 * LOOK_EVERY) / TOLD_EVERY)
    assert len([line for line in ann.lines if "answers again" in line]) <= len(told)


def test_in_lines_it_is_told_now_and_again_that_nobody_hears_us(ann: Player) -> None:
    inside(ann).lose()
    for _ in range(1200):
        ann.reactor.advance(0.1)
        if ann.attempts():
            ann._taken -= 1
            ann.refused()
    told = [line for line in ann.lines if line.startswith("nobody hears you; trying again in ")]
    assert 3 <= len(told) <= 2 * 60 / TOLD_EVERY * 1.5 + 1
    assert "(try " in told[0]


def test_a_short_break_is_two_lines_and_no_more(ann: Player) -> None:
    inside(ann).lose()
    before = len(ann.lines)
    ann.reactor.advance(0.9)
    inside(ann)
    assert ann.lines[before - 1].endswith("broke (the connection was closed); trying again")
    assert ann.lines[before].startswith("you are in as Ann")


@pytest.mark.parametrize("standstill", [0.7, 3.0, 9.0])
def test_a_round_trip_that_spans_a_standstill_is_forgotten(ann: Player, standstill: float) -> None:
    host = inside(ann)
    for _ in range(12):
        ann.reactor.advance(8.0)
        answer(ann, host, 0.03)
    before = figures(ann)["round_trip_ms"]
    ann.reactor.advance(8.0)
    answer(ann, host, standstill)
    assert figures(ann)["round_trip_ms"] == before
    assert all(ticks < 3 for ticks in ann.call.measured.lateness())
    ann.reactor.advance(0)
    assert any(isinstance(message, m.Ping) for message in host.received()), "it is measured anew"


def test_a_line_that_has_become_slow_is_believed(ann: Player) -> None:
    host = inside(ann)
    for _ in range(30):
        ann.reactor.advance(8.0)
        answer(ann, host, 0.9)
    assert figures(ann)["round_trip_ms"] == pytest.approx(900.0, abs=30)


def test_an_honest_evening_has_no_silence() -> None:
    evening = Evening("Ann", "Ben")
    ann, ben = evening.players
    for _ in range(4):
        ann.says = 0.25
        evening.wait(4.0)
        ann.says, ben.says = 0.0, 0.25
        evening.wait(3.0)
        ben.says = 0.0
        evening.wait(12.0)
    assert not [line for player in (ann, ben) for line in player.lines if "answer" in line]
