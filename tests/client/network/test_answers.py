"""Whether the server still answers: what is watched, asked and told, and when."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from voicechat.client.network.answers import ASK_AFTER, LOOK_EVERY, SILENT_AFTER, Answers


class Line:
    """A line that the test cuts and mends."""

    def __init__(self, *, answers: bool = True) -> None:
        self.clock = Clock()
        self.came = 0
        self.asked: list[float] = []
        self.changes: list[tuple[float, bool]] = []
        self.answers_questions = answers
        self.then: Callable[[], None] = lambda: None
        """Done when the server is heard again."""
        self.answers = Answers(self.clock, lambda: self.came, self._ask, self._changed)

    def _ask(self) -> None:
        self.asked.append(self.clock.seconds())
        if self.answers_questions:
            self.clock.callLater(0.05, self._come)

    def _come(self) -> None:
        self.came += 1

    def _changed(self) -> None:
        self.changes.append((self.clock.seconds(), self.answers.silent))
        if not self.answers.silent:
            self.then()

    def wait(self, seconds: float, *, comes: bool = False, flows: bool = False) -> None:
        """Let time go by, in frames."""
        for _ in range(round(seconds * 50)):
            self.clock.advance(0.02)
            self.came += comes
            if flows or comes:
                self.answers.flows()


def test_sound_that_comes_is_answer_enough() -> None:
    line = Line()
    line.wait(60.0, comes=True)
    assert line.asked == []
    assert line.changes == []


def test_a_line_that_is_cut_in_the_middle_of_a_word_is_told_within_two_seconds_and_some() -> None:
    line = Line(answers=False)
    line.wait(10.3, comes=True)
    cut = line.clock.seconds()
    line.wait(5.0, flows=True)
    ((told_at, silent),) = line.changes
    assert silent
    assert SILENT_AFTER <= told_at - cut <= SILENT_AFTER + LOOK_EVERY + 0.1, "the clock steps by frames"
    assert line.asked[0] - cut <= ASK_AFTER + LOOK_EVERY + 0.1
    assert len(line.asked) == 1, "asked once; the heartbeat asks on"
    assert line.answers.unanswered == pytest.approx(line.clock.seconds() - cut, abs=LOOK_EVERY)


def test_what_is_silent_is_heard_again() -> None:
    line = Line(answers=False)
    line.answers.flows()
    line.wait(6.0)
    assert line.answers.silent
    line.came += 1
    line.wait(LOOK_EVERY + 0.02)
    assert not line.answers.silent
    assert [silent for _, silent in line.changes] == [True, False]
    assert line.answers.unanswered == 0


def test_whoever_talks_alone_is_asked_for_and_answered() -> None:
    """Over TCP nothing comes back of what is said but the answers to what is asked."""
    line = Line()
    line.wait(60.0, flows=True)
    assert line.changes == []
    assert 60 / (SILENT_AFTER + 1) <= len(line.asked) <= 60 / ASK_AFTER


def test_after_the_last_word_it_is_asked_once_and_then_nothing_is_called() -> None:
    line = Line()
    line.wait(5.0, comes=True)
    line.wait(5.0)
    assert len(line.asked) == 1
    assert line.answers.resting
    assert line.clock.getDelayedCalls() == []


def test_a_heartbeat_that_is_answered_costs_no_other() -> None:
    line = Line()
    line.answers.asked()
    line.clock.callLater(0.05, line._come)
    line.wait(5.0)
    assert line.asked == []
    assert line.clock.getDelayedCalls() == []


@pytest.mark.parametrize("later", [0.1, 0.3, 0.45, 0.6])
def test_a_line_that_is_cut_soon_after_a_heartbeat_is_told_as_soon(later: float) -> None:
    """Sound flows; what comes after the heartbeat's ping is not all that there is to come."""
    line = Line(answers=False)
    line.answers.asked()
    line.wait(later, comes=True)
    line.wait(SILENT_AFTER + 2 * LOOK_EVERY + 0.1)
    assert line.answers.silent


def test_a_heartbeat_that_is_not_answered_is_told_in_a_silent_room() -> None:
    line = Line(answers=False)
    line.answers.asked()
    line.wait(SILENT_AFTER + LOOK_EVERY)
    assert line.answers.silent


def test_nothing_is_left_of_a_connection_that_is_over() -> None:
    line = Line(answers=False)
    line.answers.flows()
    line.wait(4.0)
    line.answers.stop()
    assert not line.answers.silent
    assert line.clock.getDelayedCalls() == []


@given(st.lists(st.tuples(st.sampled_from(["come", "flow", "ask", "wait"]), st.floats(0.0, 3.0)), max_size=40))
def test_silence_is_never_told_of_a_server_that_was_heard(steps: list[tuple[str, float]]) -> None:
    line, last = Line(answers=False), 0.0
    for what, seconds in steps:
        if what == "come":
            line.came += 1
            last = line.clock.seconds()
        elif what == "flow":
            line.answers.flows()
        elif what == "ask":
            line.answers.asked()
        line.clock.pump([LOOK_EVERY / 5] * round(seconds / (LOOK_EVERY / 5)))
        for at, silent in line.changes:
            assert not silent or at - last >= SILENT_AFTER - 1e-6 or at <= last
    assert len(line.clock.getDelayedCalls()) <= 1


def test_sound_that_flows_when_it_is_told_that_all_is_well_makes_no_second_watch() -> None:
    """The player is told, and what that sets off may send something at once."""
    line = Line(answers=False)
    line.then = line.answers.flows
    line.answers.asked()
    line.wait(SILENT_AFTER + LOOK_EVERY)
    assert line.answers.silent
    line.came += 1
    line.wait(LOOK_EVERY + 0.02)
    assert line.answers.watching
    assert len(line.clock.getDelayedCalls()) == 1
    line.answers.stop()
    assert line.clock.getDelayedCalls() == []
