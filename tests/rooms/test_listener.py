"""A listener's states: what the table has happens, nothing else does, and no overlap lasts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.media.forwarding import ListenerMode
from voicechat.media.tuning import TUNING
from voicechat.rooms.listener import SERVING, Beat, Listener, Serving

SINGLE_FOR = TUNING.forwarding.single_for
OVERLAP = TUNING.forwarding.overlap

Move = tuple[Serving, ListenerMode | Beat]


class Served:
    """A listener, tick by tick, as a conference has it."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.moves: list[Move] = []
        self._becomes = self.listener._becomes
        self.listener._becomes = self._note  # type: ignore[method-assign]
        self.tick = 0

    def _note(self, event: ListenerMode | Beat) -> None:
        self.moves.append((self.listener.state, event))
        self._becomes(event)

    def talk(self, *audible: int) -> "Served":
        """These talk from now on."""
        before = self.listener.policy.mode
        mode = self.listener.policy.decide(list(audible), float(self.tick))
        if mode is not before:
            self.listener.change(mode, float(self.tick))
        return self

    def beat(self, *, frame: bool) -> "Served":
        """A tick, in which the mix has a frame for them or not."""
        listener = self.listener
        self.tick += 1
        if listener.until is not None and self.tick >= listener.until:
            listener.end_overlap()
        if listener.state.mixed and frame and not listener.state.open:
            listener.first_frame(self.tick)
        elif listener.state.open and not frame:
            listener.nothing_leaves()
        return self


@given(st.lists(st.tuples(st.lists(st.integers(1, 3), max_size=2, unique=True), st.booleans(), st.integers(1, 60))))
def test_whatever_happens_the_table_has_it(spans: list[tuple[list[int], bool, int]]) -> None:
    served = Served()
    for audible, frame, ticks in spans:
        for _ in range(ticks):
            served.talk(*audible).beat(frame=frame)
            state, mode = served.listener.state, served.listener.policy.mode
            assert state.mixed or mode is not ListenerMode.MIX
            assert state.forwarded or mode is not ListenerMode.FORWARD
            assert state.forwarded or state.mixed or mode is ListenerMode.SILENT
            assert state.mixed or not state.open


def test_all_that_the_table_has_happens() -> None:
    chance, moves = random.Random(3), set[Move]()
    for _ in range(400):
        served = Served()
        for _ in range(40):
            audible, share = chance.choice([[], [1], [2], [1, 2]]), chance.choice([0.0, 0.1, 0.9, 1.0])
            for _ in range(chance.choice([1, 2, 3, OVERLAP + 1, int(SINGLE_FOR) + 1])):
                served.talk(*audible).beat(frame=chance.random() < share)
        moves |= set(served.moves)
    late = Served().talk(1).talk(1, 2)  # both stall, and the first frame comes just when a single talker is forwarded
    for tick in range(int(SINGLE_FOR) + 2):
        late.talk(1).beat(frame=tick >= SINGLE_FOR - 1)
    moves |= set(late.moves)
    assert moves == {(state, event) for state, row in SERVING.items() for event in row}


@pytest.mark.parametrize("first", [[1], [1, 2]])
def test_at_a_change_both_are_sent_for_the_overlap(first: list[int]) -> None:
    served = Served().talk(*first)
    for _ in range(20):
        served.talk(*first).beat(frame=True)
    other, both = ([1, 2], Serving.TO_MIX) if first == [1] else ([1], Serving.TO_FORWARD)
    states = [served.talk(*other).beat(frame=True).listener.state for _ in range(80)]
    assert states.count(both) == (OVERLAP if both is Serving.TO_MIX else OVERLAP - 1)
    assert states[-1] is (Serving.MIXED if both is Serving.TO_MIX else Serving.FORWARDED)


def test_in_an_overlap_the_talker_who_was_forwarded_still_is() -> None:
    served = Served().talk(7)
    served.talk(7, 8).beat(frame=True)
    assert served.listener.is_forwarded(7)
    assert not served.listener.is_forwarded(8)
    for _ in range(OVERLAP):
        served.beat(frame=True)
    assert not served.listener.is_forwarded(7)
