"""Browsers by WebRTC: who gets a path, what goes by it and how, and what strangers get, which is nothing."""

import os
import struct
from collections import deque
from itertools import pairwise
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.carriage.webrtc.browser import Browser, binding
from tests.server.browsers import BrowserFriend
from tests.server.house import House, TcpFriend
from tests.server.lines import Lines
from voicechat.carriage.channel import Address
from voicechat.carriage.webrtc.channel import AGAIN, BOUND_FOR, MOST_REQUESTS, MOST_SENDS, UNHEARD
from voicechat.format import silent_frame
from voicechat.media.packet import ME, MediaPacket
from voicechat.media.quality import Quality
from voicechat.security.dtls import MOST_SOURCES
from voicechat.server.limits import Limits
from voicechat.server.metrics import Dropped, OverLimit, PacketPath
from voicechat.testing import MemoryCodec
from voicechat.wire import media, messages

LEAVES_WITHIN = 2.1
"""Seconds after which media must have left a way that died."""


class RtcFriend(BrowserFriend):
    """A browser whose media goes by WebRTC as soon as that is there."""

    def __init__(self, house: House, name: str, lines: Lines, **rest: Any) -> None:
        super().__init__(house, name, **rest)
        self.lines = lines
        self.address: Address = (self.transport.getPeer().host, 50_000 + len(house.friends))
        self.browser = Browser()
        self.accept: messages.Accept | None = None
        self.deaf = self.dumb = False
        """The line brings them no datagrams; or takes none of theirs."""
        self.reported = 0
        self.reports = True
        """They tell each second how much came."""
        self._next_report = 0.0

    def _understand(self, value: object) -> None:
        super()._understand(value)
        if isinstance(value, messages.Welcome) and messages.RTC in value.capabilities:
            self.send(self.browser.offer)
        elif isinstance(value, messages.Accept):
            self.accept = value
            self.bind()

    def bind(self) -> None:
        """Ask whether the server is there, and begin DTLS."""
        assert self.accept is not None
        self.out(binding(self.accept.ufrag, self.accept.password))
        if not self.browser.sealed:
            for datagram in self.browser.hello():
                self.out(datagram)

    def out(self, datagram: bytes) -> None:
        """A datagram to the server."""
        if not self.dumb:
            self.lines.send(datagram, self.address)

    def speak(self) -> None:
        """The frame of this tick by RTP where that goes; and now and then what a browser does."""
        now = self.house.clock.seconds()
        if self.accept is not None and self.house.tick % 125 == 0:
            self.out(binding(self.accept.ufrag, self.accept.password))
        if now >= self._next_report and self.welcome is not None:
            self._next_report = now + 1.0
            came = len(self.browser.heard)
            if came > self.reported and self.reports:
                self.send(messages.Report(came - self.reported, 0, 0))
            self.reported = came
        if self.value is not None and self.browser.sealed:
            frame = silent_frame()
            frame.fill(self.value)
            self.out(self.browser.say(self.house.tick, MemoryCodec().encoder(0).encode(frame)))
        else:
            super().speak()

    def hush(self) -> None:
        """Opus' silence ends the spurt."""
        self.value = None
        self.out(self.browser.say(self.house.tick, b"\x48"))

    def deliver(self) -> bool:
        """Strings and datagrams."""
        some = super().deliver()
        queue = self.lines.to.get(self.address, deque())
        while queue:
            datagram = queue.popleft()
            some = True
            if not self.deaf:
                for answer in self.browser.received(datagram):
                    self.out(answer)
        return some

    def stream(self) -> list[tuple[int, int, int, bool, int | None, bytes]]:
        """What was heard by RTP: payload type, sequence, tick, marker, talker, payload."""
        heard = []
        for packet in self.browser.heard:
            first, second, sequence, stamp, _ = struct.unpack_from("!BBHII", packet)
            talkers = first & 15
            source = int.from_bytes(packet[12:16], "big") if talkers else None
            heard.append((second & 127, sequence, stamp // 960, bool(second & 128), source, packet[12 + 4 * talkers :]))
        return heard

    def heard_values(self) -> list[float]:
        """The values of the frames that came by RTP."""
        out, found = silent_frame(), []
        for *_, payload in self.stream():
            if len(payload) > 1:
                MemoryCodec().decoder().decode(payload, out)
                found.append(round(float(out[0]), 4))
        return found


class RtcTests(SynchronousTestCase):
    """One server, browsers and clients."""

    def setUp(self) -> None:
        self.house = House(takes_offers=True)
        self.lines = Lines(self.house)

    def tearDown(self) -> None:
        assert not self.house.log.failures, self.house.log.failures[0]

    def enter(self, name: str, **rest: Any) -> RtcFriend:
        friend = RtcFriend(self.house, name, self.lines, **rest).begin()
        assert isinstance(friend, RtcFriend)
        self.house.login()
        assert friend.browser.sealed, friend.wrong
        assert friend.accept is not None
        assert friend.browser.knows(friend.accept)
        return friend

    def native(self, name: str) -> TcpFriend:
        friend = TcpFriend(self.house, name).begin()
        self.house.login()
        assert friend.welcome is not None
        return friend

    def test_a_voice_goes_up_and_down_by_rtp_as_it_was_coded(self) -> None:
        ann, ben, cid = self.enter("Ann"), self.enter("Ben"), self.native("Cid")
        ann.talk(0.25)
        self.house.pass_ticks(50)
        assert set(ben.heard_values()) == {0.25}
        assert len(ben.heard_values()) == 50
        assert not [packet for packet in ben.heard if packet.payload], "and none by strings"
        assert cid.values(ann.source) == [0.25] * 50
        assert {source for *_, source, _ in ben.stream()} == {ann.source}
        assert not ann.heard_values()

    def test_the_stream_of_a_spurt_goes_on_by_one_and_ends_with_a_byte(self) -> None:
        ann, ben = self.enter("Ann"), self.enter("Ben")
        ann.talk(0.25)
        self.house.pass_ticks(10)
        ann.hush()
        self.house.pass_ticks(100)
        ann.talk(0.5)
        self.house.pass_ticks(10)
        stream = ben.stream()
        sequences = [packet[1] for packet in stream]
        ticks = [packet[2] for packet in stream]
        assert sequences == [(sequences[0] + n) % (1 << 16) for n in range(len(stream))]
        assert [packet[3] for packet in stream].count(True) == 2
        assert [len(packet[-1]) for packet in stream[9:12]] == [6, 1, 6]
        assert ticks[11] - ticks[0] == pytest.approx(110, abs=1), "the time stamp runs with the clock, in silence too"

    def test_a_mix_follows_a_lone_talker_in_the_same_stream(self) -> None:
        ann, ben, cid = self.native("Ann"), self.native("Ben"), self.enter("Cid")
        ann.talk(0.1)
        self.house.pass_ticks(50)
        ben.talk(0.2)
        self.house.pass_ticks(50)
        stream = cid.stream()
        ticks = [packet[2] for packet in stream]
        assert ticks == list(range(ticks[0], ticks[0] + len(ticks))), "one frame a tick, whoever talks"
        assert [packet[1] for packet in stream] == [(stream[0][1] + n) % (1 << 16) for n in range(len(stream))]
        sources = [packet[4] for packet in stream]
        change = sources.index(None)
        assert set(sources[:change]) == {ann.source}
        assert set(sources[change:]) == {None}
        assert change < 60
        assert cid.heard_values()[-1] == 0.3
        ben.hush()
        self.house.pass_ticks(150)
        assert cid.stream()[-1][4] == ann.source
        ticks = [packet[2] for packet in cid.stream()]
        assert all(0 < later - earlier <= 3 for earlier, later in pairwise(ticks))

    def test_nothing_is_answered_to_who_does_not_know_the_password_of_a_path(self) -> None:
        ann = self.enter("Ann")
        assert ann.accept is not None
        stranger: Address = ("203.0.113.66", 6666)
        paths = self.house.factory.datagrams._paths
        assert paths is not None
        before, dropped = len(paths), self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED)
        good = binding(ann.accept.ufrag, ann.accept.password)
        sent = [
            binding(ann.accept.ufrag, "wrong" * 5),
            binding("nobody", ann.accept.password),
            good[:-30] + bytes(30),
            good[:20],
            b"\x00",
            Browser().hello()[0],
            b"\x80" + bytes(40),
            ann.browser.say(1, b"\x48abc"),
            os.urandom(100),
        ]
        for datagram in sent:
            self.lines.send(datagram, stranger)
        assert stranger not in self.lines.to
        assert len(paths) == before
        assert self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED) == dropped + len(sent)

    def test_who_has_the_password_but_not_the_certificate_gets_no_keys(self) -> None:
        ann = self.enter("Ann")
        ann.send(Browser().offer)  # a certificate that another browser has
        self.house.settle()
        assert ann.accept is not None
        thief, address = Browser(), ("203.0.113.66", 6666)
        self.lines.send(binding(ann.accept.ufrag, ann.accept.password), address)
        waiting = thief.hello()
        for _ in range(10):
            for datagram in waiting:
                self.lines.send(datagram, address)
            waiting = []
            queue = self.lines.to.get(address, deque())
            while queue:
                waiting += thief.received(queue.popleft())
        assert thief.answers
        path = self.house.hub.seats[ann.entered.connection].peer.connection.peer.channel  # type: ignore[union-attr]
        assert not path.up
        assert path._dtls.srtp is None

    def test_a_browser_that_hears_nothing_gets_strings_within_two_seconds_and_rtp_again(self) -> None:
        ann, ben = self.native("Ann"), self.enter("Ben")
        ann.talk(0.25)
        self.house.pass_seconds(3)
        assert not [packet for packet in ben.heard if packet.payload]
        ben.deaf = True
        self.house.pass_seconds(LEAVES_WITHIN + 1.0)  # a report of the second before may still come
        before = len(ben.values(ann.source))
        self.house.pass_seconds(1)
        assert len(ben.values(ann.source)) - before == 50
        ben.deaf = False
        self.house.pass_seconds(AGAIN + UNHEARD)
        before, heard = len(ben.values(ann.source)), len(ben.browser.heard)
        self.house.pass_seconds(1)
        assert len(ben.values(ann.source)) == before
        assert len(ben.browser.heard) - heard == 50

    def test_a_browser_whose_datagrams_do_not_come_any_more_gets_strings(self) -> None:
        ann, ben = self.native("Ann"), self.enter("Ben")
        ben.dumb = True
        self.house.pass_seconds(BOUND_FOR + 0.1)
        ann.talk(0.25)
        self.house.pass_ticks(50)
        assert ben.values(ann.source) == [0.25] * 50
        ben.dumb = False
        self.house.pass_seconds(3)
        heard = len(ben.browser.heard)
        self.house.pass_ticks(50)
        assert len(ben.browser.heard) - heard == 50

    def test_a_saver_gets_each_frame_once_and_in_order(self) -> None:
        """Pairs of frames are for programs of ours; a browser gets them one by one."""
        ann, ben = self.native("Ann"), self.enter("Ben", quality=Quality.SAVER)
        self.house.pass_seconds(3)
        ann.talk(0.25)
        self.house.pass_ticks(51)
        ann.hush()
        self.house.pass_ticks(2)
        stream = ben.stream()
        assert [len(packet[-1]) for packet in stream] == [6] * 51 + [1]
        assert [packet[1] for packet in stream] == [(stream[0][1] + n) % (1 << 16) for n in range(52)]
        assert [packet[2] - stream[0][2] for packet in stream] == list(range(52))

    def test_redundancy_of_another_hop_is_taken_off(self) -> None:
        ann, ben = self.native("Ann"), self.enter("Ben")
        payload = MemoryCodec().encoder(0).encode(silent_frame())
        for tick in range(5):
            earlier = payload if tick else b""
            packet = MediaPacket(ME, tick, payload, marker=not tick, offset=1 if tick else 0, redundant=earlier)
            ann.send_media(media.encode(packet))
        self.house.settle()
        assert [packet[-1] for packet in ben.stream()] == [payload] * 5

    def test_a_new_offer_is_another_path_and_the_old_one_is_dead(self) -> None:
        ann, ben = self.enter("Ann"), self.native("Ben")
        assert ann.accept is not None
        old, old_address = ann.accept, ann.address
        ann.browser, ann.accept = Browser(), None
        ann.address = (ann.address[0], ann.address[1] + 1000)
        ann.send(ann.browser.offer)
        self.house.settle()
        self.house.pass_ticks(5)
        assert ann.browser.sealed
        self.lines.to.clear()
        self.lines.send(binding(old.ufrag, old.password), old_address)
        assert old_address not in self.lines.to
        ben.talk(0.5)
        self.house.pass_ticks(20)
        assert ann.heard_values() == [0.5] * 20

    def test_who_comes_back_with_a_ticket_has_a_path_again(self) -> None:
        ann, ben = self.enter("Ann"), self.native("Ben")
        ann.break_line()
        again = self.enter("Ann", ticket=ann.ticket)
        assert again.source == ann.source
        ben.talk(0.5)
        self.house.pass_ticks(20)
        assert again.heard_values() == [0.5] * 20
        assert not ann.heard_values()

    def test_dtls_that_ends_leaves_strings_and_a_new_offer_works(self) -> None:
        ann, ben = self.enter("Ann"), self.native("Ben")
        ann.browser.ssl.shutdown()
        for datagram in ann.browser.flight():
            ann.out(datagram)
        ben.talk(0.5)
        self.house.pass_ticks(20)
        assert ann.values(ben.source) == [0.5] * 20
        ann.browser, ann.accept = Browser(), None
        ann.send(ann.browser.offer)
        self.house.settle()
        self.house.pass_ticks(20)
        assert len(ann.heard_values()) > 10

    def test_a_browser_is_told_how_much_came(self) -> None:
        ann = self.enter("Ann")
        self.native("Ben")
        ann.talk(0.25)
        self.house.pass_seconds(5)
        reports = ann.told_of(messages.Report)
        assert 4 <= len(reports) <= 5
        assert all(45 <= report.expected <= 55 and not report.lost for report in reports[1:])

    def test_what_is_no_frame_is_dropped_and_costs_no_connection(self) -> None:
        ann, ben = self.enter("Ann"), self.native("Ben")
        for payload in (b"\x4c" + bytes(20), b"\x4b\x02" + bytes(40), b"\x40" + bytes(20), b"\x48" + bytes(500)):
            ann.out(ann.browser.say(5, payload))
        ann.out(ann.browser.say(6, b"\x48" + bytes(20), payload_type=8))
        self.house.settle()
        assert ann.connected
        assert not ben.heard

    def test_a_flood_over_a_path_is_counted_dropped_and_cut(self) -> None:
        ann, ben = self.enter("Ann"), self.native("Ben")
        payload = MemoryCodec().encoder(0).encode(silent_frame())
        for n in range(7000):
            ann.out(ann.browser.say(n, payload))
        self.house.settle()
        assert not ann.connected
        assert ben.connected

    def test_more_media_than_a_voice_has_is_not_passed_on(self) -> None:
        ann, ben = self.enter("Ann"), self.native("Ben")
        payload = MemoryCodec().encoder(0).encode(silent_frame())
        for n in range(200):
            ann.out(ann.browser.say(n, payload))
        self.house.settle()
        assert len(ben.heard) <= Limits().media_burst
        assert self.house.counted("over_limit_total", OverLimit.MEDIA) >= 200 - Limits().media_burst

    def test_a_flood_of_binding_requests_ends_like_any_other(self) -> None:
        """They are signed, so they are a friend's; and what is forged takes from nobody."""
        ann, ben = self.enter("Ann"), self.native("Ben")
        assert ann.accept is not None
        for _ in range(10_000):
            self.lines.send(binding(ann.accept.ufrag, "wrong" * 6), ann.address)
        assert ann.connected
        sent = 0
        while sent < 20_000 and ann.connected:
            self.lines.send(binding(ann.accept.ufrag, ann.accept.password), ann.address)
            sent += 1
        limits = Limits()
        assert sent <= limits.datagrams_burst + 9 * limits.media_a_second * limits.excess_seconds + 50
        self.house.settle()
        assert ben.connected

    def test_what_is_forged_from_a_friends_address_takes_nothing_from_them(self) -> None:
        """Whoever can make up the address has no keys: each is dropped and counted, and none is the friend's."""
        ann, ben = self.enter("Ann"), self.enter("Ben")
        record = b"\x16\xfe\xfd" + bytes(8)
        forged = {
            "a record of the handshake": record + b"\x00\x10" + bytes(16),
            "a sealed record": b"\x17\xfe\xfd\x00\x01" + bytes(6) + b"\x00\x30" + os.urandom(48),
            "a record of the next epoch": b"\x16\xfe\xfd\x00\x02" + bytes(6) + b"\x00\x30" + os.urandom(48),
            "an alert": b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28",
            "another hello": Browser().hello()[0],
            "RTCP": b"\x80\xc9\x00\x01" + bytes(30),
            "RTCP, cut off": b"\x80\xc9",
            "RTP": b"\x80\x6f" + bytes(60),
            "RTP, far too long": b"\x80\x6f" + bytes(1600),
            "one byte": b"\x80",
        }
        for what, datagram in forged.items():
            dropped = self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED)
            taken = self.house.counted("packets_received_total", PacketPath.UDP)
            for _ in range(8000):  # over 7000 that open are beyond all measure
                self.lines.send(datagram, ann.address)
            assert not self.house.log.failures, what
            assert self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED) == dropped + 8000, what
            assert self.house.counted("packets_received_total", PacketPath.UDP) == taken, what
        self.house.settle()
        assert ann.connected
        ben.talk(0.5)
        self.house.pass_ticks(20)
        assert ann.heard_values() == [0.5] * 20, "nor has the path ended"

    def test_reports_of_rtcp_are_counted_as_what_comes_by_the_path(self) -> None:
        ann = self.enter("Ann")
        before = self.house.counted("packets_received_total", PacketPath.UDP)
        dropped = self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED)
        once = ann.browser.report()
        ann.out(once)
        assert self.house.counted("packets_received_total", PacketPath.UDP) == before + 1
        ann.out(once)
        assert self.house.counted("packets_received_total", PacketPath.UDP) == before + 1, "it came before"
        assert self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED) == dropped + 1

    def test_a_request_that_is_sent_again_by_who_listens_takes_and_moves_nothing(self) -> None:
        ann, ben, third = self.enter("Ann"), self.native("Ben"), ("203.0.113.66", 6666)
        assert ann.accept is not None
        once = binding(ann.accept.ufrag, ann.accept.password)
        ann.out(once)
        self.lines.send(once, third)
        assert third not in self.lines.to
        dropped = self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED)
        for _ in range(8000):
            ann.out(once)
        assert self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED) == dropped + 8000 - (MOST_SENDS - 1)
        self.house.settle()
        assert ann.connected
        ben.talk(0.5)
        self.house.pass_ticks(20)
        assert ann.heard_values() == [0.5] * 20
        assert third not in self.lines.to

    def test_the_numbers_of_requests_that_are_kept_are_few(self) -> None:
        ann = self.enter("Ann")
        assert ann.accept is not None
        for _ in range(MOST_REQUESTS // 100 + 2):
            for _ in range(100):
                ann.out(binding(ann.accept.ufrag, ann.accept.password))
            self.house.clock.advance(1.0)
            self.house.settle()
        assert ann.connected
        path = self.house.factory.datagrams._paths._by_name[ann.accept.ufrag]  # type: ignore[union-attr]
        assert len(path.channel._requests) == MOST_REQUESTS

    def test_nobody_takes_the_address_where_another_browser_is(self) -> None:
        """A friend who makes up another's address takes none of their sound; when nobody is there, it is free."""
        ann, ben, cid = self.enter("Ann"), self.enter("Ben"), self.native("Cid")
        assert ben.accept is not None
        ann.talk(0.25)
        self.house.pass_ticks(10)
        before = len(cid.values(ann.source))
        self.lines.send(binding(ben.accept.ufrag, ben.accept.password), ann.address)
        self.house.pass_ticks(20)
        assert len(cid.values(ann.source)) - before == 20
        ann.dumb = True
        self.house.pass_seconds(BOUND_FOR + 0.1)
        self.lines.to.clear()
        self.lines.send(binding(ben.accept.ufrag, ben.accept.password), ann.address)
        assert self.lines.to[ann.address]

    def test_sources_of_one_browser_are_few(self) -> None:
        """Libsrtp keeps a stream for each, whatever it is: one who makes up new ones makes no memory."""
        ann, ben = self.enter("Ann"), self.native("Ben")
        dropped = self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED)
        payload = MemoryCodec().encoder(0).encode(silent_frame())
        for source in range(100, 200):
            ann.out(ann.browser.say(source, payload, source=source))
            ann.out(ann.browser.report(source + 1000))
        assert self.house.counted("datagrams_dropped_total", Dropped.NOT_OPENED) == dropped + 200 - MOST_SOURCES
        assert ann.connected
        assert ben.connected

    def test_the_end_of_a_connection_is_the_end_of_its_path(self) -> None:
        ann = self.enter("Ann")
        paths = self.house.factory.datagrams._paths
        assert paths is not None
        assert len(paths)
        ann.break_line()
        assert not len(paths)
        self.lines.to.clear()
        ann.bind()
        assert ann.address not in self.lines.to

    def test_addresses_of_one_browser_are_few(self) -> None:
        ann = self.enter("Ann")
        assert ann.accept is not None
        for port in range(1000, 1100):
            self.lines.send(binding(ann.accept.ufrag, ann.accept.password, nominated=False), ("192.0.2.1", port))
        paths = self.house.factory.datagrams._paths
        assert paths is not None
        assert len(paths) <= 9

    def test_a_server_without_it_offers_none_and_ignores_an_offer(self) -> None:
        house = House()
        Lines(house)
        friend = BrowserFriend(house, "Ann").begin()
        house.login()
        assert friend.entered.capabilities == messages.CAPABILITIES
        friend.send(Browser().offer)
        house.settle()
        assert friend.connected
        assert not friend.told_of(messages.Accept)
