"""PlayoutDelay: as shallow as the line allows, and never deeper for having seen a stall."""

import math
import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import SOAK
from voicechat.format import TICK_MS, TICKS_PER_SECOND
from voicechat.media.playout import PlayoutDelay
from voicechat.media.tuning import TUNING
from voicechat.testing import Line, LossyLink

DEEPEST = TUNING.playout.deepest

HOUR = 3600 * TICKS_PER_SECOND
MINUTE = 60 * TICKS_PER_SECOND
WAY = 2.5
"""Ticks of the way itself; nobody tells the PlayoutDelay."""

Transit = Callable[[int], float]


class Rehearsal:
    """A PlayoutDelay that hears one frame a tick; what it would have held, and what would have been late."""

    def __init__(self, lateness: Iterable[float] = ()) -> None:
        self.delay = PlayoutDelay()
        self.delay.expect(lateness)
        self.tick = 65_000
        self.held: list[float] = []
        """Ticks between each frame's arrival and its playing, as the delay stood when the frame came."""

    def talk(self, frames: int, transit: Transit) -> "Rehearsal":
        """Hear so many frames; a frame of tick t arrives at t + transit(t)."""
        self.held = []
        for tick in range(self.tick, self.tick + frames):
            arrival = tick + transit(tick)
            if self.delay.base is not None:
                self.held.append(self.delay.play_at(tick) - arrival)
            self.delay.observe(tick, arrival, marker=tick == self.tick)
        self.tick += frames
        return self

    def burst(self, frames: int) -> "Rehearsal":
        """So many frames are held up and all arrive with the last of them."""
        end = self.tick + frames - 1 + WAY
        for tick in range(self.tick, self.tick + frames):
            self.delay.observe(tick, end)
        self.tick += frames
        return self

    def late_share(self) -> float:
        """Share of the frames of the last `talk` that came after they should have been played."""
        return sum(held < 0 for held in self.held) / len(self.held)


def jitter(ticks: float, seed: int = 1) -> Transit:
    """A way with uniform jitter."""
    chance = random.Random(seed)
    return lambda _: WAY + chance.random() * ticks


def test_before_anything_came_it_is_shallow() -> None:
    delay = PlayoutDelay()
    assert delay.base is None
    assert delay.target * TICK_MS <= 10


def test_on_a_steady_line_it_holds_next_to_nothing() -> None:
    rehearsal = Rehearsal().talk(MINUTE, jitter(0.1))
    assert rehearsal.delay.target * TICK_MS <= 10
    assert rehearsal.late_share() == 0


@pytest.mark.parametrize("ticks", [0.5, 1.0, 2.5, 5.0, 7.5])
def test_it_finds_the_smallest_depth_that_loses_under_two_percent(ticks: float) -> None:
    rehearsal = Rehearsal().talk(20 * TICKS_PER_SECOND, jitter(ticks)).talk(MINUTE, jitter(ticks, 2))
    assert rehearsal.late_share() < 0.02
    assert rehearsal.delay.target <= ticks + 0.5


def probed(ticks: float, seed: int, probes: int = 15) -> list[float]:
    """By how much so many packets were later than the fastest of them, on a way with that jitter."""
    transits = [transit(0) for transit in [jitter(ticks, seed)] * probes]
    return [transit - min(transits) for transit in transits]


@pytest.mark.parametrize("ticks", [1.0, 2.5, 7.5])
def test_what_probes_told_saves_the_first_words(ticks: float) -> None:
    """In the first second, on average of 40 calls."""
    late = {True: 0.0, False: 0.0}
    for seed in range(40):
        for known in late:
            rehearsal = Rehearsal(probed(ticks, 100 + seed) if known else ())
            rehearsal.talk(TICKS_PER_SECOND, jitter(ticks, seed))
            late[known] += rehearsal.late_share() / 40
    assert late[True] < 0.06
    assert late[True] < late[False] / 2


@pytest.mark.parametrize("above", [0.5, 2.5, 7.5])
@pytest.mark.parametrize("probes", [1, 3])
def test_probes_that_were_late_by_chance_are_forgotten_after_two_seconds_each(above: float, probes: int) -> None:
    rehearsal = Rehearsal([above] * probes + [0.0] * (15 - probes))
    assert rehearsal.delay.target >= above
    rehearsal.talk(2 * probes * TICKS_PER_SECOND, jitter(0.1))
    assert rehearsal.delay.target * TICK_MS <= 10
    assert rehearsal.late_share() == 0


@pytest.mark.parametrize("above", [DEEPEST + 0.5, 25.0, 500.0])
def test_probes_that_no_depth_would_save_say_nothing(above: float) -> None:
    assert Rehearsal([0.0] * 10 + [above] * 5).delay.target == Rehearsal([0.0] * 10).delay.target


