"""Opus: the sound survives, the options hold, garbage costs a WireError and nothing else, nothing leaks."""

import math
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfiltfilt
from zope.interface.verify import verifyObject

from voicechat.codecs import opus
from voicechat.codecs.opus import (
    LOOKAHEAD_SAMPLES,
    OpusCodec,
    OpusEncoder,
)
from voicechat.errors import VoiceChatError, WireError
from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, TICKS_PER_SECOND, Samples, silent_frame
from voicechat.interfaces import ICodec, IDecoder, IDescribedCodec, IEncoder
from voicechat.media.levels import mean_square, mean_square_of
from voicechat.media.packet import MOST_PAYLOAD
from voicechat.media.quality import HIGHEST_BITRATE, LOWEST_BITRATE

VOICES_FOLDER = Path(__file__).parents[2] / "demo" / "voices"
VOICES = ("cs_f1", "cs_m1", "en_f2", "en_f3", "en_m4", "it_m2")

CODEC = OpusCodec()
ENHANCED = OpusCodec(enhance=True, clock=lambda: 0.0)
BOTH = pytest.mark.parametrize("codec", [CODEC, ENHANCED], ids=["plain", "enhanced"])
"""What holds of decoders holds with the models of a newer libopus, too."""


@cache
def recorded(name: str) -> Samples:
    """A recorded voice as frames."""
    samples: Samples = soundfile.read(VOICES_FOLDER / f"{name}.flac", dtype="float32")[0]
    return samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)


@cache
def payloads(name: str, bitrate: int = 12_000, complexity: int = 8) -> list[bytes]:
    encoder = OpusCodec(complexity).encoder(bitrate)
    return [encoder.encode(frame) for frame in recorded(name)]


def decoded(coded: list[bytes], codec: OpusCodec = CODEC) -> Samples:
    decoder = codec.decoder()
    out = np.empty((len(coded), FRAME_SAMPLES), np.float32)
    for payload, frame in zip(coded, out, strict=True):
        decoder.decode(payload, frame)
    return out


def speaking(name: str) -> int:
    """The index of the loudest frame."""
    return int((recorded(name) ** 2).mean(axis=1).argmax())


