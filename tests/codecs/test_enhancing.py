"""What a libopus can do beyond decoding is found out by decoding, once; it sounds better, and silence stays silence.

These tests hold for every libopus: one that is older than 1.5 refuses, and all sounds as before. test_newer_opus.py
runs them over one that has the models.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pesq import pesq
from scipy.signal import resample_poly

from voicechat.codecs import enhancing
from voicechat.codecs.enhancing import CONCEALING, ENHANCING, MOST_MS, PLAIN, Enhancement, found, vowel
from voicechat.codecs.opus import OpusCodec
from voicechat.errors import WireError
from voicechat.format import FRAME_SAMPLES, TICKS_PER_SECOND, Frame, Samples, silent_frame
from voicechat.interfaces import IDecoder
from voicechat.media.sending import SendStream
from voicechat.media.stream import ReceiveStream
from voicechat.testing import MemoryCodec, MemoryDecoder

VOICES = Path(__file__).parents[2] / "demo" / "voices"
HAS_MODELS = frozenset({Enhancement.LACE, Enhancement.CONCEALMENT})


def still() -> float:
    """A clock by which no machine is slow."""
    return 0.0


PLAINLY = OpusCodec()
ENHANCED = OpusCodec(enhance=True, clock=still)
MODELS = ENHANCED.enhancement in HAS_MODELS


# What is found


class Modelled(MemoryDecoder):
    """A decoder whose models change what is decoded by LACE, and what is concealed by deep concealment."""

    def __init__(self, complexity: int, *, lace: bool, deep: bool) -> None:
        super().__init__()
        self._lace = lace and complexity >= ENHANCING
        self._deep = deep and complexity >= CONCEALING

    def decode(self, payload: bytes, out: Frame) -> None:
        super().decode(payload, out)
        out *= 1.5 if self._lace else 1.0

    def conceal(self, out: Frame) -> None:
        super().conceal(out)
        out *= 1.5 if self._deep else 1.0


PAYLOADS = [MemoryCodec().encoder(0).encode(np.full(FRAME_SAMPLES, 0.25, np.float32))] * 3


def frames_of(*seconds: float) -> Callable[[], float]:
    """A clock by which the decoded frames take so long, over and over."""

    def told() -> Iterator[float]:
        now = 0.0
        for number in count():
            yield now
            now += seconds[number % len(seconds)]
            yield now

    return told().__next__


@pytest.mark.parametrize(
    ("lace", "deep", "clock", "spare", "expected", "complexity"),
    [
        (True, True, still, False, Enhancement.LACE, 6),
        (True, True, still, True, Enhancement.SPARED, 5),
        (True, True, frames_of(MOST_MS * 1.1e-3), False, Enhancement.SPARED, 5),
        (True, True, frames_of(1.0, 1.0, MOST_MS * 0.9e-3), False, Enhancement.LACE, 6),
        (False, True, still, False, Enhancement.CONCEALMENT, 5),
        (False, True, still, True, Enhancement.CONCEALMENT, 5),
        (True, False, still, False, Enhancement.LACE, 6),
        (False, False, still, False, Enhancement.NO_MODELS, 0),
        (True, False, still, True, Enhancement.NO_MODELS, 0),
    ],
)
def test_the_models_are_found_by_what_they_do(
    lace: bool, deep: bool, clock: Callable[[], float], spare: bool, expected: Enhancement, complexity: int
) -> None:
    result = found(lambda asked: Modelled(asked, lace=lace, deep=deep), PAYLOADS, clock, spare=spare)
    assert result is expected
    assert result.complexity == complexity


def test_a_library_that_refuses_is_too_old() -> None:
    def make(asked: int) -> IDecoder | None:
        return MemoryDecoder() if asked == PLAIN else None

    result = found(make, PAYLOADS, still, spare=False)
    assert result is Enhancement.TOO_OLD
    assert result.complexity == PLAIN


def test_the_vowel_is_coded_as_lace_takes_it_by_every_complexity() -> None:
    """SILK, wide band: configurations 8-11 of the first byte (RFC 6716, table 2)."""
    for complexity in range(11):
        encoder = OpusCodec(complexity).encoder(16_000)
        assert {encoder.encode(frame)[0] >> 3 for frame in vowel()} <= {8, 9, 10, 11}


# What a codec does with it


@cache
def voice(name: str) -> tuple[Samples, tuple[bytes, ...]]:
    samples: Samples = soundfile.read(VOICES / f"{name}.flac", dtype="float32")[0]
    samples = samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES]
    encoder = PLAINLY.encoder(12_000)
    return samples, tuple(encoder.encode(frame) for frame in samples.reshape(-1, FRAME_SAMPLES))


def heard(codec: OpusCodec, name: str, lost: float = 0.0) -> Samples:
    """A voice by a fresh decoder, where that share of the packets is lost, the same ones each time."""
    _, payloads = voice(name)
    decoder, chance = codec.decoder(), np.random.default_rng(3)
    out = np.empty((len(payloads), FRAME_SAMPLES), np.float32)
    for payload, frame in zip(payloads, out, strict=True):
        if chance.random() < lost:
            decoder.conceal(frame)
        else:
            decoder.decode(payload, frame)
    return out.ravel()


def quality(codec: OpusCodec, name: str, lost: float = 0.0) -> float:
    said, played = (resample_poly(sound, 1, 3) for sound in (voice(name)[0], heard(codec, name, lost)))
    return float(pesq(16_000, said, played, "wb"))


def test_nobody_who_did_not_ask_is_enhanced() -> None:
    """The server's mixes are coded again: two enhancements are worse than one (measured)."""
    assert PLAINLY.enhancement is Enhancement.OFF
    unasked = heard(PLAINLY, "en_f2", 0.05)
    assert np.array_equal(unasked, heard(OpusCodec(0), "en_f2", 0.05))
    assert np.array_equal(unasked, heard(ENHANCED, "en_f2", 0.05)) == (not MODELS)


