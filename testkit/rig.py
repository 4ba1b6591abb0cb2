"""A private sound system without a sound card: microphones, loudspeakers, one clock.

What lives here: ``SoundRig``, which runs PipeWire and its session manager under
a folder of its own (nothing of the user's own sound system is touched, and root
is not needed), and the check that says which Debian package is missing.

May import the standard library only. May never skip: what is missing raises
``RigError``, so that a test run without sound fails instead of passing unheard.

For each person k there are two null nodes: ``mic{k}``, which records what is
fed to its input, and ``spk{k}``, which takes what the person's client plays. The
recorder is linked to all of them, and that puts the whole graph under one
driver, thus on one clock: a delay between two of its channels is a true delay,
exact to the sample.

A client reaches its pair as the default ALSA device (PortAudio speaks ALSA),
by a configuration file named in its environment; see ``client_environment``.

More than 300 lines, since the check for what is missing belongs to what is started, and all of that
shares one folder and one environment.
"""

import contextlib
import ctypes.util
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from voicechat.format import SAMPLE_RATE

QUANTUM: Final = 256
"""Samples of one cycle of the graph (5.3 ms), fixed, so that no client changes the rig's own delay for another.

The nodes' clock follows timers, so a smaller one costs CPU and a larger one delay; 256 measured well.
"""

START_SECONDS: Final = 10.0
"""Longest wait for the sound system; it is up in about one second on two busy cores."""

LINK_SECONDS: Final = 8.0
"""Longest wait for a port to appear and be linked; a Python client with PortAudio takes one to two seconds."""

STOP_SECONDS: Final = 3.0
"""Time for a child to end by itself before it is killed."""

_LOOK_SECONDS: Final = 0.05
"""Pause between two looks at something that must appear."""

_PROGRAMS: Final = {
    "pipewire": "pipewire-bin",
    "pw-link": "pipewire-bin",
    "pw-play": "pipewire-bin",
    "pw-record": "pipewire-bin",
    "wireplumber": "wireplumber",
    "dbus-run-session": "dbus-daemon",
}
"""Program and the Debian package that brings it."""

_ALSA_PLUGIN: Final = "alsa-lib/libasound_module_pcm_pipewire.so"

_FOREIGN: Final = ("PULSE", "PIPEWIRE", "JACK", "ALSA", "XDG", "DBUS", "DISPLAY", "WAYLAND", "VOICECHAT")
"""Beginnings of variables that would lead a program to the user's own sound system, or to their own settings."""

_CONFIGURATION: Final = """
context.properties = {{
    core.daemon = true
    core.name = pipewire-0
    support.dbus = false
    link.max-buffers = 16
    default.clock.rate = {rate}
    default.clock.allowed-rates = [ {rate} ]
    default.clock.quantum = {quantum}
    default.clock.min-quantum = {quantum}
    default.clock.max-quantum = {quantum}
}}
context.spa-libs = {{
    audio.convert.* = audioconvert/libspa-audioconvert
    support.* = support/libspa-support
}}
context.modules = [
    {{ name = libpipewire-module-rt args = {{ nice.level = -11 }} flags = [ ifexists nofail ] }}
    {{ name = libpipewire-module-protocol-native }}
    {{ name = libpipewire-module-metadata }}
    {{ name = libpipewire-module-spa-node-factory }}
    {{ name = libpipewire-module-client-node }}
    {{ name = libpipewire-module-access }}
    {{ name = libpipewire-module-adapter }}
    {{ name = libpipewire-module-link-factory }}
    {{ name = libpipewire-module-session-manager }}
]
context.objects = [
    {{ factory = metadata args = {{ metadata.name = default }} }}
    {{ factory = spa-node-factory args = {{ factory.name = support.node.driver
       node.name = Dummy-Driver node.group = pipewire.dummy priority.driver = 20000 }} }}
{nodes}]
context.exec = []
"""

