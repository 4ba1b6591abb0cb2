"""The server's TCP protocol: the behaviour of every carriage, and what only TCP can show."""

import random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.server.behaviour import Behaviour
from tests.server.house import House, TcpFriend
from voicechat.carriage.connection import LINGER
from voicechat.carriage.heartbeat import ANSWER_WITHIN, PING_EVERY
from voicechat.media.packet import MediaPacket
from voicechat.security.tickets import Ticket
from voicechat.server.admission import ANSWER_PRICE, BREATH
from voicechat.server.limits import Limits
from voicechat.server.metrics import Login, Rejected
from voicechat.session.outbox import MOST_CONTROL, MOST_MEDIA
from voicechat.wire import handshake, media, messages
from voicechat.wire.handshake import Reason, Refuse


class TcpTests(Behaviour, SynchronousTestCase):
    """Everything over TCP."""

    def connect(self, name: str, **rest: Any) -> TcpFriend:
        """A friend whose HELLO, or RESUME, is on its way."""
        return TcpFriend(self.house, name, **rest).begin()

    def stranger(self, host: str = "192.0.2.66") -> TcpFriend:
        """A connection that says nothing."""
        return TcpFriend(self.house, "stranger", host=host)


class BeforeLoginTests(SynchronousTestCase):
    """The door."""

    def setUp(self) -> None:
        self.house = House()

    def stranger(self, host: str = "192.0.2.66", **rest: Any) -> TcpFriend:
        """A connection that says nothing yet."""
        return TcpFriend(self.house, "stranger", host=host, **rest)

    def wait(self, seconds: float) -> None:
        """Let time go by, all at once, as a stalled reactor would, too."""
        self.house.clock.advance(seconds)
        self.house.settle()

    def test_a_silent_connection_is_closed_after_the_time_for_a_login(self) -> None:
        stranger = self.stranger()
        self.wait(Limits().login_seconds - 0.1)
        assert stranger.connected
        self.wait(0.2)
        assert not stranger.connected
        assert self.house.counted("refused_total", Rejected.NO_LOGIN_IN_TIME) == 1

    def test_drops_of_bytes_do_not_prolong_the_time(self) -> None:
        stranger = self.stranger()
        string = stranger.session.begin()
        for byte in len(string).to_bytes(4, "big") + string[:40]:
            stranger.send_bytes(bytes([byte]))
            self.wait(0.12)
        assert not stranger.connected

    def test_one_who_was_answered_and_says_no_more_is_closed_too(self) -> None:
        stranger = self.stranger()
        stranger.send_string(stranger.session.begin())
        stranger.send_string = lambda string: None  # type: ignore[method-assign]
        self.house.login()
        assert [string[3] for string in stranger.strings] == [2], "a REPLY"
        self.wait(5.1)
        assert not stranger.connected

    def test_nothing_is_sent_before_something_was_said(self) -> None:
        stranger = self.stranger()
        self.house.pass_seconds(1)
        assert not stranger.received

    def test_a_wrong_password_is_refused_and_counted(self) -> None:
        guesser = self.stranger(password="guess").begin()
        self.house.login()
        assert guesser.refused == Refuse(Reason.PASSWORD)
        assert not guesser.connected
        assert self.house.counted("logins_total", Login.WRONG_PASSWORD) == 1
        assert not self.house.hub.seats

    def test_another_version_is_told_ours(self) -> None:
        stranger = self.stranger()
        stranger.send_string(b"VC\x02\x01" + bytes(100))
        self.house.settle()
        assert stranger.refused == Refuse(Reason.VERSION, highest_version=handshake.VERSION)
        assert not stranger.connected

    def test_what_is_no_handshake_is_refused(self) -> None:
        for string in (b"", b"GET / HTTP/1.1", b"VC\x01\x01", b"VC\x01\x63" + bytes(49), bytes(256)):
            stranger = self.stranger()
            stranger.send_string(string)
            self.house.settle()
            assert stranger.refused == Refuse(Reason.MALFORMED), string
            assert not stranger.connected

    def test_a_point_that_spake2_does_not_take_is_refused(self) -> None:
        stranger = self.stranger()
        stranger.send_string(b"VC\x01\x01" + bytes(16) + b"A" + bytes(32))
        self.house.login()
        assert stranger.refused == Refuse(Reason.MALFORMED)
        assert not self.house.log.failures

    def test_a_proof_without_a_hello_is_refused(self) -> None:
        stranger = self.stranger()
        stranger.send_string(handshake.Auth(bytes(32), bytes(16)).build())
        self.house.login()
        assert stranger.refused == Refuse(Reason.MALFORMED)

    def test_a_proof_before_the_reply_is_refused(self) -> None:
        stranger = self.stranger()
        stranger.send_string(stranger.session.begin())
        stranger.send_string(handshake.Auth(bytes(32), bytes(16)).build())
        self.house.login()
        assert stranger.refused == Refuse(Reason.MALFORMED)
        assert not self.house.hub.seats

    def test_many_guesses_in_one_segment_are_one_guess(self) -> None:
        stranger = self.stranger()
        stranger.send_string(stranger.session.begin())
        stranger.send_string = lambda string: None  # type: ignore[method-assign]
        self.house.login()
        auth = handshake.Auth(bytes(32), bytes(16)).build()
        stranger.send_bytes(100 * (len(auth).to_bytes(4, "big") + auth))
        self.house.settle()
        assert not stranger.connected
        assert self.house.counted("logins_total", Login.WRONG_PASSWORD) == 1

    def test_a_length_beyond_the_limit_ends_it_before_its_first_byte(self) -> None:
        for length in (handshake.MAX_CLEAR + 1, 1 << 31, 0xFFFFFFFF):
            stranger = self.stranger()
            stranger.send_bytes(length.to_bytes(4, "big"))
            self.house.settle()
            assert not stranger.connected
            assert stranger.refused == Refuse(Reason.MALFORMED)

    def test_when_the_places_are_taken_the_oldest_goes(self) -> None:
        strangers = [self.stranger(f"192.0.2.{n}") for n in range(65)]
        self.house.settle()
        assert [stranger.connected for stranger in strangers] == [False] + [True] * 64
        assert len(self.house.hub.admission) == 64

    def test_one_address_takes_eight_places_at_most(self) -> None:
        other = self.stranger("192.0.2.1")
        strangers = [self.stranger("192.0.2.2") for _ in range(12)]
        self.house.settle()
        assert [stranger.connected for stranger in strangers] == [False] * 4 + [True] * 8
        assert other.connected

    def test_an_ipv6_network_counts_as_one_address(self) -> None:
        strangers = [self.stranger(f"2001:db8::{n:x}") for n in range(1, 10)]
        other = self.stranger("2001:db8:0:1::1")
        self.house.settle()
        assert [stranger.connected for stranger in strangers] == [False] + [True] * 8
        assert other.connected

    def test_logins_are_computed_one_at_a_time(self) -> None:
        friends = [self.stranger(f"192.0.2.{n}").begin() for n in range(3)]
        answered = []
        for _ in range(4):
            self.house.clock.advance(0)
            answered.append([bool(friend.transport.value()) for friend in friends])
            self.house.clock.advance(0.005)
        assert [sum(turn) for turn in answered] == [1, 2, 3, 3]

    def test_the_queue_of_logins_is_fair_by_address(self) -> None:
        crowd = [self.stranger("192.0.2.66").begin() for _ in range(6)]
        friend = self.stranger("192.0.2.1").begin()
        for _ in range(2):
            self.house.clock.advance(0.005)
        assert friend.transport.value(), "the second turn is another address's"
        assert sum(bool(other.transport.value()) for other in crowd) == 1

    def test_a_flood_from_many_addresses_shows_itself_out_and_not_a_friend(self) -> None:
        flood = [self.stranger(f"198.51.100.{n % 64}") for n in range(64)]
        friend = self.stranger("192.0.2.1")
        flood += [self.stranger(f"198.51.100.{n % 64}").begin() for n in range(640)]
        self.house.settle()
        assert friend.connected
        assert sum(stranger.connected for stranger in flood) == 63
        friend.begin()
        for _ in range(2):
            self.house.clock.advance(0.005)
        assert friend.transport.value(), "and their turn is the next"

    def test_what_is_remembered_of_who_knocks_is_bounded(self) -> None:
        self.house = House(most_banned=10)
        for n in range(40):
            self.stranger(f"192.0.2.{n}")
        assert len(self.house.hub.admission.knocks) == 10

    def test_a_flood_of_logins_is_paced(self) -> None:
        rate, burst = 5.0 * ANSWER_PRICE, 2.0 * ANSWER_PRICE
        self.house = House(logins_a_second=rate, logins_burst=burst, before_login_each=64)
        crowd = [self.stranger().begin() for _ in range(20)]
        for _ in range(200):
            self.house.clock.advance(0.01)
        answered = sum(bool(other.transport.value()) for other in crowd)
        assert 11 <= answered <= 12, "two at once, then five a second for two seconds"

    def test_ten_wrong_passwords_ban_the_address_for_five_minutes(self) -> None:
        for _ in range(10):
            self.stranger(password="guess").begin()
            self.house.login()
        banned = self.stranger().begin()
        other = self.stranger("192.0.2.1").begin()
        self.house.login()
        assert isinstance(banned.refused, Refuse)
        assert banned.refused.reason is Reason.TRY_LATER
        assert 200 < banned.refused.retry_seconds <= 255
        assert not banned.connected
        assert other.welcome is not None
        self.wait(Limits().ban_seconds)
        again = self.stranger().begin()
        self.house.login()
        assert again.welcome is not None

    def ban(self, host: str) -> None:
        """Ten wrong passwords."""
        for _ in range(Limits().failures):
            self.stranger(host, password="guess").begin()
            self.house.login()

    def test_a_ban_shows_out_who_guesses_beside_the_guesser(self) -> None:
        silent = self.stranger("192.0.2.9")
        other = self.stranger("192.0.2.1").begin()
        guessing = self.stranger("192.0.2.9", password="guess")
        guessing.send_string(guessing.session.begin())
        guessing.send_string = lambda string: None  # type: ignore[method-assign]
        self.ban("192.0.2.9")
        assert not guessing.connected
        assert other.connected
        assert silent.connected, "it may have a ticket"
        silent.begin()
        self.house.login()
        assert isinstance(silent.refused, Refuse)
        assert silent.refused.reason is Reason.TRY_LATER

    def test_a_ban_keeps_no_friend_from_his_seat(self) -> None:
        friend = self.stranger("192.0.2.9").begin()
        self.house.login()
        self.ban("192.0.2.9")
        friend.break_line()
        back = self.stranger("192.0.2.9", ticket=friend.ticket).begin()
        self.house.login()
        assert back.source == friend.source
        forged = self.stranger("192.0.2.9", ticket=friend.ticket).begin()
        self.house.login()
        assert isinstance(forged.refused, Refuse)
        assert forged.refused.reason is Reason.TICKET_UNKNOWN, "a ticket works once, there too"

    def test_a_flood_of_resumes_is_paced_and_delays_no_friend(self) -> None:
        self.house = House(before_login_each=64)
        friend = self.stranger("192.0.2.1").begin()
        self.house.login()
        friend.break_line()
        unknown = Ticket(bytes(16), bytes(32))
        flood = [self.stranger("203.0.113.9", ticket=unknown).begin() for _ in range(63)]
        back = self.stranger("192.0.2.1", ticket=friend.ticket).begin()
        for _ in range(4):
            self.house.clock.advance(BREATH)
        self.house.settle()
        assert back.source == friend.source, "their turn is among the next"
        assert self.house.counted("logins_total", Login.TICKET_UNKNOWN) <= 4
        for _ in range(63):
            self.house.clock.advance(BREATH)
        assert not any(other.connected for other in flood)
        assert self.house.counted("logins_total", Login.TICKET_UNKNOWN) == 63

    def test_one_who_is_in_is_not_shown_out(self) -> None:
        friend = self.stranger().begin()
        self.house.login()
        self.house.pass_seconds(10)
        assert friend.connected
        assert len(self.house.hub.admission) == 0

    def test_a_broken_line_before_login_leaves_nothing_behind(self) -> None:
        for _ in range(5):
            stranger = self.stranger().begin()
            stranger.break_line()
        self.wait(1)
        assert len(self.house.hub.admission) == 0
        assert not self.house.clock.getDelayedCalls()

    def test_a_fault_of_ours_costs_that_connection_only(self) -> None:
        friend, bad = self.stranger("192.0.2.1").begin(), self.stranger().begin()
        self.house.login()
        bad.client.session.opened = None  # type: ignore[method-assign, assignment]
        bad.send(messages.Text("hello"))
        self.house.settle()
        assert not bad.connected
        assert friend.connected
        assert len(self.house.log.failures) == 1


