"""The echo test: what is fine, what is not, and that the words fit."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from tests.client.player import PASSWORD, Host, Network, Player, pass_time
from tests.docs.pages import ROOT
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.audio.capture import Captured
from voicechat.client.call.echotest import REST_SECONDS, EchoTest, Figures, Meter, verdict
from voicechat.client.exits import Exit
from voicechat.codecs.opus import OpusCodec
from voicechat.format import BLOCK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE, Samples, silent_frame
from voicechat.media.counts import Counts
from voicechat.media.gate import GateMode, TalkGate
from voicechat.media.levels import mean_square
from voicechat.security.secret import Secret
from voicechat.server.factory import VoiceServerFactory
from voicechat.server.hub import Hub
from voicechat.wire import messages

VOICES = ("cs_f1", "cs_m1", "en_f2", "en_f3", "en_m4", "it_m2")
FINE = Figures(500, 400, -26.0, -60.0, 0.0, 0.0)


def recorded(name: str, seconds: float = 8.0) -> Samples:
    path: Path = ROOT / "demo" / "voices" / f"{name}.flac"
    samples: Samples = soundfile.read(path, frames=round(seconds * SAMPLE_RATE), dtype="float32")[0]
    return samples


def too_loud(voice: Samples) -> Samples:
    return np.clip(voice * 10, -1, 1)


def too_soft(voice: Samples) -> Samples:
    return voice * np.float32(0.1)


def with_noise(voice: Samples) -> Samples:
    """A fan 6 dB below the voice."""
    fan = np.resize(recorded("noise_fan"), len(voice))
    loud = np.sqrt(mean_square(voice) / mean_square(fan)) * 0.5
    return np.clip(voice + fan * np.float32(loud), -1, 1)


def heard(sound: Samples) -> Figures:
    """What a test measures of a microphone's sound: gate, encoder and decoder, and a line that loses nothing."""
    meter, out = Meter(), silent_frame()
    bridge = AudioBridge(lambda turn: None, TalkGate(), taps=[meter])
    encoder, decoder, counts = OpusCodec().encoder(12_000), OpusCodec().decoder(), Counts()
    for start in range(0, len(sound) - BLOCK_SAMPLES, BLOCK_SAMPLES):
        bridge.exchange(sound[start : start + BLOCK_SAMPLES].tobytes())
        while (captured := bridge.captured()) is not None:
            if captured.frame is not None:
                decoder.decode(encoder.encode(captured.frame), out)
                bridge.provide(out.tobytes())
                counts.played += 1
    return meter.figures(counts)


@pytest.mark.parametrize("name", VOICES)
def test_a_good_recording_is_fine_and_each_fault_is_named(name: str) -> None:
    voice = recorded(name)
    assert verdict(heard(voice)) == []
    for spoil, word in ((too_loud, "clipping"), (too_soft, "too quiet"), (with_noise, "noisy")):
        (line,) = verdict(heard(spoil(voice)))
        assert line.startswith(word)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"said": 0, "returned": 0}, ["nothing was heard of you"]),
        ({"returned": 0}, ["nothing came back"]),
        ({"clipped": 0.5}, ["clipping"]),
        ({"speech_dbfs": -50.0}, ["too quiet"]),
        ({"speech_dbfs": -50.0, "noise_dbfs": -52.0}, ["too quiet"]),
        ({"noise_dbfs": -36.0}, ["noisy"]),
        ({"lost": 0.2}, ["gaps"]),
        ({"clipped": 0.5, "noise_dbfs": -36.0, "lost": 0.2}, ["clipping", "noisy", "gaps"]),
    ],
)
def test_the_verdict_names_all_that_is_wrong(change: dict[str, float], words: list[str]) -> None:
    found = verdict(FINE._replace(**change))  # type: ignore[arg-type]
    assert [line.partition(":")[0] for line in found] == words


@given(st.lists(st.floats(-1, 1, width=32), max_size=30), st.lists(st.floats(-1, 1, width=32), max_size=30))
def test_whatever_goes_out_and_comes_back_has_a_verdict(said: list[float], returned: list[float]) -> None:
    meter = Meter()
    for value in said:
        meter.captured(np.full(FRAME_SAMPLES, value, np.float32))
    for value in returned:
        meter.provided(np.full(FRAME_SAMPLES, value, np.float32))
    figures = meter.figures(Counts(played=len(returned)))
    assert figures.said == len(said)
    assert figures.returned <= len(returned)
    assert figures.noise_dbfs <= figures.speech_dbfs + 1e-3
    assert figures.clipped == sum(abs(value) >= 0.999 for value in said) / (len(said) or 1)
    assert all("\n" not in line for line in verdict(figures))


