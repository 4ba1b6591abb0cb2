"""The server over UDP: the behaviour of every carriage, and what only datagrams can show."""

import struct
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.driven import DrivenChannel
from tests.memory import MemoryPort
from tests.server.behaviour import Behaviour
from tests.server.house import House, TcpFriend
from tests.server.lines import SERVER, Lines
from voicechat.carriage import udp
from voicechat.carriage.channel import PROBE_BYTES, Address
from voicechat.carriage.connection import Connection
from voicechat.errors import WireError
from voicechat.media.packet import ME, MediaPacket
from voicechat.media.packing import split_pair
from voicechat.media.quality import Quality
from voicechat.security.keys import Side, login_keys
from voicechat.server.datagrams import COUNT_EVERY
from voicechat.server.limits import Limits
from voicechat.server.metrics import Dropped, OverLimit
from voicechat.server.protocol import RemoteClient
from voicechat.wire import media, messages
from voicechat.wire.datagrams import DatagramType, parse_header

LEAVES_WITHIN = 2.0
"""Seconds after which media must have left a way that died."""


class UdpFriend(TcpFriend):
    """A friend whose media goes by datagrams as soon as the way is proved."""

    def __init__(self, house: House, name: str, lines: Lines, **rest: Any) -> None:
        super().__init__(house, name, **rest)
        self.lines = lines
        self.address: Address = (self.transport.getPeer().host, 50_000 + len(house.friends))
        self.link: DrivenChannel | None = None
        self.deaf = False
        """Their router drops all datagrams."""

    def begin(self) -> "UdpFriend":
        """Send the first string."""
        super().begin()
        return self

    def _understand(self, value: object) -> None:
        super()._understand(value)
        if isinstance(value, messages.Welcome):
            self.link = DrivenChannel(self.house.clock, self.session.keys, value.connection, self._write, self.send)
            self.link.on_media = self._datagram
            self.link.start(SERVER)
        elif self.link is not None and isinstance(value, messages.Path | messages.Report):
            self.link.message_received(value)
            self.told.remove(value)

    def _write(self, datagram: bytes, _: Address) -> None:
        if not self.deaf:
            self.lines.send(datagram, self.address)

    def _datagram(self, packet: bytes, _: int) -> None:
        self.lines.media += 1
        self.packets += 1
        for value in split_pair(media.decode(packet)):
            heard = MediaPacket(value.source, value.tick, value.payload, value.marker, value.end)
            if heard not in self.heard[-2:]:  # an end is sent twice: nothing would be missed that tells of its loss
                self.heard.append(heard)

    def send_media(self, packet: bytes) -> None:
        """By datagram, as soon as that works."""
        if self.link is not None and self.link.up:
            self.link.say_media(packet)
        else:
            super().send_media(packet)

    def deliver(self) -> bool:
        """Strings and datagrams."""
        some = super().deliver()
        queue = self.lines.to.get(self.address, deque())
        while queue:
            datagram = queue.popleft()
            some = True
            if self.link is not None and not self.deaf:
                try:
                    self.link.came(parse_header(datagram), datagram, SERVER)
                except WireError as error:
                    self.wrong = error
        return some

    def break_line(self) -> None:
        """Gone on both ways."""
        if self.link is not None:
            self.link.stop()
        super().break_line()


class UdpTests(Behaviour, SynchronousTestCase):
    """Everything, with media by datagrams."""

    lines: Lines | None = None

    def tearDown(self) -> None:
        super().tearDown()
        for friend in self.house.friends:
            assert isinstance(friend, UdpFriend)
            assert friend.link is None or not friend.connected or friend.link.up, f"{friend.name} is on TCP"

    def connect(self, name: str, **rest: Any) -> UdpFriend:
        """A friend whose HELLO, or RESUME, is on its way."""
        if self.lines is None or self.lines.house is not self.house:
            self.lines = Lines(self.house)
        return UdpFriend(self.house, name, self.lines, **rest).begin()


class Work:
    """Something of the server's that is done as before, and counted."""

    def __init__(self, doing: Callable[[int], object]) -> None:
        self._doing = doing
        self.done = 0

    def __call__(self, value: int) -> None:
        self.done += 1
        self._doing(value)


