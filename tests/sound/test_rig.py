"""The rig itself: sound goes from a microphone node through PortAudio to a loudspeaker node, on one clock."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from demo.compare import HEARD_LEAST, compare
from demo.script import VOICES, read
from demo.timeline import Track
from testkit.processes import Child, stop
from testkit.rig import RigError, require, sound_rig
from voicechat.format import SAMPLE_RATE

pytestmark = pytest.mark.sound

ROOT = Path(__file__).parents[2]

LONGEST_MS = 500.0
"""No figure of quality: beyond it the measurement itself is wrong."""


def test_a_bare_loop_through_portaudio_is_heard_and_its_delay_is_known(tmp_path: Path, tell: list[str]) -> None:
    silence = np.zeros(SAMPLE_RATE, np.float32)
    said = np.concatenate([silence, read(VOICES / "en_f2.flac")[: 5 * SAMPLE_RATE], silence])
    soundfile.write(tmp_path / "said.wav", said, SAMPLE_RATE, subtype="PCM_16")
    with sound_rig(1) as rig:
        program = [sys.executable, str(ROOT / "testkit" / "loopback.py")]
        loop = Child("loop-through", program, tmp_path / "loop.log", variables=rig.client_environment(0))
        try:
            rig.wait_for_link("mic0")
            rig.wait_for_link("spk0")
            with rig.recording(tmp_path / "both.wav"), rig.feeding(0, tmp_path / "said.wav") as feed:
                feed.wait(20)
        finally:
            stop([loop])
    assert loop.end is not None
    assert loop.end.status == 0, loop.tail()
    recorded, _ = soundfile.read(tmp_path / "both.wav", dtype="float32")
    microphone, loudspeaker = Track(recorded[:, 0], 0), Track(recorded[:, 1], 0)
    unused = Track(np.zeros_like(recorded[:, 0]), 0)
    (listening,) = compare({"mouth": microphone, "ear": unused}, {"ear": loudspeaker})
    (hearing,) = listening.hearings
    assert hearing.alone.at_least(HEARD_LEAST), hearing
    assert hearing.delay_ms is not None
    assert 0 < hearing.delay_ms < LONGEST_MS
    tell.append(f"bare loop-through of PortAudio (the floor): {hearing.delay_ms:.0f} ms")


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None if program == "wireplumber" else f"/usr/bin/{program}")
    with pytest.raises(RigError, match="apt-get install wireplumber"):
        require()
