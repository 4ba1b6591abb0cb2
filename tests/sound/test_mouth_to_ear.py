"""The whole way: microphone, PortAudio, client, server, client, PortAudio, loudspeaker, measured on one clock."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from demo.compare import HEARD_LEAST, OWN_MOST, Listening, compare
from demo.script import VOICES, read
from demo.timeline import Track
from testkit.processes import (
    Child,
    command,
    follow,
    free_port,
    password_file,
    stop,
    wait_for_port,
)
from testkit.rig import SoundRig, sound_rig
from voicechat.format import SAMPLE_RATE, Samples

pytestmark = pytest.mark.sound

LONGEST_MS = 1000.0
"""A sanity bound, not a goal: timing on a shared machine is printed, and judged by people."""

NAMES = ("Ann", "Ben")


def test_two_friends_hear_each_other_and_not_themselves(tmp_path: Path, tell: list[str]) -> None:
    heard = call(tmp_path, {"Ann": spoken("en_f2", 2.0), "Ben": spoken("cs_m1", 8.0)})
    for listening in heard:
        (hearing,) = listening.hearings
        assert hearing.alone.at_least(HEARD_LEAST), listening
        assert listening.own_alone.at_most(OWN_MOST), listening
        assert hearing.delay_ms is not None
        assert 0 < hearing.delay_ms < LONGEST_MS
        way = f"{hearing.friend} to {listening.listener}"
        tell.append(f"mouth to ear, {way}: {hearing.delay_ms:.0f} ms (likeness {hearing.alone.value:.2f})")


def spoken(voice: str, start: float) -> Samples:
    """14 s of track with 5 s of a voice in it: silence before to enter and settle, after to be heard to the end."""
    track = np.zeros(14 * SAMPLE_RATE, np.float32)
    words = read(VOICES / f"{voice}.flac")[: 5 * SAMPLE_RATE]
    first = round(start * SAMPLE_RATE)
    track[first : first + len(words)] = words
    return track


def call(folder: Path, said: dict[str, Samples]) -> tuple[Listening, ...]:
    """Two clients with their default devices; what their microphones and loudspeakers carried, judged."""
    for name, samples in said.items():
        soundfile.write(folder / f"{name}.wav", samples, SAMPLE_RATE, subtype="PCM_16")
    with sound_rig(len(NAMES)) as rig, clients(rig, folder), ExitStack() as running:
        running.enter_context(rig.recording(folder / "all.wav"))
        feeds = [running.enter_context(rig.feeding(k, folder / f"{name}.wav")) for k, name in enumerate(NAMES)]
        for feed in feeds:
            feed.wait(30)
    recorded, _ = soundfile.read(folder / "all.wav", dtype="float32")
    return compare(
        {name: Track(recorded[:, k], 0) for k, name in enumerate(NAMES)},
        {name: Track(recorded[:, len(NAMES) + k], 0) for k, name in enumerate(NAMES)},
    )


@contextmanager
def clients(rig: SoundRig, folder: Path) -> Iterator[None]:
    """A real server and a real client for each name, linked to their devices; all must end well."""
    children: list[Child] = []
    with password_file() as (_, password):
        try:
            port = free_port()
            options = ["--password-file", str(password), "--port", str(port)]
            twistd = [command("twistd"), "-n", "--pidfile=", "voicechat", *options, "--interface", "127.0.0.1"]
            children.append(Child("server", twistd, folder / "server.log"))
            assert wait_for_port(children[0], port) is None
            for k, name in enumerate(NAMES):
                client = [command("voicechat-client"), "--host", "127.0.0.1", *options, "--name", name, "--ui", "line"]
                children.append(Child(name, client, folder / f"{name}.log", variables=rig.client_environment(k)))
            meet(children[1], children[2])
            for k in range(len(NAMES)):
                rig.wait_for_link(f"mic{k}")
                rig.wait_for_link(f"spk{k}")
            yield
        finally:
            stop(children)
    for child in children:
        assert child.failure() is None, child.failure()


def meet(ann: Child, ben: Child) -> None:
    """Wait until each client has told the other's name, thus both are in the room."""

    def met_or_ended() -> bool:
        met = "Ben" in ann.written() and "Ann" in ben.written()
        return met or ann.end is not None or ben.end is not None

    in_time = follow([ann, ben], 20, met_or_ended)
    assert in_time, f"Ann: {ann.tail()}; Ben: {ben.tail()}"
    assert ann.end is None, ann.tail()
    assert ben.end is None, ben.tail()