def resident_kilobytes() -> int:
    """Memory of this process in RAM, from /proc."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4


# What it is


def test_it_implements_the_codec_interfaces() -> None:
    verifyObject(ICodec, CODEC)
    verifyObject(IDescribedCodec, CODEC)
    verifyObject(IEncoder, CODEC.encoder(12_000))
    verifyObject(IDecoder, CODEC.decoder())


def held(encoder: OpusEncoder, name: str) -> int:
    library = CODEC._library
    value: int = getattr(library.ctl, f"get_{name}")(library.encoder.libopus_ctl, encoder._state)
    return value


@pytest.mark.parametrize(
    ("bitrate", "bandwidth"), [(8_000, "WIDEBAND"), (16_000, "WIDEBAND"), (16_001, "FULLBAND"), (64_000, "FULLBAND")]
)
def test_libopus_holds_every_option(bitrate: int, bandwidth: str) -> None:
    encoder = OpusCodec(complexity=5).encoder(bitrate)
    constants = CODEC._library.constants
    expected = {
        "application": constants.APPLICATION_VOIP,
        "bitrate": bitrate,
        "complexity": 5,
        "vbr": 1,
        "vbr_constraint": 1,
        "max_bandwidth": getattr(constants, f"BANDWIDTH_{bandwidth}"),
        "inband_fec": 0,
        "dtx": 0,
        "packet_loss_perc": 0,
        "sample_rate": 48_000,
        "lookahead": LOOKAHEAD_SAMPLES,
    }
    assert {name: held(encoder, name) for name in expected} == expected


def test_an_option_that_libopus_refuses_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError, match="complexity = 11"):
        opus._set(CODEC._library, CODEC.encoder(12_000)._state, "complexity", 11)


def test_an_option_that_does_not_hold_is_a_runtime_error() -> None:
    """Libopus quietly brings a bitrate of 1 bit/s up to the least it can do."""
    with pytest.raises(RuntimeError, match="bitrate = 1: it holds"):
        opus._set(CODEC._library, CODEC.encoder(12_000)._state, "bitrate", 1)


@pytest.mark.parametrize("bitrate", [0, LOWEST_BITRATE - 1, HIGHEST_BITRATE + 1])
def test_a_bitrate_out_of_range_is_a_value_error(bitrate: int) -> None:
    with pytest.raises(ValueError, match="bitrate"):
        CODEC.encoder(bitrate)


@pytest.mark.parametrize("complexity", [-1, 11])
def test_a_complexity_out_of_range_is_a_value_error(complexity: int) -> None:
    with pytest.raises(ValueError, match="complexity"):
        OpusCodec(complexity)


def test_without_libopus_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opuslib", None)
    with pytest.raises(VoiceChatError) as refused:
        OpusCodec()
    assert "install libopus" in str(refused.value)
    assert "\n" not in str(refused.value)


# Sound


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize(("bitrate", "least"), [(12_000, 0.75), (24_000, 0.82)])
@BOTH
def test_a_voice_comes_back(codec: OpusCodec, voice: str, bitrate: int, least: float) -> None:
    """Median correlation of speech frames with what was said, 300-3400 Hz, without the look-ahead.

    Measured 0.84 to 0.92 by voice at 12 kbit/s and 0.90 to 0.93 at 24; the encoder's high
    pass shifts the phase below 300 Hz. Half a millisecond off, it is 0.4 or less.
    """
    band = butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE, output="sos")
    said = sosfiltfilt(band, recorded(voice).ravel()[:-LOOKAHEAD_SAMPLES])
    heard = sosfiltfilt(band, decoded(payloads(voice, bitrate), codec).ravel()[LOOKAHEAD_SAMPLES:])
    starts = range(0, said.size - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    pairs = [(said[at : at + FRAME_SAMPLES], heard[at : at + FRAME_SAMPLES]) for at in starts]
    speech = [(one, other) for one, other in pairs if mean_square(one) > mean_square_of(-42)]
    assert np.median([np.corrcoef(one, other)[0, 1] for one, other in speech]) > least
    assert 0.85 < math.sqrt(mean_square(heard) / mean_square(said)) < 1.05


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize(("bitrate", "least", "most"), [(12_000, 8_000, 12_500), (24_000, 17_000, 25_000)])
def test_payloads_keep_to_the_bitrate(voice: str, bitrate: int, least: int, most: int) -> None:
    """The clips have pauses, in which VBR saves bits; over a clip the rate is never above what was asked for."""
    coded = payloads(voice, bitrate)
    bits_a_second = sum(map(len, coded)) * 8 * TICKS_PER_SECOND / len(coded)
    assert least < bits_a_second < most
    assert max(map(len, coded)) < bitrate / 8 / TICKS_PER_SECOND * 3


@pytest.mark.parametrize("bitrate", [8_000, 12_000, 16_000, 24_000, 64_000])
@pytest.mark.parametrize("complexity", [0, 5, 8, 10])
def test_every_payload_of_ours_passes_the_check(bitrate: int, complexity: int) -> None:
    encoder = OpusCodec(complexity).encoder(bitrate)
    hiss = np.random.default_rng(1).uniform(-1, 1, (20, FRAME_SAMPLES)).astype(np.float32)
    for frame in (*hiss, *recorded("cs_m1")[:100], silent_frame()):
        CODEC.check(encoder.encode(frame))


def test_up_to_16_kbit_nothing_above_8_khz_is_coded() -> None:
    """Configurations 8-11 of the first byte are SILK, wide band (RFC 6716, table 2); 0-7 are narrower."""
    assert all(payload[0] >> 3 <= 11 for payload in payloads("cs_m1", 16_000))
    assert any(payload[0] >> 3 > 11 for payload in payloads("cs_m1", 24_000))


def test_a_frame_may_be_a_strided_view() -> None:
    stereo = np.zeros((FRAME_SAMPLES, 2), np.float32)
    stereo[:, 1] = recorded("cs_m1")[speaking("cs_m1")]
    payload = CODEC.encoder(12_000).encode(stereo[:, 1])
    assert payload == CODEC.encoder(12_000).encode(stereo[:, 1].copy())
    CODEC.decoder().decode(payload, stereo[:, 0])
    out = silent_frame()
    CODEC.decoder().decode(payload, out)
    assert (stereo[:, 0] == out).all()


def test_the_given_frame_is_left_alone() -> None:
    frame = np.full(FRAME_SAMPLES, 1.5, np.float32)
    CODEC.encoder(12_000).encode(frame)
    assert (frame == 1.5).all()


# Bad input to the encoder


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -1e30, 3.4e38])
def test_no_sample_breaks_the_encoder(bad: float) -> None:
    """After a bad frame the voice sounds as it does after silence, within what the codec forgets in half a second."""
    voice = recorded("cs_m1")[:120]
    broken = silent_frame()
    broken[::7] = bad
    coded = []
    for frame in (broken, np.full(FRAME_SAMPLES, bad, np.float32)):
        encoder = CODEC.encoder(12_000)
        coded.append([encoder.encode(frame), *(encoder.encode(good) for good in voice)])
    clean = decoded(payloads("cs_m1")[:120])[60:].ravel()
    for one in coded:
        heard = decoded(one)[61:].ravel()
        assert np.isfinite(heard).all()
        assert np.corrcoef(heard, clean)[0, 1] > 0.8


def test_a_frame_of_nan_is_coded_as_silence() -> None:
    payload = CODEC.encoder(12_000).encode(np.full(FRAME_SAMPLES, np.nan, np.float32))
    assert payload == CODEC.encoder(12_000).encode(silent_frame())


def test_samples_beyond_full_scale_are_clipped() -> None:
    loud = recorded("cs_m1")[speaking("cs_m1")] * 100
    assert CODEC.encoder(12_000).encode(loud) == CODEC.encoder(12_000).encode(np.clip(loud, -1, 1))


# The check of payloads


def accepted(payload: bytes) -> bool:
    try:
        CODEC.check(payload)
    except WireError:
        return False
    return True


def test_only_one_mono_frame_of_20_ms_is_accepted() -> None:
    """RFC 6716, table 2: configurations of 20 ms, each with stereo and frame-count bits 0."""
    of_20_ms = {1, 5, 9, 13, 15, 19, 23, 27, 31}
    assert {toc for toc in range(256) if accepted(bytes([toc, 1, 2, 3]))} == {number << 3 for number in of_20_ms}


def test_libopus_agrees_about_every_first_byte() -> None:
    """What the table accepts is one mono frame of 20 ms to libopus, too; the rest is not, or is coded 3."""
    api = CODEC._library.decoder
    for toc in range(256):
        payload = bytes([toc]) + b"\x01" * 24
        frames = api.libopus_packet_get_nb_frames(payload, len(payload))
        channels = api.libopus_packet_get_nb_channels(payload)
        samples = api.libopus_packet_get_samples_per_frame(payload, 48_000) * frames
        plain = (frames, channels, samples) == (1, 1, FRAME_SAMPLES) and toc & 3 != 3
        assert accepted(payload) == plain, toc


@pytest.mark.parametrize(("size", "passes"), [(0, False), (1, True), (400, True), (401, False), (1275, False)])
def test_a_payload_has_1_to_400_bytes(size: int, passes: bool) -> None:
    assert accepted(b"\x48" * size) == passes
    assert MOST_PAYLOAD == 400


# Garbage and loss


REAL = [payload for bitrate in (8_000, 12_000, 24_000, 64_000) for payload in payloads("cs_m1", bitrate)[::5]]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real payload with bytes changed, cut or added."""
    payload = bytearray(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(0, 4))):
        payload[draw(st.integers(0, len(payload) - 1))] = draw(st.integers(0, 255))
    return bytes(payload[: draw(st.integers(0, len(payload)))]) + draw(st.binary(max_size=8))


