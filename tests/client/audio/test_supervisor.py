"""Devices that are lost and come back, on a Clock: what is opened when, and what is said."""

import io
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.sound_library import HDMI, HEADSET, QUIET, WEBCAM, Library
from tests.memory import VoiceReactor
from voicechat.client.audio import devices as choices
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.audio.devices import Devices
from voicechat.client.audio.jobs import MOST_STUCK, STUCK
from voicechat.client.audio.portaudio import Listing, PortAudio
from voicechat.client.audio.supervisor import (
    AGAIN,
    LOOK_EVERY,
    MUTED_FOR,
    PATIENCE,
    SILENT_FOR,
    UNHEARD_FOR,
    Sound,
)
from voicechat.client.ui.line import Console
from voicechat.errors import DeviceError
from voicechat.format import BLOCK_SECONDS
from voicechat.media.gate import GateMode, TalkGate

STOPPED = "voicechat-client: the sound device stopped; waiting for it, or another one"
LOUD = bytes([1]) * len(QUIET)

SOON = 3.0
"""Seconds within which a device that is back is in use."""


class House:
    """A player's sound without the call: the machine, the devices, the bridge."""

    def __init__(self, library: Library, microphone: str = "default", loudspeaker: str = "default") -> None:
        self.library = library
        self.reactor = VoiceReactor()
        self.out, self.err = io.StringIO(), io.StringIO()
        self.bridge = AudioBridge(self.reactor.callFromThread, TalkGate())
        self.bridge.exchange = self.exchange  # type: ignore[method-assign]
        self.devices = Devices(microphone, loudspeaker, self.look_again)
        self.failed: list[DeviceError] = []
        self.hangs = False
        self.hanging: list[Callable[[], None]] = []
        self.looked = 0
        self.sound = Sound(
            self.reactor,
            self.devices,
            self.bridge,
            Console(self.out, self.err),
            self.failed.append,
            self.apart,
        )
        self.sound.start()

    def exchange(self, block: bytes) -> bytes:
        """As the bridge does, by this house's clock."""
        self.bridge.beat.called_at = self.reactor.seconds()
        return block

    def apart(self, work: Callable[[], None]) -> None:
        """In one thread, unless it hangs."""
        if self.hangs:
            self.hanging.append(work)
        else:
            work()

    def look_again(self) -> Listing | None:
        """What another process would find."""
        self.looked += 1
        return fresh(self.library)

    def run(self, seconds: float) -> None:
        """Let time go by, block by block."""
        for _ in range(round(seconds / BLOCK_SECONDS)):
            self.library.beat()
            self.reactor.advance(BLOCK_SECONDS)

    def until(self, enough: Callable[[], bool], seconds: float) -> float:
        """Let time go by until ``enough()``; the seconds that it took."""
        start = self.reactor.seconds()
        while not enough():
            assert self.reactor.seconds() - start < seconds, (self.told(), "not in time")
            self.run(BLOCK_SECONDS)
        return self.reactor.seconds() - start

    def told(self) -> list[str]:
        """Lines since the last call: what is wrong first."""
        lines = (self.err.getvalue() + self.out.getvalue()).splitlines()
        for stream in (self.err, self.out):
            stream.seek(0)
            stream.truncate()
        return [line for line in lines if not line.startswith("wear headphones")]

    @property
    def names(self) -> list[dict[str, str]]:
        """Devices of the streams that call."""
        return [stream.names for stream in self.library.streams if stream.alive]


def fresh(library: Library) -> Listing:
    """A list of what is plugged in now."""
    other = Library(*library.plugged.values())
    before = sys.modules["pyaudio"]
    sys.modules["pyaudio"] = other  # type: ignore[assignment]
    try:
        return PortAudio().listing
    finally:
        sys.modules["pyaudio"] = before


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library(HEADSET, WEBCAM, HDMI)
    monkeypatch.setitem(sys.modules, "pyaudio", made)
    monkeypatch.setattr(choices, "FIRST_WITHIN", 0.0)
    monkeypatch.setattr(choices, "_cards", lambda: " ".join(made.plugged))
    return made


