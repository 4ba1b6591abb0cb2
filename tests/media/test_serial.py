"""Ticks on a ring of 16 bits: near the seam as good as far from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.media.serial import RING, ahead, unwrap, wrap

NEAR_THE_SEAM = st.integers(-40, 40).map(lambda step: step % RING)
WIRE = st.integers(0, RING - 1) | NEAR_THE_SEAM
TICKS = st.integers(-(10**12), 10**12) | st.integers(-5, 5).flatmap(
    lambda lap: st.integers(lap * RING - 40, lap * RING + 40)
)


@given(WIRE, st.integers(-RING // 2, RING // 2 - 1))
def test_ahead_counts_the_steps_from_one_to_the_other(tick: int, steps: int) -> None:
    assert ahead(wrap(tick + steps), tick) == steps


@given(WIRE, WIRE)
def test_ahead_is_the_shorter_way_and_backwards_its_negative(a: int, b: int) -> None:
    steps = ahead(a, b)
    assert -RING // 2 <= steps < RING // 2
    assert wrap(b + steps) == a
    assert ahead(b, a) == (-steps if steps != -RING // 2 else steps)


@given(TICKS, st.integers(-RING // 2, RING // 2 - 1))
def test_a_tick_comes_back_from_the_wire_if_it_is_near_the_expected_one(tick: int, off: int) -> None:
    assert unwrap(wrap(tick), tick - off) == tick


@given(WIRE, TICKS)
def test_unwrap_gives_the_nearest_tick_with_these_16_bits(wire: int, near: int) -> None:
    tick = unwrap(wire, near)
    assert wrap(tick) == wire
    assert abs(tick - near) <= RING // 2


@pytest.mark.parametrize("minutes", [15, 22, 22 * 60, 24 * 60])
def test_ticks_run_on_through_minutes_of_silence_if_the_clock_does(minutes: int) -> None:
    tick = 65_500 + minutes * 60 * 50
    for late in (-500, 0, 500):
        assert unwrap(wrap(tick), tick + late) == tick


def test_wrap_keeps_16_bits() -> None:
    assert [wrap(tick) for tick in (0, 65_535, 65_536, -1, 3 * RING + 7)] == [0, 65_535, 0, 65_535, 7]
