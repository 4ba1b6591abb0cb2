"""What a server does for its friends, whatever carries their packets.

``Behaviour`` is to be mixed into a trial test case with ``connect``; each carriage
has one such class. Frames are single values, so a mix reads as a sum.
"""

import itertools
import unicodedata
from typing import Any

from tests.server.house import Friend, House
from voicechat.codecs.opus import OpusCodec
from voicechat.format import TICKS_PER_SECOND
from voicechat.media.packet import ME, MIX, MOST_PAYLOAD, MediaPacket
from voicechat.media.quality import Quality
from voicechat.media.tuning import TUNING
from voicechat.rooms.echo import ECHO_DELAY, ECHO_NAME, ROOM_NAME
from voicechat.security.tickets import AWAY_SECONDS
from voicechat.server.limits import Limits, media_bytes
from voicechat.server.metrics import Login, OverLimit
from voicechat.session.states import SessionState
from voicechat.wire import control, handshake, media, messages
from voicechat.wire.text import MOST_TEXT

PAST = TUNING.forwarding.past

ONE_FRAME = bytes([31 << 3])
"""First byte of an Opus payload of one mono frame of 20 ms (RFC 6716, table 2)."""

SAVERS = (("Ann", Quality.SAVER), ("Ben", Quality.SAVER), ("Cid", Quality.NORMAL))


