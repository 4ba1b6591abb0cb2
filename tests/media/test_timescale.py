"""Changes of the time scale: due only when they should be, and made where the sound is alike."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, Frame, silent_frame
from voicechat.media.timescale import MERGE_SAMPLES, QUIET, STARTING, Pace, merge
from voicechat.media.tuning import TUNING

DEEPEST = TUNING.playout.deepest
ACCELERATE_ABOVE = TUNING.stream.accelerate_above
MERGE_EVERY = TUNING.stream.merge_every

LOUD = 0.1


def tone(hertz: float, start: int, size: int = FRAME_SAMPLES) -> Frame:
    """A steady tone, from sample ``start`` on."""
    return (0.5 * np.sin(2 * np.pi * hertz * (start + np.arange(size)) / SAMPLE_RATE)).astype(np.float32)


def going(late: float, frames: int = 200) -> Pace:
    """A pace well within loud talk that has been so late for long."""
    pace = Pace()
    pace.start(late)
    for _ in range(frames):
        pace.follow(late)
        pace.played(LOUD)
    return pace


def test_on_time_nothing_is_due() -> None:
    pace = going(0.0)
    assert not pace.too_deep
    assert not pace.too_shallow


def test_too_deep_it_merges_now_and_then_in_talk() -> None:
    pace = going(3.0)
    merged = []
    for frame in range(20):
        pace.follow(3.0)
        assert pace.too_deep
        assert not pace.quiet
        if pace.may_merge:
            merged.append(frame)
            pace.merged()
        pace.played(LOUD)
    assert merged == list(range(0, 20, MERGE_EVERY + 1))


def test_at_the_beginning_every_frame_may_be_merged() -> None:
    pace = Pace()
    pace.start(3.0)
    for _ in range(STARTING - 1):
        pace.follow(3.0)
        assert pace.may_merge
        pace.merged()
        pace.played(LOUD)
    pace.follow(3.0)
    assert not pace.may_merge


def test_too_shallow_a_frame_is_put_in_only_where_it_is_quiet() -> None:
    pace = going(-1.0)
    assert not pace.too_shallow
    pace.played(QUIET / 2)
    assert pace.too_shallow
    pace.put_in()
    assert not pace.too_shallow


def test_a_clock_that_was_set_is_no_reason_to_put_frames_in() -> None:
    pace = going(-DEEPEST - 1)
    pace.played(0.0)
    assert not pace.too_shallow


@given(st.floats(-20, 20), st.integers(0, 40))
def test_corrections_bring_it_back_and_then_stop(late: float, frames: int) -> None:
    pace = going(late, frames)
    for _ in range(60):
        pace.follow(late)
        pace.played(0.0)
        if pace.too_deep:
            pace.taken_out()
            late -= 1
        elif pace.too_shallow:
            pace.put_in()
            late += 1
    assert late >= -DEEPEST - 1 or late <= -DEEPEST
    assert late < ACCELERATE_ABOVE + 1


@given(st.floats(100, 1_000), st.integers(0, SAMPLE_RATE))
@example(125.5, 400)  # the frames are in antiphase, and no place is alike: the worst of a scan, 0.218
def test_a_merged_tone_begins_and_ends_as_it_should_and_is_never_louder(hertz: float, start: int) -> None:
    first, second, out = tone(hertz, start), tone(hertz, start + FRAME_SAMPLES), silent_frame()
    merge(first, second, out)
    assert abs(out[0] - first[0]) < 1e-4
    assert abs(out[-1] - second[-1]) < 1e-4
    assert np.abs(out).max() <= 0.5 + 1e-6
    blocks = out.reshape(-1, MERGE_SAMPLES)
    assert np.abs(blocks).max(axis=1).min() > 0.21


def test_merging_what_is_alike_is_exact() -> None:
    """A tone of whole periods in a frame: both are one, and so is the merge."""
    first, second, out = tone(200.0, 0), tone(200.0, FRAME_SAMPLES), silent_frame()
    merge(first, second, out)
    assert np.abs(out - first).max() < 1e-5


def test_silence_merges_to_silence() -> None:
    out = tone(300.0, 0)
    merge(silent_frame(), silent_frame(), out)
    assert not out.any()
