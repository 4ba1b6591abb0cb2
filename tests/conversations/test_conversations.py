"""Whole conversations: everybody is heard, in order, and nobody hears their own voice.

Lines are given in ticks of 20 ms. In every pull of every conversation `Conversation`
itself asserts that the listener's own slots are empty: a voice of one's own, however
faint, faded or concealed, ends the test (F14).
"""

import itertools
import statistics

import pytest

from tests.conversations.simulation import GOOD, JITTERY, MINUTE, ROUGH, TCP, Conversation, chatter
from voicechat.format import TICKS_PER_SECOND
from voicechat.testing import Line


def repeats(ticks: list[int]) -> int:
    """Frames heard that are not newer than the one before."""
    return sum(later <= sooner for sooner, later in itertools.pairwise(ticks))


@pytest.mark.parametrize(
    ("line", "redundancy", "always_mix", "share"),
    [
        pytest.param(GOOD, 0, False, 0.93, id="good"),
        pytest.param(GOOD, 0, True, 0.93, id="good, always mixed"),
        pytest.param(JITTERY, 0, False, 0.92, id="jittery"),
        pytest.param(ROUGH, 0, False, 0.80, id="rough"),
        pytest.param(ROUGH, 1, False, 0.90, id="rough, with redundancy"),
        pytest.param(ROUGH, 1, True, 0.90, id="rough, with redundancy, always mixed"),
        pytest.param(TCP, 0, False, 0.92, id="tcp"),
    ],
)
def test_f14_three_friends_in_a_lively_talk_hear_each_other_and_not_themselves(
    line: Line, redundancy: int, always_mix: bool, share: float
) -> None:
    talk = Conversation(3, chatter(1, 3), up=line, down=line, redundancy=redundancy, always_mix=always_mix)
    talk.run(MINUTE)
    for listener, talker in talk.pairs():
        heard = talk.members[listener].heard[talker]
        assert talk.share(listener, talker, 0, MINUTE - 50) >= share
        assert repeats(heard.ticks) <= 0.01 * len(heard.ticks)
    for member in talk.members.values():
        assert set(member.heard) == set(talk.members) - {member.source}
        assert member.most_active <= 4
        assert redundancy == 0 or member.hearing.counts.recovered > 0


@pytest.mark.parametrize("line", [GOOD, JITTERY, ROUGH, TCP], ids=["good", "jittery", "rough", "tcp"])
@pytest.mark.parametrize("always_mix", [False, True])
def test_savers_hear_and_are_heard_as_the_others(line: Line, always_mix: bool) -> None:
    usual, saving = (
        Conversation(3, chatter(1, 3), up=line, down=line, always_mix=always_mix, savers=savers).run(MINUTE)
        for savers in (frozenset[int](), frozenset({1, 2}))
    )
    for pair in saving.pairs():
        assert saving.share(*pair, 0, MINUTE - 50) >= usual.share(*pair, 0, MINUTE - 50) - 0.02
    for saver in (1, 2):
        assert saving.up[saver].sent < 0.6 * usual.up[saver].sent
        assert saving.down[saver].sent < 0.6 * usual.down[saver].sent
        assert saving.members[saver].hearing.counts.recovered == 0
    assert saving.up[3].sent == usual.up[3].sent


def test_a_pair_costs_one_tick_of_delay_and_only_once() -> None:
    """Saver to saver passed on: the second hop makes the same pairs."""
    script = chatter(5, 2)
    delays = []
    for savers in (frozenset[int](), frozenset({1}), frozenset({1, 2})):
        talk = Conversation(2, script, up=GOOD, down=GOOD, savers=savers).run(MINUTE)
        delays.append(statistics.median(delay for _, delay in talk.members[2].heard[1].delays))
    assert delays[1] - delays[0] == pytest.approx(1.0, abs=0.3)
    assert delays[2] == pytest.approx(delays[1], abs=0.05)


def test_alone_with_one_listener_nothing_is_ever_encoded_anew() -> None:
    talk = Conversation(2, chatter(3, 2), up=JITTERY, down=JITTERY).run(MINUTE)
    assert talk.conference.encodings == 0
    assert talk.conference.counts.played == 0
    for listener, talker in talk.pairs():
        assert talk.share(listener, talker, 0, MINUTE - 50) >= 0.92


def test_silence_costs_not_a_packet() -> None:
    talk = Conversation(4, chatter(4, 4), up=GOOD, down=GOOD).run(MINUTE / 4)
    quiet = Conversation(4, lambda _tick, _member: False, up=GOOD, down=GOOD).run(MINUTE / 4)
    assert sum(link.sent for link in talk.down.values()) > MINUTE / 4
    assert sum(link.sent for link in (*quiet.up.values(), *quiet.down.values())) == 0
    assert quiet.conference.encodings == 0


@pytest.mark.parametrize("line", [GOOD, TCP, JITTERY], ids=["udp", "tcp", "jittery"])
def test_an_interjection_does_not_interrupt_the_one_who_talks(line: Line) -> None:
    """One talks on and on, another says a word each five seconds: forwarded, mixed, forwarded again."""
    talk = Conversation(3, lambda tick, who: who == 1 or (who == 2 and tick % 250 < 20), up=line, down=line)
    talk.run(MINUTE)
    heard = talk.members[3].heard[1]
    assert talk.share(3, 1, 100, MINUTE - 50) >= 0.96
    gaps = [later - sooner for sooner, later in itertools.pairwise(heard.ticks[50:])]
    assert max(gaps) <= 6
    assert repeats(heard.ticks) <= 3 * 12
    assert talk.share(3, 2, 100, MINUTE - 50) >= 0.7
    # the one who interjects hears the talker untouched all along
    assert talk.share(2, 1, 100, MINUTE - 50) >= 0.98
    assert talk.conference.forwarded > 0
    assert talk.conference.encodings > 0


@pytest.mark.parametrize("line", [GOOD, JITTERY], ids=["good", "jittery"])
def test_wherever_between_two_beats_packets_arrive_few_are_late_for_the_mix(line: Line) -> None:
    for seed in range(8):  # each has other phases of the cards
        talk = Conversation(3, lambda _tick, who: who < 3, up=line, down=line, seed=seed).run(5 * TICKS_PER_SECOND)
        for talker in (1, 2):
            assert talk.share(3, talker, 50, talk.now - 30) >= 0.97
    assert talk.conference.encodings > 0


def test_one_who_leaves_in_the_middle_of_a_word_disturbs_nobody() -> None:
    talk = Conversation(4, chatter(8, 4, share=0.7), up=GOOD, down=GOOD).run(10 * TICKS_PER_SECOND)
    talk.leave(4)
    left = talk.now
    talk.run(20 * TICKS_PER_SECOND)
    for listener, talker in itertools.permutations((1, 2, 3), 2):
        assert talk.share(listener, talker, 0, talk.now - 50) >= 0.90
    for listener in (1, 2, 3):
        assert not talk.members[listener].heard[4].between(left + TICKS_PER_SECOND, talk.now)
    assert not talk.members[4].heard[1].between(left + TICKS_PER_SECOND, talk.now)
