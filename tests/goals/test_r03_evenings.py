"""R3: hours of coming, going, talking and falling out of the line; nothing grows.

In virtual time the server's objects are counted by their type, its delayed calls and
the interpreter's blocks of memory; in real time what the kernel says of a server and of
a client. That the delay stays is shown by test_r11_clocks, as long and with sound
cards that disagree.
"""

import gc
import random
import sys
from pathlib import Path
from typing import Final

from testkit.stage import HIGH, LOW, stage
from tests.conftest import SOAK
from tests.fuzz.targets import TARGETS, mutated
from tests.goals.growth import Held, census, more, slope
from tests.server.house import House, TcpFriend
from tests.server.lines import Lines
from tests.server.test_datagrams import UdpFriend
from voicechat.security.tickets import AWAY_SECONDS, Ticket
from voicechat.wire import messages

HOURS: Final = 24 if SOAK else 1
TURN: Final = 10.0
"""Seconds in each of which somebody comes or goes."""

STEP: Final = 0.25
"""Seconds at a time in which nobody talks."""

WORDS: Final = 5
"""Frames that somebody says in a turn."""

SPARE: Final = 1000
"""Blocks of memory by which two moments of one state may differ: caches, free lists, dictionaries about to grow."""

NAMES: Final = ("Ann", "Ben", "Cid", "Dan", "Eve", "Fay")

MINUTES: Final = 10.0 if SOAK else 0.05
COMES_EACH: Final = 10.0 if SOAK else 0.5
MIB: Final = 1 << 20


class Evening:
    """Friends of one house, ten seconds at a time."""

    def __init__(self) -> None:
        self.house = House(max_clients=8)
        self.lines = Lines(self.house)
        self.here: dict[str, UdpFriend] = {}
        self.tickets: dict[str, Ticket] = {}
        self.logins = self.resumes = self.words = 0
        self._chance = random.Random(3)

    def turn(self) -> None:
        """Ten seconds."""
        until = self.house.clock.seconds() + TURN
        name = self._chance.choice(NAMES)
        if name in self.here:
            self._goes(name)
        else:
            self._comes(name)
        self._stranger()
        self._pass(1.0)
        self._talk()
        self._pass(until - self.house.clock.seconds())
        for name, friend in list(self.here.items()):
            if not friend.connected:
                self._forget(name)
        self.house.log.events[:] = [event for event in self.house.log.events if "log_failure" in event]

    def all_go(self) -> None:
        """Until the house is empty."""
        for name in list(self.here):
            self._forget(name)
        self._pass(AWAY_SECONDS + 2)
        self.lines.to.clear()
        self.tickets.clear()

    def _comes(self, name: str) -> None:
        ticket = self.tickets.pop(name, None)
        friend = self.here[name] = UdpFriend(self.house, name, self.lines, ticket=ticket).begin()
        self.house.login()
        if friend.welcome is None:  # the ticket was too old
            self._forget(name)
            friend = self.here[name] = UdpFriend(self.house, name, self.lines).begin()
            self.house.login()
            ticket = None
        self.tickets[name] = friend.ticket
        self.logins += ticket is None
        self.resumes += ticket is not None

    def _goes(self, name: str) -> None:
        friend, what = self.here[name], self._chance.random()
        if what < 0.2:
            friend.send(messages.Bye("leaving"))
            self.house.settle()
        elif what < 0.3:  # stands still until they are cut
            friend.transport.block()
            friend.deliver = lambda: False  # type: ignore[method-assign]
            friend.answers = False
        elif what < 0.4:
            friend.deaf = not friend.deaf
        else:
            self._forget(name)

    def _forget(self, name: str) -> None:
        friend = self.here.pop(name)
        friend.break_line()
        self.house.friends.remove(friend)
        self.lines.to.pop(friend.address, None)

    def _stranger(self) -> None:
        target = TARGETS["handshake"]
        data = mutated(target, target.seeds(), self._chance)
        stranger = TcpFriend(self.house, "stranger", host=f"203.0.113.{self._chance.randrange(20)}")
        stranger.send_string(data)
        self.lines.send(data, ("203.0.113.9", 9))
        self.house.settle()
        stranger.break_line()
        self.house.friends.remove(stranger)

    def _talk(self) -> None:
        """Two friends at once, or one; the others hear it."""
        able = [friend for friend in self.here.values() if friend.connected and friend.answers and not friend.deaf]
        talkers = self._chance.sample(able, min(len(able), self._chance.choice((1, 2, 3))))
        for friend in able:
            friend.forget()
        for friend in talkers:
            friend.talk(0.1)
        self.house.pass_ticks(WORDS)
        for friend in talkers:
            friend.hush()
        self.house.pass_ticks(WORDS)
        for friend in able:
            if set(talkers) - {friend}:
                assert friend.values(), f"{friend.name} hears somebody"
                self.words += 1

    def _pass(self, seconds: float) -> None:
        until = self.house.clock.seconds() + seconds
        while (left := until - self.house.clock.seconds()) > 1e-6:
            self.house.clock.advance(min(STEP, left))
            self.house.settle()


