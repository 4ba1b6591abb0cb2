"""The treatment of a voice: suppression that turns itself off, falls back, and gates by the probability of talk."""

import ctypes
from typing import Any

import numpy as np
import pytest

from voicechat.client.call import rnnoise
from voicechat.client.call.rnnoise import MISSING, RnnoiseSuppressor
from voicechat.client.call.voice import TALK_HANG_OVER, Suppress, Voice
from voicechat.errors import ConfigError
from voicechat.format import BLOCK_SAMPLES, FRAME_SAMPLES, TICKS_PER_SECOND, Frame
from voicechat.media.levels import mean_square
from voicechat.media.loudness import Loudness


class Library:
    """RNNoise's functions: halves what it gets, and says how probable talk is."""

    def __init__(self) -> None:
        self.probability = 1.0
        self.living = 0

    def rnnoise_create(self, _model: None) -> int:
        self.living += 1
        return 7

    def rnnoise_destroy(self, state: int) -> None:
        assert state == 7
        self.living -= 1

    def rnnoise_process_frame(self, state: int, out: int, into: int) -> float:
        assert state == 7
        samples = np.ctypeslib.as_array((ctypes.c_float * BLOCK_SAMPLES).from_address(into)) / 2
        ctypes.memmove(out, samples.ctypes.data, BLOCK_SAMPLES * 4)
        return self.probability


class Clock:
    """Each look at it takes some seconds."""

    def __init__(self, step: float) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def frame_of(value: float) -> Frame:
    return np.full(FRAME_SAMPLES, value, np.float32)


def treated(voice: Voice, value: float) -> float | None:
    """What becomes of a frame: its last sample."""
    frame = frame_of(value)
    out = voice.treat(frame, mean_square(frame))
    return None if out is None else float(out[-1])


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    it = Library()
    monkeypatch.setattr(rnnoise, "load", lambda: it)
    return it


def test_a_voice_is_left_alone_unless_asked_for() -> None:
    voice, frame = Voice(), frame_of(0.25)
    assert voice.treat(frame, 0.0625) is frame
    assert voice.suppressed is Suppress.OFF


@pytest.mark.parametrize("mode", [Suppress.LIGHT, Suppress.STRONG])
def test_suppression_that_is_too_slow_turns_itself_off_and_says_so(library: Library, mode: Suppress) -> None:
    lines: list[str] = []
    voice = Voice(None, Clock(0.008), lines.append)
    voice.suppress(mode)
    for _ in range(TICKS_PER_SECOND - 1):
        treated(voice, 0.1)
    assert voice.suppressed is mode
    treated(voice, 0.1)
    assert voice.suppressed is Suppress.OFF
    assert lines == ["noise suppression is off again: it took 40% of the time, too much for this machine"]
    frame = frame_of(0.1)
    assert voice.treat(frame, 0.01) is frame


def test_suppression_that_keeps_up_stays_on(library: Library) -> None:
    lines: list[str] = []
    voice = Voice(None, Clock(0.004), lines.append)
    voice.suppress(Suppress.STRONG)
    for _ in range(10 * TICKS_PER_SECOND):
        treated(voice, 0.1)
    assert voice.suppressed is Suppress.STRONG
    assert lines == []


def test_strong_sends_nothing_in_which_it_hears_no_talk(library: Library) -> None:
    voice = Voice()
    voice.suppress(Suppress.STRONG)
    assert treated(voice, 0.5) == pytest.approx(0.25)
    library.probability = 0.1
    assert [treated(voice, 0.5) is not None for _ in range(TALK_HANG_OVER + 3)] == [True] * TALK_HANG_OVER + [False] * 3
    library.probability = 0.9
    assert treated(voice, 0.5) == pytest.approx(0.25)


def test_a_spurt_gets_some_frames_to_show_that_it_is_talk(library: Library) -> None:
    voice = Voice()
    voice.suppress(Suppress.STRONG)
    library.probability = 0.0
    for _ in range(3):
        sent = [treated(voice, 0.5) is not None for _ in range(TALK_HANG_OVER + 2)]
        assert sent == [True] * TALK_HANG_OVER + [False] * 2
        voice.rest()


def test_loudness_is_judged_after_the_suppression(library: Library) -> None:
    voice = Voice(Loudness())
    voice.suppress(Suppress.STRONG)
    last = [treated(voice, 0.1) for _ in range(8 * TICKS_PER_SECOND)][-1]
    assert last == pytest.approx(0.1, rel=0.08), "0.05 after suppression, -20 dBFS after loudness"


def test_without_rnnoise_strong_is_light_and_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rnnoise, "_places", list)
    lines: list[str] = []
    voice = Voice(None, notify=lines.append)
    voice.suppress(Suppress.STRONG)
    assert voice.suppressed is Suppress.LIGHT
    assert lines == [f"{MISSING}; light suppression instead"]


def test_a_library_that_is_no_rnnoise_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[Any] = ["/no/such/librnnoise.so", ctypes.util.find_library("c") or "kernel32"]
    monkeypatch.setattr(rnnoise, "_places", lambda: places)
    with pytest.raises(ConfigError, match="pip install"):
        rnnoise.load()


def test_its_state_goes_with_it_and_nan_is_silence() -> None:
    library = Library()
    suppressor, out = RnnoiseSuppressor(library), frame_of(1.0)
    assert library.living == 1
    assert suppressor.apply(frame_of(np.nan), out) == 1.0
    assert not out.any()
    del suppressor
    assert library.living == 0