class SocketPort(MemoryPort):
    """A port whose socket may fail."""

    broken = False

    def sendto(self, datagram: bytes, address: Address) -> None:
        if self.broken:
            raise OSError("no route")
        super().sendto(datagram, address)


class CountingPort(SocketPort):
    """A port of which the kernel tells how many datagrams it did not get."""

    dropped = 0

    def getsockopt(self, *option: int) -> bytes:
        return struct.pack("@9I", *[77] * 8, self.dropped % 2**32)


def opened(house: House) -> Connection:
    """A connection that has datagrams from now on, by the number 7."""
    client = RemoteClient(house.hub, "192.0.2.7", house.factory.datagrams)
    client.session._keys = login_keys(Side.SERVER, bytes(32), b"")
    house.factory.datagrams.open(client.connection, 7, pairs=False)
    return client.connection


def test_what_the_kernel_drops_is_counted_while_somebody_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "_COUNTS", True)
    house, port = House(), CountingPort("udp", 1234, SERVER[0])
    house.factory.datagrams.makeConnection(port)  # type: ignore[arg-type]
    assert not house.clock.getDelayedCalls(), "nobody is here, and nothing is to be done"
    connection = opened(house)
    for told in (0, 10, 10, 2**32 - 5, 2**32 + 5):
        port.dropped = told
        house.clock.advance(COUNT_EVERY)
        assert house.counted("datagrams_dropped_total", Dropped.KERNEL) == told
    port.dropped += 7
    house.factory.datagrams.close(connection)
    assert house.counted("datagrams_dropped_total", Dropped.KERNEL) == port.dropped, "to the last one"
    connection.disconnected()
    assert not house.clock.getDelayedCalls()


def test_a_socket_is_given_what_is_sent_and_may_fail() -> None:
    house, port, address = House(), SocketPort("udp", 1234, SERVER[0]), ("192.0.2.7", 5000)
    house.factory.datagrams.makeConnection(port)  # type: ignore[arg-type]
    connection = opened(house)
    channel = connection.channel
    assert channel is not None
    channel.address, channel.reachability.up = address, True
    connection.send_media(b"a word")
    assert [to for _, to in port.sent] == [address]
    port.broken = True
    connection.send_media(b"another")
    assert len(port.sent) == 1
    assert house.counted("datagrams_dropped_total", Dropped.NOT_SENT) == 1


