"""The gate lets talk through and nothing else; its bounds hold for every recorded voice.

The bounds are loose on purpose: they tell a gate that works from one that does not,
on voices and noises that it was not fitted to.
"""

import math
import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, TICKS_PER_SECOND, Samples
from voicechat.media.gate import CHANGES, PRE_ROLL_FRAMES, GateMode, GateState, TalkGate
from voicechat.media.levels import dbfs_of, mean_square, mean_square_of
from voicechat.media.tuning import TUNING

FAILURES = TUNING.gate.failures
HANG_OVER_TICKS = TUNING.gate.hang_over_ticks
RELEASE_TICKS = TUNING.gate.release_ticks
TRIAL_TICKS = TUNING.gate.trial_ticks
WARY_TICKS = TUNING.gate.wary_ticks

VOICES_FOLDER = Path(__file__).parents[2] / "demo" / "voices"
VOICES = ("cs_f1", "cs_m1", "en_f2", "en_f3", "en_m4", "it_m2")
NOISES = ("babble", "fan", "game", "keyboard")

Flags = NDArray[np.bool_]

QUIET = mean_square_of(-75.0)
LOUD = mean_square_of(-30.0)


@cache
def recorded(name: str) -> Samples:
    """A recorded clip, cut to whole frames."""
    samples: Samples = soundfile.read(VOICES_FOLDER / f"{name}.flac", dtype="float32")[0]
    return samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES]


def white(seconds: float, dbfs: float) -> Samples:
    deviation = math.sqrt(mean_square_of(dbfs))
    samples = np.random.default_rng(1).normal(0, deviation, round(seconds * SAMPLE_RATE))
    return samples.astype(np.float32)


def looped(name: str, seconds: float, dbfs: float) -> Samples:
    """A recorded noise, repeated and brought to a level."""
    noise = np.resize(recorded(f"noise_{name}"), round(seconds * SAMPLE_RATE))
    return noise * np.float32(math.sqrt(mean_square_of(dbfs) / mean_square(noise)))


def levels_of(samples: Samples) -> list[float]:
    return [mean_square(frame) for frame in samples.reshape(-1, FRAME_SAMPLES)]


def pushed(gate: TalkGate, samples: Samples) -> Flags:
    return np.array([gate.push(level) for level in levels_of(samples)])


def with_pre_roll(open_: Flags) -> Flags:
    """The frames that are sent: those of talk and the PRE_ROLL_FRAMES before each opening."""
    sent = open_.copy()
    for ahead in range(1, PRE_ROLL_FRAMES + 1):
        sent[:-ahead] |= open_[ahead:]
    return sent


def speech_in(clean: Samples, active_dbfs: float = -26.0) -> Flags:
    """Frames that carry speech: at most 16 dB below the active level (the margin of ITU-T P.56)."""
    return np.array(levels_of(clean)) > mean_square_of(active_dbfs - 16)


def share(part: Flags, whole: Flags) -> float:
    return float((part & whole).sum() / whole.sum())


# Voices


@pytest.mark.parametrize("voice", VOICES)
def test_a_voice_in_a_quiet_room_is_sent_whole_and_its_pauses_are_not(voice: str) -> None:
    pause = np.zeros(3 * SAMPLE_RATE, np.float32)
    clean = np.concatenate([pause, recorded(voice), pause])
    sent = with_pre_roll(pushed(TalkGate(), clean + white(clean.size / SAMPLE_RATE, -75)))
    speech = speech_in(clean)
    assert share(~sent, speech) < 0.005
    far = np.ones(speech.size, np.bool_)
    for at in np.flatnonzero(np.array(levels_of(clean)) > mean_square_of(-60)):
        far[max(0, at - PRE_ROLL_FRAMES) : at + HANG_OVER_TICKS + 1] = False
    assert share(sent, far) < 0.01


@pytest.mark.parametrize("voice", VOICES)
def test_who_talks_from_the_first_frame_is_heard_at_once(voice: str) -> None:
    clip = recorded(voice)
    start = int(np.flatnonzero(speech_in(clip))[0])
    open_ = pushed(TalkGate(), clip[start * FRAME_SAMPLES :])
    assert open_[0]
    assert share(~with_pre_roll(open_), speech_in(clip)[start:]) < 0.01


