"""How loud each source is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voicechat.format import FRAME_SAMPLES, Frame
from voicechat.media.gains import SourceGains


def frame() -> Frame:
    return np.full(FRAME_SAMPLES, 0.5, np.float32)


def heard(gains: SourceGains, source: int) -> Frame:
    it = frame()
    gains.apply(source, it)
    return it


def test_for_whom_nothing_was_said_nothing_changes() -> None:
    gains = SourceGains()
    gains.set(2, 0.1)
    assert (heard(gains, 1) == frame()).all()


def test_a_gain_is_reached_within_a_frame_and_stays() -> None:
    gains = SourceGains()
    gains.set(1, 0.5)
    first = heard(gains, 1)
    assert first[0] == 0.5
    assert first[-1] == np.float32(0.25)
    assert (heard(gains, 1) == np.float32(0.25)).all()
    gains.set(1, 1.0)
    heard(gains, 1)
    assert (heard(gains, 1) == frame()).all()


@given(st.lists(st.none() | st.floats(0, 8), max_size=30))
def test_there_is_never_a_step(changes: list[float | None]) -> None:
    gains, before = SourceGains(), 0.5
    for gain in changes:
        if gain is not None:
            gains.set(1, gain)
        it = heard(gains, 1)
        assert abs(float(it[0]) - before) < 0.01
        assert np.abs(np.diff(it)).max() < 0.01
        before = float(it[-1])


def test_a_number_that_is_somebody_elses_next_begins_anew() -> None:
    gains = SourceGains()
    gains.set(1, 0.0)
    heard(gains, 1)
    gains.forget(1)
    assert (heard(gains, 1) == frame()).all()
