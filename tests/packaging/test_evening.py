"""When a word counts as heard."""

import wave
from pathlib import Path

import numpy as np
import pytest

from demo.script import VOICES, flowing, read
from newpack.evening import is_heard
from voicechat.format import SAMPLE_RATE, Samples

SAID = flowing(read(VOICES / "en_f2.flac"))[: 3 * SAMPLE_RATE]
OTHER = flowing(read(VOICES / "en_m4.flac"))[: 3 * SAMPLE_RATE]
QUIET = np.zeros(SAMPLE_RATE, np.float32)


def recorded(path: Path, *sounds: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.concatenate(sounds) * 32767).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize(
    ("sounds", "heard"),
    [
        ((QUIET, SAID[: SAMPLE_RATE * 2], QUIET), True),
        ((QUIET, SAID * np.float32(0.3)), True),
        ((QUIET, OTHER), False),
        ((QUIET,), False),
        ((SAID[: SAMPLE_RATE // 5],), False),
        ((np.random.default_rng(1).uniform(-0.3, 0.3, 2 * SAMPLE_RATE).astype(np.float32),), False),
    ],
)
def test_a_word_is_heard_where_it_was_said(sounds: tuple[Samples, ...], heard: bool, tmp_path: Path) -> None:
    assert is_heard(SAID, recorded(tmp_path / "heard.wav", *sounds)) == heard


def test_nothing_is_heard_where_there_is_no_recording_yet(tmp_path: Path) -> None:
    assert not is_heard(SAID, tmp_path / "none.wav")
    (tmp_path / "half.wav").write_bytes(b"RIFF")
    assert not is_heard(SAID, tmp_path / "half.wav")
