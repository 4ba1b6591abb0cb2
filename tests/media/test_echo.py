"""The echo canceller: what it takes away, what it leaves alone, and what it survives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.echo_scenes import AGAIN, BOTH, NEAR, Scene, Voices, stage
from bench.parts.echo import through, ticks
from demo.script import VOICES
from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, TICKS_PER_SECOND, Samples, silent_frame
from voicechat.media.echo import EchoCanceller
from voicechat.media.echo_filter import BINS, PARTITIONS, EchoFilter
from voicechat.media.echo_residual import ResidualEcho
from voicechat.media.echo_suppressor import LAG, EchoSuppressor
from voicechat.media.levels import mean_square, mean_square_of
from voicechat.media.tuning import TUNING

FLOOR = mean_square_of(-65.0)


def noise(seconds: float, dbfs: float = -20.0, seed: int = 1) -> Samples:
    count = round(seconds * TICKS_PER_SECOND) * FRAME_SAMPLES
    made: Samples = np.random.default_rng(seed).normal(0, 10 ** (dbfs / 20), count).astype(np.float32)
    return made


def frames(samples: Samples) -> Samples:
    return samples.reshape(-1, FRAME_SAMPLES)


def low(samples: Samples) -> Samples:
    """Without what lies above 7 kHz: the filter leaves alone what lies above 8."""
    spectrum = np.fft.rfft(samples)
    spectrum[round(7_000 * samples.size / SAMPLE_RATE) :] = 0
    return np.fft.irfft(spectrum, samples.size).astype(np.float32)


def echoed(far: Samples, delay: int = 2_000, seed: int = 2) -> Samples:
    """The far sound out of a small room, 10 dB softer."""
    answer = np.zeros(delay + 4_000)
    answer[delay:] = np.random.default_rng(seed).normal(size=4_000) * np.exp(-np.arange(4_000) / 800)
    answer *= 10 ** (-10 / 20) / np.sqrt(np.sum(answer**2))
    return np.convolve(far, answer)[: far.size].astype(np.float32)


def run(canceller: EchoCanceller, far: Samples, microphone: Samples) -> Samples:
    out = np.empty_like(microphone)
    for played, heard, into in zip(frames(far), frames(microphone), frames(out), strict=True):
        canceller.played(played if played.any() else None)
        into[:] = canceller.cancel(heard, FLOOR)
    return out


def softer(before: Samples, after: Samples) -> float:
    return float(10 * np.log10(mean_square(before) / mean_square(after)))


@pytest.mark.parametrize("delay", [200, 2_000, 12_000])
def test_the_filter_learns_a_room_whatever_its_delay(delay: int) -> None:
    far = low(noise(4))
    microphone = echoed(far, delay)
    filter_ = EchoFilter()
    left = []
    for played, heard in zip(frames(far), frames(microphone), strict=True):
        filter_.played(played)
        left.append(filter_.cancel(heard).copy())
    assert softer(microphone[-SAMPLE_RATE:], np.concatenate(left)[-SAMPLE_RATE:]) > 20


def test_what_is_left_of_an_echo_is_not_sent() -> None:
    far = noise(3)
    canceller = EchoCanceller()
    microphone = echoed(far) + noise(3, -65, 9)
    sent = 0
    for played, heard in zip(frames(far), frames(microphone), strict=True):
        canceller.played(played)
        canceller.cancel(heard, FLOOR)
        sent += canceller.talk
    assert sent == 0
    assert canceller.frames == 3 * TICKS_PER_SECOND


def test_where_nothing_was_played_a_frame_is_the_frame_itself() -> None:
    canceller = EchoCanceller()
    for frame in frames(noise(0.5)):
        canceller.played(None)
        assert canceller.cancel(frame, FLOOR) is frame
        assert canceller.talk
    assert canceller.frames == 0


def test_what_is_cancelled_is_late_by_the_lag_and_so_is_the_rest_of_the_spurt() -> None:
    canceller = EchoCanceller()
    far, near = noise(0.5, -80), noise(1.5, -20, 5)
    out = run(canceller, np.concatenate([far, np.zeros(near.size - far.size, np.float32)]), near)
    assert np.allclose(out[SAMPLE_RATE + LAG :], near[SAMPLE_RATE:-LAG])
    canceller.rest()
    frame = frames(near)[0]
    canceller.played(None)
    assert canceller.cancel(frame, FLOOR) is frame


def test_a_suppressor_without_an_echo_delays_and_does_nothing_else() -> None:
    filter_, suppressor = EchoFilter(), EchoSuppressor()
    near = noise(1, -20, 4)
    out = []
    for frame in frames(near):
        filter_.played(None)
        filter_.cancel(frame)
        out.append(suppressor.apply(filter_, frame, FLOOR).copy())
    later = np.concatenate(out)
    assert np.abs(later[4800 + LAG :] - near[4800:-LAG]).max() < 0.01


def test_a_near_voice_passes_while_the_far_one_is_heard() -> None:
    staged = stage(Scene("base", "en_m4", "en_f2"), Voices(VOICES))
    passed, sent, _, _ = through(staged, TUNING)
    assert not sent[ticks(0, BOTH)].any()
    assert not sent[ticks(AGAIN + 0.5, AGAIN + 9)].any()
    assert passed[ticks(0, BOTH)].mean() > 0.4
    assert sent[ticks(BOTH, NEAR)].mean() > 0.7


def test_a_room_that_has_changed_is_learnt_anew_and_not_sent() -> None:
    far = noise(8)
    half = far.size // 2
    microphone = np.concatenate([echoed(far, 1_000, 2)[:half], echoed(far, 6_000, 3)[half:]]) + noise(8, -65, 9)
    canceller = EchoCanceller()
    out = run(canceller, far, microphone)
    assert softer(microphone[-SAMPLE_RATE:], out[-SAMPLE_RATE:]) > 20


def test_doubt_makes_the_filter_learn_faster_and_forgets_nothing() -> None:
    filter_ = EchoFilter()
    far = noise(4)
    for played, heard in zip(frames(far), frames(echoed(far)), strict=True):
        filter_.played(played)
        filter_.cancel(heard)
    weights = filter_.weights.copy()
    before = filter_.doubtful.sum()
    filter_.doubt(200)
    filter_.played(frames(far)[-1])
    filter_.cancel(silent_frame() + frames(echoed(far))[-1])
    assert filter_.doubtful.sum() > 10 * before
    assert np.abs(weights).sum() > 0
    filter_.reset()
    assert not filter_.weights.any()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("silence", "noise", "full", "nan", "inf", "tiny")),
            st.sampled_from(("silence", "noise", "full", "nan", "inf", "tiny")),
            st.sampled_from(("cancel", "missed", "rest", "doubt", "reset")),
        ),
        max_size=40,
    )
)
def test_whatever_comes_what_goes_out_is_finite(steps: list[tuple[str, str, str]]) -> None:
    made = {
        "silence": silent_frame(),
        "noise": noise(0.02),
        "full": np.ones(FRAME_SAMPLES, np.float32),
        "nan": np.full(FRAME_SAMPLES, np.nan, np.float32),
        "inf": np.full(FRAME_SAMPLES, np.inf, np.float32),
        "tiny": np.full(FRAME_SAMPLES, 1e-30, np.float32),
    }
    canceller = EchoCanceller()
    for played, heard, what in steps:
        canceller.played(None if played == "silence" else made[played])
        if what == "missed":
            canceller.missed(3)
        elif what != "cancel":
            getattr(canceller, what)()
        out = canceller.cancel(made[heard], FLOOR)
        assert out.shape == (FRAME_SAMPLES,)
        assert np.isfinite(out).all()
        assert np.abs(out).max() <= 4.0
    canceller.played(None)
    assert np.isfinite(canceller.cancel(noise(0.02), FLOOR)).all()
    assert np.isfinite(canceller.coupling)


def test_before_anything_is_learnt_the_microphone_bounds_the_echo() -> None:
    """A soft echo must not make a near voice vanish until the filter has learnt."""
    filter_, residual = EchoFilter(), ResidualEcho()
    far = noise(2)
    soft = noise(2, -60, 7)
    first = last = 0.0
    for number, (played, heard) in enumerate(zip(frames(far), frames(soft), strict=True)):
        filter_.played(played)
        filter_.cancel(heard)
        last = float(residual.expect(filter_, heard, near=False).sum())
        if number == PARTITIONS:
            first = last
    assert filter_.loudest.shape == (BINS,)
    assert last < first / 100