@pytest.mark.parametrize("voice", VOICES)
def test_soft_speech_opens(voice: str) -> None:
    """Active level -46 dBFS: 20 dB below what is usual, 14 dB above a quiet room's noise."""
    clip = recorded(voice) * np.float32(0.1)
    speech = speech_in(clip, active_dbfs=-46)
    sent = with_pre_roll(pushed(TalkGate(), clip + white(clip.size / SAMPLE_RATE, -66)))
    assert share(~sent, speech) < 0.1


@pytest.mark.parametrize("voice", VOICES)
def test_talk_without_a_pause_is_not_taken_for_noise(voice: str) -> None:
    """A minute of speech with every pause cut out: faster than anybody talks."""
    clip = recorded(voice)
    dense = clip.reshape(-1, FRAME_SAMPLES)[speech_in(clip)]
    minute = np.resize(dense, (60 * TICKS_PER_SECOND, FRAME_SAMPLES)).ravel()
    assert pushed(TalkGate(), minute).mean() > 0.9


@pytest.mark.parametrize(
    ("noise", "below", "most_cut"),
    [
        # Energy gates reach 0.3 % (fan) and 0.1 % (babble) at 15 dB and 5.2 % and 1.5 % at 5 dB on average.
        ("fan", 15, 0.02),
        ("babble", 15, 0.02),
        ("game", 15, 0.02),
        ("keyboard", 15, 0.02),
        ("fan", 5, 0.15),
        ("babble", 5, 0.05),
        ("game", 5, 0.05),
        ("keyboard", 5, 0.05),
    ],
)
def test_speech_in_noise_is_hardly_cut(noise: str, below: int, most_cut: float) -> None:
    for voice in VOICES:
        clean = np.concatenate([np.zeros(12 * SAMPLE_RATE, np.float32), recorded(voice)])
        noisy = clean + looped(noise, clean.size / SAMPLE_RATE, -26 - below)
        sent = with_pre_roll(pushed(TalkGate(), noisy))
        assert share(~sent, speech_in(clean)) < most_cut, voice


# Noise


def test_a_keyboard_alone_does_not_open_it_for_long() -> None:
    """A fast typist's clicks, five a second, 15 dB below the voices."""
    open_ = with_pre_roll(pushed(TalkGate(), looped("keyboard", 60, -41)))
    assert open_.mean() < 0.15


@pytest.mark.parametrize("voice", VOICES)
def test_who_types_is_heard_all_the_same(voice: str) -> None:
    """The gate is wary of clicks when somebody begins to talk, and these go on meanwhile."""
    clean = np.concatenate([np.zeros(12 * SAMPLE_RATE, np.float32), recorded(voice)])
    noisy = clean + looped("keyboard", clean.size / SAMPLE_RATE, -36)
    assert share(~with_pre_roll(pushed(TalkGate(), noisy)), speech_in(clean)) < 0.03


def test_digital_silence_is_shut_for_ever() -> None:
    gate = TalkGate()
    assert not any(gate.push(0.0) for _ in range(10 * 60 * TICKS_PER_SECOND))


def test_white_noise_of_a_quiet_room_is_shut_from_the_first_frame() -> None:
    assert not pushed(TalkGate(), white(60, -60)).any()


@pytest.mark.parametrize("dbfs", [-50.0, -40.0, -20.0])
def test_steady_noise_is_learnt_within_10_s_of_the_start(dbfs: float) -> None:
    open_ = pushed(TalkGate(), white(40, dbfs))
    assert not open_[10 * TICKS_PER_SECOND :].any()


@pytest.mark.parametrize("dbfs", [-50.0, -40.0, -20.0])
def test_a_fan_switched_on_shuts_the_gate_again_within_10_s(dbfs: float) -> None:
    samples = np.concatenate([white(20, -70), looped("fan", 40, dbfs)])
    open_ = pushed(TalkGate(), samples)
    assert not open_[: 20 * TICKS_PER_SECOND].any()
    assert not open_[30 * TICKS_PER_SECOND :].any()


def test_a_fan_switched_off_lets_soft_talk_through_at_once() -> None:
    gate = TalkGate()
    pushed(gate, looped("fan", 20, -35))
    assert not gate.push(mean_square_of(-45))
    pushed(gate, white(0.5, -70))
    assert gate.push(mean_square_of(-45))


def test_the_floor_is_near_the_level_of_the_noise() -> None:
    gate = TalkGate()
    assert gate.floor == 0.0
    pushed(gate, white(12, -45))
    assert dbfs_of(gate.floor) == pytest.approx(-45, abs=1)
    assert dbfs_of(gate.opens_at) == pytest.approx(-39, abs=1)


