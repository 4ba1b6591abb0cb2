import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.correlation import RATE, Signal
from demo.timeline import SPARE, WINDOW, Timeline, Track, windows
from voicechat.format import SAMPLE_RATE


def talk(*spans: tuple[float, float], seconds: float = 8.0) -> Signal:
    """A laid track with noise of -20 dBFS in the given spans."""
    laid = np.zeros(2 * SPARE + round(seconds * RATE))
    noise = np.random.default_rng(5).standard_normal(len(laid)) * 0.1
    for start, end in spans:
        span = slice(SPARE + round(start * RATE), SPARE + round(end * RATE))
        laid[span] = noise[span]
    return laid


@given(st.integers(0, 2 * 10**9), st.integers(0, 2 * 10**9), st.integers(0, 10**15))
@settings(deadline=None, max_examples=25)
def test_a_click_stands_where_its_stamp_says(first: int, second: int, zero: int) -> None:
    tracks = []
    for start_ns in (first, second):
        samples = np.zeros(SAMPLE_RATE // 2, np.float32)
        samples[6000] = 1
        tracks.append(Track(samples, zero + start_ns))
    timeline = Timeline(tracks)
    for track in tracks:
        place = int(np.argmax(np.abs(timeline.lay(track))))
        assert abs(place - timeline.place(track.start_ns + 125_000_000)) <= 1


def test_all_tracks_are_laid_equally_long_with_room_around() -> None:
    tracks = [Track(np.zeros(count, np.float32), start) for count, start in ((48_000, 0), (999, 3_000_000_123))]
    laid = [Timeline(tracks).lay(track) for track in tracks]
    assert len({len(signal) for signal in laid}) == 1
    assert len(laid[0]) == 2 * SPARE + round((3.000000123 + 999 / SAMPLE_RATE) * RATE)


def test_who_speaks_in_which_window() -> None:
    found = windows({"Ann": talk((1.0, 3.0), (4.5, 7.0)), "Ben": talk((4.5, 7.0))})
    by_speakers = {
        speakers: [w.start for w in found if w.speakers == speakers]
        for speakers in (frozenset({"Ann"}), frozenset({"Ben"}), frozenset({"Ann", "Ben"}))
    }
    alone, nobody, both = by_speakers.values()
    seconds = [(start - SPARE) / RATE for start in alone]
    assert min(seconds) >= 0.5
    assert max(seconds) <= 2.5
    assert len(seconds) >= 8
    assert not nobody
    seconds = [(start - SPARE) / RATE for start in both]
    assert min(seconds) >= 4.0
    assert max(seconds) <= 6.5
    assert len(found) == len(alone) + len(both)


def test_a_window_in_which_somebody_neither_speaks_nor_is_silent_is_not_used() -> None:
    murmur = talk((1.6, 1.9), (2.4, 2.7))
    assert windows({"Ann": talk((1.0, 3.0)), "Ben": talk()})
    assert windows({"Ann": talk((1.0, 3.0)), "Ben": murmur}) == []


def test_a_word_shortly_before_or_after_a_window_spoils_it() -> None:
    # Ben's word ends at 1.0 s: a window of Ann's may begin no sooner than 0.25 s later.
    found = windows({"Ann": talk((1.0, 4.0)), "Ben": talk((0.5, 1.0))})
    assert found
    assert min(window.start for window in found) >= SPARE + round(1.25 * RATE)
    assert max(window.start for window in found) + WINDOW <= SPARE + round(4.5 * RATE)


def test_silence_has_no_windows() -> None:
    assert windows({"Ann": talk(), "Ben": talk()}) == []
