"""A call under measurement: a server and clients in their places, phase by phase.

What lives here: ``Stage`` and what it gives. May import the rig's other modules, the
private sound system and the demo's children.

A bare loop through PyAudio (``bench.systems.LOOP_THROUGH``) has a microphone and a
loudspeaker beside the clients and runs all the time: its CPU time is the floor under
theirs, on this machine, now; its delay is the floor under theirs too.

More than 300 lines, since a measured call is one thing: who is started, when something is read, and
what is kept of it.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO, Any, Final

import numpy as np
import soundfile

from bench.rig import procstat, speech
from bench.rig.listening import Heard, Signal, listen, moved
from bench.rig.network import SERVER, INetwork, Traffic, network
from bench.rig.relay import Impairment
from bench.systems import LOOP_THROUGH, System
from testkit.processes import password_file
from testkit.rig import SoundRig, sound_rig

SETTLE_SECONDS: Final = 2.0
"""From the last client's entering to the first phase: paths are tried, first round trips known."""

START_SECONDS: Final = 15.0
"""Longest wait for a server or client."""

UNTOLD_SECONDS: Final = 1.0
"""Given to a server that does not tell when it listens."""

REST_SECONDS: Final = 1.0
"""After a talk phase: the last words are heard; between any two."""

NICENESS: Final = -10
"""Of everything that is measured, where allowed: other work on the machine stays out of the figures."""

MUTED_SECONDS: Final = 13.0
"""From muting to such a phase: a client may keep its microphone open for ten seconds."""

STOP_SECONDS: Final = 4.0
_LOOK_SECONDS: Final = 0.02

FLOOR: Final = "loop-through"
"""The name of the bare loop among the parties."""


class StageError(Exception):
    """A call did not come about; the text says why, in one line."""


@dataclass(frozen=True)
class Phase:
    """One stretch of a call: these clients talk, or nobody does and it is silent."""

    talkers: tuple[int, ...] = ()
    seconds: float = 0.0
    """Of silence; while somebody talks: of speech, 0 for all that they have."""
    noise: bool = False
    """Nobody talks, but the microphones hear a quiet room (-60 dBFS)."""
    quality: bool = True
    """Judge how it sounds, too (a lone talker only)."""
    muted: bool = False
    """All are muted from before it until the call's end, and measured when nobody expects them to talk soon."""

    @property
    def name(self) -> str:
        """In a word."""
        if self.muted:
            return "muted"
        return f"talk {'+'.join(map(str, self.talkers))}" if self.talkers else "noise" if self.noise else "silence"


@dataclass(frozen=True)
class Setting:
    """A call: who is there, over what line, what happens."""

    clients: int
    phases: tuple[Phase, ...]
    mixing: str = "auto"
    bitrate: int = 12_000
    quality: str = "normal"
    impairment: Impairment | None = None
    libraries: str = ""
    """A folder whose libraries the clients load in place of the system's."""


@dataclass(frozen=True)
class Measured:
    """What one phase gave."""

    phase: Phase
    seconds: float
    load: float
    stalled: float
    """Percent of the time in which some task of the machine waited for a CPU."""
    costs: Mapping[str, procstat.Cost]
    """By party: server, client0, ..., loop-through, and the sound system itself."""
    traffic: Mapping[int, tuple[float, ...]]
    """Of each client, a second: bytes up, packets up, bytes down, packets down. Empty where it cannot be told."""
    heard: Mapping[str, Heard]
    """``talker>listener``; the loop-through's listener is `FLOOR`."""


@dataclass(frozen=True)
class Held:
    """A call that was held."""

    setting: Setting
    phases: tuple[Measured, ...]
    stats: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """What each client's --stats said."""

    @property
    def disturbed(self) -> int:
        """Gaps of the bare loop-through: there the machine failed, and nobody else did."""
        return sum(phase.heard[FLOOR].gaps for phase in self.phases if FLOOR in phase.heard)


