"""The shipped fakes keep the contracts of what they stand for."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from voicechat.errors import WireError
from voicechat.format import FRAME_SAMPLES, Frame, silent_frame
from voicechat.interfaces import IDecoder, IDescribedCodec, IEncoder
from voicechat.testing import MemoryCodec


def constant(value: float) -> Frame:
    return np.full(FRAME_SAMPLES, value, np.float32)


def test_memory_codec_implements_the_codec_interfaces() -> None:
    codec = MemoryCodec()
    verifyObject(IDescribedCodec, codec)
    verifyObject(IEncoder, codec.encoder(12_000))
    verifyObject(IDecoder, codec.decoder())


@settings(deadline=None)
@given(st.floats(-1, 1, width=32))
def test_a_constant_frame_comes_back_exactly(value: float) -> None:
    codec, out = MemoryCodec(), silent_frame()
    payload = codec.encoder(12_000).encode(constant(value))
    codec.check(payload)
    codec.decoder().decode(payload, out)
    assert (out == np.float32(value)).all()


def test_any_frame_becomes_its_mean() -> None:
    out = silent_frame()
    frame = constant(0.25)
    frame[::2] = 0.75
    codec = MemoryCodec()
    codec.decoder().decode(codec.encoder(8_000).encode(frame), out)
    assert (out == 0.5).all()


@pytest.mark.parametrize(("given_value", "heard"), [(7.0, 1.0), (-7.0, -1.0), (float("nan"), 0.0), (float("inf"), 1.0)])
def test_what_is_out_of_range_is_clipped(given_value: float, heard: float) -> None:
    out = silent_frame()
    codec = MemoryCodec()
    codec.decoder().decode(codec.encoder(8_000).encode(constant(given_value)), out)
    assert (out == heard).all()


def test_concealment_halves_the_last_value_and_starts_silent() -> None:
    codec, out = MemoryCodec(), constant(0.9)
    decoder = codec.decoder()
    decoder.conceal(out)
    assert not out.any()
    decoder.decode(codec.encoder(8_000).encode(constant(0.5)), out)
    decoder.conceal(out)
    assert (out == 0.25).all()
    decoder.conceal(out)
    assert (out == 0.125).all()


def test_frames_are_counted() -> None:
    codec, out = MemoryCodec(), silent_frame()
    encoder, decoder = codec.encoder(8_000), codec.decoder()
    payloads = [encoder.encode(constant(0.1)) for _ in range(3)]
    decoder.decode(payloads[0], out)
    decoder.conceal(out)
    assert (encoder.frames, encoder.bitrate, decoder.frames) == (3, 8_000, 1)


@settings(deadline=None)
@given(st.binary(max_size=10) | st.binary(min_size=4, max_size=4).map(lambda value: b"HC" + value))
def test_garbage_is_a_wire_error_and_silence(payload: bytes) -> None:
    codec, out = MemoryCodec(), constant(0.9)
    decoder = codec.decoder()
    accepted = False
    with contextlib.suppress(WireError):
        codec.check(payload)
        accepted = True
    if accepted:
        decoder.decode(payload, out)
        assert np.abs(out).max() <= 1
    else:
        with pytest.raises(WireError):
            decoder.decode(payload, out)
        assert not out.any()
