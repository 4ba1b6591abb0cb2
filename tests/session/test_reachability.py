"""UdpReachability: which way media goes is decided again and again, and never stays wrong for long."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from voicechat.session.reachability import MEASURE_EVERY, MEASURED, REPORTS_COUNT_FOR, UdpReachability
from voicechat.session.round_trips import KNOWN


class Walk:
    """A UdpReachability driven second by second; ``answers`` tells whether a probe sent now is answered."""

    def __init__(self, answers: Callable[[float], bool], flows: Callable[[float], bool] = lambda _: True) -> None:
        self.reachability = UdpReachability(0.0)
        self.now = 0.0
        self.probes: list[float] = []
        self.ups: list[tuple[float, bool]] = [(0.0, False)]
        self._answers, self._flows = answers, flows
        self._tokens = itertools.count(1)
        self._next_flow = 0.0
        self._on_their_way: list[tuple[float, bytes]] = []

    def until(self, end: float, round_trip: float = 0.1) -> None:
        answers = self._on_their_way
        while True:
            flow = self._next_flow if self._flows(self._next_flow) else float("inf")
            at = min(max(self.reachability.next_at(self.now), self.now), flow, *(at for at, _ in answers), end)
            self.now = at
            if at >= end:
                return
            while self._next_flow <= at:
                if self._flows(self._next_flow):
                    self.reachability.flows(at)
                self._next_flow += 0.1
            for answer in [answer for answer in answers if answer[0] <= at]:
                answers.remove(answer)
                assert self.reachability.answered(answer[1], at)
            token = self.reachability.poll(next(self._tokens).to_bytes(8, "big"), at)
            if token is not None:
                self.probes.append(at)
                if self._answers(at):
                    answers.append((at + round_trip, token))
            if self.reachability.up != self.ups[-1][1]:
                self.ups.append((at, self.reachability.up))


def test_a_way_that_works_is_taken_at_once_and_kept() -> None:
    walk = Walk(lambda _: True)
    walk.until(60)
    assert [up for _, up in walk.ups] == [False, True]
    assert walk.ups[1][0] < 0.5
    assert 50 <= len(walk.probes) <= 70  # one a second while media flows


def test_a_way_that_never_worked_costs_a_probe_now_and_then() -> None:
    walk = Walk(lambda _: False)
    walk.until(62)
    assert not walk.reachability.up
    assert len(walk.probes) <= 10 + 60 / 5 + 1


def test_a_way_that_dies_in_mid_call_is_left_within_two_seconds_and_taken_again() -> None:
    walk = Walk(lambda now: not 20.3 <= now < 60)
    walk.until(100)
    assert [up for _, up in walk.ups] == [False, True, False, True]
    assert walk.ups[2][0] - 20.3 <= 1.8 + 1e-6
    assert walk.ups[3][0] - 60 < 5 + 1


@pytest.mark.parametrize("cut", [1.0, 2.5, 5.0, 9.0])
def test_a_way_that_was_cut_for_seconds_is_taken_again_within_a_second_and_a_half(cut: float) -> None:
    walk = Walk(lambda now: not 20.3 <= now < 20.3 + cut)
    walk.until(60)
    assert walk.reachability.up
    assert walk.ups[-1][0] - 20.3 - cut < 1.5


def test_a_lucky_answer_or_two_do_not_bring_a_dead_way_back() -> None:
    lucky = itertools.cycle([True, True, False, False, False, False])
    walk = Walk(lambda now: now < 10 or (now > 30 and next(lucky)))
    walk.until(90)
    assert not walk.reachability.up
    assert [up for _, up in walk.ups] == [False, True, False]


def test_a_way_that_stays_dead_costs_a_probe_now_and_then() -> None:
    walk = Walk(lambda now: now < 10)
    walk.until(72)
    probes = [at for at in walk.probes if at > 12]
    assert len(probes) <= 2 * 10 + 50 / 5 + 1


def test_a_third_of_the_probes_lost_does_not_drive_it_away() -> None:
    answered = itertools.cycle([True, True, False])
    walk = Walk(lambda _: next(answered))
    walk.until(120)
    assert [up for _, up in walk.ups] == [False, True]


def test_answers_that_take_long_and_often_get_lost_do_not_drive_it_away() -> None:
    """Four tries on a way of 0.6 s, of which each third is lost."""
    answered = itertools.cycle([True, False, True, True, False])
    walk = Walk(lambda _: next(answered))
    walk.until(120, 0.6)
    assert [up for _, up in walk.ups] == [False, True]


def test_in_silence_it_asks_seldom() -> None:
    walk = Walk(lambda _: True, flows=lambda _: False)
    walk.until(100)
    assert walk.reachability.up
    assert len(walk.probes) <= 21 + MEASURED


@pytest.mark.parametrize("round_trip", [0.001, 0.05, 0.4])
def test_a_session_begins_with_measuring_the_line(round_trip: float) -> None:
    walk = Walk(lambda _: True, flows=lambda _: False)
    walk.until(2 + 2 * round_trip, round_trip)
    assert len(walk.reachability.round_trips.lateness()) == KNOWN
    gaps = [later - earlier for earlier, later in itertools.pairwise(walk.probes)]
    assert min(gaps) >= MEASURE_EVERY - 1e-9
    before = len(walk.probes)
    walk.until(60, round_trip)
    assert len(walk.probes) - before <= 2 * 60 / 5, "and that was that; on a slow way each is asked twice"


@given(st.sets(st.integers(1, 40)), st.floats(0.01, 0.4))
def test_what_was_not_answered_is_lost_once_something_later_is(lost: set[int], round_trip: float) -> None:
    probes = itertools.count()
    walk = Walk(lambda _: next(probes) not in lost)
    walk.until(6, round_trip)
    assume(len(walk.ups) == 2)
    answered = [n for n, at in enumerate(walk.probes) if n not in lost and at + round_trip < walk.now]
    judged = [n for n, at in enumerate(walk.probes) if at >= walk.ups[1][0]]
    assert walk.reachability.lost(walk.now + 1) == sum(n in lost and n < answered[-1] for n in judged[-MEASURED:])


@pytest.mark.parametrize("back", [20.0, 100.0])
def test_of_a_way_that_died_nothing_is_lost_nor_when_it_is_back(back: float) -> None:
    for tenths in (-100, *range(-5, 70), 600):
        walk = Walk(lambda now: now < 5 or now > back)
        walk.until(back + tenths / 10)
        assert walk.reachability.lost(walk.now) == 0
    assert walk.reachability.up


def test_what_was_not_answered_before_the_way_was_up_is_not_lost() -> None:
    walk = Walk(lambda now: now > 0.5)
    walk.until(1.5)
    assert walk.reachability.lost(walk.now) == 0


def test_what_is_overtaken_is_not_lost_until_its_time_is_over() -> None:
    reachability = UdpReachability(0.0)
    for token, sent, answered in ((b"a" * 8, 0.0, 0.05), (b"b" * 8, 0.2, None), (b"c" * 8, 0.31, 0.35)):
        assert reachability.poll(token, sent) == token
        if answered is not None:
            reachability.answered(token, answered)
    assert reachability.lost(0.36) == 0
    assert reachability.lost(0.41) == 1
    assert reachability.answered(b"b" * 8, 0.42)
    assert reachability.lost(0.43) == 0


def test_loss_of_long_ago_is_forgotten() -> None:
    walk = Walk(lambda now: not 0.95 < now < 1.15)
    walk.until(3)
    assert walk.reachability.lost(walk.now) == 2
    walk.until(5 + MEASURED)
    assert walk.reachability.lost(walk.now) == 0


def test_a_resting_path_measures_nothing() -> None:
    reachability = UdpReachability(0.0, resting=True)
    reachability.poll(b"a" * 8, 0.0)
    reachability.answered(b"a" * 8, 0.1)
    assert reachability.next_at(0.1) >= 20


def test_a_way_that_dies_while_it_is_measured_is_left_within_two_seconds() -> None:
    walk = Walk(lambda now: now < 0.8, flows=lambda now: now > 0.5)
    walk.until(0.8 + 2)
    assert [up for _, up in walk.ups] == [False, True, False]


@pytest.mark.parametrize(
    ("start", "stall"), [(start, stall) for start in (0.05, 0.4, 0.8) for stall in (0.3, 0.6, 0.9)] + [(1.35, 0.6)]
)
def test_a_hiccup_while_it_is_measured_does_not_drive_it_away(start: float, stall: float) -> None:
    walk = Walk(lambda now: not start <= now < start + stall, flows=lambda now: now > 0.5)
    walk.until(10)
    assert walk.reachability.up
    assert len([up for _, up in walk.ups]) == 2


def test_a_way_that_is_not_answered_at_first_is_measured_all_the_same() -> None:
    walk = Walk(lambda now: now > 1.5)
    walk.until(6)
    assert len(walk.reachability.round_trips.lateness()) == KNOWN
    assert sum(1.5 < probe < 3.5 for probe in walk.probes) >= MEASURED


def test_words_after_silence_are_a_reason_to_ask_at_once() -> None:
    reachability = UdpReachability(0.0, resting=True)
    assert reachability.poll(b"a" * 8, 0.0) == b"a" * 8
    assert reachability.answered(b"a" * 8, 0.1)
    assert reachability.next_at(0.1) > 0.2
    assert reachability.flows(50.0), "so somebody has to ask the way again"
    assert reachability.next_at(50.0) == 50.0
    assert not reachability.flows(50.02), "and not at every word"
    assert reachability.poll(b"b" * 8, 50.0) == b"b" * 8


def reported_on(answers: Callable[[float], bool], seconds: float) -> Walk:
    """One under media whose far end reports twenty times a second that all came."""
    walk = Walk(answers)
    for step in range(round(seconds * 20)):
        walk.until(step / 20)
        walk.reachability.reported(step / 20)
    return walk


def test_reports_keep_it_alive_while_a_probe_was_answered_lately() -> None:
    walk = reported_on(lambda now: now % 5 < 0.3, 60)
    assert [up for _, up in walk.ups] == [False, True], "though of five seconds the answers of 4.7 are lost"


def test_reports_alone_prove_nothing() -> None:
    """Who proved an address, left it, and goes on telling that all comes: media would flow there for ever."""
    walk = reported_on(lambda now: now < 3.05, 60)
    assert [up for _, up in walk.ups] == [False, True, False]
    assert 3.0 + REPORTS_COUNT_FOR <= walk.ups[-1][0] <= 3.1 + REPORTS_COUNT_FOR + 2.0


def test_reports_before_any_answer_prove_nothing() -> None:
    walk = reported_on(lambda _: False, 20)
    assert walk.ups == [(0.0, False)]


@given(st.lists(st.binary(min_size=8, max_size=8), max_size=30))
def test_strangers_tokens_prove_nothing(tokens: list[bytes]) -> None:
    reachability = UdpReachability(0.0)
    for token in tokens:
        assert not reachability.answered(token, 1.0)
    assert not reachability.up


def test_a_token_proves_once() -> None:
    reachability = UdpReachability(0.0)
    reachability.poll(b"a" * 8, 0.0)
    assert reachability.answered(b"a" * 8, 0.1)
    assert not reachability.answered(b"a" * 8, 0.2)


@pytest.mark.parametrize("round_trip", [0.001, 0.3, 0.9])
@given(outages=st.lists(st.tuples(st.floats(1, 20), st.floats(0.1, 30)), max_size=4))
def test_whatever_happened_it_is_up_again_soon_after_the_last_outage(
    round_trip: float, outages: list[tuple[float, float]]
) -> None:
    times, now = [], 0.0
    for pause, length in outages:
        times.append((now + pause, now + pause + length))
        now += pause + length
    walk = Walk(lambda at: not any(start <= at < end for start, end in times))
    walk.until(now + 20, round_trip)
    assert walk.reachability.up
    gaps = [later - sooner for sooner, later in itertools.pairwise(walk.probes)]
    assert all(0 < gap <= 5.0 + round_trip + 1e-9 for gap in gaps)