class DatagramTests(SynchronousTestCase):
    """What only datagrams can show."""

    def setUp(self) -> None:
        self.house = House()
        self.lines = Lines(self.house)
        self.ann, self.ben = (UdpFriend(self.house, name, self.lines).begin() for name in ("Ann", "Ben"))
        self.house.login()
        self.house.pass_ticks(5)

    def test_media_goes_by_datagrams_only(self) -> None:
        self.ann.talk(0.1)
        self.house.pass_seconds(1)
        strings, before = self.ben.received, self.lines.media
        self.house.pass_seconds(2)
        assert self.ben.values() == [0.1] * 150
        assert self.lines.media == before + 100
        assert self.ben.received == strings

    def test_a_saver_whose_line_loses_gets_redundancy_in_place_of_pairs(self) -> None:
        cid = UdpFriend(self.house, "Cid", self.lines, quality=Quality.SAVER).begin()
        self.house.login()
        self.house.pass_seconds(1)
        self.ann.talk(0.1)
        self.house.pass_ticks(50)
        assert cid.packets <= 28, "pairs from the first word on, before any report"
        cid.send(messages.Report(expected=100, lost=10, bursts=10))
        self.house.pass_ticks(2)
        cid.forget()
        self.house.pass_ticks(50)
        assert cid.packets == len(cid.values()) == 50

    def test_a_datagram_of_a_frame_is_16_bytes_more_than_its_packet(self) -> None:
        assert self.ann.link is not None
        self.ann.talk(0.1)
        before = self.ann.link.bytes_out, self.ann.link.packets_out
        self.ann.speak()
        assert self.ann.link.packets_out - before[1] == 1
        assert self.ann.link.bytes_out - before[0] == 8 + 4 + 6 + 8

    def test_a_stranger_gets_no_answer_to_anything(self) -> None:
        assert self.ann.link is not None
        number = self.ann.entered.connection.to_bytes(3, "big")
        for kind in range(256):
            for size in (0, 3, 8, 24, 100, 1500):
                self.lines.send((bytes([kind]) + number + bytes(1500))[:size], ("203.0.113.9", 9))
        assert ("203.0.113.9", 9) not in self.lines.to
        assert self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED) == 256 * 6
        assert self.ann.connected

    def test_a_replayed_datagram_is_heard_once(self) -> None:
        sent: list[bytes] = []
        send = self.lines.send

        def record(datagram: bytes, address: Address) -> None:
            sent.append(datagram)
            send(datagram, address)

        self.lines.send = record  # type: ignore[method-assign]
        self.ann.talk(0.1)
        self.house.pass_ticks(5)
        for datagram in sent:
            send(datagram, self.ann.address)
        self.house.pass_ticks(1)
        assert self.ben.values() == [0.1] * 6

    def test_media_follows_a_friend_to_his_new_address_when_it_is_proved(self) -> None:
        self.ann.talk(0.1)
        self.ben.talk(0.2)
        self.house.pass_ticks(10)
        self.ben.address = ("192.0.2.77", 777)
        self.house.pass_seconds(2)
        self.ben.forget()
        self.house.pass_ticks(50)
        assert self.ben.values() == [0.1] * 50
        assert self.ben.told == []
        assert self.lines.to[self.ben.address] is not None

    def test_a_spoofed_address_gets_no_media(self) -> None:
        """A friend who plays tricks sends from somebody else's address."""
        self.house.pass_seconds(3)  # their line is measured
        victim = self.spoof()
        assert len(victim) <= 3 * 3, "one question a second, and an answer to what they ask"

    def test_a_spoofed_address_gets_no_more_than_a_few_answers_a_second(self) -> None:
        """They ask fifty times a second."""
        assert self.ben.link is not None
        reachability = self.ben.link.reachability
        reachability.poll = lambda token, now: token  # type: ignore[method-assign]
        reachability.next_at = lambda now: now + 0.02  # type: ignore[method-assign]
        assert len(self.spoof()) <= 3 * (1 + 8) + 8, "and eight at once"

    def spoof(self) -> deque[bytes]:
        """What somebody gets in three seconds whose address Ben uses."""
        self.ann.talk(0.1)
        self.ben.talk(0.2)
        self.house.pass_ticks(10)
        home, self.ben.address = self.ben.address, ("203.0.113.9", 9)
        self.ben.deliver = lambda: False  # type: ignore[method-assign]  # what goes there does not come to them
        self.house.pass_seconds(3)
        victim = self.lines.to[("203.0.113.9", 9)]
        assert all(len(datagram) <= 8 + 16 + 8 for datagram in victim), "and none larger than what it answers"
        assert home in self.lines.to
        return victim

    def test_when_datagrams_die_media_goes_over_tcp_soon_and_comes_back(self) -> None:
        self.ann.talk(0.1)
        self.house.pass_seconds(1)
        self.ben.deaf = True
        self.house.pass_seconds(LEAVES_WITHIN)
        self.ben.forget()
        self.house.pass_ticks(50)
        assert self.ben.values() == [0.1] * 50
        self.ben.deaf = False
        self.house.pass_seconds(20)
        media_before = self.lines.media
        self.house.pass_ticks(50)
        assert self.lines.media == media_before + 50, "and comes back when they live again"

    def flood(self, kind: DatagramType, packet: bytes) -> tuple[int, int]:
        """Somebody comes and sends as many as one core makes, all of which open, until they are cut, a second at most.

        How many they were, and how many of them the server did anything about.
        """
        bad = UdpFriend(self.house, "Bad", self.lines).begin()
        self.house.login()
        self.house.pass_seconds(1)
        self.ben.forget()
        assert bad.link is not None
        channel = bad.connection.channel
        assert channel is not None
        sent, work = 0, Work(channel._meter.note)
        channel._meter.note = work  # type: ignore[assignment, method-assign]
        for tick in range(1, 51):
            while bad.connected and not bad.transport.aborted and sent < tick * 57_000 / 50:
                bad._write(bad.link._seal.seal(kind, packet), SERVER)
                sent += 1
            self.house.pass_ticks(1)
        assert not bad.connected, kind.name
        assert set(self.ben.values()) == {0.1}
        assert len(self.ben.values()) >= 50, "the others hear on; twice for a moment where a mix takes over"
        return sent, work.done

    def test_a_flood_of_datagrams_of_any_type_is_counted_dropped_and_cut(self) -> None:
        """Of 57 000 keepalives a second the server took all, and friends heard 13 frames of 50."""
        limits = Limits()
        packets = {
            DatagramType.MEDIA: media.encode(MediaPacket(ME, 1, b"HC\0\0\0\0")),
            DatagramType.PROBE: bytes(PROBE_BYTES),
            DatagramType.ANSWER: b"\1" * PROBE_BYTES,
            DatagramType.KEEPALIVE: b"",
        }
        assert set(packets) == set(DatagramType)
        self.ann.talk(0.1)
        self.house.pass_seconds(3)
        for times, (kind, packet) in enumerate(packets.items(), 1):
            sent, handled = self.flood(kind, packet)
            assert handled <= limits.datagrams_burst + limits.datagrams_a_second
            assert sent <= handled + 9 * limits.media_a_second * limits.excess_seconds + 1
            assert self.house.counted("protocol_errors_total") == times
        assert (
            self.house.counted("over_limit_total", OverLimit.DATAGRAM)
            > 3 * 9 * limits.media_a_second * limits.excess_seconds
        )

    def test_what_does_not_open_takes_nothing_from_whom_it_names(self) -> None:
        """Whoever listens on the line knows a friend's number and address, and has their datagrams to send again."""
        heard: list[bytes] = []
        send = self.lines.send

        def overhear(datagram: bytes, address: Address) -> None:
            heard.append(datagram)
            send(datagram, address)

        self.lines.send = overhear  # type: ignore[method-assign]
        self.ann.talk(0.1)
        self.house.pass_seconds(1)
        self.ben.forget()
        for tick in range(50):
            for number in range(1140):
                datagram = heard[number % 50]
                forged = datagram[:4] + (1_000_000 + 1140 * tick + number).to_bytes(4, "big") + datagram[8:]
                send(forged if number % 2 else datagram, self.ann.address)
            self.house.pass_ticks(1)
        assert self.ben.values() == [0.1] * 50
        assert self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED) == 50 * 1140
        assert self.house.counted("over_limit_total", OverLimit.DATAGRAM) == 0
        assert self.ann.connected

    def test_a_line_that_lets_go_of_what_it_held_back_meets_no_limit_but_medias(self) -> None:
        """Three seconds of words and probes at once; words that are too late are dropped, and no more comes of it."""
        held: list[bytes] = []
        send = self.lines.send
        self.ann.talk(0.1)
        self.house.pass_seconds(1)
        self.lines.send = lambda datagram, address: held.append(datagram)  # type: ignore[method-assign]
        self.house.pass_seconds(3)
        self.lines.send = send  # type: ignore[method-assign]
        for datagram in held:
            send(datagram, self.ann.address)
        assert len(held) > 80
        assert self.house.counted("over_limit_total", OverLimit.DATAGRAM) == 0
        self.house.pass_seconds(5)
        self.ben.forget()
        self.house.pass_seconds(1)
        assert self.ben.values() == [0.1] * 50
        assert self.ann.connected

    def test_datagrams_after_a_goodbye_are_no_violation(self) -> None:
        assert self.ann.link is not None
        self.ann.talk(0.1)
        self.house.pass_ticks(3)
        self.ann.send(messages.Bye())
        self.ann.link.say_media(media.encode(MediaPacket(0xFF, 1, b"HC\0\0\0\0")))
        self.house.settle()
        assert self.house.counted("protocol_errors_total") == 0

    def test_after_the_end_no_call_and_no_link_is_left(self) -> None:
        for friend in (self.ann, self.ben):
            friend.break_line()
        self.house.hub.close()
        self.house.settle()
        assert not self.house.clock.getDelayedCalls()
        self.lines.send(b"\x20" + bytes(40), self.ann.address)
        assert self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED) == 1
