"""Steady noise goes down, a voice stays, and nothing breaks it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, Samples, silent_frame
from voicechat.media.levels import dbfs_of, gain_of, mean_square
from voicechat.media.suppression import WienerSuppressor

VOICES_FOLDER = Path(__file__).parents[2] / "demo" / "voices"


def recorded(name: str) -> Samples:
    samples: Samples = soundfile.read(VOICES_FOLDER / f"{name}.flac", dtype="float32")[0]
    return samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES]


def cleaned(suppressor: WienerSuppressor, samples: Samples) -> Samples:
    """What comes out, moved back by the frame that it is late."""
    out, sound = silent_frame(), []
    for frame in samples.reshape(-1, FRAME_SAMPLES):
        assert suppressor.apply(frame, out) == 1.0
        sound.append(out.copy())
    return np.concatenate(sound)[FRAME_SAMPLES:]


def white(seconds: float, dbfs: float) -> Samples:
    noise = np.random.default_rng(1).normal(0, gain_of(dbfs), round(seconds * SAMPLE_RATE))
    return noise.astype(np.float32)


@pytest.mark.parametrize("fan", [True, False])
def test_steady_noise_falls_by_6_db_or_more_within_two_seconds(fan: bool) -> None:
    noise = np.tile(recorded("noise_fan"), 2) if fan else white(6, -40)
    out = cleaned(WienerSuppressor(), noise)
    before, after = noise[2 * SAMPLE_RATE : out.size], out[2 * SAMPLE_RATE :]
    assert dbfs_of(mean_square(after)) < dbfs_of(mean_square(before)) - 6


def test_the_first_frame_comes_out_one_frame_late_and_as_it_was() -> None:
    """A click is no steady noise."""
    click = np.zeros(10 * FRAME_SAMPLES, np.float32)
    click[5 * FRAME_SAMPLES : 5 * FRAME_SAMPLES + 480] = 0.5 * np.sin(np.arange(480) / 5)
    out = cleaned(WienerSuppressor(), click + white(0.2, -80))
    assert np.abs(out - click[: out.size]).max() < 0.05


@pytest.mark.parametrize("voice", ["cs_m1", "en_f2", "it_m2"])
def test_a_voice_comes_nearer_to_what_was_said(voice: str) -> None:
    """With a fan 10 dB below it: the error has less energy than the fan had."""
    clean = np.concatenate([np.zeros(2 * SAMPLE_RATE, np.float32), recorded(voice)])
    fan = np.resize(recorded("noise_fan"), clean.size) * np.float32(gain_of(-36 + 40))
    out = cleaned(WienerSuppressor(), clean + fan)
    talk = slice(2 * SAMPLE_RATE, out.size)
    assert mean_square(out[talk] - clean[talk]) < 0.5 * mean_square(fan[talk])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([0.0, 1e-6, 0.1, 1.0, np.nan, np.inf]), max_size=40))
def test_whatever_comes_finite_samples_go_out(levels: list[float]) -> None:
    suppressor, out = WienerSuppressor(), silent_frame()
    shape = np.random.default_rng(2).uniform(-1, 1, FRAME_SAMPLES).astype(np.float32)
    for level in [*levels, 0.0, 0.0, 0.0]:
        suppressor.apply(shape * np.float32(level), out)
        assert np.isfinite(out).all()
        assert np.abs(out).max() <= 4
    assert not out.any(), "silence after silence"
