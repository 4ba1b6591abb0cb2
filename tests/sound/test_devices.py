"""The client's dealings with real PortAudio devices."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testkit.processes import Child, command, follow, free_port, password_file, stop, wait_for_port
from testkit.rig import SoundRig, sound_rig
from tests.conftest import SOAK
from voicechat.client.audio.jobs import STUCK

pytestmark = pytest.mark.sound

LOSSES = 100 if SOAK else 3

NO_DEVICE = 74
"""The client's exit status when a named sound device cannot be used."""


def test_the_default_device_is_listed() -> None:
    with sound_rig(1) as rig:
        listed = client(rig, "--list-devices")
    assert listed.returncode == 0, listed.stderr
    assert "default" in listed.stdout


@pytest.mark.parametrize("way", ["--input", "--output"])
def test_a_named_device_that_is_missing_ends_with_74_and_the_list(way: str) -> None:
    with sound_rig(1) as rig, password_file() as (_, password):
        ended = client(
            rig,
            *("--host", "127.0.0.1", "--port", str(free_port()), "--password-file", str(password)),
            *("--name", "Ann", "--ui", "line", way, "Grandmother's gramophone"),
        )
    assert ended.returncode == NO_DEVICE, ended.stderr
    assert "Grandmother's gramophone" in ended.stderr
    assert "default" in ended.stderr + ended.stdout


def test_a_loudspeaker_that_is_unplugged_is_taken_up_again(tmp_path: Path, tell: list[str]) -> None:
    with sound_rig(1) as rig, in_room(tmp_path, rig.client_environment(0)) as ann:
        rig.wait_for_link("spk0")
        open_before: tuple[int, int] | None = None
        for number in range(1, LOSSES + 1):
            rig.unplug("spk0")
            lines(ann, "the sound device stopped", number)
            rig.plug("spk0")
            back = time.perf_counter()
            assert follow([ann], 20, lambda number=number: recoveries(ann) == number), ann.tail()  # type: ignore[misc]
            rig.wait_for_link("spk0")
            tell.append(f"loudspeaker in use again: {time.perf_counter() - back:.1f} s after its return")
            open_before = open_before or held(ann)
        after = held(ann)
        assert open_before is not None
        assert after[0] <= open_before[0] + 1, "threads"
        assert after[1] <= open_before[1] + 8, "descriptors: PipeWire's own come and go"
        assert ann.end is None, ann.tail()


def test_a_sound_system_that_is_killed_and_started_anew_is_used_again(tmp_path: Path) -> None:
    with sound_rig(1) as rig, in_room(tmp_path, rig.client_environment(0)) as ann:
        rig.wait_for_link("spk0")
        rig.restart()
        lines(ann, "the sound device stopped", 1)
        assert follow([ann], STUCK + 10, lambda: recoveries(ann) == 1), ann.tail()
        rig.wait_for_link("mic0")
        rig.wait_for_link("spk0")


def test_a_default_device_that_is_chosen_anew_is_followed(tmp_path: Path) -> None:
    with sound_rig(2) as rig:
        rig.choose(0)
        with in_room(tmp_path, rig.follower_environment()) as ann:
            rig.wait_for_link("mic0")
            rig.wait_for_link("spk0")
            rig.choose(1)
            rig.wait_for_link("mic1")
            rig.wait_for_link("spk1")
            assert "stopped" not in ann.written(), "nothing was lost"


def test_the_devices_thread_keeps_its_python_state_until_it_rests() -> None:
    """Made and destroyed at each block it would cost more than all else in a silent room; left behind, memory."""
    with sound_rig(1) as rig:
        ended = subprocess.run(
            [sys.executable, "-c", STATES], env=rig.client_environment(0), capture_output=True, text=True, check=False
        )
    assert ended.stdout.split() == ["1", "0", "2", "0"], ended.stderr


STATES = """
import gc, threading, weakref
from voicechat.client.audio.devices import Devices

class Mark: pass

local, marks, enough = threading.local(), weakref.WeakSet(), threading.Event()

def exchange(block):
    calls = local.calls = getattr(local, "calls", 0) + 1
    if calls == 1:
        local.mark = Mark()  # lives as long as the thread's state
        marks.add(local.mark)
        seen.append(calls)
    if calls == 20:
        enough.set()
    return block

def living():
    gc.collect()
    return len(marks)

seen = []
devices = Devices("default", "default")
devices.open(exchange)
assert enough.wait(10), "each call has a state of its own"
print(len(seen))
devices.pause()
print(living())
enough.clear()
devices.go_on()
assert enough.wait(10), "each call has a state of its own"
print(len(seen))
devices.pause()
print(living())
devices.close()
"""
"""One thread local value for each state that the device's thread had, and how many of them live."""


@contextmanager
def in_room(folder: Path, environment: dict[str, str]) -> Iterator[Child]:
    """A real client on its default devices, alone in the room of a real server; ends well."""
    children: list[Child] = []
    with password_file() as (_, password):
        try:
            port = free_port()
            options = ["--password-file", str(password), "--port", str(port)]
            twistd = [command("twistd"), "-n", "--pidfile=", "voicechat", *options, "--interface", "127.0.0.1"]
            children.append(Child("server", twistd, folder / "server.log"))
            assert wait_for_port(children[0], port) is None
            words = [command("voicechat-client"), "--host", "127.0.0.1", *options, "--name", "Ann", "--ui", "line"]
            ann = Child("Ann", words, folder / "Ann.log", variables=environment)
            children.append(ann)
            lines(ann, "you are in as Ann", 1)
            yield ann
        finally:
            stop(children)
    for child in children:
        assert child.failure() is None, child.failure()


def lines(child: Child, words: str, count: int) -> None:
    """Wait until it has said so, so often."""
    assert follow([child], 20, lambda: child.written().count(words) >= count or child.end is not None), child.tail()
    assert child.written().count(words) == count, child.tail()


def recoveries(child: Child) -> int:
    """How often it has said that the whole sound is there again: each time in one of two ways."""
    return child.written().count("the sound goes on with") + child.written().count("the loudspeaker is back")


def held(child: Child) -> tuple[int, int]:
    """Threads and descriptors."""
    folder = Path("/proc", str(child.pid))
    return len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir()))


def client(rig: SoundRig, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the client on the rig to its end."""
    return subprocess.run(
        [command("voicechat-client"), *arguments],
        env=rig.client_environment(0),
        cwd=Path(rig.base),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
