"""The replay window against a model that simply remembers everything."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from voicechat.security.replay import WINDOW, ReplayWindow


class Remembering:
    """The reference: every counter ever marked, in a set."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def is_fresh(self, counter: int) -> bool:
        newest = max(self.seen, default=-1)
        return counter not in self.seen and counter > newest - WINDOW


class WindowAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.window = ReplayWindow()
        self.model = Remembering()
        self.newest = 0

    def arrive(self, counter: int) -> None:
        fresh = self.window.is_fresh(counter)
        assert fresh == self.model.is_fresh(counter)
        if fresh:
            self.window.mark(counter)
            self.model.seen.add(counter)
            self.newest = max(self.newest, counter)

    @rule()
    def next_in_order(self) -> None:
        self.arrive(self.newest + 1)

    @rule(ahead=st.integers(1, 3 * WINDOW))
    def jump(self, ahead: int) -> None:
        self.arrive(min(self.newest + ahead, 2**31 - 1))

    @rule(back=st.integers(0, WINDOW + 5))
    def late_or_repeated(self, back: int) -> None:
        self.arrive(max(0, self.newest - back))

    @rule(counter=st.integers(0, 2**31 - 1))
    def forged(self, counter: int) -> None:
        """Asked about but never marked, because it did not open."""
        assert self.window.is_fresh(counter) == self.model.is_fresh(counter)

    @rule(back=st.sampled_from([WINDOW - 2, WINDOW - 1, WINDOW, WINDOW + 1]))
    def at_the_edge(self, back: int) -> None:
        self.arrive(max(0, self.newest - back))

    @invariant()
    def nothing_marked_is_fresh(self) -> None:
        assert not any(map(self.window.is_fresh, self.model.seen))


TestWindowAgainstModel = WindowAgainstModel.TestCase


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_a_stream_with_reorder_and_duplicates_is_heard_once_each(seed: int) -> None:
    chance = random.Random(seed)
    arrivals = sorted(
        [n for n in range(2000) for _ in range(2 if chance.random() < 0.1 else 1)],
        key=lambda n: n + (chance.uniform(0, 500) if chance.random() < 0.2 else 0),
    )
    window, heard = ReplayWindow(), []
    for counter in arrivals:
        if window.is_fresh(counter):
            window.mark(counter)
            heard.append(counter)
    assert sorted(heard) == list(range(2000))


def test_the_first_counter_may_be_any() -> None:
    for first in (0, 1, WINDOW, 2**31 - 1):
        window = ReplayWindow()
        assert window.is_fresh(first)
        window.mark(first)
        assert not window.is_fresh(first)


def test_the_window_is_exactly_as_wide_as_promised() -> None:
    window = ReplayWindow()
    window.mark(5000)
    assert window.is_fresh(5000 - WINDOW + 1)
    assert not window.is_fresh(5000 - WINDOW)


def test_a_jump_of_a_whole_window_forgets_nothing_that_still_counts() -> None:
    for jump in (WINDOW - 1, WINDOW, WINDOW + 1):
        window = ReplayWindow()
        window.mark(0)
        window.mark(jump)
        assert not window.is_fresh(0)
        assert not window.is_fresh(jump)
        assert window.is_fresh(jump - 1)


def test_asking_changes_nothing() -> None:
    window = ReplayWindow()
    window.mark(10)
    for counter in (11, 2**31 - 1, 3, 3):
        assert window.is_fresh(counter)


def test_its_memory_does_not_grow() -> None:
    window = ReplayWindow()
    for counter in range(0, 20 * WINDOW, 3):
        window.mark(counter)
        assert window._seen.bit_length() <= WINDOW