@pytest.mark.parametrize(("lost", "gains"), [(0.0, 0.03), (0.05, 0.15), (0.1, 0.1)])
def test_a_voice_sounds_better_where_there_are_models_and_the_same_where_not(lost: float, gains: float) -> None:
    """PESQ, mean of three voices; measured with 1.5.2: see docs/sound.md."""
    names = ("en_f2", "cs_m1", "it_m2")
    better = np.mean([quality(ENHANCED, name, lost) - quality(PLAINLY, name, lost) for name in names])
    assert better > gains if MODELS else better == 0


def test_what_was_found_out_is_kept() -> None:
    times = count()
    codec = OpusCodec(enhance=True, clock=lambda: float(next(times)))
    before = next(times)
    for _ in range(10):
        codec.decoder()
    assert next(times) == before + 1


def test_a_machine_that_is_slow_or_to_be_spared_goes_without_lace() -> None:
    seconds = count()
    slow = OpusCodec(enhance=True, clock=lambda: float(next(seconds)))
    spared = OpusCodec(5, enhance=True, clock=still)
    for codec in (slow, spared):
        if ENHANCED.enhancement is Enhancement.LACE:
            assert codec.enhancement is Enhancement.SPARED
            assert np.array_equal(heard(codec, "cs_m1"), heard(PLAINLY, "cs_m1"))
            assert not np.array_equal(heard(codec, "cs_m1", 0.1), heard(PLAINLY, "cs_m1", 0.1))
        else:
            assert codec.enhancement is ENHANCED.enhancement


def test_a_decoder_that_failed_is_enhanced_all_the_same() -> None:
    broken, fresh = ENHANCED.decoder(), ENHANCED.decoder()
    three_frames = b"\x4b\x03" + bytes(30)
    with pytest.raises(WireError):
        broken._run(three_frames, len(three_frames), silent_frame())
    one, other = silent_frame(), silent_frame()
    for payload in voice("cs_m1")[1][:100]:
        broken.decode(payload, one)
        fresh.decode(payload, other)
        np.testing.assert_array_equal(one, other)


# Silence


@pytest.mark.parametrize("ends", ["told", "lost"])
@pytest.mark.parametrize("name", ["en_f3", "it_m2"])
def test_between_spurts_nothing_sounds(name: str, ends: str) -> None:
    """Deep concealment can leave a tail of the last word in a gap (libopus' issue 351); ours are never decoded."""
    stream, sending = ReceiveStream(ENHANCED.decoder()), SendStream(PLAINLY.encoder(12_000))
    frames = voice(name)[0].reshape(-1, FRAME_SAMPLES)
    loudest = int((frames**2).mean(axis=1).argmax())
    out, tick = silent_frame(), 0
    for _ in range(3):
        levels = []
        for number in range(3 * TICKS_PER_SECOND):
            talking = number < TICKS_PER_SECOND
            frame = frames[loudest - TICKS_PER_SECOND + number + 1] if talking else None
            packet = sending.finish(tick) if frame is None else sending.push(tick, frame)
            if packet is not None and (talking or ends == "told"):
                stream.put(packet, tick + 0.1)
            stream.pull(tick + 0.7, out)
            levels.append(float(np.abs(out).max()))
            tick += 1
        assert max(levels[:TICKS_PER_SECOND]) > 0.05, "a word was cut off at its loudest"
        assert levels[TICKS_PER_SECOND + 15 :] == [0.0] * (2 * TICKS_PER_SECOND - 15)


def test_the_names_of_the_states_are_those_that_programs_read() -> None:
    assert [state.value for state in Enhancement] == ["off", "too old", "no models", "concealment", "spared", "lace"]
    assert enhancing.TRIED > 2, "the models speak from the second frame on"
