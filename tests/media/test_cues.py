"""Short tones: each one its own, soft at the edges, softer than a voice."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from voicechat.format import BLOCK_SAMPLES, SAMPLE_RATE, Samples
from voicechat.media.cues import FIGURES, IMPORTANT, LOUDNESS_DBFS, NOTE_MS, Cue, sound
from voicechat.media.levels import FADE_SAMPLES, dbfs_of, mean_square
from voicechat.media.tuning import TUNING

NOTE = NOTE_MS * SAMPLE_RATE // 1000


def loudest_pitch(samples: Samples) -> float:
    """Hz of the strongest partial, to some Hz."""
    spectrum: NDArray[np.float64] = np.abs(np.fft.rfft(samples * np.hanning(samples.size), 2**16))
    return float(spectrum.argmax() * SAMPLE_RATE / 2**16)


@pytest.mark.parametrize("cue", list(Cue), ids=lambda cue: cue.name)
def test_a_cue_is_two_notes_of_its_figure(cue: Cue) -> None:
    samples, figure = sound(cue), FIGURES[cue]
    assert samples.dtype == np.float32
    assert loudest_pitch(samples[:NOTE]) == pytest.approx(figure.first_hz, abs=4)
    assert loudest_pitch(samples[-NOTE:]) == pytest.approx(figure.second_hz, abs=4)


@pytest.mark.parametrize("cue", list(Cue), ids=lambda cue: cue.name)
def test_a_cue_is_short_and_whole_blocks(cue: Cue) -> None:
    assert sound(cue).size % BLOCK_SAMPLES == 0
    assert 60 <= sound(cue).size * 1000 / SAMPLE_RATE <= 120


@pytest.mark.parametrize("cue", list(Cue), ids=lambda cue: cue.name)
def test_a_cue_is_softer_than_a_voice(cue: Cue) -> None:
    middle = sound(cue)[FADE_SAMPLES : NOTE - FADE_SAMPLES]
    assert dbfs_of(mean_square(middle)) == pytest.approx(LOUDNESS_DBFS, abs=0.3)
    assert TUNING.loudness.target_dbfs - 6 >= LOUDNESS_DBFS


@pytest.mark.parametrize("cue", list(Cue), ids=lambda cue: cue.name)
def test_a_cue_neither_begins_nor_ends_with_a_click(cue: Cue) -> None:
    """Nowhere does it change faster than its own sine does, and it begins and ends in silence."""
    samples, peak = sound(cue), math.sqrt(2) * 10 ** (LOUDNESS_DBFS / 20)
    steepest = peak * 2 * math.pi * max(FIGURES[cue][:2]) / SAMPLE_RATE
    assert np.abs(np.diff(samples)).max() <= steepest * 1.05
    assert abs(samples[0]) < peak / 1000
    assert abs(samples[-1]) < peak / 100
    assert np.abs(samples[: FADE_SAMPLES // 10]).max() < peak / 20


def test_no_two_figures_are_alike() -> None:
    for one, other in itertools.combinations(FIGURES.values(), 2):
        apart = [abs(12 * math.log2(a / b)) for a, b in zip(one[:2], other[:2], strict=True)]
        assert max(apart) >= 3, f"{one} and {other}: a minor third, at least, in one of the notes"


@pytest.mark.parametrize(
    ("on", "off"),
    [(Cue.UNMUTED, Cue.MUTED), (Cue.UNDEAFENED, Cue.DEAFENED), (Cue.JOINED, Cue.LEFT), (Cue.BACK, Cue.LOST)],
)
def test_what_comes_goes_up_and_what_goes_goes_down(on: Cue, off: Cue) -> None:
    up, down = FIGURES[on], FIGURES[off]
    assert up.first_hz < up.second_hz
    assert (up.first_hz, up.second_hz) == (down.second_hz, down.first_hz)


def test_whether_one_is_heard_is_important() -> None:
    assert {Cue.MUTED, Cue.LOST, Cue.UNHEARD} <= IMPORTANT
    assert not {Cue.JOINED, Cue.LEFT, Cue.TEXT} & IMPORTANT