class Behaviour:
    """Tests over ``connect(name, **what Friend takes)``, which begins a login."""

    house: House

    def setUp(self) -> None:
        self.house = House()

    def tearDown(self) -> None:
        assert not self.house.log.failures, self.house.log.failures[0]

    def connect(self, name: str, **rest: Any) -> Friend:
        """A friend whose first string is on its way."""
        raise NotImplementedError

    def enter(self, name: str, **rest: Any) -> Friend:
        """A friend who is in."""
        friend = self.connect(name, **rest)
        self.house.login()
        assert friend.welcome is not None, (name, friend.refused, friend.wrong)
        return friend

    def enter_all(self, *names: str, **rest: Any) -> list[Friend]:
        """Several of them; what they were told meanwhile is forgotten."""
        friends = [self.enter(name, **rest) for name in names]
        self.house.settle()
        for friend in friends:
            friend.forget()
        return friends

    # -- who hears whom -----------------------------------------------------------

    def test_one_talker_is_forwarded_to_all_others_untouched_and_at_once(self) -> None:
        ann, ben, cid = self.enter_all("Ann", "Ben", "Cid")
        ann.talk(0.25)
        ann.speak()
        self.house.settle()
        for listener in (ben, cid):
            (packet,) = listener.heard
            assert (packet.source, packet.tick, packet.marker) == (ann.source, self.house.tick & 0xFFFF, True)
            assert listener.values() == [0.25]
        assert not ann.heard

    def test_forwarding_encodes_nothing_and_needs_no_beat(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ann.talk(0.25)
        self.house.pass_ticks(50)
        assert ben.values() == [0.25] * 50
        assert not self.house.hub.ticker.running
        (live_room,) = self.house.hub.live_rooms
        assert live_room.conference.encodings == 0

    def test_two_talkers_hear_each_other_and_not_themselves(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ann.talk(0.1)
        ben.talk(0.2)
        self.house.pass_ticks(50)
        assert set(ann.values()) == {0.2}
        assert set(ben.values()) == {0.1}
        assert len(ann.heard) == len(ben.heard) == 50
        assert not self.house.hub.ticker.running

    def test_a_third_hears_a_mix_of_both(self) -> None:
        ann, ben, cid = self.enter_all("Ann", "Ben", "Cid")
        ann.talk(0.1)
        ben.talk(0.2)
        self.house.pass_ticks(50)
        assert set(cid.mixed[10:]) == {0.3}
        assert len(cid.mixed) > 35
        assert set(ann.values()) == {0.2}
        assert set(ben.values()) == {0.1}

    def test_of_three_talkers_each_hears_the_other_two(self) -> None:
        friends = self.enter_all("Ann", "Ben", "Cid", "Dan")
        for friend, value in zip(friends, (0.01, 0.02, 0.04), strict=False):
            friend.talk(value)
        self.house.pass_ticks(50)
        assert [friend.mixed[-1] for friend in friends] == [0.06, 0.05, 0.03, 0.07]

    def test_a_mix_begins_with_a_marker_and_ends_with_an_end_and_its_beat_rests(self) -> None:
        ann, ben, cid = self.enter_all("Ann", "Ben", "Cid")
        ann.talk(0.1)
        ben.talk(0.2)
        self.house.pass_ticks(30)
        assert self.house.hub.ticker.running
        ann.hush()
        ben.hush()
        self.house.pass_ticks(30)
        mix = [packet for packet in cid.heard if packet.source == MIX]
        assert [packet.marker for packet in mix] == [True] + [False] * (len(mix) - 1)
        assert [packet.end for packet in mix] == [False] * (len(mix) - 1) + [True]
        assert [packet.tick for packet in mix] == [(mix[0].tick + n) & 0xFFFF for n in range(len(mix))]
        assert not self.house.hub.ticker.running

    def test_the_way_from_forwarding_to_a_mix_loses_no_frame(self) -> None:
        ann, ben, cid = self.enter_all("Ann", "Ben", "Cid")
        ann.talk(0.1)
        self.house.pass_ticks(20)
        ben.talk(0.2)
        self.house.pass_ticks(20)
        by_tick = {packet.tick for packet in cid.heard if packet.payload}
        first = min(by_tick)
        assert by_tick >= {first + n for n in range(37)}, "each tick brought something, forwarded or mixed"
        assert cid.mixed[-1] == 0.3

    def test_after_a_second_of_a_single_talker_he_is_forwarded_again(self) -> None:
        ann, ben, cid = self.enter_all("Ann", "Ben", "Cid")
        ann.talk(0.1)
        ben.talk(0.2)
        self.house.pass_ticks(20)
        ben.hush()
        self.house.pass_ticks(70)
        cid.forget()
        self.house.pass_ticks(10)
        assert {packet.source for packet in cid.heard} == {ann.source}
        assert not self.house.hub.ticker.running

    def test_one_who_is_alone_costs_nothing(self) -> None:
        (ann,) = self.enter_all("Ann")
        ann.talk(0.5)
        self.house.pass_ticks(20)
        assert not ann.heard
        assert not self.house.hub.ticker.running
        (live_room,) = self.house.hub.live_rooms
        assert live_room.conference.encodings == live_room.conference.forwarded == 0

    def test_rooms_do_not_hear_each_other(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben", room="red")
        cid, dan = self.enter_all("Cid", "Dan", room="blue")
        ann.talk(0.1)
        cid.talk(0.2)
        self.house.pass_ticks(10)
        assert set(ben.values()) == {0.1}
        assert set(dan.values()) == {0.2}
        assert ben.entered.room == "red"
        assert [person.name for person in dan.entered.roster] == ["Cid"]

    def test_a_deafened_one_gets_nothing_until_he_listens_again(self) -> None:
        ann, ben, cid = self.enter_all("Ann", "Ben", "Cid")
        cid.send(messages.State(deafened=True))
        ann.talk(0.1)
        self.house.pass_ticks(10)
        ben.talk(0.2)
        self.house.pass_ticks(30)
        assert not cid.heard
        assert not self.house.hub.ticker.running, "nobody needs a mix"
        assert ann.told_of(messages.State) == [messages.State(deafened=True, source=cid.source)]
        cid.send(messages.State())
        self.house.pass_ticks(30)
        assert cid.mixed[-1] == 0.3

    def test_a_friend_turned_down_to_nothing_is_no_talker_for_me(self) -> None:
        ann, ben, cid = self.enter_all("Ann", "Ben", "Cid")
        cid.send(messages.Gain(ann.source, 0.0))
        ann.talk(0.1)
        ben.talk(0.2)
        self.house.pass_ticks(30)
        assert set(cid.values()) == {0.2}
        assert not cid.mixed
        assert set(ben.values()) == {0.1}, "for the others nothing has changed"

    def test_a_friend_made_louder_is_louder_in_my_mix_only(self) -> None:
        friends = self.enter_all("Ann", "Ben", "Cid", "Dan")
        ann, ben, cid, dan = friends
        cid.send(messages.Gain(ann.source, 2.0))
        ann.talk(0.1)
        ben.talk(0.2)
        self.house.pass_ticks(40)
        assert cid.mixed[-1] == 0.4
        assert dan.mixed[-1] == 0.3

    def test_equal_rows_are_encoded_once(self) -> None:
        self.house = House(max_clients=12)
        friends = self.enter_all(*(f"friend {n}" for n in range(12)))
        friends[0].talk(0.1)
        friends[1].talk(0.2)
        self.house.pass_ticks(50)
        (live_room,) = self.house.hub.live_rooms
        ticks = len(friends[2].mixed)
        assert ticks > 35
        encodings = live_room.conference.encodings
        assert encodings - PAST <= ticks <= encodings, "ten pure listeners, one encoding a tick, and what goes before"
        assert all(friend.mixed[-1] == 0.3 for friend in friends[2:])

    def test_four_at_full_scale_never_wrap_or_leave_the_scale(self) -> None:
        friends = self.enter_all("Ann", "Ben", "Cid", "Dan")
        for friend in friends:
            friend.talk(1.0)
        self.house.pass_ticks(50)
        for friend in friends:
            assert friend.mixed
            assert all(0.5 < value <= 1.0 for value in friend.mixed)

    def test_with_always_every_row_is_mixed(self) -> None:
        self.house = House(always_mix=True)
        ann, ben = self.enter_all("Ann", "Ben")
        ann.talk(0.1)
        self.house.pass_ticks(50)
        assert {packet.source for packet in ben.heard} == {MIX}
        assert ben.mixed[-1] == 0.1
        assert not ann.heard

    # -- quality --------------------------------------------------------------------

    def test_a_quality_is_granted_shown_and_kept(self) -> None:
        ann, ben = self.enter("Ann", quality=Quality.SAVER), self.enter("Ben", quality=Quality.HIGH)
        cid = self.enter("Cid")
        assert [(friend.entered.quality, friend.entered.bitrate) for friend in (ann, ben, cid)] == [
            (Quality.SAVER, 12_000),
            (Quality.HIGH, 24_000),
            (Quality.NORMAL, 12_000),
        ]
        assert [person.quality for person in cid.entered.roster] == [Quality.SAVER, Quality.HIGH]
        assert [told.participant.quality for told in ann.told_of(messages.Joined)] == [Quality.HIGH, Quality.NORMAL]
        ben.break_line()
        again = self.enter("Ben", ticket=ben.ticket)
        assert (again.entered.quality, again.entered.bitrate) == (Quality.HIGH, 24_000)

    def test_a_saver_sends_and_gets_two_frames_a_packet_and_the_others_do_not(self) -> None:
        ann, ben, cid = (self.enter(name, quality=quality) for name, quality in SAVERS)
        self.house.pass_seconds(3)
        for friend in (ann, ben, cid):
            friend.forget()
        ann.talk(0.1)
        self.house.pass_ticks(50)
        ann.hush()
        self.house.pass_ticks(2)
        assert ben.values(ann.source) == cid.values(ann.source) == [0.1] * 50
        assert [packet.tick for packet in ben.heard] == [packet.tick for packet in cid.heard]
        assert ben.packets <= 28
        assert cid.packets >= 51

    def test_a_saver_gets_his_mix_in_pairs_too(self) -> None:
        ann, ben, cid = (self.enter(name, quality=quality) for name, quality in SAVERS)
        dan = self.enter("Dan")
        self.house.pass_seconds(3)
        cid.talk(0.2)
        ann.talk(0.1)
        self.house.pass_ticks(10)
        ben.forget()
        dan.forget()
        self.house.pass_ticks(50)
        (live_room,) = self.house.hub.live_rooms
        assert ben.packets <= 28
        assert dan.packets >= 49
        assert ben.mixed[-20:] == dan.mixed[-20:] == [0.3] * 20
        assert live_room.conference.encodings <= 60 + PAST, "saver and normal have one bitrate, so one encoding"

    # -- coming and going ---------------------------------------------------------

    def test_joining_and_leaving_is_told_to_the_others(self) -> None:
        ann, ben = self.enter("Ann"), self.enter("Ben")
        assert [person.name for person in ben.entered.roster] == ["Ann"]
        (joined,) = ann.told_of(messages.Joined)
        assert (joined.participant.name, joined.participant.source) == ("Ben", ben.source)
        ben.send(messages.Bye(messages.LEAVING))
        self.house.settle()
        (left,) = ann.told_of(messages.Left)
        assert left.source == ben.source
        assert not ben.connected
        assert len(self.house.hub.seats) == 1

    def test_an_empty_room_is_dropped(self) -> None:
        (ann,) = self.enter_all("Ann", room="red")
        assert len(self.house.hub.live_rooms) == 1
        ann.send(messages.Bye())
        self.house.settle()
        assert len(self.house.hub.live_rooms) == 0
        assert not self.house.hub.seats

    def test_a_number_is_not_given_to_the_next_one_within_a_minute(self) -> None:
        _, ben = self.enter_all("Ann", "Ben")
        ben.send(messages.Bye())
        assert self.enter("Cid").source != ben.source

    def test_two_of_one_name_are_told_apart(self) -> None:
        names = [self.enter("Ann").entered.name for _ in range(3)]
        assert names == ["Ann", "Ann (2)", "Ann (3)"]

    def test_names_that_look_alike_get_numbers_that_nobody_can_ask_for(self) -> None:
        (ben,) = self.enter_all("Ben")
        assert [self.enter(name).entered.name for name in ("ben", "Ｂen")] == ["ben (2)", "Ｂen (3)"]
        forged = self.connect("Ben (4)")
        self.house.login()
        assert forged.welcome is None
        assert isinstance(forged.refused, messages.Bye)
        assert "number in brackets" in forged.refused.reason
        assert len(ben.told) == 2

    def test_a_number_is_kept_by_one_who_comes_back_with_a_ticket(self) -> None:
        self.enter("Ben")
        second = self.enter("Ben")
        second.break_line()
        assert self.enter("Ben").entered.name == "Ben (3)"
        assert self.enter("Ben", ticket=second.ticket).entered.name == "Ben (2)"

    def test_a_name_that_cannot_be_is_refused_by_its_sign_to_who_knows_the_password(self) -> None:
        for name, told in (
            ("Ben\u3164", "U+3164 HANGUL FILLER"),
            ("x" * 33, "1 to 32 letters"),
            ("👍🏽", "a letter or a digit"),
        ):
            refused = self.connect(name)
            self.house.login()
            assert isinstance(refused.refused, messages.Bye)
            assert told in refused.refused.reason
            assert not refused.connected
        assert not self.house.hub.seats

    def test_who_is_of_0_1_0_is_sent_what_0_1_0_takes(self) -> None:
        """Names, in the welcome, in what follows it and when somebody comes; the room's; and texts."""
        self.house = House(max_clients=40, before_login_each=40)
        shrug, long = "🤷\u200d♂\ufe0f", "Maximiliane Musterfrau-Langenfeld"[:31] + "é"
        old, also = (self.enter("Ann", room="den", capabilities=()), self.enter(f"Cid {shrug}", room="den"))
        self.house.settle()
        self.enter(long, room="den")
        also.send(messages.Text(f"no idea {shrug}"))
        self.house.settle()
        for friend in (old, self.enter("Late", room="den", capabilities=())):
            texts = [message.text for message in friend.told_of(messages.Text)]
            names = [person.name for person in friend.entered.roster]
            names += [joined.participant.name for joined in friend.told_of(messages.Joined)]
            assert {"Cid 🤷♂\ufe0f", long[:31]} <= set(names)
            assert texts in ([], ["no idea 🤷♂\ufe0f"])
            assert not any(unicodedata.category(sign) == "Cf" for name in names for sign in name)
            assert all(len(name.encode()) <= 32 for name in names)
        assert old.told_of(messages.Text)
        assert {joined.participant.name for joined in also.told_of(messages.Joined)} == {long, "Late"}

    def test_a_welcome_fits_whatever_the_friends_are_called(self) -> None:
        for longest in ("🦆" * 30, '"' * 30):
            self.house = House(max_clients=40, before_login_each=40)
            names = {f"{longest}{n:02}" for n in range(24)}
            late = [self.enter(name, room="den") for name in sorted(names)][-1]
            told = [joined.participant for joined in late.told_of(messages.Joined)]
            assert {person.name for person in (*late.entered.roster, *told)} | {late.name} == names

    def test_a_welcome_and_what_follows_name_everybody(self) -> None:
        nasty = '"' * 29  # two bytes each in JSON
        self.house = House(max_clients=40, before_login_each=40)
        for n in range(30):
            self.enter(f"{nasty}{n:02}")
        late = self.enter("late")
        followed = [joined.participant.name for joined in late.told_of(messages.Joined)]
        named = [person.name for person in late.entered.roster] + followed
        assert named == [f"{nasty}{n:02}" for n in range(30)]

    def test_a_broken_line_is_away_and_a_ticket_brings_him_back_to_his_seat(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ben.break_line()
        self.house.settle()
        assert ann.told == [messages.Away(ben.source)]
        ann.talk(0.1)
        self.house.pass_ticks(5)
        back = self.enter("ignored", ticket=ben.ticket)
        assert (back.source, back.entered.name) == (ben.source, "Ben")
        assert back.ticket != ben.ticket
        assert [type(message) for message in ann.told] == [messages.Away, messages.Back], "no leaving, no joining"
        self.house.pass_ticks(5)
        assert set(back.values()) == {0.1}
        assert self.house.counted("logins_total", Login.RESUMED) == 1

    def test_one_who_comes_back_while_his_old_line_stands_replaces_it(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        back = self.enter("Ben", ticket=ben.ticket)
        assert ben.told_of(messages.Bye) or ben.refused == messages.Bye(messages.REPLACED)
        assert not ben.connected
        ann.talk(0.1)
        self.house.pass_ticks(5)
        assert back.values() == [0.1] * 5
        assert not ben.heard
        assert len(self.house.hub.seats) == 2

    def test_a_ticket_works_once(self) -> None:
        _, ben = self.enter_all("Ann", "Ben")
        ben.break_line()
        self.enter("Ben", ticket=ben.ticket)
        thief = self.connect("Ben", ticket=ben.ticket)
        self.house.login()
        assert isinstance(thief.refused, handshake.Refuse)
        assert thief.refused.reason is handshake.Reason.TICKET_UNKNOWN
        assert not thief.connected

    def test_a_ticket_is_no_good_once_its_seat_is_gone(self) -> None:
        ann, ben, cid, dan = self.enter_all("Ann", "Ben", "Cid", "Dan")
        ben.send(messages.Bye())
        cid.break_line()
        self.enter("Eve")
        self.house.pass_seconds(Limits().yields_after + 1)
        self.enter("Fay")
        for gone in (ben, cid):
            again = self.connect("ignored", ticket=gone.ticket)
            self.house.login()
            assert isinstance(again.refused, handshake.Refuse)
            assert again.refused.reason is handshake.Reason.TICKET_UNKNOWN
        assert len(self.house.hub.seats) == 4
        assert ann.connected
        assert dan.connected

    def test_a_seat_is_kept_for_a_minute(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ann.answers = True
        ben.break_line()
        self.house.pass_seconds(AWAY_SECONDS - 1)
        assert ann.told == [messages.Away(ben.source)]
        self.house.pass_seconds(2)
        assert [type(message) for message in ann.told] == [messages.Away, messages.Left]
        late = self.connect("Ben", ticket=ben.ticket)
        self.house.login()
        assert isinstance(late.refused, handshake.Refuse)

    def test_a_full_house_says_so_to_who_knows_the_password(self) -> None:
        self.enter_all("Ann", "Ben", "Cid", "Dan")
        fifth = self.connect("Eve")
        self.house.login()
        assert fifth.refused == messages.Bye(messages.FULL, 5.0)
        assert not fifth.connected
        assert len(self.house.hub.seats) == 4

    def test_seats_are_counted_over_all_rooms(self) -> None:
        for n in range(4):
            self.enter(f"friend {n}", room=f"room {n}")
        fifth = self.connect("Eve", room="another")
        self.house.login()
        assert isinstance(fifth.refused, messages.Bye)
        assert len(self.house.hub.live_rooms) == 4

    def test_an_away_seat_yields_when_the_house_is_full(self) -> None:
        ann, ben, cid, _ = self.enter_all("Ann", "Ben", "Cid", "Dan")
        ben.break_line()
        self.house.pass_seconds(1)
        cid.break_line()
        self.house.pass_seconds(1)
        self.enter("Cid")
        assert [seat.member.name for seat in self.house.hub.seats.values()] == ["Ann", "Ben", "Dan", "Cid"]
        self.house.pass_seconds(Limits().yields_after)
        self.enter("Eve")
        assert ann.told_of(messages.Left)[-1].source == ben.source, "the one of the same name first, then the longest"
        last = self.connect("Fay")
        self.house.login()
        assert isinstance(last.refused, messages.Bye)

    def test_for_some_seconds_an_away_seat_is_its_owners_alone(self) -> None:
        """Or whoever waits for a seat takes one at the first hiccup of a friend's line."""
        self.enter_all("Ann", "Ben", "Cid")
        dan = self.enter("Dan")
        dan.break_line()
        self.house.pass_seconds(Limits().yields_after - 2)
        eve = self.connect("Eve")
        self.house.login()
        assert eve.refused == messages.Bye(messages.FULL, 5.0)
        back = self.enter("Dan", ticket=dan.ticket)
        assert back.source == dan.source

    def test_who_lost_the_ticket_gets_the_seat_back_by_the_name_at_once_whatever_number_was_put_behind_it(self) -> None:
        self.enter_all("Ann", "Ben", "Dan")
        dan = self.enter("Dan")
        assert dan.entered.name == "Dan (2)"
        dan.break_line()
        self.house.settle()
        assert self.enter("Dan").entered.name == "Dan (2)"
        assert len(self.house.hub.seats) == 4

    def test_one_whose_seat_was_given_away_waits_and_is_in_when_one_is_free(self) -> None:
        _, ben, _, dan = self.enter_all("Ann", "Ben", "Cid", "Dan")
        dan.break_line()
        self.house.pass_seconds(Limits().yields_after + 1)
        self.enter("Eve")
        back = self.connect("Dan", ticket=dan.ticket)
        self.house.login()
        assert isinstance(back.refused, handshake.Refuse)
        again = self.connect("Dan")
        self.house.login()
        assert again.refused == messages.Bye(messages.FULL, 5.0)
        ben.send(messages.Bye())
        self.house.settle()
        self.enter("Dan")

    # -- a RESUMED that is lost -----------------------------------------------------

    def returning(self, name: str, friend: Friend, *, reads: bool = True) -> Friend:
        """Somebody who shows a friend's ticket, and says nothing after it; ``reads`` the answer or does not."""
        peer = self.connect(name, ticket=friend.ticket)
        if not reads:
            peer._take = lambda string: None  # type: ignore[method-assign]
        peer.answers = False
        self.house.login()
        return peer

    def test_a_resumed_that_is_lost_costs_nobody_a_seat_in_a_full_house(self) -> None:
        """The line breaks again before the answer has come; and both ends know of it at different times."""
        ann, _, _, dan = self.enter_all("Ann", "Ben", "Cid", "Dan")
        dan.break_line()
        for _ in range(3):
            self.returning("Dan", dan, reads=False)  # it stands open, as a dead line does
        back = self.enter("Dan", ticket=dan.ticket)
        assert back.source == dan.source
        ann.talk(0.1)
        self.house.pass_ticks(5)
        assert back.values() == [0.1] * 5
        assert len(self.house.hub.seats) == 4
        assert self.enter("Dan", ticket=back.ticket).source == dan.source, "and the next ticket is good as ever"

    def test_who_has_read_the_answer_but_was_not_heard_comes_back_with_the_next_ticket(self) -> None:
        *_, dan = self.enter_all("Ann", "Ben", "Cid", "Dan")
        dan.break_line()
        half = self.returning("Dan", dan)
        assert half.welcome is not None
        back = self.enter("Dan", ticket=half.ticket)
        assert back.source == dan.source
        assert not half.connected, "its owner has moved on"
        late = self.connect("Dan", ticket=dan.ticket)
        self.house.login()
        assert isinstance(late.refused, handshake.Refuse)

    def test_a_resume_that_a_stranger_repeats_takes_nothing_from_the_owner(self) -> None:
        """Recorded on the way while its answer was lost, and sent again while the owner is in, and while away."""
        ann, ben = self.enter_all("Ann", "Ben")
        replay = self.returning("replay", ben, reads=False)
        assert ben.connected, "the owner's connection stands"
        ann.talk(0.1)
        self.house.pass_ticks(5)
        assert ben.values() == [0.1] * 5
        assert not replay.heard
        assert not ann.told_of(messages.Back)
        ben.break_line()
        self.house.pass_ticks(5)
        assert [type(message) for message in ann.told] == [messages.Away]
        replay.send_string(bytes(40))  # it has no key to seal anything with
        self.house.settle()
        assert not replay.connected
        assert self.house.counted("logins_total", Login.RESUMED) == 0
        assert self.enter("Ben", ticket=ben.ticket).source == ben.source
        self.house.pass_seconds(6)
        assert len(self.house.hub.admission) == 0, "nor is a place kept"

    def test_replays_keep_no_seat_beyond_its_minute(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ben.break_line()
        for _ in range(25):
            self.returning("replay", ben, reads=False)
            self.house.pass_seconds(3)
        assert [type(message) for message in ann.told] == [messages.Away, messages.Left]
        assert len(self.house.hub.seats) == 1

    def test_who_comes_back_is_told_what_happens_meanwhile(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ben.break_line()
        half = self.returning("Ben", ben)
        cid = self.enter("Cid")
        ann.send(messages.State(muted=True))
        self.house.settle()
        half.send(messages.Ping(1))
        self.house.settle()
        assert [joined.participant.name for joined in half.told_of(messages.Joined)] == ["Cid"]
        assert half.told_of(messages.State) == [messages.State(muted=True, source=ann.source)]
        cid.talk(0.1)
        self.house.pass_ticks(5)
        assert half.values() == [0.1] * 5

    # -- seats of one address -------------------------------------------------------

    def test_one_address_has_half_of_a_large_house_and_is_told_that_it_is_full(self) -> None:
        self.house = House(max_clients=12, seats_each=0)
        crowd = self.enter_all(*(f"guest {n}" for n in range(6)), host="203.0.113.9")
        late = self.connect("one more", host="203.0.113.9")
        self.house.login()
        assert late.refused == messages.Bye(messages.FULL, 5.0)
        self.enter("Ann", host="192.0.2.1")
        crowd[0].break_line()
        self.house.pass_seconds(Limits().yields_after + 1)
        self.enter("one more", host="203.0.113.9")
        assert len(self.house.hub.seats) == 7, "its own away seat yielded, though the house has others"

    def test_a_household_fits_into_any_house_and_loopback_has_no_share(self) -> None:
        self.house = House(max_clients=6, seats_each=0)
        self.enter_all("Ann", "Ben", "Cid", "Dan", host="203.0.113.9")
        self.house = House(max_clients=12, seats_each=2)
        self.enter_all(*(f"friend {n}" for n in range(6)), host="127.0.0.1")
        self.enter_all(*(f"friend {n}" for n in range(6)), host="::1")

    def test_a_full_room_says_so_and_another_has_seats(self) -> None:
        self.house = House(max_clients=8, room_size=2)
        self.enter_all("Ann", "Ben", room="red")
        third = self.connect("Cid", room="red")
        self.house.login()
        assert third.refused == messages.Bye(messages.ROOM_FULL, 5.0)
        assert not third.connected
        self.enter_all("Dan", "Eve", room="blue")
        assert {len(live_room) for live_room in self.house.hub.live_rooms} == {2}

    def test_in_a_full_room_an_away_seat_of_that_room_yields(self) -> None:
        self.house = House(max_clients=8, room_size=2)
        ann, ben = self.enter_all("Ann", "Ben", room="red")
        (dan,) = self.enter_all("Dan", room="blue")
        dan.break_line()
        self.house.pass_seconds(1)
        ben.break_line()
        self.house.pass_seconds(Limits().yields_after)
        self.enter("Dan", room="red")
        assert [type(message) for message in ann.told] == [messages.Away, messages.Left, messages.Joined]
        assert {seat.member.name for seat in self.house.hub.seats.values()} == {"Ann", "Dan"}
        assert len(self.house.hub.live_rooms.get("red") or ()) == 2
        assert self.enter("Dan", room="blue", ticket=dan.ticket).source == dan.source, "the other room's seat is kept"

    def test_who_is_turned_away_has_taken_no_seat_from_anybody(self) -> None:
        """A seat of the room would yield; but the address has its share of the seats, and so it is of no use."""
        self.house = House(max_clients=8, room_size=2, seats_each=1)
        _, ben = self.enter("Ann", room="red", host="192.0.2.1"), self.enter("Ben", room="red", host="192.0.2.2")
        self.enter("Dan", room="blue", host="203.0.113.9")
        ben.break_line()
        self.house.pass_seconds(Limits().yields_after + 1)
        eve = self.connect("Eve", room="red", host="203.0.113.9")
        self.house.login()
        assert eve.refused == messages.Bye(messages.FULL, 5.0)
        assert self.enter("Ben", ticket=ben.ticket).source == ben.source

    def test_a_friend_who_was_away_finds_his_seat_in_a_full_room(self) -> None:
        self.house = House(max_clients=2, room_size=2)
        _, ben = self.enter_all("Ann", "Ben")
        ben.break_line()
        assert self.enter("Ben", ticket=ben.ticket).source == ben.source
        lines = [line for line in self.house.log.lines if "Ben" in line]
        assert ["is away" in line for line in lines[-2:]] == [True, False]
        assert lines[-1].endswith("'Ben' in room '' is back")

    # -- the echo test ------------------------------------------------------------

    def test_in_an_echo_test_one_hears_himself_a_second_later_and_nobody_else_does(self) -> None:
        ann = self.enter("Ann", echo=True)
        ben, cid = self.enter_all("Ben", "Cid", room=ROOM_NAME)
        echo = ann.entered.echo
        assert [(person.source, person.name) for person in ann.entered.roster] == [(echo, ECHO_NAME)]
        assert not ben.entered.echo
        ann.talk(0.25)
        self.house.pass_ticks(20)
        ann.hush()
        self.house.pass_ticks(ECHO_DELAY - 21)
        assert not ann.heard
        self.house.pass_ticks(25)
        assert {packet.source for packet in ann.heard} == {echo}
        assert ann.values() == [0.25] * 20
        assert [packet.marker for packet in ann.heard] == [True] + [False] * (len(ann.heard) - 1)
        assert ann.heard[-1].end
        assert [b.tick - a.tick & 0xFFFF for a, b in itertools.pairwise(ann.heard[:20])] == [1] * 19
        assert not ben.heard + cid.heard
        assert not ann.told
        assert not self.house.hub.ticker.running, "nothing waits, nothing beats"

    def test_each_echo_test_is_a_room_of_its_own_and_goes_with_its_guest(self) -> None:
        ann, ben = self.enter("Ann", echo=True), self.enter("Ben", echo=True)
        ann.talk(0.1)
        ben.talk(0.2)
        self.house.pass_ticks(2 * ECHO_DELAY)
        assert set(ann.values()) == {0.1}
        assert set(ben.values()) == {0.2}
        assert len(self.house.hub.live_rooms) == 2
        ann.send(messages.Bye())
        self.house.settle()
        ben.break_line()
        self.house.pass_seconds(AWAY_SECONDS + 2)
        assert len(self.house.hub.live_rooms) == 0
        assert not self.house.hub.ticker.running

    def test_an_echo_test_takes_a_seat(self) -> None:
        for n in range(4):
            self.enter(f"friend {n}", echo=True)
        fifth = self.connect("Eve", echo=True)
        self.house.login()
        assert fifth.refused == messages.Bye(messages.FULL, 5.0)

    def test_one_who_comes_back_goes_on_with_his_echo_test(self) -> None:
        ann = self.enter("Ann", echo=True)
        ann.talk(0.1)
        self.house.pass_ticks(10)
        ann.break_line()
        self.house.pass_ticks(2 * ECHO_DELAY)
        back = self.enter("Ann", ticket=ann.ticket)
        assert back.entered.echo == ann.entered.echo
        back.talk(0.2)
        self.house.pass_ticks(ECHO_DELAY + 10)
        assert set(back.values()) == {0.2}, "what they said before their line broke is gone"

    # -- what is told -------------------------------------------------------------

    def test_who_enters_in_the_middle_of_a_spurt_is_told_who_talks(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ann.talk(0.25)
        self.house.pass_ticks(20)
        cid = self.enter("Cid")
        self.house.settle()
        assert [(told.source, told.talking) for told in cid.told_of(messages.Talk)] == [(ann.source, True)]
        assert ben.source != ann.source

    def test_who_talks_is_told_to_the_others(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ann.talk(0.1)
        self.house.pass_ticks(10)
        ann.hush()
        self.house.pass_ticks(10)
        assert [(told.source, told.talking) for told in ben.told_of(messages.Talk)] == [
            (ann.source, True),
            (ann.source, False),
        ]
        assert not ann.told

    def test_who_falls_silent_without_a_word_has_stopped(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ann.talk(0.1)
        self.house.pass_ticks(10)
        ann.value = None
        self.house.pass_seconds(1.5)
        assert [(told.source, told.talking) for told in ben.told_of(messages.Talk)] == [
            (ann.source, True),
            (ann.source, False),
        ]

    def test_the_start_of_talk_says_how_far_the_talker_is(self) -> None:
        ann, ben, cid = self.enter_all("Ann", "Ben", "Cid")
        self.house.pass_seconds(1.0)
        ann.talk(0.1)
        ben.talk(0.2)
        self.house.pass_ticks(20)
        ann.hush()
        self.house.pass_seconds(1.0)
        ann.talk(0.1)
        self.house.pass_ticks(20)
        told = [told for told in cid.told_of(messages.Talk) if told.source == ann.source]
        assert [talk.talking for talk in told] == [True, False, True]
        assert [talk.way_ms is not None for talk in told] == [True, False, True]
        assert told[0].held_ms is None, "nobody has mixed them yet"
        assert told[2].held_ms is not None
        assert told[2].held_ms <= 60

    def test_talking_in_bits_is_told_five_times_a_second_and_the_last_state_is_true(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        for _ in range(100):
            ann.talk(0.1)
            self.house.pass_ticks(1)
            ann.hush()
            self.house.pass_ticks(1)
        told = len(ben.told_of(messages.Talk))
        assert 10 < told <= Limits().talk_lines_a_second * 5
        ann.talk(0.1)
        self.house.pass_seconds(1)
        assert ben.told_of(messages.Talk)[-1].talking

    def test_a_line_of_text_goes_to_the_others_with_its_writer(self) -> None:
        ann, ben, cid = self.enter_all("Ann", "Ben", "Cid")
        ann.send(messages.Text("  hello <b>there</b> "))
        self.house.settle()
        for friend in (ben, cid):
            assert friend.told == [messages.Text("hello <b>there</b>", ann.source)]
        assert not ann.told

    def test_a_line_that_nobody_would_see_costs_a_program_of_0_1_0_nothing_else(self) -> None:
        """That lets it pass: a Hangul filler, an empty Braille pattern."""
        ann, ben = self.enter_all("Ann", "Ben", capabilities=())
        for line in ("\u3164", "\u2800", "hello"):
            ann.send(messages.Text(line))
        self.house.settle()
        assert [message.text for message in ben.told_of(messages.Text)] == ["hello"]
        (cid,) = self.enter_all("Cid")
        cid.send(messages.Text("\u3164"))
        self.assert_only_the_bad_one_goes(cid, ann, ben)

    def test_lines_of_text_are_paced(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        for n in range(15):
            ann.send(messages.Text(f"line {n}"))
        self.house.settle()
        assert len(ben.told_of(messages.Text)) == Limits().text_burst
        assert self.house.counted("over_limit_total", OverLimit.TEXT) == 15 - Limits().text_burst
        assert ann.connected

    def test_a_line_of_text_has_500_characters_and_no_more(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        ann.send(messages.Text("é" * MOST_TEXT))
        self.house.settle()
        assert ben.told == [messages.Text("é" * MOST_TEXT, ann.source)]
        ben.forget()
        bad.send(messages.Text("x" * (MOST_TEXT + 1)))
        self.assert_only_the_bad_one_goes(bad, ann, ben)
        assert not ben.told_of(messages.Text)

    def test_control_messages_over_the_limit_are_not_obeyed(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        for n in range(500):
            ann.send(messages.State(muted=not n % 2))
        self.house.settle()
        assert len(ben.told_of(messages.State)) == Limits().control_burst
        assert self.house.counted("over_limit_total", OverLimit.REQUEST) == 480
        assert ann.connected

    def test_messages_without_end_end_the_connection(self) -> None:
        """Whatever they are: pings and pongs are not paced, but nobody needs a thousand at once."""
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        for n in range(1100):
            if bad.connected:
                bad.send(messages.Pong(n))
        self.assert_only_the_bad_one_goes(bad, ann, ben)

    def test_unknown_messages_without_end_end_the_connection_and_are_not_decoded(self) -> None:
        """A newer version's are passed over; nobody's newer version says a thousand things at once."""
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        decoded = 0

        def passed_over(packet: bytes) -> None:
            nonlocal decoded
            decoded += packet[0] > max(control.KINDS)

        patch = self.patch(control, "decode", passed_over)  # type: ignore[attr-defined]  # trial's
        for kind in (*range(0x8F, 0x100),) * 12:
            if bad.connected:
                bad.send_string(bad.session.seal(bytes([kind])))
        patch.restore()
        assert decoded <= Limits().messages_burst
        assert self.house.counted("over_limit_total", OverLimit.MESSAGE) == 1
        self.assert_only_the_bad_one_goes(bad, ann, ben)

    def test_media_over_the_limit_is_dropped_before_it_is_decoded(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        decode, decoded = media.decode, 0

        def counted(packet: bytes) -> MediaPacket:
            nonlocal decoded
            decoded += packet[1] == ME
            return decode(packet)

        self.patch(media, "decode", counted)  # type: ignore[attr-defined]
        bad.talk(0.2)
        for _ in range(900):
            bad.speak()
        self.house.settle()
        assert bad.connected
        assert decoded == Limits().media_burst
        assert self.house.counted("over_limit_total", OverLimit.MEDIA) == 900 - decoded
        assert ann.connected
        assert ben.connected

    def test_of_a_line_that_flaps_friends_hear_a_few_times_and_the_last_is_true(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ticket = ben.ticket
        for _ in range(100):
            ben.break_line()
            self.house.friends.remove(ben)
            ben = self.connect("Ben", ticket=ticket)
            self.house.settle()
            ticket = ben.ticket
        assert len(ann.told) <= 8
        self.house.pass_seconds(10)
        assert len(ann.told) <= 14
        assert not ann.told or isinstance(ann.told[-1], messages.Back)
        ben.break_line()
        self.house.pass_seconds(10)
        assert ann.told[-1] == messages.Away(ben.source)

    def test_a_message_of_a_newer_version_is_passed_over(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        ann.send_string(ann.session.seal(b'\xfe{"new": 1}'))
        ann.talk(0.1)
        self.house.pass_ticks(3)
        assert ben.values() == [0.1] * 3

    # -- one bad friend costs nobody else -----------------------------------------

    def assert_only_the_bad_one_goes(self, bad: Friend, talker: Friend, listener: Friend) -> None:
        """The bad one is out, and told as gone; the others lost nothing."""
        talker.talk(0.1)
        self.house.settle()
        assert not bad.connected
        heard = len(listener.heard)
        self.house.pass_ticks(10)
        assert [value for value in listener.values()[heard:] if value] == [0.1] * 10
        assert [left.source for left in listener.told_of(messages.Left)] == [bad.source]
        assert len(self.house.hub.seats) == 2
        assert self.house.counted("protocol_errors_total") == 1

    def test_garbage_after_login_ends_that_connection_only(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        bad.send_string(b"garbage that nobody sealed")
        self.assert_only_the_bad_one_goes(bad, ann, ben)

    def test_a_replayed_string_ends_that_connection_only(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        string = bad.session.seal(b'\x86{"muted": true}')
        bad.send_string(string)
        bad.send_string(string)
        self.assert_only_the_bad_one_goes(bad, ann, ben)

    def test_speaking_for_somebody_else_ends_that_connection_only(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        bad.send_media(bytes([0x40, ann.source, 0, 1]) + b"HC\0\0\0\0")
        self.assert_only_the_bad_one_goes(bad, ann, ben)

    def test_a_payload_that_no_codec_made_ends_that_connection_only(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        bad.send_media(bytes([0x40, 0xFF, 0, 1]) + b"not a payload")
        self.assert_only_the_bad_one_goes(bad, ann, ben)

    def test_a_message_that_only_servers_say_ends_that_connection_only(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        bad.send(messages.Left(ann.source))
        self.assert_only_the_bad_one_goes(bad, ann, ben)

    def test_text_that_could_move_a_terminal_ends_that_connection_only(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        bad.send_string(bad.session.seal(b'\x88{"text": "\\u001b[2J"}'))
        self.assert_only_the_bad_one_goes(bad, ann, ben)
        assert not ben.told_of(messages.Text)

    def test_nothing_that_follows_a_violation_is_listened_to(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        bad.send_string(b"garbage")
        bad.send(messages.Text("still here"))
        self.assert_only_the_bad_one_goes(bad, ann, ben)
        assert not ben.told_of(messages.Text)

    def test_a_flood_of_packets_is_cut_to_the_limit_and_the_others_hear_on(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        ann.talk(0.1)
        bad.talk(0.2)
        for _ in range(10):
            for _ in range(100):
                bad.speak()
            self.house.pass_ticks(5)
        # frames of one tick sent twice are one frame: what counts is how many the server let through
        limits = Limits()
        let_through = 1000 + 50 - self.house.counted("over_limit_total", OverLimit.MEDIA)
        assert let_through <= limits.media_burst + limits.media_a_second * 1.1
        assert ben.mixed[-1] == 0.3 or 0.1 in ben.values()[-5:]
        assert len(bad.values(ann.source)) >= 48

    def test_of_few_large_packets_no_more_bytes_pass_than_a_voice_has(self) -> None:
        """As many as anybody sends, each as large as a payload may be: the others' lines are not filled with them."""
        self.house = House(OpusCodec())
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        self.say(bad, ONE_FRAME + bytes(MOST_PAYLOAD - 1), ticks := 5 * TICKS_PER_SECOND)
        passed = sum(len(packet.payload) for packet in ben.heard)
        a_second = Limits().media_share * media_bytes(bad.entered.bitrate)
        assert a_second * 5 * 0.7 < passed <= a_second * (5 + 1), "what is in it passes, and no more"
        assert self.house.counted("over_limit_total", OverLimit.MEDIA) == ticks - len(ben.heard)
        assert bad.connected, "it costs words, and nothing else"
        self.house.pass_seconds(1)
        self.say(ann, ONE_FRAME + bytes(30), TICKS_PER_SECOND)
        assert len([packet for packet in ben.heard if packet.source == ann.source]) == TICKS_PER_SECOND

    def say(self, friend: Friend, payload: bytes, ticks: int) -> None:
        """The same payload in each of so many ticks."""
        for tick in range(ticks):
            friend.send_media(media.encode(MediaPacket(ME, self.house.tick & 0xFFFF, payload, marker=not tick)))
            self.house.pass_ticks(1)

    def test_a_flood_of_packets_that_does_not_end_ends_the_connection(self) -> None:
        ann, ben, bad = self.enter_all("Ann", "Ben", "Bad")
        bad.talk(0.2)
        for _ in range(6 * 50):
            for _ in range(30):
                bad.speak()
            self.house.pass_ticks(1)
            if not bad.connected:
                break
        self.assert_only_the_bad_one_goes(bad, ann, ben)

    def test_an_idle_room_sends_heartbeats_only(self) -> None:
        ann, ben = self.enter_all("Ann", "Ben")
        self.house.pass_seconds(30)
        assert not ann.heard
        assert not ben.heard
        assert not ann.told
        assert not self.house.hub.ticker.running
        assert ann.session.state is SessionState.IN_ROOM
