"""R10: a sound device that stops, and comes back; the call goes on without it.

A card that calls again by itself is heard and played at once. One that was unplugged is
opened again within three seconds of its return, by name, and the default one stands in
meanwhile: here in whole calls over a fake PortAudio, step by step in
tests/client/audio/test_supervisor.py, over a real PipeWire in tests/sound.
"""

import sys

import pytest

from tests.client.sound_library import HDMI, HEADSET, WEBCAM, Library
from tests.conftest import SOAK
from tests.goals.world import Caller, World
from voicechat.client.audio.devices import Devices
from voicechat.client.audio.supervisor import Sound
from voicechat.client.ui.line import Console
from voicechat.errors import DeviceError

LOSSES = 100 if SOAK else 20


def is_normal(world: World, caller: Caller) -> bool:
    """They hear, without a gap, what is being said."""
    ages = caller.ages(world.now - 0.5)
    return len(ages) >= 48 and max(ages) < 0.1


def test_r10_a_card_that_is_lost_a_hundred_times_costs_its_owner_his_sound_and_nothing_else() -> None:
    world = World()
    ann, ben, cid = (world.call(name) for name in ("Ann", "Ben", "Cid"))
    ann.talks = lambda _: True
    world.run(2)
    calls = None
    for number in range(LOSSES):
        seconds = (0.3, 0.7, 2.0, 5.0)[number % 4]
        ben.card_until = world.now
        lost = world.now
        world.run(seconds)
        assert len(cid.ages(lost, world.now)) == pytest.approx(seconds * 100, abs=1)
        assert not ben.heard_since(lost + 0.02)
        assert ben.in_room
        ben.replug()
        world.run(1.5)
        assert is_normal(world, ben), f"after loss {number + 1}"
        here = len(ben.reactor.getDelayedCalls())
        calls = calls or here
        assert abs(here - calls) <= 2
    assert ben.player.call.reconnects == 0
    assert ben.player.ended is None


def test_r10_a_talker_whose_card_was_lost_is_heard_again_when_it_is_back() -> None:
    world = World()
    ann, ben = world.call("Ann"), world.call("Ben")
    ann.talks = lambda _: True
    world.run(2)
    for number in range(LOSSES):
        ann.card_until = world.now
        world.run((0.3, 0.7, 2.0, 30.0)[number % 4])
        ann.replug()
        world.run(1.5)
        assert is_normal(world, ben), f"after loss {number + 1}"
    assert ann.player.call.reconnects == 0


def test_r10_a_headset_unplugged_a_hundred_times_is_taken_up_again_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(HEADSET, WEBCAM, HDMI)
    monkeypatch.setitem(sys.modules, "pyaudio", library)
    world = World()
    ann, ben = world.call("Ann"), world.call("Ben")
    console = Console(ben.player.out, ben.player.err)
    devices = Devices("USB Headset", "USB Headset", lambda: None)
    failed: list[DeviceError] = []
    sound = Sound(ben.reactor, devices, ben.player.bridge, console, failed.append, lambda work: work())
    sound.start()
    assert not failed
    ben.card = library.beat
    ann.talks = lambda _: True
    world.run(2)
    assert is_normal(world, ben)
    calls = None
    for number in range(LOSSES):
        library.unplug(HEADSET, *((WEBCAM, HDMI) if number % 2 else ()))
        world.run((0.4, 1.0, 2.5, 4.0)[number % 4])
        assert ben.in_room
        assert ann.player.call.friends.listening, "the others do not notice"
        library.plug(HEADSET, WEBCAM, HDMI)
        library.unplug(*(() if number % 2 else (WEBCAM, HDMI)))
        back = world.now
        world.until(lambda back=back: ben.heard_since(back + 0.3), 3.0)  # type: ignore[misc]
        library.plug(WEBCAM, HDMI)
        world.run(3.0)
        assert is_normal(world, ben), f"after loss {number + 1}"
        here = len(ben.reactor.getDelayedCalls())
        calls = calls or here
        assert abs(here - calls) <= 2
        assert len(library.streams) == 1
        assert library.initialised == 1
    assert ben.player.call.reconnects == 0
    assert ben.player.ended is None
    sound.stop()