@BOTH
@settings(max_examples=300, deadline=None)
@given(course=st.lists(mutated() | st.binary(max_size=450) | st.none(), max_size=12))
def test_garbage_is_a_frame_or_a_wire_error_and_the_decoder_lives_on(
    codec: OpusCodec, course: list[bytes | None]
) -> None:
    decoder, out = codec.decoder(), silent_frame()
    for payload in course:
        out.fill(7.0)
        if payload is None:
            decoder.conceal(out)
        else:
            try:
                decoder.decode(payload, out)
            except WireError:
                assert not out.any()
        assert np.abs(out).max() <= 1  # False for NaN, too
    at = speaking("cs_m1")
    for payload in payloads("cs_m1")[at - 25 : at + 1]:
        decoder.decode(payload, out)
    assert 0.1 < np.sqrt((out**2).mean() / (recorded("cs_m1")[at] ** 2).mean()) < 10


@BOTH
def test_a_hostile_payload_is_not_louder_than_full_scale(codec: OpusCodec) -> None:
    """Without a clip these came out at 12 million."""
    chance = np.random.default_rng(1)
    decoder, out = codec.decoder(), silent_frame()
    peak = 0.0
    for _ in range(3000):
        decoder.decode(bytes([chance.choice((0x78, 0xF8))]) + chance.bytes(100), out)
        peak = max(peak, float(np.abs(out).max()))
    assert peak == 1.0


