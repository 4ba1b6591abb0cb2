"""ListenerPolicy: silence, one talker's packets, or a mix, and no to and fro."""

from hypothesis import given
from hypothesis import strategies as st

from voicechat.media.forwarding import ListenerMode, ListenerPolicy
from voicechat.media.tuning import TUNING

SINGLE_FOR = TUNING.forwarding.single_for

AUDIBLE = st.lists(st.integers(1, 5), max_size=3, unique=True)
STEPS = st.lists(st.tuples(AUDIBLE, st.floats(0, 60)), max_size=60)


def test_one_talker_is_forwarded_at_once_and_two_are_mixed_at_once() -> None:
    policy = ListenerPolicy()
    assert policy.decide([], 0.0) is ListenerMode.SILENT
    assert policy.decide([3], 1.0) is ListenerMode.FORWARD
    assert policy.talker == 3
    assert policy.decide([3, 4], 2.0) is ListenerMode.MIX


def test_the_next_talker_is_forwarded_without_a_mix_between() -> None:
    policy = ListenerPolicy()
    policy.decide([3], 0.0)
    assert policy.decide([4], 1.0) is ListenerMode.FORWARD
    assert policy.talker == 4


def test_from_a_mix_back_only_after_a_second_of_one_talker() -> None:
    policy = ListenerPolicy()
    policy.decide([3, 4], 0.0)
    assert policy.decide([4], 10.0) is ListenerMode.MIX
    assert policy.decide([4], 10.0 + SINGLE_FOR - 0.1) is ListenerMode.MIX
    assert policy.decide([4], 10.0 + SINGLE_FOR) is ListenerMode.FORWARD
    assert policy.talker == 4


def test_an_interjection_begins_the_second_anew() -> None:
    policy = ListenerPolicy()
    policy.decide([3, 4], 0.0)
    policy.decide([3], 1.0)
    policy.decide([3, 4], 40.0)
    policy.decide([3], 41.0)
    assert policy.decide([3], 89.0) is ListenerMode.MIX
    assert policy.decide([3], 91.0) is ListenerMode.FORWARD


def test_from_a_mix_back_in_a_pause() -> None:
    policy = ListenerPolicy()
    policy.decide([3, 4], 0.0)
    assert policy.decide([], 1.0) is ListenerMode.SILENT
    assert policy.decide([4], 2.0) is ListenerMode.FORWARD


def test_a_mix_goes_on_until_all_that_was_said_has_been_mixed() -> None:
    policy = ListenerPolicy()
    policy.decide([3, 4], 0.0)
    assert policy.decide([], 1.0, due=True) is ListenerMode.MIX
    assert policy.decide([4], 2.0, due=True) is ListenerMode.MIX, "whose words would end those that are due"
    assert policy.decide([], 3.0, due=True) is ListenerMode.MIX
    assert policy.decide([], 4.0) is ListenerMode.SILENT
    policy.decide([4], 5.0)
    assert policy.decide([], 6.0, due=True) is ListenerMode.SILENT, "they were forwarded, and all of it is"


@given(STEPS)
def test_if_asked_to_it_always_mixes(steps: list[tuple[list[int], float]]) -> None:
    policy, now = ListenerPolicy(always_mix=True), 0.0
    for audible, pause in steps:
        now += pause
        assert policy.decide(audible, now) is (ListenerMode.MIX if audible else ListenerMode.SILENT)


@given(STEPS)
def test_whoever_can_be_heard_is_heard_and_nobody_else(steps: list[tuple[list[int], float]]) -> None:
    policy, now = ListenerPolicy(), 0.0
    for audible, pause in steps:
        now += pause
        mode = policy.decide(audible, now)
        assert mode is policy.mode
        assert (mode is ListenerMode.SILENT) == (not audible)
        if len(audible) > 1:
            assert mode is ListenerMode.MIX
        if mode is ListenerMode.FORWARD:
            assert audible == [policy.talker]