class SlowReaderTests(SynchronousTestCase):
    """A peer that reads nothing, or answers nothing."""

    def setUp(self) -> None:
        self.house = House()
        self.ann, self.ben, self.cid = (TcpFriend(self.house, name).begin() for name in ("Ann", "Ben", "Cid"))
        self.house.login()

    def test_what_waits_for_one_who_reads_nothing_is_bounded(self) -> None:
        self.ben.transport.block()
        self.ann.talk(0.1)
        self.house.pass_seconds(7)
        outbox = self.ben.connection.peer.outbox
        assert len(outbox) <= MOST_MEDIA + 2
        assert outbox.dropped >= 7 * 50 - MOST_MEDIA
        assert self.cid.values() == [0.1] * 350

    def test_one_who_reads_again_hears_what_is_said_now(self) -> None:
        self.ben.transport.block()
        self.ann.talk(0.1)
        self.house.pass_seconds(2)
        self.ann.talk(0.2)
        self.house.pass_ticks(10)
        self.ben.transport.unblock()
        self.house.pass_ticks(10)
        assert set(self.ben.values()) == {0.2}
        assert len(self.ben.heard) >= 10 + MOST_MEDIA - 1
        ages = [self.house.tick - packet.tick % 0x10000 for packet in self.ben.heard]
        assert ages == sorted(ages, reverse=True)

    def test_one_who_never_reads_again_is_cut_at_the_heartbeats_end(self) -> None:
        self.ben.transport.block()
        self.house.pass_seconds(PING_EVERY + ANSWER_WITHIN - 0.5)
        assert self.ben.connected
        self.house.pass_seconds(1)
        assert self.ben.transport.aborted
        assert self.cid.told_of(messages.Away) == [messages.Away(self.ben.source)]

    def test_one_who_reads_and_does_not_answer_is_cut_too(self) -> None:
        self.ben.answers = False
        self.house.pass_seconds(PING_EVERY + ANSWER_WITHIN + 0.5)
        assert self.ben.transport.aborted
        assert self.ann.connected
        assert self.cid.connected

    def test_one_who_answers_stays(self) -> None:
        self.house.pass_seconds(60)
        assert all(friend.connected for friend in (self.ann, self.ben, self.cid))

    def test_control_that_is_not_taken_ends_the_connection(self) -> None:
        """Before the heartbeat would have found it out; and it is the one who asks that is cut, nobody beside."""
        self.ben.transport.block()
        self.cid.transport.block()
        for n in range(MOST_CONTROL + 2):
            self.ann.send(messages.State(muted=not n % 2))
            self.ben.send(messages.Ping(n))
            self.house.pass_seconds(1 / Limits().control_a_second)
        assert (MOST_CONTROL + 2) / Limits().control_a_second < PING_EVERY + ANSWER_WITHIN - 1
        assert self.ben.transport.aborted
        assert self.cid.connected
        self.cid.transport.unblock()
        self.house.settle()
        assert self.cid.told_of(messages.State) == [messages.State(source=self.ann.source)], "the last one"

    def test_a_guest_who_comes_and_goes_without_end_cuts_nobody_whose_line_stands_still(self) -> None:
        self.house = House(logins_a_second=1e6, logins_burst=1e6)
        ann, ben = (TcpFriend(self.house, name).begin() for name in ("Ann", "Ben"))
        self.house.login()
        ben.forget()
        ben.transport.block()
        for n in range(60):
            guest = TcpFriend(self.house, f"guest {n}").begin()
            self.house.login()
            for line in range(5):
                guest.send(messages.Text(f"{line}" * 400))
            guest.send(messages.State(muted=True))
            if n < 59:
                guest.send(messages.Bye())
            self.house.settle()
            self.house.friends.remove(guest)
        assert ben.connected
        assert len(ben.connection.peer.outbox) <= 10
        ben.transport.unblock()
        self.house.settle()
        assert [joined.participant.name for joined in ben.told_of(messages.Joined)] == ["guest 59"]
        assert not ben.told_of(messages.Left)
        assert [len(told.text) for told in ben.told_of(messages.Text)] == [400] * 5
        ann.talk(0.1)
        self.house.pass_ticks(10)
        assert ben.values() == [0.1] * 10

    def test_each_packet_is_one_write_of_24_bytes_more_than_its_payload(self) -> None:
        writes: list[bytes] = []
        self.ben.transport.write = writes.append  # type: ignore[method-assign]
        self.ann.talk(0.1)
        self.house.pass_ticks(50)
        length, header, payload, tag = 4, 4, 6, 16
        assert [len(data) for data in writes].count(length + header + payload + tag) == 50
        assert len(writes) == 51, "and one line about who talks"
        assert self.ben.transport.no_delay

    def test_goodbye_reaches_everybody_at_the_end(self) -> None:
        visitor = TcpFriend(self.house, "visitor")
        self.house.hub.close()
        self.house.settle()
        for friend in (self.ann, self.ben, self.cid):
            assert messages.Bye(messages.SHUTTING_DOWN, 0.5) in [*friend.told, friend.refused]
            assert not friend.connected
            assert not friend.transport.aborted, "last words are written before the connection ends"
        assert visitor.refused == Refuse(Reason.SHUTTING_DOWN)
        assert not self.house.clock.getDelayedCalls()

    def test_a_line_closed_by_us_is_aborted_when_the_other_side_does_not_let_go(self) -> None:
        self.ben.send(messages.Bye())
        self.ben.deliver = lambda: False  # type: ignore[method-assign]  # their kernel acknowledges nothing
        self.house.pass_seconds(LINGER - 0.1)
        assert self.ben.transport.over
        assert not self.ben.transport.aborted
        self.house.pass_seconds(0.2)
        assert self.ben.transport.aborted


