"""R10: a sound device that stops, and comes back; the call goes on without it.

What the client can do about a device today: whatever the device does, or does not do,
the call goes on; a card that calls again is heard and played at once. To open a device
again after it was unplugged, or another one, is still to come. No default device at the
start: tests/client/test_devices.py; a real loss of one: tests/sound.
"""

import pytest

from tests.conftest import SOAK
from tests.goals.world import Caller, World

LOSSES = 100 if SOAK else 20


def is_normal(world: World, caller: Caller) -> bool:
    """He hears, without a gap, what is being said."""
    ages = caller.ages(world.now - 0.5)
    return len(ages) >= 48 and max(ages) < 0.1


def test_r10_a_card_that_is_lost_a_hundred_times_costs_its_owner_his_sound_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch)
    ann, ben, cid = (world.call(name) for name in ("Ann", "Ben", "Cid"))
    ann.talks = lambda _: True
    world.run(2)
    calls = None
    for number in range(LOSSES):
        seconds = (0.3, 0.7, 2.0, 5.0)[number % 4]
        ben.card_until = world.now
        lost = world.now
        world.run(seconds)
        assert len(cid.ages(lost, world.now)) == pytest.approx(seconds * 100, abs=1)
        assert not ben.heard_since(lost + 0.02)
        assert ben.in_room
        ben.replug()
        world.run(1.5)
        assert is_normal(world, ben), f"after loss {number + 1}"
        here = len(ben.reactor.getDelayedCalls())
        calls = calls or here
        assert abs(here - calls) <= 2
    assert ben.player.call.reconnects == 0
    assert ben.player.ended is None


def test_r10_a_talker_whose_card_was_lost_is_heard_again_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)
    ann, ben = world.call("Ann"), world.call("Ben")
    ann.talks = lambda _: True
    world.run(2)
    for number in range(LOSSES):
        ann.card_until = world.now
        world.run((0.3, 0.7, 2.0, 30.0)[number % 4])
        ann.replug()
        world.run(1.5)
        assert is_normal(world, ben), f"after loss {number + 1}"
    assert ann.player.call.reconnects == 0
