"""LateFrameRepair: the decoder goes back, and is where it would be without the miss; frames are single values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.codecs.opus import OpusCodec
from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, Frame, silent_frame
from voicechat.media.repair import MOST_TICKS, LateFrameRepair
from voicechat.testing import MemoryCodec

CODEC = MemoryCodec()


def said(value: float) -> bytes:
    return CODEC.encoder(0).encode(np.full(FRAME_SAMPLES, value, np.float32))


def voice(frames: int) -> list[Frame]:
    """A vowel whose pitch glides."""
    time = np.arange(frames * FRAME_SAMPLES) / SAMPLE_RATE
    phase = 2 * np.pi * (120 * time + 30 * time**2)
    sound = np.sum([np.sin(n * phase) / n for n in range(1, 12)], axis=0)
    return list((0.1 * sound).astype(np.float32).reshape(frames, FRAME_SAMPLES))


@pytest.mark.parametrize("enhance", [False, True])
def test_a_decoder_that_concealed_is_brought_to_where_it_would_be(enhance: bool) -> None:
    """With deep concealment, too, where libopus has it."""
    codec = OpusCodec(enhance=enhance, clock=lambda: 0.0)
    encoder, steady, late = codec.encoder(12_000), codec.decoder(), codec.decoder()
    repair, expected, out = LateFrameRepair(late), silent_frame(), silent_frame()
    for tick, frame in enumerate(voice(40)):
        payload = encoder.encode(frame)
        steady.decode(payload, expected)
        if tick not in {20, 21, 30}:
            late.decode(payload, out)
            np.testing.assert_array_equal(out, expected)
            continue
        repair.missed(tick)
        late.conceal(out)
        assert np.abs(out - expected).max() > 1e-3
        repair.arrived(tick, payload)
        if tick != 20:
            frame_late = repair.decode_again()
            assert frame_late is not None
            np.testing.assert_array_equal(frame_late, expected)


def test_what_never_came_is_concealed_between_what_did() -> None:
    decoder, out = CODEC.decoder(), silent_frame()
    repair = LateFrameRepair(decoder)
    decoder.decode(said(0.5), out)
    for tick in (10, 11, 12):
        repair.missed(tick)
        decoder.conceal(out)
    repair.arrived(11, said(0.25))
    assert repair.possible
    assert repair.pending
    assert repair.decode_again() is None
    assert not repair.possible
    decoder.conceal(out)
    assert out[0] == 0.0625  # after tick 12, which continued tick 11


def test_only_what_is_missed_counts() -> None:
    repair = LateFrameRepair(CODEC.decoder())
    repair.arrived(3, said(0.1))
    assert not repair.possible
    repair.missed(4)
    for tick in (3, 5):
        repair.arrived(tick, said(0.1))
    assert not repair.possible
    repair.missed(6)  # 5 was played: 4 is of no more use
    repair.arrived(4, said(0.1))
    assert not repair.possible
    repair.arrived(6, said(0.1))
    repair.forget()
    assert not repair.possible


def test_a_payload_that_cannot_be_decoded_leaves_a_decoder_that_can_go_on() -> None:
    decoder, out = CODEC.decoder(), silent_frame()
    repair = LateFrameRepair(decoder)
    repair.missed(1)
    repair.arrived(1, b"garbage")
    assert repair.decode_again() is None
    decoder.decode(said(0.5), out)
    assert out[0] == 0.5


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=80))
def test_nothing_is_kept_beyond_its_limit(calls: list[tuple[bool, int]]) -> None:
    repair = LateFrameRepair(CODEC.decoder())
    for missed, tick in calls:
        if missed:
            repair.missed(tick)
        else:
            repair.arrived(tick, said(0.1))
        assert len(repair._came) <= MOST_TICKS