def test_r3_a_server_after_hours_is_what_it_was(tell: list[str]) -> None:
    evening = Evening()
    half = round(HOURS * 3600 / TURN / 2)
    for _ in range(half):  # every place of the code is visited, every table of strangers full
        evening.turn()
    evening.all_go()
    before, calls, blocks = census(), len(evening.house.clock.getDelayedCalls()), sys.getallocatedblocks()
    for _ in range(half):
        evening.turn()
    evening.all_go()
    gc.collect()
    grown = sys.getallocatedblocks() - blocks
    tell.append(
        f"R3: {HOURS} h of virtual time, {evening.logins} logins, {evening.resumes} resumed, {evening.words} times "
        f"somebody heard somebody; in the second half {grown:+d} blocks of memory"
    )
    assert not more(before, census())
    assert len(evening.house.clock.getDelayedCalls()) == calls
    assert grown < SPARE
    assert not evening.house.hub.seats
    assert not list(evening.house.hub.live_rooms)
    assert not evening.house.log.failures
    assert evening.words > half


def test_r3_a_real_server_and_a_real_client_hold_what_they_held(tmp_path: Path, tell: list[str]) -> None:
    with stage(tmp_path) as held:
        server = held.server("--max-clients", "8")
        client = held.children.client(server.port, "Zoe")
        singers = [held.guest(name, server.port) for name in ("Ann", "Ben", "Cid", "Dan")]
        held.all_in()
        held.line(client, "you are in")
        held.until(lambda: all(guest.call.path == "udp" for guest in singers), "their ways over UDP are proved")
        ann, ben, *_ = singers
        programs = {"server": server.program, "client": client}
        samples: dict[str, list[Held]] = {name: [] for name in programs}
        calls: list[int] = []
        end = held.now + 60 * MINUTES
        while held.now < end:
            visitor = held.guest("Eve", server.port)
            for number, guest in enumerate(singers):  # one, then two, then four at once
                guest.tone = (LOW, HIGH)[number % 2] if number < 2 ** (len(calls) % 3) else None
            held.until(lambda: visitor.in_room and visitor.call.path == "udp", "a visitor gets in")  # noqa: B023
            held.run(COMES_EACH / 2)
            visitor.close()
            held.guests.remove(visitor)
            for guest in singers:
                guest.tone = None
            held.run(COMES_EACH / 2)
            calls.append(len(held.reactor.getDelayedCalls()))
            for name, program in programs.items():
                samples[name].append(Held.by(program))
        ann.tone, sung = LOW, held.now
        held.until(lambda: ben.hears(LOW, sung), "the delay is what it was", 0.4)
        assert [guest.call.reconnects for guest in singers] == [0] * len(singers)
        assert max(calls[len(calls) // 2 :]) <= max(calls[: len(calls) // 2]) + 1
        for name, seen in samples.items():
            half = seen[len(seen) // 2 :]
            an_hour = slope([(each.at, each.memory / MIB) for each in half]) * 3600
            tell.append(
                f"R3: {name}, second half of {MINUTES:g} min: RSS {half[0].memory / MIB:.1f} to "
                f"{half[-1].memory / MIB:.1f} MiB ({an_hour:+.2f} MiB/h), descriptors {half[0].descriptors} to "
                f"{half[-1].descriptors}, threads {half[0].threads} to {half[-1].threads}"
            )
            assert half[-1].memory - half[0].memory < MIB
            assert half[-1].descriptors == half[0].descriptors
            assert half[-1].threads == half[0].threads
        assert not client.err
        assert "Traceback" not in server.program.out
