"""What a call knows of the way to the server, over one connection after another."""

import pytest

from tests.client.call.test_call import Evening
from voicechat.client.call.measured import Measured


def test_before_any_connection_nothing_is_known() -> None:
    measured = Measured()
    assert (measured.round_trip, measured.loss, measured.lateness()) == (None, 0.0, [])
    assert not +measured.traffic()


def test_traffic_is_of_all_connections_and_each_counts_once() -> None:
    two = Evening("Ann", "Ben")
    ann, ben = two.players
    measured = ben.call.measured
    first = ben.call.connection
    assert first is not None
    ann.says = 0.25
    two.wait(1.0)
    two.network.cut(1)
    at_the_end = measured.traffic()
    assert at_the_end == first.traffic()
    assert at_the_end["packets_in"] > 45
    two.wait(1.0)
    assert measured.traffic() == at_the_end, "nothing comes while there is no connection"
    two.network.join(ben)
    two.wait(1.0)
    second = ben.call.connection
    assert second is not None
    assert second is not first
    assert {key: count - at_the_end[key] for key, count in measured.traffic().items()} == second.traffic()


def test_what_the_last_connection_knew_is_used_until_the_new_one_knows_as_much() -> None:
    two = Evening("Ann", "Ben")
    ben = two.players[1]
    measured = ben.call.measured
    two.wait(20.0)
    known, round_trip = measured.lateness(), measured.round_trip
    assert known
    assert round_trip is not None
    two.network.cut(1)
    assert (measured.lateness(), measured.round_trip) == (known, round_trip)
    two.wait(1.0)
    two.network.join(ben)
    two.wait(0.1)
    assert ben.call.connected
    assert measured.lateness() == known
    two.wait(60.0)
    assert measured.connection is not None
    assert measured.lateness() == measured.connection.lateness()
    assert measured.round_trip == pytest.approx(measured.connection.round_trip)