def test_a_device_that_is_unplugged_gives_way_to_the_next_default_one_in_time(library: Library) -> None:
    house = House(library)
    house.run(5)
    assert house.names == [{"input": "USB Headset", "output": "USB Headset"}]
    assert house.told() == []
    library.unplug(HEADSET)
    took = house.until(lambda: bool(house.names), SOON)
    assert took <= SILENT_FOR + LOOK_EVERY + BLOCK_SECONDS
    assert house.names == [{"input": "Webcam", "output": "HDMI"}]
    house.run(2 * LOOK_EVERY)
    assert house.told() == [STOPPED, "the sound goes on with Webcam and HDMI"]
    house.run(10)
    assert house.told() == []
    assert library.lists == 2


def test_the_only_device_is_waited_for_and_taken_up_within_three_seconds(library: Library) -> None:
    library.unplug(WEBCAM, HDMI)
    house = House(library)
    house.run(2)
    for _ in range(3):
        library.unplug(HEADSET)
        house.run(30)
        assert house.names == []
        assert house.told() == [STOPPED], "in one line, and once"
        library.plug(HEADSET)
        house.until(lambda: bool(house.names), SOON)
        house.run(1)
        assert house.told() == ["the sound goes on with USB Headset"]
    assert house.failed == []


def test_a_device_that_is_there_and_silent_is_opened_anew(library: Library) -> None:
    house = House(library)
    house.run(2)
    library.mute = True
    house.run(3)
    assert house.told() == [STOPPED]
    library.mute = False
    house.until(lambda: bool(house.names), SOON)
    house.run(1)
    assert house.told() == ["the sound goes on with USB Headset"]


def test_for_a_named_device_the_default_one_stands_in_until_it_is_back(library: Library) -> None:
    house = House(library, "Headset", "HDMI")
    house.run(2)
    assert house.names == [{"input": "USB Headset", "output": "HDMI"}]
    library.unplug(HEADSET)
    house.until(lambda: bool(house.names), SOON)
    assert house.names == [{"input": "Webcam", "output": "HDMI"}]
    assert house.told() == [
        STOPPED,
        "voicechat-client: 'USB Headset' is gone; the microphone is 'Webcam' until it is back",
    ]
    house.run(20)
    assert house.told() == []
    assert house.looked == 0, "as long as the machine's cards stay the same nobody need look"
    library.plug(HEADSET)
    house.until(lambda: house.names == [{"input": "USB Headset", "output": "HDMI"}], SOON)
    house.run(1)
    assert house.told() == ["'USB Headset' is back"]
    assert house.looked == 1


def test_half_of_what_there_was_goes_on_and_the_other_half_comes_back(library: Library) -> None:
    library.unplug(HEADSET)
    house = House(library)
    house.run(2)
    library.unplug(HDMI)
    house.run(3)
    assert house.names == [{"input": "Webcam"}]
    assert house.told() == [STOPPED, "voicechat-client: no loudspeaker found: you hear nothing"]
    library.plug(HDMI)
    house.until(lambda: house.names == [{"input": "Webcam", "output": "HDMI"}], SOON)
    assert house.told() == ["the loudspeaker is back"]


def test_no_device_at_the_start_is_not_the_end(library: Library) -> None:
    library.unplug(HEADSET, WEBCAM, HDMI)
    house = House(library)
    house.run(10)
    assert house.told() == [
        "voicechat-client: no microphone found: you are not heard",
        "voicechat-client: no loudspeaker found: you hear nothing",
    ]
    library.plug(HDMI)
    house.until(lambda: house.names == [{"output": "HDMI"}], SOON)
    assert house.told() == ["the loudspeaker is back"]
    library.plug(WEBCAM)
    house.until(lambda: house.names == [{"input": "Webcam", "output": "HDMI"}], SOON)
    assert house.told() == ["the microphone is back"]