_NODE: Final = """\
    {{ factory = adapter args = {{ factory.name = support.null-audio-sink
       node.name = "{name}" node.description = "{name}" media.class = {media_class}
       audio.position = [ MONO ] node.driver = true priority.driver = 1000
       monitor.channel-volumes = false monitor.passthrough = true
       session.suspend-timeout-seconds = 0 node.pause-on-idle = false node.always-process = true
       adapter.auto-port-config = {{ mode = dsp monitor = true position = preserve }} }} }}
"""

_LEAK: Final = """
context.properties = {{ }}
context.spa-libs = {{
    audio.convert.* = audioconvert/libspa-audioconvert
    support.* = support/libspa-support
}}
context.modules = [
    {{ name = libpipewire-module-rt args = {{ nice.level = -11 }} flags = [ ifexists nofail ] }}
    {{ name = libpipewire-module-protocol-native }}
    {{ name = libpipewire-module-client-node }}
    {{ name = libpipewire-module-adapter }}
    {{ name = libpipewire-module-filter-chain args = {{
        node.description = "{name}"
        filter.graph = {{
            nodes = [ {{ type = builtin label = convolver name = room config = {{ filename = {room} }} }} ] }}
        capture.props = {{ node.name = "{name}-in" audio.channels = 1 audio.position = [ MONO ]
            node.autoconnect = false }}
        playback.props = {{ node.name = "{name}-out" audio.channels = 1 audio.position = [ MONO ]
            node.autoconnect = false }}
    }} }}
]
"""

_ALSA_CONFIGURATION: Final = """\
pcm.default {{ type pipewire playback_node "spk{k}" capture_node "mic{k}" }}
ctl.default {{ type pipewire }}
"""


_NO_HARDWARE: Final = {
    "main.lua.d/51-rig.lua": "alsa_monitor.enabled = false\nv4l2_monitor.enabled = false\n"
    "libcamera_monitor.enabled = false\n",
    "bluetooth.lua.d/51-rig.lua": "bluez_monitor.enabled = false\n",
    "wireplumber.conf.d/rig.conf": "wireplumber.profiles = { main = { monitor.alsa = disabled, "
    "monitor.alsa-midi = disabled, monitor.bluez = disabled, monitor.v4l2 = disabled, "
    "monitor.libcamera = disabled } }\n",
}
"""What keeps WirePlumber from taking the machine's real devices: in Lua up to 0.4, as profiles from 0.5 on."""


def _node(name: str) -> str:
    """The configuration of one node."""
    return _NODE.format(name=name, media_class="Audio/Source/Virtual" if name.startswith("mic") else "Audio/Sink")


class RigError(Exception):
    """The rig cannot run or did not come up; the text says what to install or what was waited for."""


def require() -> None:
    """Raise RigError, naming the Debian packages, unless all that the sound tier needs is installed."""
    missing = {package for program, package in _PROGRAMS.items() if shutil.which(program) is None}
    if not any(Path("/usr/lib").glob(f"*/{_ALSA_PLUGIN}")) and not Path("/usr/lib", _ALSA_PLUGIN).exists():
        missing.add("pipewire-alsa")
    if ctypes.util.find_library("portaudio") is None:
        missing.add("libportaudio2")
    told = []
    if missing:
        told.append(f"apt-get install {' '.join(sorted(missing))}")
    if importlib.util.find_spec("pyaudio") is None:
        told.append("pip install pyaudio (needs portaudio19-dev)")
    if told:
        raise RigError(f"the sound tier needs what is not installed: {'; '.join(told)}")


