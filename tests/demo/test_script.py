from itertools import combinations

import numpy as np

from demo import script
from demo.compare import compare
from demo.timeline import Track
from voicechat.format import SAMPLE_RATE


def test_each_speaks_alone_with_each_other_and_with_all() -> None:
    moments = [turn.start + 0.01 for turn in script.turns()] + [
        turn.start + turn.seconds - 0.01 for turn in script.turns()
    ]
    together = {
        frozenset(turn.name for turn in script.turns() if turn.start <= moment < turn.start + turn.seconds)
        for moment in moments
    }
    wanted = {frozenset(names) for count in (1, 2, 3) for names in combinations(script.CAST, count)}
    assert together == wanted


def test_the_call_leaves_time_for_everything_else_in_a_minute() -> None:
    assert 35 < script.length() < 42


def test_the_tracks_are_voices_in_their_turns_and_silence_elsewhere() -> None:
    tracks = script.tracks()
    assert set(tracks) == set(script.CAST)
    for name, track in tracks.items():
        assert track.dtype == np.float32
        assert len(track) == round(script.length() * SAMPLE_RATE)
        assert np.max(np.abs(track)) < 0.5
        silent = np.ones(len(track), np.bool_)
        for turn in script.turns():
            if turn.name == name:
                span = slice(round(turn.start * SAMPLE_RATE), round((turn.start + turn.seconds) * SAMPLE_RATE))
                silent[span] = False
                assert -32 < 10 * np.log10(np.mean(track[span] ** 2)) < -20
        assert not np.any(track[silent])


def test_pauses_are_shortened_and_words_are_kept() -> None:
    word = 0.1 * np.sin(np.arange(SAMPLE_RATE)).astype(np.float32)
    quiet = np.zeros(2 * SAMPLE_RATE, np.float32)
    flow = script.flowing(np.concatenate([quiet, word, quiet, word, quiet]))
    assert np.isclose(np.sum(flow**2), 2 * np.sum(word**2))
    assert len(flow) <= 2.5 * SAMPLE_RATE


def test_the_real_voices_are_told_apart_by_the_verdict_and_clean_sound_passes_it() -> None:
    said = {name: Track(track, 10**12 + 1) for name, track in script.tracks().items()}
    ear = np.sum([said["Ben"].samples, said["Cid"].samples], axis=0)
    (good,) = compare(said, {"Ann": Track(np.roll(ear, SAMPLE_RATE // 20), 10**12)})
    assert list(good.failures()) == []
    (own,) = compare(said, {"Ann": Track(np.roll(ear + said["Ann"].samples, SAMPLE_RATE // 20), 10**12)})
    assert len(list(own.failures())) == 2
