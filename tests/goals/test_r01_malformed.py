"""R1: whatever strangers and hostile friends send, four who talk beside it miss nothing, and nothing is left of it.

That each parser ends in a value or a WireError is shown by tests/fuzz; here the same
inputs come to a whole server, in the clear, as datagrams, and sealed under right keys.
"""

import random
from typing import Final

import pytest

from tests.conftest import SOAK
from tests.fuzz.targets import TARGETS, corpus, mutated
from tests.goals.growth import census, more
from tests.server.house import House, TcpFriend
from tests.server.lines import Lines
from tests.server.test_datagrams import UdpFriend
from voicechat.security.seal import MAX_STRING, STRING_TAG_BYTES
from voicechat.security.tickets import AWAY_SECONDS
from voicechat.server.metrics import Dropped
from voicechat.wire.datagrams import MAX_PACKET, DatagramType

TICKS: Final = 20_000 if SOAK else 150
STRANGERS, DATAGRAMS, SEALED = 15, 30, 5
"""In each tick."""

COMES_EACH: Final = 5
"""Ticks after which a hostile friend comes again: most of what they say ends their connection."""

NAMES: Final = ("Ann", "Ben", "Cid", "Dan")


class Malice:
    """Everything that can be sent to a house, made worse by chance."""

    def __init__(self, house: House, lines: Lines) -> None:
        self._house, self._lines = house, lines
        self._chance = random.Random(1)
        self._inputs = {name: [*TARGETS[name].seeds(), *corpus(name)] for name in TARGETS}
        self._friend: TcpFriend | None = None
        self._visits = 0
        self.sealed = 0
        """What was sent under right keys."""

    def _made(self, *names: str) -> bytes:
        name = self._chance.choice(names)
        return mutated(TARGETS[name], self._inputs[name], self._chance)

    def strangers(self) -> None:
        """Connections that say something; now and then more than one thing."""
        for _ in range(STRANGERS):
            stranger = TcpFriend(self._house, "stranger", host=f"203.0.113.{self._chance.randrange(200)}")
            for _ in range(self._chance.choice((1, 1, 1, 3))):
                data = self._made("handshake", "server", "client", "string", "control")
                length = len(data) if self._chance.random() < 0.9 else self._chance.randrange(1 << 32)
                stranger.send_bytes(length.to_bytes(4, "big") + data)
            self._house.settle()
            stranger.break_line()
            self._house.friends.remove(stranger)

    def datagrams(self, friends: list[UdpFriend]) -> None:
        """From strangers, half of them with the connection number of a friend, and from the friends' own addresses."""
        for _ in range(DATAGRAMS):
            data = bytearray(self._made("header", "datagram"))
            friend = self._chance.choice(friends)
            if self._chance.random() < 0.5 and len(data) > 4:
                data[1:4] = friend.entered.connection.to_bytes(3, "big")
            address = friend.address if self._chance.random() < 0.2 else ("203.0.113.9", self._chance.randrange(9))
            self._lines.send(bytes(data), address)

    def hostile_friend(self, tick: int) -> None:
        """One who knows the password."""
        friend = self._friend
        if tick % COMES_EACH == 0 and (friend is None or not friend.connected):
            self.part()
            self._visits += 1
            host = f"198.51.100.{self._visits % 200}"
            friend = self._friend = UdpFriend(self._house, "Eve", self._lines, room="hell", host=host).begin()
        if not isinstance(friend, UdpFriend) or friend.welcome is None:
            return
        for _ in range(SEALED):
            if friend.connected:
                data = self._made("media", "control", "opus")[: MAX_STRING - STRING_TAG_BYTES]
                self.sealed += 1
                if self._chance.random() < 0.5 and friend.link is not None and len(data) <= MAX_PACKET:
                    kind = self._chance.choice(list(DatagramType))
                    self._lines.send(friend.link._seal.seal(kind, data), friend.address)
                else:
                    friend.send_string(friend.session.seal(data))
        self._house.settle()

    def part(self) -> None:
        """The hostile friend's connection is over."""
        if self._friend is not None:
            self._friend.break_line()
            self._house.friends.remove(self._friend)
            self._friend = None


def test_r1_malformed_input_costs_four_talkers_no_frame_and_leaves_nothing_behind() -> None:
    house = House(max_clients=8, logins_a_second=1e6, logins_burst=1e6, excess_seconds=0.5)
    lines = Lines(house)
    friends = [UdpFriend(house, name, lines).begin() for name in NAMES]
    house.login()
    for number, friend in enumerate(friends):
        friend.talk(0.1 * 2**number / 2)
    malice = Malice(house, lines)
    house.pass_ticks(30)
    expected = [0.7, 0.65, 0.55, 0.35]

    def evil(ticks: int) -> None:
        for tick in range(ticks):
            malice.strangers()
            malice.datagrams(friends)
            malice.hostile_friend(tick)
            house.pass_ticks(1)
            for friend, value in zip(friends, expected, strict=True):
                assert friend.mixed == [pytest.approx(value, abs=0.001)], friend.name
                friend.forget()
        malice.part()

    for friend in friends:
        friend.forget()
    evil(20)
    house.pass_seconds(AWAY_SECONDS + 2)
    for friend in friends:
        friend.forget()
    before = census()
    evil(TICKS)
    assert malice.sealed > TICKS / COMES_EACH
    assert house.counted("protocol_errors_total") > STRANGERS * TICKS / 4
    assert house.counted("datagrams_dropped_total", Dropped.NOT_OPENED) > DATAGRAMS * TICKS / 4
    house.pass_seconds(AWAY_SECONDS + 2)
    left = more(before, census())
    assert not left
    assert {seat.member.name for seat in house.hub.seats.values()} == set(NAMES)
    assert len(house.hub.live_rooms) == 1
    assert not house.log.failures
    assert len(house.log.lines) < 1000 + TICKS
