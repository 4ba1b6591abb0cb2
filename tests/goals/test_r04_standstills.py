"""R4, R5, R6: a server that dies or stands still, and a client that does.

Each is shown with real programs for as short as it can be seen, and in virtual time for
as long as the goal says; how fast real clients are back is a figure of ``bench.storm``.
"""

import signal
import tracemalloc
from functools import partial
from pathlib import Path

import pytest

from testkit.children import Server
from testkit.stage import HIGH, LOW, Stage, stage
from tests.conftest import SOAK
from tests.goals.world import World
from tests.integration.test_calls import heard, recorded
from tests.server.house import House, TcpFriend
from voicechat.carriage.heartbeat import ANSWER_WITHIN, PING_EVERY
from voicechat.session.outbox import MOST_MEDIA

RESTARTS = 20 if SOAK else 1
STANDSTILLS = [0.5, 5.0, 30.0] if SOAK else [0.5]

NORMAL = 0.3
"""Seconds within which a new tone is heard on a machine that others use, too; a stall would leave more behind."""


def talking(held: Stage, server: Server) -> None:
    """Ann sings low, and Ben hears it."""
    ann, ben = (held.guest(name, server.port, room="standstills") for name in ("Ann", "Ben"))
    held.all_in()
    ann.tone = LOW
    held.until(lambda: ben.hears(LOW, 0.0), "Ben hears Ann")


def assert_normal_delay(held: Stage) -> None:
    """Within a second, a change of Ann's tone is heard as soon as ever."""
    ann, ben = held.guests
    held.run(1.0)
    ann.tone, before = HIGH if ann.tone == LOW else LOW, held.now
    held.until(lambda: ben.hears(ann.tone or LOW, before), "Ben hears another tone", NORMAL)


def test_r4_everybody_talks_again_after_the_server_was_killed(tmp_path: Path) -> None:
    with stage(tmp_path) as held:
        server = held.server()
        talking(held, server)
        ann, ben = held.guests
        for _ in range(RESTARTS):
            server.program.signal(signal.SIGKILL)
            server.program.end()
            held.run(0.3)
            server = held.server("--port", str(server.port))
            opened = held.now
            held.until(partial(ben.hears, LOW, opened), "Ben hears Ann again", 5.0)
            assert ann.ended is ben.ended is None
        assert_normal_delay(held)
        assert ann.call.reconnects == ben.call.reconnects == RESTARTS


@pytest.mark.parametrize("seconds", STANDSTILLS)
def test_r5_a_server_that_stood_still_leaves_no_delay_behind(tmp_path: Path, server: Server, seconds: float) -> None:
    with stage(tmp_path) as held:
        talking(held, server)
        server.program.signal(signal.SIGSTOP)
        held.run(seconds)
        server.program.signal(signal.SIGCONT)
        thawed = held.now
        held.until(lambda: held.guests[1].hears(LOW, thawed), "Ben hears Ann again", 5.0)
        assert_normal_delay(held)
        reconnects = [guest.call.reconnects for guest in held.guests]
        assert reconnects == ([1, 1] if seconds > PING_EVERY + ANSWER_WITHIN else [0, 0])
        assert all(guest.in_room for guest in held.guests)


@pytest.mark.parametrize("always_mix", [False, True])
def test_r5_the_same_in_virtual_time_to_the_millisecond(*, always_mix: bool) -> None:
    world = World(always_mix=always_mix)
    ann, ben = world.call("Ann"), world.call("Ben")
    ann.talks = lambda _: True
    world.run(2)
    before = max(ben.ages(world.now - 1))
    for seconds, reconnects in ((0.5, 0), (5.0, 0), (30.0, 1)):
        world.freeze_server(seconds)
        world.run(seconds)
        world.until(partial(ben.heard_since, world.now), 2.0)
        again = world.now
        world.run(3)
        assert max(ben.ages(again + 1)) <= before + 0.011, "a block may fall either way"
        assert ben.longest_gap(again + 1, world.now) <= 0.02
        assert [caller.player.call.reconnects for caller in (ann, ben)] == [reconnects, reconnects]
    assert not world.log.failures


def test_r6_a_client_that_stood_still_for_a_second_hears_live_sound_at_once(tmp_path: Path, server: Server) -> None:
    with stage(tmp_path) as held:
        ann, cid = (held.guest(name, server.port, room="frozen") for name in ("Ann", "Cid"))
        ben = held.children.client(server.port, "Ben", room="frozen", output=f"wav:{tmp_path}/ben.wav")
        held.all_in()
        held.line(ben, "you are in")
        ann.tone = LOW
        held.line(ben, "Ann talks")
        held.until(lambda: cid.hears(LOW, 0.0), "Cid hears Ann")
        ben.signal(signal.SIGSTOP)
        held.run(1.0)
        ben.signal(signal.SIGCONT)
        ann.tone = HIGH
        held.run(1.0)
        ben.signal(signal.SIGTERM)
        assert ben.end() == 0
        ann.tone = None
        held.until(lambda: cid.came(ann) == ann.call.uplink.sent, "Cid got every frame")
    assert heard(recorded(tmp_path / "ben.wav"), HIGH) >= 25, "half of the last second at least"


@pytest.mark.parametrize("seconds", [1.0, 20.0])
def test_r6_the_same_in_virtual_time(seconds: float) -> None:
    world = World()
    ann, ben, cid, dan = (world.call(name) for name in ("Ann", "Ben", "Cid", "Dan"))
    ann.talks = lambda _: True
    world.run(2)
    start = world.now
    ben.freeze(seconds)
    world.run(seconds)
    thawed = world.now
    world.run(2)
    for listener in (cid, dan):
        assert len(listener.ages(start, thawed)) == pytest.approx(seconds * 100, abs=1), "no block lost"
    cut = [at for at, line in world.lines() if "'Ben' in room '' is away" in line]
    if seconds < ANSWER_WITHIN:
        assert not cut
        assert max(ben.ages(thawed + 0.1)) < 0.1
    else:
        assert ANSWER_WITHIN <= cut[0] - start <= ANSWER_WITHIN + PING_EVERY + 0.1
        assert ben.player.call.password_logins == 1, "they came back by their ticket"
        assert max(ben.ages(thawed + 1.5)) < 0.1


def test_r6_half_of_sixty_four_stand_still_and_cost_the_server_next_to_nothing() -> None:
    house = House(max_clients=64, before_login_each=64, logins_a_second=1e6, logins_burst=1e6)
    friends = [TcpFriend(house, f"friend {n}").begin() for n in range(64)]
    house.login()
    ann, *others = friends
    frozen, awake = others[:32], others[32:]
    ann.talk(0.1)
    house.pass_ticks(10)
    for friend in frozen:
        friend.transport.block()
        friend.deliver = lambda: False  # type: ignore[method-assign]
    for friend in awake:
        friend.forget()
    tracemalloc.start()
    house.pass_ticks(5)
    before, _ = tracemalloc.get_traced_memory()
    house.pass_ticks(100)
    more = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    heard_by_awake = sum(len(friend.heard) for friend in awake)
    assert heard_by_awake == 105 * len(awake)
    assert all(len(friend.connection.peer.outbox) <= MOST_MEDIA for friend in frozen)
    assert more / len(frozen) < 100_000, "with all that the others heard and kept"
