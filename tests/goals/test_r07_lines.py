"""R7, R8, R9: bad lines, cut lines, lines that change their address, and packet filters that take UDP away.

All of it in virtual time with the whole client and the whole server (``world``), for
most of it is a matter of minutes; and once each over a relay of real sockets.
"""

import itertools
import math
from pathlib import Path
from typing import Final

import pytest

from testkit.children import Server
from testkit.relay import Relay
from testkit.stage import HIGH, LOW, Guest, Stage, stage
from tests.conftest import SOAK
from tests.goals.lines import Quality
from tests.goals.world import Caller, World, age_of
from voicechat.format import TICK_SECONDS
from voicechat.media.tuning import TUNING
from voicechat.session.round_trips import KNOWN

PROFILES: Final = {
    "loss 1 %": Quality(delay=0.02, loss=0.01),
    "loss 5 %": Quality(delay=0.02, loss=0.05),
    "loss 20 %": Quality(delay=0.02, loss=0.2),
    "loss 20 %, delay 300 ms": Quality(delay=0.3, loss=0.2),
    "delay 20 ms": Quality(delay=0.02),
    "delay 100 ms": Quality(delay=0.1),
    "delay 300 ms": Quality(delay=0.3),
    "jitter 10 ms": Quality(jitter=0.01),
    "jitter 30 ms": Quality(jitter=0.03),
    "jitter 60 ms": Quality(jitter=0.06),
    "reorder 2 %": Quality(reorder=0.02),
    "reorder 10 %": Quality(reorder=0.1),
    "duplicates 1 %": Quality(duplicate=0.01),
    "duplicates 5 %": Quality(duplicate=0.05),
    "48 kbit/s": Quality(rate=48_000),
}
"""Each of the two lines that a voice passes is so."""

SHORT: Final = ("loss 5 %", "loss 20 %, delay 300 ms", "jitter 30 ms", "reorder 10 %", "duplicates 5 %", "48 kbit/s")
SECONDS: Final = 60.0 if SOAK else 12.0

DEEPEST: Final = TUNING.playout.deepest * TICK_SECONDS + 0.06
"""Seconds that a voice may take beyond its lines: the deepest playout delay, a frame to capture, two blocks ready."""

BACK: Final = 1.0 + 4 * Quality().delay + 0.02
"""Seconds until a listener's new address is known: their next probe, the question that proves it, and a frame."""

NAMES: Final = ("Ann", "Ben", "Carl", "Dora")

MERGED: Final = 0.06
"""Seconds in which nothing is heard as it was said where frames are merged, as after a hole they may be."""


def pair(world: World, quality: Quality | None = None) -> tuple[Caller, Caller]:
    """Ann and Ben, each on a line of a quality."""
    ann, ben = several(world, ("Ann", "Ben"), quality)
    return ann, ben


def several(world: World, names: tuple[str, ...], quality: Quality | None = None, *, udp: bool = True) -> list[Caller]:
    """Players who are all in, and whose ways over UDP were tried; without ``udp`` in vain."""
    callers = [world.call(name, quality, wait=0) for name in names]
    for caller in callers:
        caller.cut_udp(0.0 if udp else math.inf)
    world.until(lambda: all(caller.in_room for caller in callers), 10.0)
    world.run(2.0)
    return callers


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "tcp"])
@pytest.mark.parametrize("name", PROFILES if SOAK else SHORT)
def test_r7_on_any_line_the_call_goes_on(name: str, *, udp: bool) -> None:
    quality = PROFILES[name]
    world = World()
    ann, ben = pair(world, quality)
    if not udp:
        ann.cut_udp(math.inf)
        ben.cut_udp(math.inf)
        world.run(3)
    ann.talks = lambda now: now % 5 < 4
    world.run(3)
    start, counts = world.now, ben.player.call.hearing.counts
    before = (counts.concealed, counts.played + counts.recovered)
    world.run(SECONDS)

    assert [caller.player.call.reconnects for caller in (ann, ben)] == [0, 0], "no disconnect"
    assert {caller.player.call.path for caller in (ann, ben)} == {"udp" if udp else "tcp"}
    said = [round(at - age_of(value, at), 3) for at, value in ben.heard if at > start]
    frames = [frame for frame, _ in itertools.groupby(said)]
    assert frames == sorted(set(frames)), "each frame once, in order"
    if udp:
        concealed, whole = counts.concealed - before[0], counts.played + counts.recovered - before[1]
        if quality.jitter <= 0.03:
            assert concealed / (concealed + whole) <= quality.loss + 0.02
        assert max(ben.ages(start)) <= 2 * (quality.delay + quality.jitter) + DEEPEST
        assert not quality.loss or counts.recovered > 0


