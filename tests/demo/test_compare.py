"""The verdict on synthetic calls: good ones pass, and every kind of bad one fails for the right reason.

The voices are noise of a speech-like spectrum in syllables. Each call says where
each talker's sound arrives at each listener, how loud, how late and how distorted.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from demo.compare import OWN_MOST, WINDOWS_LEAST, Figure, Listening, compare
from demo.timeline import Track
from voicechat.format import SAMPLE_RATE, Samples

NAMES = ("Ann", "Ben", "Cid")
SECONDS = 23.0
TURNS = {
    "Ann": ((0.5, 3.0), (9.5, 12.0), (15.5, 18.0), (18.7, 21.5)),
    "Ben": ((3.5, 6.0), (9.5, 12.0), (12.5, 15.0), (18.7, 21.5)),
    "Cid": ((6.5, 9.0), (12.5, 15.0), (15.5, 18.0), (18.7, 21.5)),
}
"""Each alone, each pair, all three."""

STARTS_NS = {"Ann": 7_000_000_000_000, "Ben": 7_000_040_000_000, "Cid": 7_000_090_000_000}


@cache
def voice(name: str) -> Samples:
    """Noise below 1 kHz for the most part, swelling four times a second, in the turns of this person."""
    seed = NAMES.index(name)
    count = round(SECONDS * SAMPLE_RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    sound = np.fft.irfft(spectrum / (1 + (hertz / 500) ** 2), count)
    sound *= 0.3 + np.abs(np.sin(2 * np.pi * 2 * np.arange(count) / SAMPLE_RATE + seed))
    sound *= 0.05 / np.std(sound)
    spoken = np.zeros(count, np.float32)
    for start, end in TURNS[name]:
        span = slice(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
        spoken[span] = sound[span]
    return spoken


def said() -> dict[str, Track]:
    return {name: Track(voice(name), STARTS_NS[name]) for name in NAMES}


class Ears:
    """What a listener heard, sound by sound; their recording starts 30 ms after they entered."""

    def __init__(self, listener: str) -> None:
        self.start_ns = STARTS_NS[listener] + 30_000_000
        self.samples = np.zeros(round((SECONDS + 1) * SAMPLE_RATE), np.float32)

    def hear(self, name: str, delay_ms: float, gain: float = 1.0, snr: float | None = 12.0, seed: int = 0) -> "Ears":
        """Add what ``name`` said, late and distorted as a speech coder does it: noise that follows the voice."""
        sound = gain * voice(name)
        if snr is not None:
            noise = np.random.default_rng(seed + 77).standard_normal(len(sound))
            smooth = np.convolve(noise, np.ones(24) / np.sqrt(24), "same")
            loudness = np.repeat(np.std(sound.reshape(-1, 960), axis=1), 960)
            sound = (sound + 10 ** (-snr / 20) * loudness * smooth).astype(np.float32)
        offset = round((STARTS_NS[name] - self.start_ns) * SAMPLE_RATE / 1e9 + delay_ms * SAMPLE_RATE / 1000)
        first = max(0, -offset)
        count = min(len(sound) - first, len(self.samples) - offset - first)
        self.samples[offset + first : offset + first + count] += sound[first : first + count]
        return self

    @property
    def track(self) -> Track:
        return Track(self.samples, self.start_ns)


def good(listener: str) -> Ears:
    ears = Ears(listener)
    for k, friend in enumerate(name for name in NAMES if name != listener):
        ears.hear(friend, 60 + 15 * k, seed=k)
    return ears


def judged(heard: Mapping[str, Ears]) -> dict[str, Listening]:
    return {
        listening.listener: listening for listening in compare(said(), {n: ears.track for n, ears in heard.items()})
    }


def failures(ears: Ears, listener: str = "Ann") -> list[str]:
    return list(judged({listener: ears})[listener].failures())


def test_a_good_call_passes_for_everyone() -> None:
    for listening in judged({name: good(name) for name in NAMES}).values():
        assert list(listening.failures()) == []


def test_the_delays_are_those_of_the_call() -> None:
    hearings = judged({"Ann": good("Ann")})["Ann"].hearings
    delays = {hearing.friend: hearing.delay_ms for hearing in hearings}
    assert delays["Ben"] is not None
    assert abs(delays["Ben"] - 60) < 0.2
    assert delays["Cid"] is not None
    assert abs(delays["Cid"] - 75) < 0.2
    mixed = [hearing.mixed_delay_ms for hearing in hearings]
    assert None not in mixed
    assert np.allclose(np.array(mixed, float), [60, 75], atol=0.2)


def test_a_perfect_copy_is_wholly_alike() -> None:
    ears = Ears("Ann").hear("Ben", 0, snr=None).hear("Cid", 400, snr=None)
    listening = judged({"Ann": ears})["Ann"]
    figures = [figure for h in listening.hearings for figure in (h.alone, h.across, h.in_mix)]
    assert all(figure.value > 0.99 for figure in (*figures, listening.together))
    assert listening.own_alone.value < 0.01
    assert listening.own_together.value < 0.05


def test_who_hears_nothing_fails_in_everything_but_himself() -> None:
    told = failures(Ears("Ann"))
    assert len(told) == 7
    assert not any("own voice" in line for line in told)


def test_who_hears_himself_fails_even_if_he_hears_all_others() -> None:
    told = failures(good("Ann").hear("Ann", 70, gain=0.5))
    assert [line for line in told if "own voice came back when nobody else spoke" in line]
    assert [line for line in told if "own voice came back among the others" in line]


def test_a_faint_echo_of_oneself_is_found_where_nobody_else_speaks() -> None:
    listening = judged({"Ann": good("Ann").hear("Ann", 120, gain=0.03)})["Ann"]
    assert listening.own_alone.value > 0.8
    assert len(list(listening.failures())) == 1


def test_an_echo_upside_down_is_an_echo() -> None:
    listening = judged({"Ann": good("Ann").hear("Ann", 70, gain=-0.5)})["Ann"]
    assert listening.own_alone.value > OWN_MOST
    assert listening.own_together.value > OWN_MOST


def test_oneself_heard_in_mixes_only_is_found_under_the_others() -> None:
    ears = good("Ann")
    echo = Ears("Ann").hear("Ann", 70).samples
    mixes = round(9.4 * SAMPLE_RATE)
    ears.samples[mixes:] += echo[mixes:]
    listening = judged({"Ann": ears})["Ann"]
    assert listening.own_alone.value <= OWN_MOST
    assert any("among the others" in line for line in listening.failures())


def test_swapped_voices_fail() -> None:
    # Ann hears Cid whenever Ben speaks, and the other way round: the words of the wrong friend, in time.
    ears = Ears("Ann")
    swapped = {"Ben": "Cid", "Cid": "Ben"}
    for friend, other in swapped.items():
        heard = Ears("Ann").hear(friend, 60).samples
        wrong = np.roll(voice(other), round(3.0 * SAMPLE_RATE) * (1 if friend == "Cid" else -1))
        ears.samples += np.where(np.abs(heard) > 0, np.resize(wrong, len(heard)), 0).astype(np.float32)
    told = failures(ears)
    assert any("hear Ben alone" in line for line in told)
    assert any("hear Cid alone" in line for line in told)


def test_a_friend_missing_from_the_mix_fails_though_the_sum_still_looks_right() -> None:
    ears = good("Ann")
    mix = slice(round(12.4 * SAMPLE_RATE), None)
    ears.samples[mix] -= Ears("Ann").hear("Cid", 75, seed=1).samples[mix]
    listening = judged({"Ann": ears})["Ann"]
    ben, cid = listening.hearings
    assert ben.in_mix.value > 0.7
    assert cid.in_mix.value < 0.3
    assert cid.mixed_delay_ms is None
    assert any("hear Cid among others" in line for line in listening.failures())


def test_a_friend_who_is_heard_in_mixes_only_fails() -> None:
    ears = good("Ann")
    ears.samples[: round(9.4 * SAMPLE_RATE)] = 0
    told = failures(ears)
    assert any("hear Ben alone" in line for line in told)
    assert not any("among others" in line for line in told)


def test_another_delay_in_the_mix_than_alone_is_no_fault_and_is_told() -> None:
    ears = Ears("Ann")
    late = Ears("Ann").hear("Ben", 110, seed=0).hear("Cid", 132, seed=1).samples
    early = good("Ann").samples
    mixes = round(12.3 * SAMPLE_RATE)
    ears.samples[:mixes], ears.samples[mixes:] = early[:mixes], late[mixes:]
    listening = judged({"Ann": ears})["Ann"]
    # Only Cid's pair with Ann (15.5 to 18 s) is late as well; it lies within what is searched.
    assert list(listening.failures()) == []
    mixed = [hearing.mixed_delay_ms for hearing in listening.hearings]
    assert np.allclose(np.array(mixed, float), [110, 132], atol=0.2)


def test_noise_instead_of_voices_fails() -> None:
    ears = Ears("Ann")
    ears.samples += 0.05 * np.random.default_rng(9).standard_normal(len(ears.samples)).astype(np.float32)
    assert len(failures(ears)) == 7


def test_a_voice_drowned_in_its_own_distortion_fails() -> None:
    ears = Ears("Ann").hear("Ben", 60, snr=-6).hear("Cid", 60, snr=-6, seed=1)
    assert any("hear Ben alone" in line for line in failures(ears))


def test_a_recording_that_stops_early_is_no_evidence() -> None:
    ears = good("Ann")
    ears.samples = ears.samples[: round(5 * SAMPLE_RATE)]
    told = failures(ears)
    assert any("Cid alone: no verdict from 0 windows" in line for line in told)


def test_a_figure_without_evidence_meets_no_bound() -> None:
    assert not Figure(1.0, WINDOWS_LEAST - 1).at_least(0.5)
    assert not Figure(0.0, WINDOWS_LEAST - 1).at_most(0.5)
    assert Figure(0.5, WINDOWS_LEAST).at_least(0.5)
    assert Figure(0.5, WINDOWS_LEAST).at_most(0.5)
