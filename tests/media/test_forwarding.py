"""Row: silence, one talker's packets, or a mix, and no to and fro."""

from hypothesis import given
from hypothesis import strategies as st

from voicechat.media.forwarding import SINGLE_FOR, Row, Way

AUDIBLE = st.lists(st.integers(1, 5), max_size=3, unique=True)
STEPS = st.lists(st.tuples(AUDIBLE, st.floats(0, 60)), max_size=60)


def test_one_talker_is_forwarded_at_once_and_two_are_mixed_at_once() -> None:
    row = Row()
    assert row.decide([], 0.0) is Way.SILENCE
    assert row.decide([3], 1.0) is Way.FORWARD
    assert row.talker == 3
    assert row.decide([3, 4], 2.0) is Way.MIX


def test_the_next_talker_is_forwarded_without_a_mix_between() -> None:
    row = Row()
    row.decide([3], 0.0)
    assert row.decide([4], 1.0) is Way.FORWARD
    assert row.talker == 4


def test_from_a_mix_back_only_after_a_second_of_one_talker() -> None:
    row = Row()
    row.decide([3, 4], 0.0)
    assert row.decide([4], 10.0) is Way.MIX
    assert row.decide([4], 10.0 + SINGLE_FOR - 0.1) is Way.MIX
    assert row.decide([4], 10.0 + SINGLE_FOR) is Way.FORWARD
    assert row.talker == 4


def test_an_interjection_begins_the_second_anew() -> None:
    row = Row()
    row.decide([3, 4], 0.0)
    row.decide([3], 1.0)
    row.decide([3, 4], 40.0)
    row.decide([3], 41.0)
    assert row.decide([3], 89.0) is Way.MIX
    assert row.decide([3], 91.0) is Way.FORWARD


def test_from_a_mix_back_in_a_pause() -> None:
    row = Row()
    row.decide([3, 4], 0.0)
    assert row.decide([], 1.0) is Way.SILENCE
    assert row.decide([4], 2.0) is Way.FORWARD


@given(STEPS)
def test_if_asked_to_it_always_mixes(steps: list[tuple[list[int], float]]) -> None:
    row, now = Row(always_mix=True), 0.0
    for audible, pause in steps:
        now += pause
        assert row.decide(audible, now) is (Way.MIX if audible else Way.SILENCE)


@given(STEPS)
def test_whoever_can_be_heard_is_heard_and_nobody_else(steps: list[tuple[list[int], float]]) -> None:
    row, now = Row(), 0.0
    for audible, pause in steps:
        now += pause
        way = row.decide(audible, now)
        assert way is row.way
        assert (way is Way.SILENCE) == (not audible)
        if len(audible) > 1:
            assert way is Way.MIX
        if way is Way.FORWARD:
            assert audible == [row.talker]
