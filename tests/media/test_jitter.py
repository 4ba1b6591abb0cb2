"""The jitter buffer beside a plain list: never out of order, never twice, never over its capacity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from voicechat.media.jitter import CAPACITY, Arrival, JitterBuffer, Slot
from voicechat.media.serial import unwrap, wrap

STARTS = st.integers(0, 70_000) | st.integers(65_500, 65_560) | st.integers(0, 8) | st.integers(10**6, 10**7)
"""First ticks of a spurt: near the seam of 16 bits as often as near 0."""


class BesideAList(RuleBasedStateMachine):
    """Packets come by their 16 bit ticks, as from the wire; the list says what must become of them."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer = JitterBuffer(8)
        self.capacity = 8
        self.held: list[tuple[int, Slot]] = []
        self.pulled: list[int] = []
        self.next = 0
        self.serial = 0
        self.untouched = True

    @initialize(start=STARTS)
    def begin(self, start: int) -> None:
        self.buffer.reset(start)
        self.next = start

    @rule(step=st.integers(-20, 20), recovered=st.booleans())
    def put(self, step: int, recovered: bool) -> None:
        tick = unwrap(wrap(self.next + step), self.next)
        assert tick == self.next + step
        self.serial += 1
        slot = Slot(b"%d" % self.serial, recovered)
        arrival = self.buffer.put(tick, slot.payload, recovered)
        if step < 0:
            assert arrival is Arrival.LATE
        elif step >= self.capacity:
            assert arrival is Arrival.OVERFLOW
        elif any(tick == other for other, _ in self.held):
            assert arrival is Arrival.DUPLICATE
        else:
            assert arrival is Arrival.ON_TIME
            self.held.append((tick, slot))

    @rule()
    def pull(self) -> None:
        expected = next((slot for tick, slot in self.held if tick == self.next), None)
        assert self.buffer.peek() == expected
        assert self.buffer.holds(self.next) == (expected is not None)
        assert self.buffer.pull() == expected
        if expected is not None:
            self.pulled.append(self.next)
        self.held = [(tick, slot) for tick, slot in self.held if tick != self.next]
        self.next += 1
        self.untouched = False

    @precondition(lambda self: self.untouched)
    @rule(back=st.integers(-2, 10))
    def begin_earlier(self, back: int) -> None:
        tick = self.next - back
        self.buffer.begin_earlier(tick)
        newest = max((other for other, _ in self.held), default=tick)
        if 0 < back < self.capacity and newest - tick < self.capacity:
            self.next = tick

    @rule(step=st.integers(-100, 100))
    def reset(self, step: int) -> None:
        self.next += step
        self.buffer.reset(self.next)
        self.held.clear()
        self.pulled.clear()
        self.untouched = True

    @invariant()
    def never_over_capacity_out_of_order_or_twice(self) -> None:
        assert len(self.buffer) == len(self.held) <= self.capacity
        assert self.buffer.next == self.next
        assert self.buffer.newest() == max((tick for tick, _ in self.held), default=None)
        assert self.pulled == sorted(set(self.pulled))


TestBesideAList = BesideAList.TestCase


@given(STARTS, st.permutations(range(CAPACITY)))
def test_what_comes_on_time_is_played_in_whatever_order_it_came(start: int, order: list[int]) -> None:
    buffer = JitterBuffer()
    buffer.reset(start)
    for step in order:
        assert buffer.put(start + step, b"%d" % step) is Arrival.ON_TIME
        assert buffer.put(start + step, b"again") is Arrival.DUPLICATE
    pulled = [buffer.pull() for _ in order]
    assert pulled == [Slot(b"%d" % step, False) for step in range(CAPACITY)]
    assert buffer.pull() is None


def test_a_hole_is_an_answer_and_time_goes_on() -> None:
    buffer = JitterBuffer()
    buffer.reset(65_535)
    buffer.put(65_536, b"second", recovered=True)
    assert buffer.pull() is None
    assert buffer.put(65_535, b"first") is Arrival.LATE
    assert buffer.pull() == Slot(b"second", recovered=True)


def test_a_burst_from_the_far_past_cannot_fill_it_beyond_its_capacity() -> None:
    buffer = JitterBuffer()
    buffer.reset(1000)
    for tick in range(1000, 1000 + CAPACITY):
        buffer.put(tick, b"x")
    for tick in range(999, 999 - CAPACITY, -1):
        buffer.begin_earlier(tick)
        buffer.put(tick, b"x")
        assert len(buffer) <= CAPACITY


@pytest.mark.parametrize("capacity", [0, -8, 3, 100])
def test_a_capacity_is_a_power_of_two(capacity: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        JitterBuffer(capacity)
