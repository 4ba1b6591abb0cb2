"""A loudspeaker leaks into the microphone, through a room: friends do not hear themselves, and hear who is near."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bench.echo_scenes import Scene, active_dbfs, answer
from demo.compare import HEARD_LEAST, compare
from demo.script import VOICES, read
from demo.timeline import Track
from testkit.rig import sound_rig
from tests.sound.test_mouth_to_ear import NAMES, clients
from voicechat.format import SAMPLE_RATE, Samples
from voicechat.media.levels import dbfs_of, mean_square

pytestmark = pytest.mark.sound

SECONDS = 14
FRIEND, NEAR, END = 2.5, 8.0, 13.0
"""Seconds at which Ben begins to talk, Ann does, and both have ended."""

DELAY_MS = 60
ECHO_DB = -12.0
"""Of the loudspeaker's sound in the microphone."""


def test_a_friend_does_not_hear_themselves_out_of_a_loudspeaker(tmp_path: Path, tell: list[str]) -> None:
    said = {"Ann": spoken("en_f2", NEAR), "Ben": spoken("en_m4", FRIEND)}
    for name, samples in said.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, SAMPLE_RATE, subtype="PCM_16")
    soundfile.write(tmp_path / "room.wav", room(), SAMPLE_RATE, subtype="FLOAT")
    with sound_rig(len(NAMES)) as rig, clients(rig, tmp_path), ExitStack() as running:
        running.enter_context(rig.leaking(0, tmp_path / "room.wav"))
        running.enter_context(rig.recording(tmp_path / "all.wav"))
        feeds = [running.enter_context(rig.feeding(k, tmp_path / f"{name}.wav")) for k, name in enumerate(NAMES)]
        for feed in feeds:
            feed.wait(30)
    recorded, _ = soundfile.read(tmp_path / "all.wav", dtype="float32")
    microphone, heard_by_ben = recorded[:, 0], recorded[:, 3]
    begun = first_sound(recorded[:, 1])
    alone = slice(begun, begun + round((NEAR - FRIEND - 1) * SAMPLE_RATE))
    echo, returned = dbfs_of(mean_square(microphone[alone])), dbfs_of(mean_square(heard_by_ben[alone]))
    tell.append(f"echo in the microphone {echo:.0f} dBFS, what of it came back to the friend {returned:.0f} dBFS")
    assert echo > -45, "the rig leaks"
    assert returned < echo - 30
    near = slice(begun + round((NEAR - FRIEND - 0.5) * SAMPLE_RATE), None)
    judged = compare(
        {"Ann": Track(microphone[near], 0), "Ben": Track(recorded[near, 1], 0)},
        {"Ann": Track(recorded[near, 2], 0), "Ben": Track(heard_by_ben[near], 0)},
    )
    (hearing,) = judged[1].hearings
    assert hearing.alone.at_least(HEARD_LEAST), judged


def spoken(voice: str, start: float) -> Samples:
    """A track with 5 s of a voice in it."""
    track = np.zeros(SECONDS * SAMPLE_RATE, np.float32)
    words = read(VOICES / f"{voice}.flac")[: round((END - NEAR) * SAMPLE_RATE)]
    first = round(start * SAMPLE_RATE)
    track[first : first + len(words)] = words
    return track


def room() -> Samples:
    """The impulse response: delay, room and how soft it is."""
    response = answer(Scene("room", "", ""), 0)
    response *= 10 ** (ECHO_DB / 20) / np.sqrt(np.sum(response**2))
    return np.concatenate([np.zeros(DELAY_MS * SAMPLE_RATE // 1000), response]).astype(np.float32)


def first_sound(samples: Samples) -> int:
    """The sample at which somebody begins to talk."""
    assert active_dbfs(samples.astype(float)) > -60
    return int(np.argmax(np.abs(samples) > 0.01))
