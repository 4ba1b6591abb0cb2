"""Seats and rooms where something fails, or time runs out; what goes well is in behaviour.py."""

import msgspec
import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.conftest import SOAK
from tests.server.faulty import FaultyCodec
from tests.server.house import PASSWORD, House, TcpFriend
from voicechat.rooms.directory import MOST_ROOMS
from voicechat.security.secret import Secret
from voicechat.server.hub import FAULT
from voicechat.server.live_room import MOST_FAULTS
from voicechat.server.metrics import Login
from voicechat.wire import messages
from voicechat.wire.handshake import Refuse


class HubTests(SynchronousTestCase):
    """The hub behind real connections."""

    def setUp(self) -> None:
        self.codec = FaultyCodec()
        self.house = House(self.codec, max_clients=8)

    def enter(self, *names: str, room: str = "") -> list[TcpFriend]:
        """Friends who are in."""
        friends = [TcpFriend(self.house, name, room=room).begin() for name in names]
        self.house.login()
        for friend in friends:
            assert friend.welcome is not None
            friend.forget()
        return friends

    def talk(self, friends: list[TcpFriend]) -> None:
        """Two talk, so that the third is mixed for."""
        for friend, value in zip(friends, (0.1, 0.2), strict=False):
            friend.talk(value)
        self.house.pass_ticks(20)

    def t20(self, tries: int, *, kick: bool) -> tuple[list[TcpFriend], list[TcpFriend]]:
        """The password changes while Ann is in, Ben is away and Cid's login is under way; who tried what they had."""
        (ann, ben), hub = self.enter("Ann", "Ben"), self.house.hub
        ben.break_line()
        cid = TcpFriend(self.house, "Cid")
        cid.send_string(cid.session.begin())
        hub.change_password(Secret("another password"), kick=kick)
        self.house.login()
        assert not cid.connected, "their login had begun with the old one"
        late = [TcpFriend(self.house, "late", host=f"198.51.100.{n}").begin() for n in range(tries)]
        self.house.pass_seconds(0.5 + tries / self.house.hub.limits.logins_a_second)
        assert all(isinstance(one.refused, Refuse) for one in late)
        assert len(late) == self.house.counted("logins_total", Login.WRONG_PASSWORD)
        new = TcpFriend(self.house, "Dan", host="203.0.113.1", password="another password").begin()
        self.house.login()
        assert new.welcome is not None
        return [ann, ben], [TcpFriend(self.house, "Ben", ticket=ben.ticket).begin()]

    def test_t20_after_a_change_the_old_password_lets_nobody_in(self) -> None:
        self.house = House(self.codec, max_clients=8, before_login=200)
        (ann, ben), (back,) = self.t20(10, kick=False)
        self.house.login()
        assert ann.connected, "whoever is in stays in"
        assert back.source == ben.source, "and comes back to their seat"

    def test_t20_with_kick_nobody_stays_who_came_by_the_old_one(self) -> None:
        self.house = House(self.codec, max_clients=8, before_login=200)
        (ann, _), (back,) = self.t20(100 if SOAK else 20, kick=True)
        self.house.login()
        assert ann.refused == messages.Bye(messages.LOCKED_OUT)
        assert not ann.connected
        assert isinstance(back.refused, Refuse)
        assert [seat.member.name for seat in self.house.hub.seats.values()] == ["Dan"]

    def test_the_same_password_again_ends_nothing(self) -> None:
        (ann,) = self.enter("Ann")
        waiting = TcpFriend(self.house, "Ben")
        self.house.hub.change_password(Secret(PASSWORD), kick=True)
        self.house.settle()
        assert ann.connected
        assert waiting.connected

    def test_one_failing_tick_costs_one_tick(self) -> None:
        friends = self.enter("Ann", "Ben", "Cid")
        self.talk(friends)
        heard = len(friends[2].mixed)
        self.codec.fails["encode"] = 2
        self.house.pass_ticks(20)
        assert len(friends[2].mixed) == heard + 19
        assert friends[2].mixed[-1] == 0.3
        assert self.house.counted("ticks_failed_total") == 1

    def test_a_room_that_cannot_be_mixed_is_closed_and_no_other(self) -> None:
        red, blue = self.enter("Ann", "Ben", "Cid", room="red"), self.enter("Dan", "Eve", room="blue")
        self.talk(red)
        blue[0].talk(0.5)
        self.codec.fails["encode"] = 1 << 30
        self.house.pass_ticks(MOST_FAULTS + 5)
        for friend in red:
            assert friend.refused == messages.Bye(FAULT)
            assert not friend.connected
        assert blue[1].values()[-1] == 0.5
        assert len(blue[1].values()) == MOST_FAULTS + 5
        assert len(self.house.hub.seats) == 2
        assert not self.house.hub.ticker.running
        assert len(self.house.log.lines) < 60

    def test_faults_with_better_ticks_between_do_not_close_a_room(self) -> None:
        friends = self.enter("Ann", "Ben", "Cid")
        self.talk(friends)
        for _ in range(3 * MOST_FAULTS):
            self.codec.fails["encode"] = 2
            self.house.pass_ticks(2)
        assert all(friend.connected for friend in friends)

    def test_there_are_only_so_many_rooms(self) -> None:
        for n in range(MOST_ROOMS):
            self.house.hub.live_rooms.find(f"room {n}")
        late = TcpFriend(self.house, "late", room="one more").begin()
        self.house.login()
        assert late.refused == messages.Bye(messages.TRY_LATER, 5.0)
        assert not self.house.hub.seats

    def test_after_the_end_no_call_is_left(self) -> None:
        friends = self.enter("Ann", "Ben", "Cid")
        self.talk(friends)
        friends[2].break_line()
        self.house.hub.close()
        self.house.settle()
        assert not self.house.clock.getDelayedCalls()
        assert not self.house.hub.seats
        assert len(self.house.hub.live_rooms) == 0

    def test_coming_and_going_leaves_nothing_behind(self) -> None:
        (ann,) = self.enter("Ann")
        self.house.pass_ticks(1)
        calls = len(self.house.clock.getDelayedCalls())
        for n in range(20):
            (guest,) = self.enter(f"guest {n}", room="" if n % 2 else f"room {n}")
            guest.talk(0.1)
            self.house.pass_ticks(3)
            guest.send(messages.Bye())
            self.house.settle()
            self.house.friends.remove(guest)
        self.house.pass_ticks(60)
        assert len(self.house.hub.live_rooms) == 1
        assert len(self.house.hub.seats) == 1
        assert len(self.house.clock.getDelayedCalls()) <= calls + 1
        assert ann.connected

    def test_the_log_names_people_so_that_a_line_stays_a_line(self) -> None:
        self.enter('A{nn} "%s')
        line = next(line for line in self.house.log.lines if "entered" in line)
        assert line.count("\n") == 0
        assert "'A{nn} \"%s' entered" in line

    def test_one_who_comes_and_goes_without_end_does_not_fill_the_log(self) -> None:
        self.house = House(self.codec, logins_a_second=1e6, logins_burst=1e6)
        (ann,) = self.enter("Ann")
        ticket = ann.ticket
        for _ in range(500):
            ann.break_line()
            self.house.friends.remove(ann)
            ann = TcpFriend(self.house, "Ann", ticket=ticket).begin()
            self.house.settle()
            ticket = ann.ticket
        assert self.house.counted("logins_total", Login.RESUMED) == 500
        assert len(self.house.log.lines) <= 51

    def test_a_room_that_nobody_could_enter_is_not_kept(self) -> None:
        """Else a thousand faults of ours would use up all the rooms."""
        self.enter("Ann")
        broken = messages.Request("Ben", "cellar")
        msgspec.structs.force_setattr(broken, "name", None)
        peer = next(iter(self.house.hub.seats.values())).peer
        assert peer is not None
        with pytest.raises(TypeError):
            self.house.hub.enter(peer, broken)
        assert [room.name for room in self.house.hub.live_rooms] == [""]
