"""Faults of the first voice chat when one of many misbehaves, shown to be gone: F6, F12, F13, F16, F19."""

import os
import random

import numpy as np
import pytest
from twisted.logger import Logger

from tests.server.faulty import FaultyCodec
from tests.server.house import House, Log, TcpFriend
from voicechat.carriage.heartbeat import ANSWER_WITHIN, PING_EVERY
from voicechat.codecs.opus import OpusCodec
from voicechat.format import FRAME_SAMPLES, TICKS_PER_SECOND
from voicechat.media.packet import MediaPacket
from voicechat.media.tuning import TUNING
from voicechat.server.eventlog import Event, EventLog
from voicechat.server.limits import Limits
from voicechat.server.metrics import Metrics, OverLimit
from voicechat.session.outbox import MOST_MEDIA
from voicechat.wire import media, messages

PAST = TUNING.forwarding.past

JUNK = 1_000_000 if os.environ.get("VOICECHAT_SOAK") else 50_000
"""Bad packets."""


def enter(house: House, *names: str) -> list[TcpFriend]:
    """Friends who are in."""
    friends = [TcpFriend(house, name).begin() for name in names]
    while not all(friend.welcome or friend.refused for friend in friends):
        house.login()
    for friend in friends:
        assert friend.welcome is not None, friend.refused
        friend.forget()
    return friends


@pytest.mark.parametrize(("frozen", "seats"), [(1, 4), (32, 64)])
def test_f6_frozen_friends_cost_the_others_no_frame(frozen: int, seats: int) -> None:
    """There, one who stopped reading made all the others silent, at last for good."""
    house = House(
        max_clients=seats + 1, before_login=seats, before_login_each=seats, logins_a_second=1e6, logins_burst=1e6,
        login_seconds=60.0
    )  # fmt: skip
    friends = enter(house, *(f"friend {n}" for n in range(seats)))
    talker, *others = friends
    for friend in friends[-frozen:]:
        friend.transport.block()
        friend.deliver = lambda: False  # type: ignore[method-assign]
    talker.talk(0.25)
    house.pass_seconds(1)
    newcomer = TcpFriend(house, "newcomer", host="192.0.2.99").begin()
    house.pass_seconds(0.5)
    assert newcomer.welcome is not None, "a join takes less than half a second"
    house.pass_seconds(PING_EVERY + ANSWER_WITHIN)
    said = round((1.5 + PING_EVERY + ANSWER_WITHIN) * TICKS_PER_SECOND)
    for friend in others[: seats - 1 - frozen]:
        assert friend.values() == [0.25] * said
        assert friend.connected
    for friend in friends[-frozen:]:
        assert friend.transport.aborted
        assert len(friend.connection.peer.outbox) <= MOST_MEDIA + 3 + seats
    assert not house.log.failures


def test_f12_a_flood_of_bad_packets_is_a_few_log_lines() -> None:
    """There, one client wrote 12 MB of log a second."""
    log = Log()
    metrics = Metrics()
    events = EventLog(metrics, Logger("test", observer=log))
    kinds = (Event.BAD_INPUT, Event.WRONG_PASSWORD, Event.TOO_MANY, Event.REJECTED)
    for n in range(JUNK):
        now = n / 2400  # a flood that a server can take
        events.note(kinds[n % 4], f"203.0.{n % 251}.{n % 241}", now, "not a voicechat handshake")
    per_period = 5 * len(kinds)
    periods = JUNK / 2400 / 10 + 1
    assert len(log.lines) <= per_period * periods
    assert sum(map(len, log.lines)) < 100_000 * max(1.0, JUNK / 1_000_000)
    assert len(log.lines) + metrics.log_lines_kept_back_total.value == JUNK


def test_f12_connections_that_send_garbage_are_a_few_log_lines() -> None:
    house = House()
    chance = random.Random(12)
    for n in range(3000):
        stranger = TcpFriend(house, "stranger", host=f"203.0.113.{n % 250}")
        stranger.send_string(chance.randbytes(chance.randrange(60)))
        stranger.deliver()
        house.friends.remove(stranger)
    assert house.counted("protocol_errors_total") == 3000
    assert len(house.log.lines) <= 5
    assert sum(map(len, house.log.lines)) < 1000


def payload_of(milliseconds: float) -> bytes:
    """The head of an Opus packet of one frame of such a length (RFC 6716, table 2), and some bytes."""
    configuration = {2.5: 28, 5: 29, 10: 30, 20: 31, 40: 2, 60: 3}[milliseconds]
    return bytes([configuration << 3]) + bytes(30)


@pytest.mark.parametrize(
    "payload",
    [
        *(payload_of(length) for length in (2.5, 5, 10, 40, 60)),
        bytes([31 << 3 | 1]) + bytes(30),
        bytes([31 << 3 | 3, 6]) + bytes(30),
        bytes([31 << 3 | 4]) + bytes(30),
        bytes([31 << 3]) + bytes(400),
        b"",
    ],
    ids=["2.5 ms", "5 ms", "10 ms", "40 ms", "60 ms", "two frames", "six frames", "stereo", "401 bytes", "0 bytes"],
)
def test_f13_a_payload_that_is_no_frame_of_ours_costs_its_sender_only(payload: bytes) -> None:
    """There, nothing was checked after the login."""
    house = House(OpusCodec())
    ann, ben, bad = enter(house, "Ann", "Ben", "bad")
    bad.send_string(bad.session.seal(bytes([0x40, 0xFF, 0, 1]) + payload))
    house.settle()
    assert not bad.connected
    assert house.counted("protocol_errors_total") == 1
    voice = OpusCodec().encoder(12_000)
    for tick in range(5):
        packet = MediaPacket(0xFF, tick, voice.encode(np.zeros(FRAME_SAMPLES, np.float32)), marker=not tick)
        ann.send_media(media.encode(packet))
        house.settle()
    assert len(ben.heard) == 5
    assert not house.log.failures


