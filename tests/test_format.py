"""The sound format: its numbers fit each other, and a silent frame is a frame."""

import numpy as np

from voicechat import format as sound


def test_a_frame_is_what_one_tick_carries() -> None:
    """Ticks fill a second, samples fill a tick, blocks fill a frame, with nothing left over."""
    assert sound.TICKS_PER_SECOND * sound.FRAME_SAMPLES == sound.SAMPLE_RATE
    assert sound.TICKS_PER_SECOND * sound.TICK_MS == 1000
    assert sound.BLOCKS_PER_FRAME * sound.BLOCK_SAMPLES == sound.FRAME_SAMPLES


def test_the_numbers_are_those_of_the_protocol() -> None:
    """Both ends of a call must agree on these; a change of one is a new protocol version."""
    assert (sound.SAMPLE_RATE, sound.TICK_MS, sound.FRAME_SAMPLES) == (48_000, 20, 960)
    assert sound.TICK_SECONDS == 0.02
    assert sound.BLOCK_SECONDS == 0.01


def test_a_silent_frame_has_the_shape_and_type_of_every_frame() -> None:
    frame = sound.silent_frame()
    assert frame.shape == (sound.FRAME_SAMPLES,)
    assert frame.dtype == np.float32
    assert not frame.any()


def test_each_silent_frame_is_a_new_one() -> None:
    """They are written into; a shared one would carry one stream's voice into another."""
    sound.silent_frame()[0] = 1
    assert not sound.silent_frame().any()
