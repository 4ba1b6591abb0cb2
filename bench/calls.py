"""Which calls are held, and how often; each is held once a run, however many tables it feeds.

What lives here: the catalogue, and ``Studio``, which holds a call when its first table
asks for it and keeps what it gave. May import the rig.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.rig.relay import Impairment
from bench.rig.stage import Held, Measured, Phase, Setting, StageError, hold
from bench.systems import System
from voicechat.media.tuning import TUNING, Tuning

SHORT: Final = 8.0
"""Seconds of speech where only its cost is asked for, or all is to be quick."""

SILENCE: Final = 16.0
"""Seconds: two heartbeats on TCP, three on UDP."""

MOST_DISTURBED: Final = 2
"""Gaps of the loop-through in two minutes of a call that still counts: a shared machine has one now and then."""

MIX_ALWAYS: Final = "always"

LINES: Final = {
    "loss 2 %": Impairment(delay=20, loss=2),
    "loss 5 %": Impairment(delay=20, loss=5),
    "loss 10 %": Impairment(delay=20, loss=10),
    "bursts of 3, 5 %": Impairment(delay=20, loss=5, burst=3),
    "jitter 0-50 ms": Impairment(delay=20, jitter=50),
    "jitter 0-150 ms": Impairment(delay=20, jitter=150),
    "jitter 0-50 ms, no UDP": Impairment(delay=20, jitter=50, udp=0),
    "jitter 0-150 ms, no UDP": Impairment(delay=20, jitter=150, udp=0),
}
"""Bad lines; each client has one, so that words pass two."""

NEWER_OPUS: Final = Path(".cache", "opus").absolute()
"""A folder with a libopus that has models for what is heard: .ci/prepare opus puts it there."""

ENHANCED: Final = {f"{name}, newer libopus": name for name in ("loss 5 %", "loss 10 %", "bursts of 3, 5 %")}
"""The same lines again, with clients that have it."""

GROWTH: Final = "growth"


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    quick: bool = False
    minutes: float = 3.0
    """Of the one long call."""
    voices: Path | None = None
    """Folder of the voices in simulated rooms; the demo's if None."""
    seed: int = 1
    """Of the first simulated rooms."""
    judge: bool = False
    """Make enough of them to judge by, and end with a status that tells."""
    tuning: Tuning = TUNING
    """Of the media core, where that runs in this process."""

    @property
    def repeats(self) -> int:
        """How often a call is held whose figures differ from start to start."""
        return 1 if self.quick else 2

    @property
    def long(self) -> float:
        """Seconds of the long call."""
        return min(60.0, 60 * self.minutes) if self.quick else 60 * self.minutes

    @property
    def spoken(self) -> float:
        """Seconds of speech of a phase that is listened to; 0 for all that a talker has."""
        return SHORT if self.quick else 0.0


def catalogue(plan: Plan) -> dict[str, tuple[Setting, int]]:
    """Every call by its name, and how often it is held."""
    spoken, quiet = plan.spoken, Phase(seconds=SILENCE)
    full = (Phase((0,), spoken), Phase((1,), spoken))
    calls = {
        "2 auto": (Setting(2, (*full, quiet)), plan.repeats),
        "3 auto": (Setting(3, (Phase((0, 1), spoken), _cheap(0), _cheap(0, 1, 2), quiet)), plan.repeats),
        "4 auto": (Setting(4, (_cheap(0), _cheap(0, 1, 2, 3), quiet)), plan.repeats),
        "2 always": (Setting(2, (*full, _cheap(0, 1), quiet), mixing=MIX_ALWAYS), 1),
        "3 always": (Setting(3, (Phase((0, 1), spoken), _cheap(0), _cheap(0, 1, 2), quiet), mixing=MIX_ALWAYS), 1),
        "4 always": (Setting(4, (_cheap(0), _cheap(0, 1, 2, 3), quiet), mixing=MIX_ALWAYS), 1),
        "2 all": (Setting(2, (_cheap(0, 1), Phase(seconds=SILENCE, noise=True))), 1),
        "2 muted": (Setting(2, (Phase(seconds=SILENCE, muted=True),)), 1),
        "16 k auto": (Setting(2, full, bitrate=16_000), 1),
        "16 k always": (Setting(2, full, bitrate=16_000, mixing=MIX_ALWAYS), 1),
        "saver auto": (Setting(2, full, quality="saver"), 1),
        "high auto": (Setting(2, full, quality="high"), 1),
        "high always": (Setting(2, full, quality="high", mixing=MIX_ALWAYS), 1),
        GROWTH: (Setting(2, (Phase((0,), plan.long, quality=False),)), 1),
    }
    for name, line in LINES.items():
        calls[name] = (Setting(2, full, impairment=line), 1)
    for name, usual in ENHANCED.items():
        calls[name] = (Setting(2, full, impairment=LINES[usual], libraries=str(NEWER_OPUS)), 1)
    return calls