def test_f13_a_thousand_packets_a_second_change_nothing_for_the_others() -> None:
    house = House()
    ann, ben, flood, cid = enter(house, "Ann", "Ben", "flood", "Cid")
    ann.talk(0.1)
    ben.talk(0.2)
    flood.talk(0.4)
    for _ in range(4 * TICKS_PER_SECOND):
        for _ in range(19):
            flood.speak()
        house.pass_ticks(1)
    limits = Limits()
    (live_room,) = house.hub.live_rooms
    let_through = 4 * 1000 - house.counted("over_limit_total", OverLimit.MEDIA)
    assert let_through <= limits.media_burst + 4.1 * limits.media_a_second
    assert live_room.conference.encodings <= 4 * 4 * TICKS_PER_SECOND + 4 * PAST
    assert len(cid.mixed) > 3.7 * TICKS_PER_SECOND
    assert {ann.mixed[-1], ben.mixed[-1], cid.mixed[-1]} == {0.6, 0.5, 0.7}
    assert house.counted("ticks_skipped_total") == 0


def test_f16_whatever_cannot_be_sent_is_counted_or_ends_the_connection() -> None:
    """There, errors in writing were ignored."""
    house = House()
    ann, ben, cid = enter(house, "Ann", "Ben", "Cid")
    ben.transport.block()
    ben.deliver = lambda: False  # type: ignore[method-assign]
    ann.talk(0.1)
    house.pass_seconds(2)
    sent = ben.connection.peer.traffic()
    outbox = ben.connection.peer.outbox
    dropped, waiting = outbox.dropped, len(outbox)
    assert dropped + waiting >= 2 * TICKS_PER_SECOND, "each of 100 packets is accounted for"
    ben.break_line()
    house.pass_seconds(1)
    ben.connection.send(messages.Ping(1))
    ben.connection.send_media(b"\x40\xff\0\1payload")
    assert ben.connection.peer.traffic() == sent, "nothing goes to a line that is gone"
    assert len(cid.values()) == 3 * TICKS_PER_SECOND
    assert not house.log.failures


class TestF19:
    """There, one panic in any handler ended the server."""

    def talk(self, codec: FaultyCodec) -> tuple[House, list[TcpFriend]]:
        """Four in a room, two of them talking."""
        house = House(codec)
        friends = enter(house, "Ann", "Ben", "Cid", "Dan")
        friends[0].talk(0.1)
        friends[1].talk(0.2)
        house.pass_ticks(20)
        return house, friends

    def assert_unharmed(self, house: House, friends: list[TcpFriend]) -> None:
        """These are still in, and hear the two as before."""
        house.pass_ticks(20)
        for friend in friends:
            assert friend.connected
        assert friends[-1].mixed[-1] == 0.3
        assert house.log.failures, "and it was told"

    def test_f19_an_exception_in_the_parser_costs_one_connection(self) -> None:
        house, friends = self.talk(FaultyCodec())
        bad = friends.pop(2)
        bad.client.session.opened = None  # type: ignore[method-assign, assignment]
        bad.send(messages.Text("hello"))
        house.settle()
        assert not bad.connected
        self.assert_unharmed(house, friends)

    def test_f19_an_exception_in_handling_a_message_costs_one_connection(self) -> None:
        house, friends = self.talk(FaultyCodec())
        bad = friends.pop(2)
        assert bad.client._seat is not None
        bad.client._allowed._texts = None  # type: ignore[assignment]
        bad.send(messages.Text("hello"))
        house.settle()
        assert not bad.connected
        self.assert_unharmed(house, friends)

    def test_f19_an_exception_in_checking_a_payload_costs_one_connection(self) -> None:
        codec = FaultyCodec()
        house, friends = self.talk(codec)
        bad = friends.pop(2)
        bad.talk(0.4)
        codec.fails["check"] = 1
        bad.speak()
        house.settle()
        assert not bad.connected
        self.assert_unharmed(house, friends)

    @pytest.mark.parametrize("what", ["decode", "encode", "conceal"])
    def test_f19_an_exception_in_a_coder_costs_a_frame(self, what: str) -> None:
        codec = FaultyCodec()
        house, friends = self.talk(codec)
        codec.fails[what] = 1
        if what == "conceal":
            friends[0].value = None
            house.pass_ticks(2)
            friends[0].talk(0.1)
        self.assert_unharmed(house, friends)
        assert codec.fails[what] == 0, "it did fail"

    def test_f19_an_exception_in_the_mixer_costs_a_tick(self) -> None:
        house, friends = self.talk(FaultyCodec())
        (live_room,) = house.hub.live_rooms
        run = live_room.conference._mixing.run
        live_room.conference._mixing.run = None  # type: ignore[method-assign, assignment]
        house.pass_ticks(1)
        live_room.conference._mixing.run = run  # type: ignore[method-assign]
        self.assert_unharmed(house, friends)