class SoundRig:
    """A running private sound system for ``persons`` microphones and loudspeakers; a context manager.

    ``base`` is the folder of everything, made by the caller and short enough for
    a socket path in it (108 bytes). Errors: RigError if it does not come up.
    """

    def __init__(self, persons: int, base: Path) -> None:
        self.persons = persons
        self.base = base
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "SoundRig":
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """Environment of a program that talks to this sound system and to no other."""
        run = str(self.base / "run")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return kept | {
            "XDG_RUNTIME_DIR": run,
            "PIPEWIRE_RUNTIME_DIR": run,
            "XDG_CONFIG_HOME": str(self.base / "configuration"),
            "XDG_STATE_HOME": str(self.base / "state"),
            "HOME": str(self.base / "home"),
            "PYTHONUNBUFFERED": "1",
        }

    def client_environment(self, k: int) -> dict[str, str]:
        """Environment of person k's client: its default device is ``mic{k}`` in and ``spk{k}`` out."""
        return self.environment() | {"ALSA_CONFIG_PATH": str(self.base / f"alsa{k}.conf")}

    @contextlib.contextmanager
    def recording(self, path: Path) -> Iterator[None]:
        """Record everything into a 16 bit WAV while the body runs.

        Channel k is microphone k, channel ``persons + k`` loudspeaker k.
        """
        channels = 2 * self.persons
        form = f"--rate {SAMPLE_RATE} --channels {channels} --format s16 --latency {QUANTUM}".split()
        places = ",".join(f"AUX{channel}" for channel in range(channels))
        rest = ["--channel-map", places, "-P", "{ node.name = rig-recorder }", str(path)]
        recorder = self._spawn("recorder", ["pw-record", "--target", "0", *form, *rest])
        try:
            for k in range(self.persons):
                self._link(f"mic{k}:capture_MONO", f"rig-recorder:input_AUX{k}")
                self._link(f"spk{k}:monitor_MONO", f"rig-recorder:input_AUX{self.persons + k}")
            yield
        finally:
            _end(recorder, signal.SIGINT)

    @contextlib.contextmanager
    def feeding(self, k: int, wav: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Play a 48 kHz WAV into microphone k; gives the process, which ends with the file."""
        name = f"{{ node.name = rig-feed{k} }}"
        feed = self._spawn(
            f"feed{k}", ["pw-play", "--target", "0", "--latency", str(8 * QUANTUM), "-P", name, str(wav)]
        )
        try:
            self._link(f"rig-feed{k}:output_MONO", f"mic{k}:input_MONO")
            yield feed
        finally:
            _end(feed, signal.SIGINT)

    @contextlib.contextmanager
    def leaking(self, k: int, room: Path) -> Iterator[None]:
        """Let loudspeaker k be heard by microphone k, through a room: a 48 kHz WAV of its impulse response."""
        name = f"rig-leak{k}"
        configuration = self.base / f"{name}.conf"
        configuration.write_text(_LEAK.format(name=name, room=json.dumps(str(room))))
        leak = self._spawn(name, ["pipewire", "-c", str(configuration)])
        try:
            self._link(f"spk{k}:monitor_MONO", f"{name}-in:input_MONO")
            self._link(f"{name}-out:output_MONO", f"mic{k}:input_MONO")
            yield
        finally:
            _end(leak, signal.SIGTERM)

    def wait_for_link(self, node: str) -> None:
        """Wait until some program's stream is linked to ``node``; RigError after LINK_SECONDS."""
        self._wait(lambda: self._is_linked(node), LINK_SECONDS, f"a stream at {node}")

    def unplug(self, node: str) -> None:
        """Take a microphone or loudspeaker (``mic0``, ``spk0``) away."""
        self._ask("pw-cli", "destroy", node)
        self._wait(lambda: f"{node}:" not in self._ask("pw-link", "-io"), LINK_SECONDS, f"the end of {node}")

    def plug(self, node: str) -> None:
        """Put it back."""
        described = _node(node).strip().removeprefix("{ factory = adapter args = ").removesuffix("}")
        properties = described.replace(f'"{node}" node', f'"{node}" object.linger = true node', 1)
        self._ask("pw-cli", "create-node", "adapter", properties)
        self._wait(lambda: f"{node}:" in self._ask("pw-link", "-io"), LINK_SECONDS, node)

    def choose(self, k: int) -> None:
        """Make person k's microphone and loudspeaker the default ones, as a person does in their desktop's settings."""
        for key, node in (("source", f"mic{k}"), ("sink", f"spk{k}")):
            name = json.dumps({"name": node})
            self._ask("pw-metadata", "0", f"default.configured.audio.{key}", name, "Spa:String:JSON")

    def follower_environment(self) -> dict[str, str]:
        """Environment of a client whose default device is whatever the sound system's is."""
        (self.base / "alsa.conf").write_text("pcm.default { type pipewire }\nctl.default { type pipewire }\n")
        return self.environment() | {"ALSA_CONFIG_PATH": str(self.base / "alsa.conf")}

    def restart(self) -> None:
        """Kill the sound system under its clients, and start it anew."""
        for child in self._children:
            child.kill()
        self.stop()
        self._run()

    def stop(self) -> None:
        """End everything that was started, last first; may be called twice."""
        while self._children:
            _end(self._children.pop(), signal.SIGTERM)

    def log(self) -> str:
        """What the programs of the rig wrote, for the message of a failed test."""
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')}" for path in sorted(self.base.glob("*.log")))

    def _start(self) -> None:
        for folder in ("run", "configuration/pipewire", "state", "home"):
            (self.base / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        nodes = "".join(_node(f"mic{k}") + _node(f"spk{k}") for k in range(self.persons))
        configuration = _CONFIGURATION.format(rate=SAMPLE_RATE, quantum=QUANTUM, nodes=nodes)
        (self.base / "configuration/pipewire/pipewire.conf").write_text(configuration)
        for k in range(self.persons):
            (self.base / f"alsa{k}.conf").write_text(_ALSA_CONFIGURATION.format(k=k))
        for name, text in _NO_HARDWARE.items():
            path = self.base / "configuration/wireplumber" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._run()

    def _run(self) -> None:
        """PipeWire and WirePlumber, as they were configured."""
        self._spawn("pipewire", ["pipewire"])
        last = f"spk{self.persons - 1}:"
        self._wait(lambda: last in self._ask("pw-link", "-io"), START_SECONDS, "the nodes of PipeWire")
        self._spawn("wireplumber", ["dbus-run-session", "--", "wireplumber"])
        self._wait(lambda: "WirePlumber" in self._ask("pw-cli", "ls", "Client"), START_SECONDS, "WirePlumber")

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.base / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(
                command,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children.append(child)
        return child

    def _ask(self, *command: str) -> str:
        return subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False).stdout

    def _is_linked(self, node: str) -> bool:
        lines = self._ask("pw-link", "-l").splitlines()
        at_node = False
        for line in lines:
            if not line.startswith(" "):
                at_node = line.startswith(f"{node}:")
            elif at_node and "rig-" not in line:
                return True
        return False

    def _link(self, source: str, sink: str) -> None:
        told = ""

        def linked() -> bool:
            nonlocal told
            result = subprocess.run(
                ["pw-link", source, sink], env=self.environment(), capture_output=True, text=True, check=False
            )
            told = result.stderr.strip()
            return result.returncode == 0 or "exists" in told

        self._wait(linked, LINK_SECONDS, f"the link from {source} to {sink}")

    def _wait(self, reached: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > end:
                raise RigError(f"waited {seconds:.0f} s in vain for {what}\n{self.log()}")
            # Waiting for the daemon's end is waiting for the next look, and ends at once when all is lost.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._children[0].wait(_LOOK_SECONDS)
                raise RigError(f"PipeWire ended while {what} was waited for\n{self.log()}")


@contextlib.contextmanager
def sound_rig(persons: int) -> Iterator[SoundRig]:
    """A running rig in a temporary folder that goes with it; RigError if something is missing."""
    require()
    with tempfile.TemporaryDirectory(prefix="voicechat-rig-") as folder, SoundRig(persons, Path(folder)) as rig:
        yield rig


def _end(child: subprocess.Popen[bytes], first: signal.Signals) -> None:
    """Ask a child and its session to end, and kill what stays."""
    for number, seconds in ((first, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        if child.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