class NoiseTests(SynchronousTestCase):
    """Anything at all, before and after login."""

    def test_random_bytes_never_cost_anybody_else(self) -> None:
        chance = random.Random(4)
        house = House(before_login_each=64)
        ann, ben = (TcpFriend(house, name).begin() for name in ("Ann", "Ben"))
        house.login()
        for _ in range(300):
            stranger = TcpFriend(house, "stranger", host=f"203.0.113.{chance.randrange(200)}")
            for _ in range(chance.randrange(1, 4)):
                length = chance.choice((0, 1, 8, 37, 53, 68, 256, 257, 5000))
                body = chance.choice((b"", b"VC", b"VC\x01\x01", b"VC\x01\x05")) + chance.randbytes(length)
                stranger.send_bytes(len(body).to_bytes(4, "big") + body)
            house.login()
            assert not stranger.received or stranger.refused is not None
            stranger.break_line()
            house.friends.remove(stranger)
        ann.talk(0.1)
        house.pass_ticks(10)
        assert ben.values() == [0.1] * 10
        assert not house.log.failures

    def test_random_packets_under_right_keys_never_cost_anybody_else(self) -> None:
        chance = random.Random(5)
        house = House(logins_a_second=1e6, logins_burst=1e6)
        ann, ben = (TcpFriend(house, name).begin() for name in ("Ann", "Ben"))
        house.login()
        for _ in range(60):
            bad = TcpFriend(house, "bad", host=f"203.0.113.{chance.randrange(200)}").begin()
            house.login()
            for _ in range(40):
                kind = chance.choice(
                    (b"", b"\x40", b"\x86{}", b"\x87{", b"\x88{}", b"\x89{}", b"\x8d", bytes([chance.randrange(256)]))
                )
                bad.send_string(bad.session.seal(kind + chance.randbytes(chance.randrange(12))))
            house.settle()
            bad.break_line()
            house.settle()
            house.friends.remove(bad)
        ann.talk(0.1)
        house.pass_ticks(10)
        assert ben.values()[-10:] == [0.1] * 10
        assert not house.log.failures

    def test_the_frame_of_a_packet_does_not_depend_on_how_tcp_cut_it(self) -> None:
        house = House()
        ann, ben = (TcpFriend(house, name).begin() for name in ("Ann", "Ben"))
        house.login()
        packets = [MediaPacket(0xFF, n, b"HC\0\0\0\0", marker=not n) for n in range(10)]
        strings = [ann.session.seal(media.encode(packet)) for packet in packets]
        for byte in b"".join(len(string).to_bytes(4, "big") + string for string in strings):
            ann.send_bytes(bytes([byte]))
        house.settle()
        assert [packet.tick for packet in ben.heard] == list(range(10))
