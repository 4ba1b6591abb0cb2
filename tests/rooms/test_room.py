"""The room: unique names, numbers that rest, and gains that are nobody's but the listener's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from voicechat.media.packet import LAST_SOURCE
from voicechat.rooms.room import REST_TICKS, Member, Room
from voicechat.wire import signs, text
from voicechat.wire.messages import Participant

NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


def test_members_are_numbered_from_one_and_told_to_each_other() -> None:
    room = Room("den")
    ann, ben = room.enter("Ann", 0.0), room.enter("Ben", 0.0)
    ben.muted = True
    assert (ann.source, ben.source) == (1, 2)
    assert room.roster(ann.source) == [Participant(2, "Ben", muted=True)]
    assert room.roster(0) == [Participant(1, "Ann"), Participant(2, "Ben", muted=True)]
    assert len(room) == 2


def test_two_friends_with_one_name_are_told_apart() -> None:
    room = Room("")
    assert [room.enter("Ann", 0.0).name for _ in range(3)] == ["Ann", "Ann (2)", "Ann (3)"]
    room.leave(2, 0.0)
    assert room.enter("Ann", 0.0).name == "Ann (2)"
    assert room.enter("Ann (2)", 0.0).name == "Ann (2) (2)"


@pytest.mark.parametrize(
    "name",
    ["x" * 32, "é" * 32, "a" + "🦆" * 31, "ab " * 10 + "cd", "a" + "👨\u200d👩\u200d👧\u200d👦" * 5, "क्\u200dषि" * 8],
)
def test_a_long_name_is_shortened_between_letters_to_make_room_for_the_number(name: str) -> None:
    room = Room("")
    names = [room.enter(name, 0.0).name for _ in range(12)]
    assert len(set(names)) == 12
    for given_name in names:
        assert text.name(given_name) == given_name


def test_names_that_look_alike_are_told_apart() -> None:
    room = Room("")
    alike = ["Ben", "ben", "BEN", "Ｂen", "Ben\U0001fbff", "می\u200cنا", "مینا"]
    names = [room.enter(name, 0.0).name for name in alike]
    assert names == ["Ben", "ben (2)", "BEN (3)", "Ｂen (4)", "Ben\U0001fbff (5)", "می\u200cنا", "مینا (2)"]


def test_who_is_of_0_1_0_is_told_names_that_it_takes_and_that_are_told_apart() -> None:
    room = Room("")
    long = "Maximiliane Musterfrau-Langenfeld"[:32]
    for name in (long, "é" * 20, "é" * 16 + "àà", "Zoë 👩\u200d🚀", "می\u200cنا", "Ben", "ben"):
        room.enter(name, 0.0)
    names = [
        (person.name, older.name) for person, older in zip(room.roster(0), room.roster(0, letters=False), strict=True)
    ]
    assert names == [
        (long, long),
        ("é" * 20, "é" * 16),
        ("é" * 16 + "àà", "é" * 14 + " (2)"),
        ("Zoë 👩\u200d🚀", "Zoë 👩🚀"),
        ("می\u200cنا", "مینا"),
        ("Ben", "Ben"),
        ("ben (2)", "ben (2)"),
    ]


def test_a_number_rests_for_a_minute() -> None:
    room = Room("")
    for _ in range(LAST_SOURCE):
        room.enter("x", 0.0)
    room.leave(3, 0.0)
    room.leave(2, 10.0)
    assert room.enter("x", 10.0 + REST_TICKS - 0.1).source == 3, "2 would be the next"
    room.leave(3, 10.0 + REST_TICKS)
    assert room.enter("x", 10.0 + REST_TICKS + 0.1).source == 2


def test_when_all_numbers_are_taken_or_rest_the_one_that_rested_longest_is_given() -> None:
    room = Room("")
    for _ in range(LAST_SOURCE):
        room.enter("x", 0.0)
    with pytest.raises(ValueError, match="numbers"):
        room.enter("x", 0.0)
    room.leave(7, 1.0)
    room.leave(3, 2.0)
    assert [room.enter("x", 3.0).source for _ in range(2)] == [7, 3]
    with pytest.raises(ValueError, match="numbers"):
        room.enter("x", 3.0)


def test_leaving_twice_or_without_having_been_there_does_nothing() -> None:
    room = Room("")
    room.enter("x", 0.0)
    for _ in range(2):
        room.leave(1, 1.0)
        room.leave(9, 1.0)
    assert not len(room)
    assert room.enter("x", 1.0).source == 2


def test_a_gain_belongs_to_the_talker_and_goes_with_him() -> None:
    room = Room("")
    ann, ben = room.enter("Ann", 0.0), room.enter("Ben", 0.0)
    ann.gains[ben.source] = 0.5
    assert ann.gain(ben.source) == 0.5
    assert ben.gain(ann.source) == 1.0
    room.leave(ben.source, 0.0)
    assert ann.gain(ben.source) == 1.0


@given(st.dictionaries(st.integers(1, 5), st.floats(0, 8)), st.integers(1, 5), st.booleans(), st.booleans())
def test_nobody_hears_himself_and_the_deaf_and_absent_hear_nobody(
    gains: dict[int, float], source: int, deafened: bool, away: bool
) -> None:
    member = Member(source, "x")
    member.gains, member.deafened, member.away = gains, deafened, away
    for talker in range(1, 6):
        if talker == source or deafened or away:
            assert member.gain(talker) == 0
        else:
            assert member.gain(talker) == gains.get(talker, 1.0)


class ComingAndGoing(RuleBasedStateMachine):
    """People enter and leave in any order, time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Room("")
        self.now = 0.0
        self.left: dict[int, float] = {}

    @rule(ticks=st.floats(0, REST_TICKS * 3 / 4))
    def time_passes(self, ticks: float) -> None:
        self.now += ticks

    @rule(name=NAMES | st.sampled_from(["x" * 32, "é" * 32, "é" * 16 + "x", "Ann", "ann", "Ann (2)", "क्\u200dष", "क्ष"]))
    def enter(self, name: str) -> None:
        member = self.room.enter(name, self.now)
        assert self.room.members[member.source] is member
        assert member.source not in self.left or self.now - self.left[member.source] >= REST_TICKS

    @precondition(lambda self: len(self.room) > 0)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        source = data.draw(st.sampled_from(sorted(self.room.members)))
        self.room.leave(source, self.now)
        self.left[source] = self.now

    @rule(data=st.data())
    def go_away_or_come_back(self, data: st.DataObject) -> None:
        for member in self.room.members.values():
            member.away = data.draw(st.booleans())

    @invariant()
    def names_and_numbers_are_each_ones_own(self) -> None:
        members = self.room.members.values()
        assert len({member.name for member in members}) == len(members) == len(self.room)
        assert len({text.likeness(member.name) for member in members}) == len(members)
        assert len({text.likeness(member.older_name) for member in members}) == len(members)
        assert all(len(signs.letters(member.name)) <= text.MOST_NAME for member in members)
        assert all(len(member.name.encode()) <= text.MOST_NAME_BYTES for member in members)
        assert all(len(member.older_name.encode()) <= 32 for member in members)
        assert all(1 <= source <= LAST_SOURCE for source in self.room.members)
        assert self.room.present == sum(not member.away for member in members)


TestComingAndGoing = ComingAndGoing.TestCase