def test_a_named_device_that_cannot_be_opened_at_the_start_fails(library: Library) -> None:
    library.broken = {"USB Headset"}
    house = House(library, "USB Headset")
    (error,) = house.failed
    assert "USB Headset" in str(error)
    assert "Device unavailable" in str(error)
    house.sound.stop()


def test_a_recording_is_played_to_the_default_device_that_is_lost_and_back(library: Library) -> None:
    house = House(library, "silence")
    house.run(1)
    assert house.names == [{"output": "USB Headset"}]
    library.unplug(HEADSET, HDMI)
    house.run(2)
    library.plug(HDMI)
    house.until(lambda: house.names == [{"output": "HDMI"}], SOON)
    house.sound.stop()


def test_a_standstill_of_the_whole_program_is_no_loss(library: Library) -> None:
    house = House(library)
    house.run(2)
    house.reactor.advance(600)
    house.run(2)
    assert house.told() == []
    assert library.lists == 1


def test_a_hundred_losses_leave_nothing(library: Library) -> None:
    house = House(library, "USB Headset", "HDMI")
    house.run(2)
    threads = threading.active_count()
    for number in range(100):
        gone = [(HEADSET,), (HDMI,), (HEADSET, HDMI, WEBCAM)][number % 3]
        library.unplug(*gone)
        house.run((0.2, 1.0, 5.0, 7.3)[number % 4])
        library.plug(HEADSET, WEBCAM, HDMI)
        house.until(lambda: house.names == [{"input": "USB Headset", "output": "HDMI"}], SOON)
        assert len(library.streams) == 1
        assert len(house.reactor.getDelayedCalls()) == 1
        assert library.initialised == 1
        del library.opened[:-1]
    assert house.failed == []
    assert threading.active_count() <= threads
    house.sound.stop()
    assert library.streams == []
    assert library.initialised == 0
    house.run(2)
    assert house.reactor.getDelayedCalls() == []


def test_what_hangs_is_tried_again_beside_it_but_not_without_end(library: Library) -> None:
    house = House(library)
    house.run(2)
    house.hangs = True
    library.unplug(HEADSET)
    house.until(lambda: len(house.hanging) == MOST_STUCK + 1, (MOST_STUCK + 1) * (STUCK + SOON))
    assert house.told() == [STOPPED]
    house.until(
        lambda: "voicechat-client: the sound system hangs; start it anew, and then this client" in house.told(),
        STUCK + SOON,
    )
    house.run(60)
    assert len(house.hanging) == MOST_STUCK + 1
    house.hangs = False
    library.plug(HEADSET)
    house.hanging.pop()()
    house.run(SOON)
    assert house.names[-1] == {"input": "USB Headset", "output": "USB Headset"}
    assert library.streams[0].beat(LOUD) == QUIET, "what hangs is not heard any more"
    assert library.streams[-1].beat(LOUD) == LOUD
    assert house.told() == ["the sound goes on with USB Headset"]


def test_who_is_muted_for_long_has_the_microphone_closed_and_opened_at_once(library: Library) -> None:
    house = House(library)
    house.run(5)
    house.bridge.gate.mode = GateMode.MUTED
    house.run(MUTED_FOR - 1)
    assert house.names == [{"input": "USB Headset", "output": "USB Headset"}]
    house.bridge.play()
    house.run(MUTED_FOR)
    assert house.names == [{"input": "USB Headset", "output": "USB Headset"}], "not while somebody talks"
    house.bridge.rest()
    house.run(1)
    assert house.names == [{"output": "USB Headset"}]
    house.run(60)
    house.bridge.gate.mode = GateMode.VOICE
    house.sound.changed()
    assert house.names == [{"input": "USB Headset", "output": "USB Headset"}], "at once"
    assert len(library.streams) == 1
    assert house.told() == []
    assert library.lists == 1