@pytest.mark.parametrize("ticks", [1.0, 2.5, 5.0])
def test_after_a_long_silence_a_jittery_line_is_known_as_before(ticks: float) -> None:
    late = 0.0
    for seed in range(20):
        rehearsal = Rehearsal().talk(20 * TICKS_PER_SECOND, jitter(ticks, seed))
        rehearsal.delay.base = None  # as streams have it after a minute
        late += rehearsal.talk(2 * TICKS_PER_SECOND, jitter(ticks, 100 + seed)).late_share() / 20
    assert late < 0.02


def test_it_grows_within_seconds_of_jitter_and_shrinks_when_it_is_over() -> None:
    rehearsal = Rehearsal().talk(MINUTE, jitter(0.2))
    before = rehearsal.delay.target
    rehearsal.talk(5 * TICKS_PER_SECOND, jitter(4))
    assert rehearsal.delay.target > 3
    rehearsal.talk(5 * TICKS_PER_SECOND, jitter(4))
    assert rehearsal.late_share() < 0.02
    rehearsal.talk(MINUTE, jitter(0.2))
    assert abs(rehearsal.delay.target - before) < 0.25


@pytest.mark.parametrize("frames", [3, 25, 100, 400])
@pytest.mark.parametrize("spread", [0.2, 2.0])
def test_one_stall_does_not_deepen_it(frames: int, spread: float) -> None:
    rehearsal = Rehearsal().talk(MINUTE, jitter(spread))
    before = rehearsal.delay.target
    rehearsal.burst(frames).talk(2 * TICKS_PER_SECOND, jitter(spread, 2))
    assert rehearsal.delay.target <= before + 0.5
    # what comes after the stall is held no longer than what came before it
    assert max(rehearsal.held) <= before + 0.5


def test_after_a_stall_jitter_is_learnt_as_before() -> None:
    rehearsal = Rehearsal().talk(MINUTE, jitter(0.2)).burst(100)
    rehearsal.talk(10 * TICKS_PER_SECOND, jitter(4)).talk(10 * TICKS_PER_SECOND, jitter(4))
    assert rehearsal.late_share() < 0.02


@pytest.mark.parametrize("frames", [12, 13, 14])
def test_a_stall_of_a_quarter_second_is_no_jitter_where_the_line_is_calm(frames: int) -> None:
    rehearsal = Rehearsal().talk(MINUTE, jitter(0.2))
    before = rehearsal.delay.target
    rehearsal.burst(frames).talk(TICKS_PER_SECOND, jitter(0.2, 2))
    assert rehearsal.delay.target <= before + 0.5


def test_jitter_of_a_quarter_second_is_held() -> None:
    rehearsal = Rehearsal().talk(MINUTE, jitter(12)).talk(MINUTE, jitter(12, 2))
    assert 11 < rehearsal.delay.target <= 12.5
    assert rehearsal.late_share() < 0.02


@pytest.mark.parametrize("frames", [6, 8, 10])
def test_a_stall_as_short_as_jitter_is_forgotten_in_ten_seconds(frames: int) -> None:
    rehearsal = Rehearsal().talk(MINUTE, jitter(0.2))
    before = rehearsal.delay.target
    rehearsal.burst(frames).talk(10 * TICKS_PER_SECOND, jitter(0.2, 2))
    assert rehearsal.delay.target <= before + 0.5


@pytest.mark.parametrize("more", [1.5, 5.0, 15.0, 60.0])
def test_a_way_that_became_longer_is_followed_within_a_second_or_its_memory(more: float) -> None:
    rehearsal = Rehearsal().talk(MINUTE, jitter(0.2))
    longer = jitter(0.2, 3)
    rehearsal.talk(12 * TICKS_PER_SECOND, lambda tick: longer(tick) + more)
    rehearsal.talk(MINUTE, lambda tick: longer(tick) + more)
    assert rehearsal.late_share() < 0.01
    assert rehearsal.delay.target < 1
    assert max(rehearsal.held) < 1


@pytest.mark.parametrize("less", [1.0, 2.0, 30.0])
def test_a_way_that_became_shorter_is_followed_at_once(less: float) -> None:
    rehearsal = Rehearsal().talk(MINUTE, lambda _: WAY + less)
    rehearsal.talk(2, lambda _: WAY)
    assert rehearsal.delay.base == pytest.approx(WAY)
    rehearsal.talk(MINUTE, jitter(0.1))
    assert rehearsal.delay.target < 0.5


@pytest.mark.parametrize("restarted", [-100_000, -5_000, -60, 60, 5_000, 100_000])
def test_a_restarted_clock_at_the_start_of_a_spurt_is_believed(restarted: int) -> None:
    rehearsal = Rehearsal().talk(MINUTE, jitter(0.1))
    before = rehearsal.delay.target
    rehearsal.talk(TICKS_PER_SECOND, lambda _: WAY + restarted)
    assert rehearsal.delay.base == pytest.approx(WAY + restarted)
    assert rehearsal.delay.target == pytest.approx(before, abs=0.25)


