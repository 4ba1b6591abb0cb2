"""What stands between the card and the call: stages that change sound, taps that see it."""

import numpy as np

from tests.client.player import Host, Player, pass_time
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.audio.processing import Stage, Tap
from voicechat.format import BLOCK_SAMPLES, SILENT_BLOCK, Frame, Samples
from voicechat.media.gate import GateMode, TalkGate
from voicechat.media.packet import MediaPacket
from voicechat.wire import media


def block(value: float) -> bytes:
    return np.full(BLOCK_SAMPLES, value, np.float32).tobytes()


def value_of(sound: bytes) -> float:
    return float(np.frombuffer(sound, np.float32)[0])


class PerfectCanceller:
    """Takes away what was played, as if the microphone heard just that and the one who speaks."""

    def process(self, block: bytes, played: bytes) -> bytes:
        """The difference."""
        if block is SILENT_BLOCK:
            return block
        return (np.frombuffer(block, np.float32) - np.frombuffer(played, np.float32)).tobytes()


class Halver:
    """Makes all softer by half."""

    def process(self, block: bytes, played: bytes) -> bytes:
        """Half of it."""
        return (np.frombuffer(block, np.float32) / 2).tobytes()


class Ear:
    """Keeps what it sees."""

    def __init__(self) -> None:
        self.talked: list[float] = []
        self.heard: list[float] = []

    def captured(self, frame: Frame) -> None:
        """One frame out."""
        self.talked.append(round(float(frame[0]), 3))

    def provided(self, sound: Samples) -> None:
        """One in."""
        self.heard.append(round(float(sound[0]), 3))


def captured_by(bridge: AudioBridge) -> list[float]:
    """What each frame of talk that waits begins with."""
    return [float(one.frame[0]) for one in iter(bridge.captured, None) if one.frame is not None]


def before_a_loudspeaker(*stages: Stage) -> tuple[AudioBridge, list[bytes]]:
    """A bridge whose microphone hears what is played, as loud as it is, for two seconds; what was played."""
    bridge = AudioBridge(lambda turn: None, TalkGate(), stages=stages)
    bridge.play()
    played = [SILENT_BLOCK]
    for _ in range(100):
        bridge.provide(2 * block(0.25))
        for _ in range(2):
            played.append(bridge.exchange(block(value_of(played[-1]))))
    return bridge, played


def test_the_gate_judges_what_a_stage_leaves_by_what_was_really_played() -> None:
    bare, _ = before_a_loudspeaker()
    assert bare.talking, "what is played opens the gate"
    bridge, played = before_a_loudspeaker(PerfectCanceller())
    assert played[-1] == block(0.25)
    assert not bridge.talking
    assert bridge.captured() is None
    assert bridge.level == 0.0
    for _ in range(4):
        played.append(bridge.exchange(block(value_of(played[-1]) + 0.125)))
    assert captured_by(bridge)[-2:] == [0.125, 0.125], "the voice, without the echo"


def test_an_underrun_is_played_too() -> None:
    bridge = AudioBridge(lambda turn: None, TalkGate(), stages=[PerfectCanceller()])
    bridge.gate.mode = GateMode.OPEN
    bridge.play()
    bridge.provide(2 * block(0.25))
    for heard in (0.5, 0.75, 0.75, 0.5):  # silence was played, then twice a quarter, then silence again
        bridge.exchange(block(heard))
    assert bridge.underruns == 2
    assert [float(captured.frame[0]) for captured in iter(bridge.captured, None) if captured.frame is not None] == [
        0.5
    ] * 2


def test_stages_follow_each_other_in_order() -> None:
    """What the second gets is what the first left."""
    left = []
    orders: list[list[Stage]] = [[Halver(), PerfectCanceller()], [PerfectCanceller(), Halver()]]
    for stages in orders:
        bridge = AudioBridge(lambda turn: None, TalkGate(), stages=stages)
        bridge.play()
        bridge.provide(2 * block(0.25))
        bridge.provide(2 * block(0.25))
        for _ in range(4):
            bridge.exchange(block(1.0))
        left.append(bridge.level)
    assert left == [(1.0 / 2 - 0.25) ** 2, ((1.0 - 0.25) / 2) ** 2]


def test_a_closed_microphone_stays_one_behind_a_stage() -> None:
    bridge = AudioBridge(lambda turn: None, TalkGate(), stages=[PerfectCanceller()])
    for _ in range(1000):
        bridge.exchange(block(0.01))
    floor = bridge.gate.floor
    for _ in range(1000):
        bridge.exchange(SILENT_BLOCK)
    assert bridge.gate.floor == floor > 0


def test_a_tap_sees_both_directions_of_a_call_and_changes_none() -> None:
    """Each tap, however many there are; in silence none is called."""
    ears: list[Tap] = [Ear(), Ear()]
    ann = Player(taps=ears)
    ann.service.start()
    host: Host = ann.accepted()
    host.let_in()
    pass_time([ann], 1.0)
    for ear in ears:
        assert isinstance(ear, Ear)
        assert ear.talked == ear.heard == []
    ann.says = 0.25
    for tick in range(10):
        host.tell_bytes(media.encode(MediaPacket(2, tick, b"HC\0\0\0\x3f", marker=not tick)))
        pass_time([ann], 0.02)
    ann.says = 0.0
    pass_time([ann], 1.0)
    for ear in ears:
        assert isinstance(ear, Ear)
        assert ear.talked.count(0.25) >= 9
        assert ear.heard.count(0.5) >= 9
    assert 0.5 in ann.played
    assert ann.call.uplink.sent == len(ears[0].talked)  # type: ignore[attr-defined]
