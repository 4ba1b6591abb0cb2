"""The echo test as it is typed: real programs, real sockets, four microphones at once, each with its own fault."""

from pathlib import Path

import numpy as np
import soundfile

from testkit.children import Children
from tests.docs.pages import ROOT
from voicechat.client.exits import Exit
from voicechat.format import SAMPLE_RATE

SECONDS = 4

MICROPHONES = {
    "fine": (1.0, 0.0, Exit.OK),
    "clipping": (10.0, 0.0, Exit.TROUBLE),
    "too quiet": (0.1, 0.0, Exit.TROUBLE),
    "noisy": (1.0, 0.03, Exit.TROUBLE),
}
"""For each verdict: the gain of the voice, the noise added, and the status that the client ends with."""


def sound(path: Path, gain: float, noise: float) -> None:
    voice = soundfile.read(ROOT / "demo" / "voices" / "en_f2.flac", frames=(SECONDS + 2) * SAMPLE_RATE)[0]
    hiss = np.random.default_rng(1).standard_normal(len(voice)) * noise
    soundfile.write(path, np.clip(voice * gain + hiss, -1, 1), SAMPLE_RATE, subtype="PCM_16")


def test_each_microphone_gets_the_verdict_that_it_deserves(house: Children, tmp_path: Path) -> None:
    server = house.server()
    testers = {}
    for word, (gain, noise, _) in MICROPHONES.items():
        microphone, heard = tmp_path / f"{word}.wav", tmp_path / f"{word} heard.wav"
        sound(microphone, gain, noise)
        options = ("--echo-test", "--duration", str(SECONDS))
        testers[word] = house.client(server.port, word, *options, input=f"wav:{microphone}", output=f"wav:{heard}")
    for word, (_, _, code) in MICROPHONES.items():
        tester = testers[word]
        assert tester.end(60.0) == code, tester.out + tester.err
        assert tester.err == ""
        lines = tester.out.splitlines()
        assert lines[-1].startswith(word), tester.out
        assert "speech" in lines[-2]
        assert sum("server heard" in line for line in lines) >= SECONDS
        played = soundfile.read(tmp_path / f"{word} heard.wav")[0]
        assert np.abs(played).max() > 0.005, "it was played back, too"
    assert "entered room 'echo test'" in server.program.out
    assert server.program.out.count("left room 'echo test'") == len(testers)


def test_a_full_house_has_no_seat_for_a_test_either(house: Children) -> None:
    server = house.server("--max-clients", "1")
    house.client(server.port, "Ann").line("you are in")
    tester = house.client(server.port, "Ben", "--echo-test")
    assert tester.end() == Exit.TRY_LATER
    assert "is full" in tester.err