@pytest.mark.parametrize("ppm", [-200, -20, 20, 200])
def test_between_two_clocks_that_drift_the_delay_stays(ppm: int) -> None:
    hours = 24 if SOAK else 1
    chance = random.Random(ppm)
    rehearsal = Rehearsal().talk(MINUTE, jitter(0.2))
    start, worst = rehearsal.tick, 0.0
    for _ in range(hours * 60):
        rehearsal.talk(MINUTE, lambda tick: WAY + chance.random() * 0.2 + (tick - start) * ppm * 1e-6)
        assert rehearsal.late_share() < 0.02
        worst = max(worst, *map(abs, rehearsal.held))
    assert worst < 1.0  # 20 ms
    assert rehearsal.delay.target < 1.0


def test_where_half_of_a_late_frame_is_heard_less_is_held_and_no_more_sound_is_lost() -> None:
    whole, halved = Rehearsal(), Rehearsal()
    halved.delay = PlayoutDelay(halves=True)
    for rehearsal in (whole, halved):
        chance = random.Random(1)
        rehearsal.talk(2 * MINUTE, lambda _tick: WAY + chance.expovariate(2))  # noqa: B023  used at once
    assert 0.1 < whole.delay.target - halved.delay.target < 0.5
    lost = [1.0 if held < -0.5 else 0.5 for held in halved.held if held < 0]
    assert sum(lost) / len(halved.held) < 0.015


def test_a_lucky_packet_does_not_bring_all_others_late() -> None:
    """What is played when is a matter of the slow ones; one that is faster than ever changes nothing about them."""
    rehearsal = Rehearsal().talk(10 * TICKS_PER_SECOND, jitter(4))
    at = rehearsal.delay.play_at(0)
    rehearsal.talk(1, lambda _tick: WAY - 0.8)
    for seed in range(20):
        assert rehearsal.delay.play_at(0) == pytest.approx(at, abs=0.3)
        rehearsal.talk(1, jitter(4, seed))


@pytest.mark.parametrize("ppm", [-200, 200])
def test_a_quiet_friend_is_not_held_back_though_clocks_drift_between_his_words(ppm: int) -> None:
    """Half a second of talk each 40 s: ten seconds of talk are thirteen minutes, in which clocks drift by 8 ticks."""
    chance, rehearsal = random.Random(ppm), Rehearsal()
    start, held = rehearsal.tick, list[float]()
    for _ in range(24 * 90 if SOAK else 90):
        rehearsal.talk(25, lambda tick: WAY + chance.random() * 0.2 + (tick - start) * ppm * 1e-6)
        held += rehearsal.held
        rehearsal.tick += 40 * TICKS_PER_SECOND
    assert max(held[500:]) < 1.0
    assert min(held[500:]) > -0.5
    assert rehearsal.delay.target < 1.0


@pytest.mark.parametrize("frames", [4, 20, 100])
def test_a_stream_that_begins_with_the_burst_after_a_stall_is_as_shallow_as_any(frames: int) -> None:
    rehearsal = Rehearsal().burst(frames).talk(TICKS_PER_SECOND, jitter(0.2))
    assert rehearsal.delay.target < 1.0
    assert rehearsal.held[-1] < 1.0


@pytest.mark.parametrize("minutes", [15, 22, 45])
def test_after_minutes_of_silence_the_next_tick_is_expected_where_it_is(minutes: int) -> None:
    rehearsal = Rehearsal().talk(MINUTE, jitter(0.2))
    now = rehearsal.tick + minutes * MINUTE + WAY
    assert abs(rehearsal.delay.expected_tick(now) - (rehearsal.tick + minutes * MINUTE)) <= 1


@given(
    st.lists(
        st.tuples(
            st.integers(-5, 200),
            st.floats(-300, 300) | st.floats(-0.5, 0.5),
            st.booleans(),
            st.booleans(),
        ),
        max_size=200,
    ),
    st.lists(st.floats(0, 500), max_size=20),
)
def test_whatever_arrives_the_target_is_within_its_bounds(
    arrivals: Iterable[tuple[int, float, bool, bool]], lateness: list[float]
) -> None:
    delay, tick = PlayoutDelay(), 0
    delay.expect(lateness)
    for step, transit, marker, burst in arrivals:
        tick += step
        delay.observe(tick, tick + transit, marker, burst)
        assert 0 <= delay.target <= DEEPEST
        assert delay.base is not None
        assert math.isfinite(delay.play_at(tick))


@given(st.integers(0, 1000), st.floats(0, 6), st.floats(0, 0.2))
def test_loss_and_disorder_do_not_deepen_it(seed: int, spread: float, loss: float) -> None:
    link, delay = LossyLink[int](seed, Line(delay=WAY, jitter=spread, loss=loss)), PlayoutDelay()
    for tick in range(1000):
        link.send(tick, float(tick))
    for at, tick in link.receive(1e9):
        delay.observe(tick, at)
    assert delay.target <= spread + 0.5