def first_words_concealed(quality: Quality, *, udp: bool = True) -> int:
    """Frames made up, of 450: the first words of two, each to the other, in rooms of two, three and four."""
    concealed = 0
    for others in range(3):
        world = World()
        *_, ann, ben = several(world, NAMES[: 2 + others], quality, udp=udp)
        for talker, listener in ((ann, ben), (ben, ann)):
            talker.talks = lambda _: True
            world.run(1.5)
            talker.talks = lambda _: False
            world.run(0.5)
            concealed += listener.player.call.hearing.counts.concealed
    return concealed


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "tcp"])
def test_r7_on_a_jittery_line_the_first_words_are_heard_since_it_was_probed_before(*, udp: bool) -> None:
    concealed = first_words_concealed(Quality(delay=0.02, jitter=0.06), udp=udp)
    assert concealed <= 36, "22 and 6 now, 60 and 42 where nothing was known of the line"


def test_r7_on_a_line_that_loses_the_first_words_are_heard_since_it_was_probed_before() -> None:
    concealed = first_words_concealed(Quality(delay=0.02, loss=0.05))
    assert concealed <= 16, "9 now, 24 where nothing was known of the line"


def test_r7_what_was_known_of_a_line_is_known_after_a_reconnect() -> None:
    world = World()
    _, ben = pair(world, Quality(delay=0.02, jitter=0.06))
    call = ben.player.call
    known = list(call.hearing.lateness())
    assert len(known) == KNOWN
    assert 1.0 < max(known) < 6.0, "ticks, of two links of up to 3"
    ben.cut(25.0)
    world.until(lambda: not call.connected, 24.0)
    assert list(call.hearing.lateness()) == known
    world.until(lambda: call.connected, 20.0)
    assert list(call.hearing.lateness()) == known
    world.run(3.0)
    assert list(call.hearing.lateness()) != known


def test_r7_a_line_that_is_better_after_a_reconnect_is_known_to_be() -> None:
    world = World()
    _, ben = pair(world, Quality(delay=0.02, jitter=0.06, loss=0.1))
    call = ben.player.call
    world.run(30.0)
    assert len(list(call.hearing.lateness())) > KNOWN, "some probes were lost"
    ben.line_is(Quality(), Quality())
    assert call.connection is not None
    call.connection.connection.abort()
    world.until(lambda: not call.connected, 24.0)
    world.until(lambda: call.connected, 20.0)
    world.run(5.0)
    assert max(call.hearing.lateness()) < 0.1


@pytest.mark.parametrize(("seconds", "back"), [(1.0, 1.0), (5.0, 2.0), (60.0, 5.0)])
@pytest.mark.parametrize("udp", [True, False], ids=["udp", "tcp"])
def test_r8_after_a_cut_speech_is_back_soon_and_as_it_was(seconds: float, back: float, *, udp: bool) -> None:
    world = World()
    ann, ben = pair(world)
    if not udp:
        back = max(back, seconds)  # TCP waits twice as long after each loss
        ann.cut_udp(math.inf)
        ben.cut_udp(math.inf)
        world.run(3)
    ann.talks = lambda _: True
    world.run(2)
    before = max(ben.ages(world.now - 1))
    ben.cut(seconds)
    world.run(seconds)
    mended = world.now
    took = world.until(lambda: bool(ben.ages(mended)) and ben.ages(mended)[-1] < 1.0, back)
    assert took <= back
    world.run(13)  # a stall as short as jitter is remembered for ten seconds (media.playout)
    assert max(ben.ages(world.now - 3)) <= before + 0.011
    assert ben.longest_gap(world.now - 3, world.now) <= 0.02
    assert ben.player.call.reconnects == (seconds > 10)
    assert ben.player.call.password_logins == 1, "their ticket brings them back"
    assert ann.player.call.reconnects == 0
    assert not world.log.failures