class Party:
    """A running program of the call, its output in a file."""

    def __init__(self, name: str, argv: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._log = log
        self._file: IO[bytes] = log.open("wb")
        self._process = subprocess.Popen(
            argv,
            env=dict(environment),
            # Open, and nothing comes: some clients end at the end of their input.
            stdin=subprocess.PIPE,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._process.pid

    @property
    def ended(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.poll()

    def written(self) -> str:
        """All that it wrote so far."""
        return self._log.read_text(errors="replace")

    def wait_for(self, text: str, seconds: float = START_SECONDS) -> None:
        """Until it has written ``text``; StageError if it ends or takes longer than ``seconds``."""
        deadline = time.monotonic() + seconds
        while text not in self.written():
            if self.ended is not None or time.monotonic() > deadline:
                what = "took too long" if self.ended is None else f"ended with status {self.ended}"
                lines = self.written().splitlines() or ["it wrote nothing"]
                raise StageError(f"{self.name} {what}: {lines[-1].strip()}")
            rest(_LOOK_SECONDS)

    def wait_until_end(self, seconds: float) -> None:
        """Until it has ended by itself; StageError if it does not, or not well."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        if self.ended != 0:
            raise StageError(f"{self.name} did not end well ({self.ended}): {self.written()[-200:].strip()}")

    def stop(self) -> None:
        """Ask it to end, then make it."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.ended is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self._file.close()
        if self._process.stdin is not None:
            self._process.stdin.close()


def rest(seconds: float) -> None:
    """Let the call go on; this program has nothing to do."""
    time.sleep(seconds)


def hold(setting: Setting, system: System, folder: Path) -> Held:
    """Hold a call and measure it; what it leaves goes to ``folder``. StageError or RigError if it fails."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    with (
        network(setting.clients, setting.impairment) as lines,
        sound_rig(setting.clients + 1) as sound,
        password_file() as (_, password),
        Stage(setting, system, sound, lines, password, folder) as stage,
    ):
        raw = [stage.play(index, phase) for index, phase in enumerate(setting.phases)]
    phases = [measured.judged(setting.clients) for measured in raw]
    return Held(setting, tuple(phases), stage.stats())


@dataclass(frozen=True)
class Raw:
    """A phase whose recording has not been listened to: that costs CPU time and waits until the call is over."""

    measured: Measured
    recording: Path | None

    def judged(self, clients: int) -> Measured:
        """Listen to the recording, and let it go."""
        measured, phase = self.measured, self.measured.phase
        if self.recording is None:
            return measured
        samples, _ = soundfile.read(self.recording, dtype="float64")
        ears = clients + 1
        quality = phase.quality and len(phase.talkers) == 1
        heard: dict[str, Heard] = {}
        for talker in phase.talkers:
            for ear in range(clients):
                way = f"{talker}>{ear}"
                heard[way] = listen(samples[:, talker], samples[:, ears + ear], quality=quality and ear != talker)
        heard[FLOOR] = listen(samples[:, clients], samples[:, ears + clients], quality=False)
        if len(phase.talkers) > 1 and phase.quality:
            heard |= sums(samples, phase.talkers, clients, heard)
        self.recording.unlink()
        return Measured(**{**vars(measured), "heard": heard})


def sums(samples: Signal, talkers: Sequence[int], clients: int, heard: Mapping[str, Heard]) -> dict[str, Heard]:
    """How a mix sounds to those who only listen: against the sum of what was said, each spurt as late as it was."""
    found = {}
    for ear in range(clients):
        each = [heard[f"{talker}>{ear}"] for talker in talkers]
        if ear in talkers or not all(one.found for one in each):
            continue
        first = median(each[0].delays)
        pairs = zip(talkers, each, strict=True)
        total = np.sum([moved(samples[:, talker], one, first) for talker, one in pairs], axis=0)
        found[f"sum>{ear}"] = listen(total, samples[:, clients + 1 + ear])
    return found


class Stage:
    """Starts everybody, plays phases, ends everybody."""

    def __init__(
        self, setting: Setting, system: System, sound: SoundRig, lines: INetwork, password: Path, folder: Path
    ) -> None:
        self._setting, self._system = setting, system
        self._sound, self._lines = sound, lines
        self._password, self._folder = password, folder
        self._parties: dict[str, Party] = {}

    def __enter__(self) -> "Stage":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for party in reversed(self._parties.values()):
            party.stop()

    def stats(self) -> dict[int, Mapping[str, Any]]:
        """What the clients left behind; nothing of a system that leaves nothing."""
        found: dict[int, Mapping[str, Any]] = {}
        for k in range(self._setting.clients):
            with contextlib.suppress(OSError, ValueError):
                found[k] = json.loads(self._stats(k).read_text())
        return found

    def play(self, index: int, phase: Phase) -> Raw:
        """One phase: measured while it lasts, and recorded."""
        if phase.muted:
            self._mute()
        wavs = self._wavs(phase)
        with contextlib.ExitStack() as running:
            recording = None
            if phase.talkers:
                recording = self._folder / f"{index}.wav"
                running.enter_context(self._sound.recording(recording))
            feeds = [running.enter_context(self._sound.feeding(k, wav)) for k, wav in wavs.items()]
            before, traffic, stalled, start = self._sample(), self._traffic(), procstat.stalled_us(), time.monotonic()
            if phase.talkers:
                for feed in feeds:
                    feed.wait()
            else:
                rest(phase.seconds)
            seconds = time.monotonic() - start
            after, now = self._sample(), self._traffic()
            stalled = procstat.stalled_us() - stalled
            rest(REST_SECONDS)
        dead = [party.name for party in self._parties.values() if party.ended is not None]
        if dead:
            lines = self._parties[dead[0]].written().splitlines() or ["it wrote nothing"]
            raise StageError(f"{dead[0]} ended in mid-call: {lines[-1]}")
        return Raw(
            Measured(
                phase,
                round(seconds, 2),
                procstat.load(),
                round(stalled / seconds / 1e4, 1),
                {name: procstat.between(before[name], sample, seconds) for name, sample in after.items()},
                {k: tuple((b - a) / seconds for a, b in zip(traffic[k], now[k], strict=True)) for k in traffic},
                {},
            ),
            recording,
        )

    def _start(self) -> None:
        setting, system, lines = self._setting, self._system, self._lines
        words: dict[str, object] = {
            "port": lines.port,
            "password": self._password,
            "mixing": setting.mixing,
            "bitrate": setting.bitrate,
            "quality": setting.quality,
            "seats": max(4, setting.clients),
            "home": self._sound.base / "home",
            "host": "",
            "k": "",
        }
        loop = [sys.executable, "-m", LOOP_THROUGH]
        self._begin(FLOOR, loop, self._sound.client_environment(setting.clients))
        if system.server:
            environment = self._sound.environment()
            server = self._begin("server", lines.command(SERVER, system.server_command(words)), environment)
            if system.listens:
                server.wait_for(system.listens)
            else:
                rest(UNTOLD_SECONDS)
        for k in range(setting.clients):
            home = self._sound.base / f"home{k}"
            home.mkdir()
            words |= {"k": k, "host": lines.host(k), "home": home, "stats": self._stats(k)}
            environment = self._sound.client_environment(k) | {"HOME": str(home)}
            if setting.libraries:
                environment["LD_LIBRARY_PATH"] = setting.libraries
            client = self._begin(f"client{k}", lines.command(k, system.client_command(words)), environment)
            if system.entered:
                client.wait_for(system.entered)
        for k in range(setting.clients + 1):
            self._sound.wait_for_link(f"mic{k}")
            self._sound.wait_for_link(f"spk{k}")
        rest(SETTLE_SECONDS)

    def _begin(self, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> Party:
        party = self._parties[name] = Party(name, argv, environment, self._folder / f"{name}.log")
        return party

    def _mute(self) -> None:
        environment = self._sound.environment()
        for k in range(self._setting.clients):
            words = {"pid": self._parties[f"client{k}"].pid, "run": environment["XDG_RUNTIME_DIR"]}
            try:
                subprocess.run(
                    self._system.mute_command(words),
                    env=environment,
                    check=True,
                    timeout=START_SECONDS,
                    capture_output=True,
                )
            except subprocess.SubprocessError as error:
                raise StageError(f"client{k} could not be muted: {error}") from error
        rest(MUTED_SECONDS)

    def _stats(self, k: int) -> Path:
        return self._folder.resolve() / f"stats{k}.json"

    def _wavs(self, phase: Phase) -> dict[int, Path]:
        """What goes into which microphone; the loop-through hears what the first talker says."""
        wavs: dict[int, Path] = {}
        if phase.noise:
            wav = self._folder / "noise.wav"
            speech.write_noise(wav, phase.seconds + 2)
            wavs = dict.fromkeys(range(self._setting.clients), wav)
        for talker in phase.talkers:
            wavs[talker] = self._folder / f"said{talker}.wav"
            speech.write(wavs[talker], talker, phase.seconds)
        if phase.talkers:
            wavs[self._setting.clients] = wavs[phase.talkers[0]]
        return wavs

    def _sample(self) -> dict[str, procstat.Sample]:
        return {name: procstat.sample(party.pid) for name, party in self._parties.items()}

    def _traffic(self) -> dict[int, Traffic]:
        counted = {k: self._lines.traffic(k) for k in range(self._setting.clients)}
        return {k: traffic for k, traffic in counted.items() if traffic is not None}