@BOTH
def test_a_payload_that_libopus_refuses_is_a_wire_error_and_silence(codec: OpusCodec) -> None:
    """The check stands before it; behind the check libopus' own word counts."""
    decoder, out = codec.decoder(), np.ones(FRAME_SAMPLES, np.float32)
    three_frames = b"\x4b\x03" + bytes(30)
    with pytest.raises(WireError, match="libopus"):
        decoder._run(three_frames, len(three_frames), out)
    assert not out.any()
    for payload in payloads("cs_m1")[: speaking("cs_m1") + 1]:
        decoder.decode(payload, out)
    assert out.any()


@BOTH
def test_concealment_before_any_sound_is_silence(codec: OpusCodec) -> None:
    out = np.ones(FRAME_SAMPLES, np.float32)
    codec.decoder().conceal(out)
    assert not out.any()


@pytest.mark.parametrize("voice", VOICES)
@BOTH
def test_concealment_goes_on_with_the_voice_and_dies_away(codec: OpusCodec, voice: str) -> None:
    decoder, out = codec.decoder(), silent_frame()
    for payload in payloads(voice)[: speaking(voice) + 1]:
        decoder.decode(payload, out)
    power = (out**2).mean()
    decoder.conceal(out)
    assert (out**2).mean() > power / 10
    for _ in range(24):
        decoder.conceal(out)
    assert (out**2).mean() < power / 1000


@pytest.mark.parametrize("voice", VOICES)
@BOTH
def test_a_decoder_that_was_restored_is_as_if_nothing_had_been_since(codec: OpusCodec, voice: str) -> None:
    decoder, steady = codec.decoder(), codec.decoder()
    out, expected = silent_frame(), silent_frame()
    for tick, payload in enumerate(payloads(voice)[:100]):
        if tick % 7 == 0:
            decoder.keep()
            for other in (None, payloads(voice)[-1], None):
                if other is None:
                    decoder.conceal(out)
                else:
                    decoder.decode(other, out)
            decoder.restore()
        decoder.decode(payload, out)
        steady.decode(payload, expected)
        np.testing.assert_array_equal(out, expected)


@BOTH
def test_before_it_was_kept_the_state_to_go_back_to_is_a_fresh_one(codec: OpusCodec) -> None:
    decoder, out, expected = codec.decoder(), silent_frame(), silent_frame()
    first, second = payloads("cs_m1")[speaking("cs_m1") :][:2]
    decoder.decode(first, out)
    decoder.restore()
    decoder.decode(second, out)
    codec.decoder().decode(second, expected)
    np.testing.assert_array_equal(out, expected)


# Memory


@pytest.mark.parametrize(
    "make",
    [lambda: CODEC.encoder(12_000), CODEC.decoder, ENHANCED.decoder],
    ids=["encoder", "decoder", "enhanced decoder"],
)
def test_ten_thousand_encoders_and_decoders_leave_nothing(make: Any) -> None:
    """An encoder holds 48 KB, a decoder 23, and 280 with the models: ten thousand kept would be hundreds of MB."""
    for _ in range(500):
        make()
    before = resident_kilobytes()
    for _ in range(10_000):
        make()
    assert resident_kilobytes() - before < 4_000