def _cheap(*talkers: int) -> Phase:
    return Phase(talkers, SHORT, quality=False)


class Studio:
    """Holds calls and keeps what they gave; raw figures go to ``folder`` as JSON."""

    def __init__(self, system: System, plan: Plan, folder: Path) -> None:
        self.system, self.plan = system, plan
        self._folder = folder
        self._calls = catalogue(plan)
        self._held: dict[str, list[Held]] = {}
        self.missed: list[str] = []
        """Goals that a part has missed."""
        self.disturbed = 0
        """Calls in which the machine was too busy for the loop-through, twice."""

    def calls(self, name: str) -> Sequence[Held]:
        """The calls of a name; StageError or RigError if one does not come about."""
        if name not in self._held:
            setting, repeats = self._calls[name]
            held = []
            for turn in range(repeats):
                print(f"  call {name!r}{f' ({turn + 1} of {repeats})' if repeats > 1 else ''}", file=sys.stderr)
                held.append(self._hold(setting))
            self._held[name] = held
            raw = self._folder / "calls"
            raw.mkdir(parents=True, exist_ok=True)
            (raw / f"{name.replace(' ', '-').replace('%', 'percent')}.json").write_text(
                json.dumps([asdict(call) for call in held], indent=1) + "\n"
            )
        return self._held[name]

    def _hold(self, setting: Setting) -> Held:
        """Hold a call; once more if it breaks off or if the machine was too busy even for the loop-through."""
        try:
            first = hold(setting, self.system, self._folder / "call")
        except StageError as error:
            print(f"  once more, since {error}", file=sys.stderr)
            return hold(setting, self.system, self._folder / "call")
        most = MOST_DISTURBED * max(1.0, sum(phase.seconds for phase in first.phases) / 120)
        if first.disturbed <= most:
            return first
        print("  once more, since even the loop-through was disturbed", file=sys.stderr)
        second = hold(setting, self.system, self._folder / "call")
        self.disturbed += min(first.disturbed, second.disturbed) > most
        return min(first, second, key=lambda call: call.disturbed)

    def can(self, name: str) -> bool:
        """Whether a call of this name can be held: others are not told how to mix, what quality, or to be mute."""
        setting = self._calls[name][0]
        if any(phase.muted for phase in setting.phases) and not self.system.mute:
            return False
        theirs = Setting(setting.clients, setting.phases, impairment=setting.impairment)
        return self.system.ours or setting == theirs

    def phases(self, name: str, phase: str) -> list[Measured]:
        """What the phases of one name gave in all calls of a name; nothing if it cannot be held."""
        if not self.can(name):
            return []
        return [measured for call in self.calls(name) for measured in call.phases if measured.phase.name == phase]

    def loads(self) -> list[float]:
        """The machine's load during everything measured so far."""
        return [phase.load for held in self._held.values() for call in held for phase in call.phases]

    def stalls(self) -> list[float]:
        """Percent of time in which some task waited for a CPU, likewise."""
        return [phase.stalled for held in self._held.values() for call in held for phase in call.phases]