def test_zeros_from_a_device_that_warms_up_are_not_the_floor() -> None:
    gate = TalkGate()
    for _ in range(5 * TICKS_PER_SECOND):
        gate.push(0.0)
    open_ = pushed(gate, white(12, -45))
    assert not open_[9 * TICKS_PER_SECOND :].any()


def test_a_lost_block_does_not_spoil_the_floor() -> None:
    gate = TalkGate()
    pushed(gate, white(12, -45))
    gate.push(0.0)
    assert not pushed(gate, white(10, -45)).any()


# Times


@pytest.mark.parametrize(("loud", "stays"), [(1, 4), (3, 7), (4, 10), (5, 13), (6, 15), (100, 15)])
def test_the_longer_the_talk_the_longer_the_gate_stays_open_up_to_300_ms(loud: int, stays: int) -> None:
    gate = TalkGate()
    levels = [QUIET] * 5 + [LOUD] * loud + [QUIET] * 30
    assert [gate.push(level) for level in levels] == [False] * 5 + [True] * (loud + stays) + [False] * (30 - stays)
    assert HANG_OVER_TICKS == 15
    assert TRIAL_TICKS == 4


def test_after_two_clicks_only_talk_opens_for_20_s() -> None:
    gate = TalkGate()
    for _ in range(FAILURES):
        assert gate.push(LOUD)
        for _ in range(TRIAL_TICKS + 1):
            gate.push(QUIET)
    assert not gate.push(LOUD), "another click"
    assert not gate.push(QUIET)
    assert [gate.push(LOUD) for _ in range(3)] == [False, False, True], "three frames in a row: the pre-roll has two"
    for _ in range(WARY_TICKS):
        gate.push(QUIET)
    assert gate.push(LOUD)


def test_a_breath_and_the_word_after_it_are_one_spurt() -> None:
    """Frames of a recorded voice, in dBFS: a breath about the threshold of a quiet room, then the word."""
    breath = (-54.2, -56.8, -58.7, -56.6, -56.1, -58.3, -57.3, -57.1, -55.2, -57.1, -56.1, -53.4)
    gate = TalkGate()
    assert all(gate.push(mean_square_of(level)) for level in (*breath, -42.2, -26.9, -22.9, -22.7, -21.7))


def test_a_word_that_rises_for_longer_than_a_trial_is_not_broken() -> None:
    gate = TalkGate()
    assert all(gate.push(mean_square_of(level)) for level in (-50.9, -55.8, -47.0, -33.1, -22.7, -20.2, -21.2, -23.7))


def test_within_talk_every_loud_frame_brings_the_whole_hang_over() -> None:
    gate = TalkGate()
    for _ in range(10):
        gate.push(LOUD)
    for _ in range(HANG_OVER_TICKS - 1):
        assert gate.push(QUIET)
    assert gate.push(mean_square_of(-50))  # a soft last syllable, no talk by itself
    assert all(gate.push(QUIET) for _ in range(HANG_OVER_TICKS))
    assert not gate.push(QUIET)


def test_what_falls_like_an_echo_confirms_nothing() -> None:
    """9 dB a frame: steeper than a voice ends, and what a key does in a furnished room."""
    gate = TalkGate()
    open_ = [gate.push(mean_square_of(level)) for level in (-75, -20, -29, -38, -47, -55, -60, -65, -70)]
    assert open_ == [False] + [True] * (1 + TRIAL_TICKS) + [False] * 3


def test_a_pre_roll_is_60_ms() -> None:
    assert PRE_ROLL_FRAMES == 3


# Modes


def test_voice_is_the_mode_to_begin_with() -> None:
    assert TalkGate().mode is GateMode.VOICE


def test_a_held_key_opens_at_once_and_its_release_keeps_200_ms() -> None:
    gate = TalkGate()
    gate.mode = GateMode.SHUT
    assert not gate.push(LOUD)
    gate.mode = GateMode.OPEN
    assert all(gate.push(0.0) for _ in range(100))
    gate.mode = GateMode.SHUT
    assert [gate.push(LOUD) for _ in range(20)] == [True] * RELEASE_TICKS + [False] * 10
    assert RELEASE_TICKS == 10


def test_shutting_out_of_voice_is_immediate() -> None:
    gate = TalkGate()
    assert gate.push(LOUD)
    gate.mode = GateMode.SHUT
    assert not gate.push(LOUD)
    gate.mode = GateMode.VOICE
    assert not gate.push(QUIET)