def test_r9_datagrams_follow_to_a_new_address_and_a_talker_is_not_interrupted() -> None:
    world = World()
    ann, ben = pair(world)
    ann.talks = lambda _: True
    world.run(2)
    for _ in range(100 if SOAK else 5):
        for caller, silence in ((ann, 0.02), (ben, BACK)):
            caller.udp_port += 1
            start = world.now
            world.run(1.0 + 0.37)
            assert ben.longest_gap(start, world.now) <= silence
            assert ben.longest_gap(start + BACK, world.now) <= MERGED
    assert {caller.player.call.path for caller in (ann, ben)} == {"udp"}
    assert [caller.player.call.reconnects for caller in (ann, ben)] == [0, 0]


@pytest.mark.parametrize("who", ["talker", "listener"])
def test_r9_when_datagrams_are_dropped_and_tcp_lives_they_are_left_and_taken_up_again(who: str) -> None:
    world = World()
    ann, ben = pair(world)
    ann.talks = lambda _: True
    world.run(2.7)
    victim = ann if who == "talker" else ben
    for seconds in (8.0, 60.0 if SOAK else 20.0):
        victim.cut_udp(seconds)
        start = world.now
        world.run(seconds)
        assert ben.longest_gap(start, start + 2.5) <= 2.0
        assert ben.longest_gap(start + 2.0, world.now) <= 0.02
        assert victim.player.call.path == "tcp"
        world.run(7.0)
        assert victim.player.call.path == "udp"
        assert ben.longest_gap(start + 2.0, world.now) <= 0.02, "nobody hears the change"
    assert [caller.player.call.reconnects for caller in (ann, ben)] == [0, 0]


def on_a_relay(held: Stage, server: Server) -> Relay:
    """Ann sings, Ben hears them over a relay."""
    relay = held.relay(server.port)
    ann = held.guest("Ann", server.port, room="lines")
    ben = held.guest("Ben", server.port, relay.host, room="lines")
    held.all_in()
    ann.tone = LOW
    held.until(lambda: ben.hears(LOW, 0.0), "Ben hears Ann")
    held.until(lambda: ben.call.path == "udp", "Ben's way over UDP is proved")
    held.run(0.5)
    return relay


def test_r8_and_r9_over_real_sockets(tmp_path: Path, server: Server) -> None:
    with stage(tmp_path) as held:
        relay = on_a_relay(held, server)
        ann, ben = held.guests

        relay.cut(1.0)
        held.run(1.0)
        mended = held.now
        held.until(lambda: ben.hears(LOW, mended), "speech is back after a cut", 2.0)
        held.run(0.5)
        ann.tone, changed = HIGH, held.now
        held.until(lambda: ben.hears(HIGH, changed), "as soon as ever", 0.3)

        relay.rebind()
        rebound = held.now
        held.run(0.1)
        quiet_until = held.now
        held.until(lambda: ben.hears(HIGH, quiet_until), "datagrams follow to a new address", 1.5)
        assert ben.call.path == "udp"

        relay.datagrams = False
        held.until(lambda: not ben.hears(HIGH, held.now - 0.3), "no datagram comes")
        dropped = held.now
        held.until(lambda: ben.hears(HIGH, dropped), "they are left", 2.5)
        assert ben.in_room
        held.until(lambda: ben.call.path == "tcp", "Ben's own sound goes over TCP", 2.5)
        relay.datagrams = True
        held.until(lambda: ben.call.path == "udp", "and back", 8.0)
        assert rebound < dropped
        assert [guest.call.reconnects for guest in held.guests] == [0, 0]
        assert [guest.call.password_logins for guest in held.guests] == [1, 1]


def test_r9_each_hears_over_udp_whichever_address_of_the_server_they_asked(tmp_path: Path) -> None:
    """On a server on all addresses, of which this machine has several: else all that they hear comes over TCP."""
    with stage(tmp_path) as held:
        server = held.children.server()
        hosts = ("127.0.0.1", "127.0.0.2", "127.9.9.9", "::1")
        guests = [held.guest(f"Guest {number}", server.port, host) for number, host in enumerate(hosts)]
        held.all_in()
        guests[0].tone, guests[1].tone = LOW, HIGH

        def heard_by_datagrams(guest: Guest) -> bool:
            server = guest.call.connection
            channel = None if server is None else server.connection.channel
            return channel is not None and channel.up and channel.received_up is True

        for guest, host in zip(guests, hosts, strict=True):
            held.until(lambda: heard_by_datagrams(guest), f"by datagrams both ways with {host}", 3.0)  # noqa: B023
        held.run(2.5)
        assert all(heard_by_datagrams(guest) for guest in guests), "and it stays so"