def test_of_one_who_is_muted_and_hears_nobody_nothing_runs_until_a_packet_comes(library: Library) -> None:
    house = House(library)
    awake: list[float] = []
    house.bridge.on_awake = lambda: awake.append(house.reactor.seconds())
    house.bridge.gate.mode = GateMode.MUTED
    house.run(MUTED_FOR + UNHEARD_FOR + 2)
    assert house.names == []
    assert house.bridge.resting
    house.run(600)
    assert house.told() == [], "a rest is no loss"
    house.bridge.on_wanted()
    assert awake == [house.reactor.seconds()]
    assert house.names == [{"output": "USB Headset"}]
    assert not house.bridge.resting
    house.bridge.play()
    house.run(20)
    assert house.names == [{"output": "USB Headset"}]
    house.bridge.rest()
    house.run(UNHEARD_FOR + 1)
    assert house.names == []
    house.bridge.gate.mode = GateMode.SHUT
    house.sound.changed()
    assert house.names == [{"input": "USB Headset", "output": "USB Headset"}]
    house.run(60)
    assert house.names == [{"input": "USB Headset", "output": "USB Headset"}], "an idle key keeps it open"
    assert len(library.streams) == 1


def test_who_talks_without_a_pause_does_not_keep_a_muted_microphone_open(library: Library) -> None:
    house = House(library)
    house.bridge.gate.mode = GateMode.MUTED
    house.bridge.play()
    house.run(PATIENCE * MUTED_FOR + 1)
    assert house.names == [{"output": "USB Headset"}]


def test_what_comes_while_the_microphone_is_being_closed_or_opened_is_not_forgotten(library: Library) -> None:
    house = House(library)
    house.bridge.gate.mode = GateMode.MUTED
    house.hangs = True
    house.until(lambda: bool(house.hanging), MUTED_FOR + 1)
    house.bridge.gate.mode = GateMode.VOICE
    house.sound.changed()
    house.hangs = False
    house.hanging.pop()()
    assert house.names == [{"input": "USB Headset", "output": "USB Headset"}]
    house.bridge.gate.mode = GateMode.MUTED
    house.run(MUTED_FOR - 1)
    house.bridge.play()
    house.run(2)
    house.bridge.rest()
    house.run(2)
    assert house.names == [{"output": "USB Headset"}]
    house.hangs = True
    house.until(lambda: bool(house.hanging), UNHEARD_FOR + 1)
    house.bridge.on_wanted()
    house.hangs = False
    house.hanging.pop()()
    assert house.names == [{"output": "USB Headset"}]
    assert not house.bridge.resting


def test_a_device_that_went_while_it_rested_is_lost_when_it_is_needed(library: Library) -> None:
    house = House(library)
    house.bridge.gate.mode = GateMode.MUTED
    house.run(MUTED_FOR + UNHEARD_FOR + 2)
    library.unplug(HEADSET)
    house.run(30)
    assert house.told() == []
    house.bridge.on_wanted()
    house.until(lambda: house.names == [{"output": "HDMI"}], SOON)
    house.run(1)
    assert house.told() == [STOPPED, "the sound goes on with HDMI"]


def test_a_device_that_one_program_may_open_once_is_closed_first(library: Library) -> None:
    house = House(library)
    library.exclusive = True
    house.bridge.gate.mode = GateMode.MUTED
    house.run(MUTED_FOR + 1)
    assert house.names == [{"output": "USB Headset"}]
    house.bridge.gate.mode = GateMode.VOICE
    house.sound.changed()
    assert house.names == [{"input": "USB Headset", "output": "USB Headset"}]
    assert len(library.streams) == 1


def test_a_recording_goes_on_while_its_client_is_muted(library: Library, tmp_path: Path) -> None:
    house = House(library, "default", f"wav:{tmp_path}/heard.wav")
    house.bridge.gate.mode = GateMode.MUTED
    house.run(60)
    assert house.names == [{"input": "USB Headset"}]
    house.sound.stop()


def test_looks_are_few(library: Library) -> None:
    house = House(library)
    calls = 0
    before = {id(call) for call in house.reactor.getDelayedCalls()}
    for _ in range(6000):
        house.run(BLOCK_SECONDS)
        now = {id(call) for call in house.reactor.getDelayedCalls()}
        calls += now != before
        before = now
    assert calls <= 60 / LOOK_EVERY
    assert AGAIN > LOOK_EVERY