def test_muting_is_immediate_even_while_the_key_is_held() -> None:
    gate = TalkGate()
    gate.mode = GateMode.OPEN
    assert gate.push(LOUD)
    gate.mode = GateMode.MUTED
    assert not gate.push(LOUD)
    gate.mode = GateMode.SHUT
    assert not gate.push(LOUD)


def test_the_floor_is_learnt_while_shut() -> None:
    gate = TalkGate()
    gate.mode = GateMode.MUTED
    pushed(gate, white(10, -45))
    gate.mode = GateMode.VOICE
    assert not pushed(gate, white(5, -45)).any()


# A fixed threshold


def test_a_fixed_threshold_is_neither_learnt_away_nor_guarded() -> None:
    gate = TalkGate(threshold_dbfs=-65.0)
    for _ in range(60 * TICKS_PER_SECOND):
        assert gate.push(mean_square_of(-64.9))
    shut = [gate.push(mean_square_of(-65.1)) for _ in range(HANG_OVER_TICKS + 1)]
    assert not shut[-1]


# Whatever comes


@settings(deadline=None)
@given(st.lists(st.floats() | st.sampled_from([0.0, 1.0, QUIET, LOUD]), max_size=60))
def test_no_number_spoils_the_gate(levels: list[float]) -> None:
    """NaN, infinity and negative numbers too: after ten seconds of quiet the gate works as a fresh one does."""
    gate = TalkGate()
    for level in levels:
        gate.push(level)
    for _ in range(10 * TICKS_PER_SECOND):
        gate.push(QUIET)
    assert not gate.push(QUIET)
    assert [gate.push(LOUD) for _ in range(3)][-1]
    assert 0.0 <= gate.floor <= 1.0


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(GateMode), st.floats(0, 1)), max_size=200))
def test_an_open_gate_shuts_within_the_hang_over(course: list[tuple[GateMode, float]]) -> None:
    """Whatever the modes did: MUTED is always shut, OPEN always open, and no opening outlasts 300 ms of quiet."""
    gate = TalkGate()
    for mode, level in course:
        gate.mode = mode
        talk = gate.push(level)
        assert talk or mode is not GateMode.OPEN
        assert not talk or mode is not GateMode.MUTED
    gate.mode = GateMode.VOICE
    assert not [gate.push(0.0) for _ in range(HANG_OVER_TICKS + 1)][-1]


# States


def moves(levels: list[tuple[float, int, GateMode]]) -> set[tuple[GateState, GateState]]:
    """The changes of state while each level lasts for some ticks, in a mode."""
    gate, seen = TalkGate(), set[tuple[GateState, GateState]]()
    for dbfs, ticks, mode in levels:
        gate.mode = mode
        for _ in range(ticks):
            before = gate.state
            gate.push(mean_square_of(dbfs))
            if gate.state is not before:
                seen.add((before, gate.state))
    return seen


TABLE = {(state, to) for state, row in CHANGES.items() for to in row}


@given(
    st.lists(
        st.tuples(st.floats(-100, 0), st.integers(1, 30) | st.just(WARY_TICKS), st.sampled_from(GateMode)), max_size=40
    )
)
def test_whatever_is_pushed_the_state_changes_as_the_table_says(levels: list[tuple[float, int, GateMode]]) -> None:
    assert moves(levels) <= TABLE


def test_every_change_of_the_table_happens() -> None:
    chance, seen = random.Random(1), set[tuple[GateState, GateState]]()
    for _ in range(300):
        spans = [1, 1, 1, 2, 3, 4, 6, 20, WARY_TICKS - 1]
        seen |= moves([(chance.uniform(-70, -10), chance.choice(spans), GateMode.VOICE) for _ in range(60)])
    assert seen == TABLE


@pytest.mark.parametrize("state", [GateState.SHUT, GateState.WARY])
def test_shut_states_are_shut_and_open_ones_open_at_a_change(state: GateState) -> None:
    gate, chance, reached = TalkGate(), random.Random(2), 0
    for _ in range(20_000):
        before = gate.state
        passed = gate.push(mean_square_of(chance.choice([-70.0, -70.0, -70.0, -30.0, -12.0])))
        if gate.state is not before:
            assert passed is (gate.state not in {GateState.SHUT, GateState.WARY})
            reached += gate.state is state
    assert reached