def test_what_was_lost_is_what_was_concealed() -> None:
    meter = Meter()
    assert meter.figures(Counts()).lost == 0
    assert meter.figures(Counts(played=85, recovered=5, concealed=10)).lost == pytest.approx(0.1)


class Speaker(Player):
    """A player whose microphone plays a recording once they are in."""

    def __init__(self, sound: Samples, seconds: float | None = None) -> None:
        meter = Meter()
        super().__init__(codec=OpusCodec(), taps=[meter], echo=True)
        self._sound, self._at = sound, 0
        counts, gate = self.call.hearing.counts, self.bridge.gate
        self.test = EchoTest(self.reactor, gate, meter, counts, self.call.chat.notices, self._finish, seconds)
        self.service.on_entered = lambda: self.test.begin(self.call.echo)

    def block(self) -> None:
        block = np.zeros(BLOCK_SAMPLES, np.float32)
        if self.call.connected:
            piece = self._sound[self._at : self._at + BLOCK_SAMPLES]
            block[: len(piece)] = piece
            self._at += BLOCK_SAMPLES
        self.played.append(float(mean_square(np.frombuffer(self.bridge.exchange(block.tobytes()), np.float32))))


def entered(tester: Speaker) -> Network:
    """They are in an echo test of a real server."""
    hub = Hub(tester.reactor, OpusCodec(), Secret(PASSWORD))
    network = Network(tester.reactor, VoiceServerFactory(hub))
    tester.service.start()
    network.join(tester)
    pass_time([tester], 0.1, network.settle)
    assert tester.call.connected
    return network


def test_one_hears_oneself_and_reads_that_all_is_fine() -> None:
    ann = Speaker(recorded("en_f2"), 3.0)
    network = entered(ann)
    pass_time([ann], 2.9, network.settle)
    assert "say something for 3 s" in "\n".join(ann.lines)
    assert not any(ann.played[:100]), "for a second nothing comes back"
    assert max(ann.played[110:]) > 1e-3
    assert ann.ended is None
    pass_time([ann], REST_SECONDS + 0.2, network.settle)
    assert ann.bridge.gate.mode is GateMode.MUTED
    assert ann.ended == (Exit.OK, "")
    assert ann.lines[-1] == "fine: your friends hear you well"
    levels = [line for line in ann.lines if line.startswith("you ") and "server heard" in line]
    assert len(levels) >= 4
    assert "#" in levels[0]
    assert levels[0].endswith("server heard    silent"), "and nothing has come back yet"
    assert levels[1].count("dBFS") == 2


def test_ctrl_c_asks_for_the_verdict_of_what_there_is() -> None:
    ann = Speaker(np.zeros(0, np.float32))
    network = entered(ann)
    pass_time([ann], 0.5, network.settle)
    ann.test.end()
    assert ann.ended == (Exit.TROUBLE, "")
    assert ann.lines[-1].startswith("nothing was heard of you: is it the right microphone")
    ann.test.end()
    pass_time([ann], 3, network.settle)
    assert not any("server heard" in line for line in ann.lines), "it says no more"


def test_a_server_that_knows_no_echo_test_is_left_at_once() -> None:
    ann = Speaker(np.zeros(0, np.float32))
    ann.service.start()
    host: Host = ann.accepted()
    host.let_in(messages.Welcome(1, "Ann", "", 7, []))
    assert host.request == messages.Request("Ann", "", echo=True)
    assert ann.ended == (Exit.PROTOCOL, "this server knows no echo test; it should be updated")


def test_the_bridge_hands_on_what_it_measures() -> None:
    meter = Meter()
    bridge = AudioBridge(lambda turn: None, TalkGate(-60.0), taps=[meter])
    block = np.full(BLOCK_SAMPLES, 0.5, np.float32).tobytes()
    for _ in range(2):
        bridge.exchange(block)
    captured = bridge.captured()
    assert isinstance(captured, Captured)
    assert captured.frame is not None
    bridge.play()
    bridge.provide(captured.frame.tobytes())
    assert bridge.exchange(block) == block
    assert meter.loudest() == pytest.approx((-6.02, -6.02), abs=0.01)
    assert meter.loudest() == (-120.0, -120.0)
