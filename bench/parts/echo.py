"""Echo cancelling in simulated rooms: what of the far voice is sent, what of the near one is lost, and what it costs.

Frames go the client's own way: the gate with its pre-roll, `EchoCancelling`, and what is sent is what a
friend would hear, before the encoder. Levels and likeness are taken frame by frame; a frame is 20 ms.

More than 300 lines, since what is measured, its goals and its three tables are told together.
"""

import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, isnan
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pesq import NoUtterancesError, pesq
from scipy.signal import resample_poly

from bench.calls import Studio
from bench.echo_scenes import (
    AGAIN,
    BOTH,
    END,
    FAR,
    NEAR,
    Scene,
    Sound,
    Staged,
    Voices,
    active_dbfs,
    base_family,
    frame_powers,
    hard_family,
    random_family,
    stage,
)
from bench.figures import NONE, Table, percentile, told
from demo.script import VOICES
from voicechat.client.call.cancelling import EchoCancelling, EchoMode
from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, TICKS_PER_SECOND, Frame, Samples
from voicechat.media.echo_suppressor import LAG
from voicechat.media.gate import PRE_ROLL_FRAMES, TalkGate
from voicechat.media.levels import mean_square
from voicechat.media.tuning import Tuning

NARROW: Final = 16_000
JUDGED_SEEDS: Final = 3
USUAL_ECHO: Final = -10.0
"""dB against the near voice: the scenes in which ERLE and double talk have goals."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Heard:
    """What became of one scene."""

    scene: Scene
    sent: tuple[float, ...]
    """% of the frames that were sent while only the far voice talked: 0-3 s, 3-12 s, after a pause."""
    erle: tuple[float, ...]
    """dB of echo taken from the frames that passed the gate: 0.3-1 s, 1-3 s, 3-12 s; NaN where none did."""
    cut: float
    """% of the near voice's frames in double talk that were not sent."""
    both: float
    """PESQ-WB of the near voice in double talk."""
    both_raw: float
    """The same of the microphone as it is."""
    alone_loss: float
    """PESQ-WB that the near voice alone loses against the gate alone."""


def echo(studio: Studio) -> list[Table]:
    """The goals, the scenes one by one unless all is to be judged, and the cost."""
    plan = studio.plan
    voices = Voices(plan.voices or VOICES)
    seeds = range(plan.seed, plan.seed + (JUDGED_SEEDS if plan.judge else 1))
    base, others, chance = [], [], []
    for seed in seeds:
        far, near = np.random.default_rng(seed).choice(voices.names, 2, replace=False)
        base += base_family(str(far), str(near), seed)
        others += hard_family(str(far), str(near), seed)
        chance += random_family(voices.names, seed)
    if plan.quick:
        base, others, chance = base[:3], [], chance[:4]
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        work = partial(held, folder=plan.voices or VOICES, tuning=plan.tuning)
        told_of = pool.map(work, [*base, *others, *chance], chunksize=1)
    usual, random = told_of[: len(base)], told_of[len(base) + len(others) :]
    asked = goals(usual, random)
    studio.missed += [goal.what for goal in asked if not goal.reached]
    note = f"Over {len(usual)} usual and {len(random)} random rooms; the 95 % stand in place of the worst room."
    head = ("what", "median", "95 %", "goal", "reached")
    table = Table("Echo cancelling", head, tuple(goal.row() for goal in asked), note)
    one_by_one = [] if plan.judge else [scenes(told_of)]  # a judgement has eighty
    return [table, *one_by_one, costs(voices, plan.tuning)]


@dataclass(frozen=True)
class Goal:
    """What is asked of a figure over the scenes: of its median, and of its worst end without the last twentieth."""

    what: str
    values: tuple[float, ...]
    median: float | None = None
    worst: float | None = None
    more: bool = False
    """Whether more is better."""

    def row(self) -> tuple[str, ...]:
        """Of the table; the last cell says whether it is reached."""
        middle, worst = self._figures()
        asked = " ".join(
            f"{word} {'at least' if self.more else 'at most'} {goal:g}"
            for word, goal in (("median", self.median), ("95 %", self.worst))
            if goal is not None
        )
        return (self.what, f"{middle:.2f}", f"{worst:.2f}", asked, "yes" if self.reached else "NO")

    @property
    def reached(self) -> bool:
        """Both are."""
        sign = -1 if self.more else 1
        return all(
            goal is None or sign * figure <= sign * goal
            for figure, goal in zip(self._figures(), (self.median, self.worst), strict=True)
        )

    def _figures(self) -> tuple[float, float]:
        known = [value for value in self.values if not isnan(value)]
        if not known:
            return (-inf, -inf) if self.more else (inf, inf)
        worst = percentile(known, 5 if self.more else 95)
        return median(known), worst if worst is not None else 0.0


def goals(usual: Sequence[Heard], random: Sequence[Heard]) -> list[Goal]:
    """What is asked, of the usual rooms and of the random ones."""
    ten = [heard for heard in usual if heard.scene.echo_db == USUAL_ECHO]
    both = (*usual, *random)

    def sent(part: int) -> tuple[float, ...]:
        return tuple(heard.sent[part] for heard in random)

    def erle(part: int) -> tuple[float, ...]:
        return tuple(heard.erle[part] for heard in ten)

    return [
        Goal("random rooms: far voice sent, 0-3 s, % of frames", sent(0), 0, 5),
        Goal("random rooms: far voice sent, 3-12 s, % of frames", sent(1), 1, 15),
        Goal("random rooms: far voice sent, after a pause, % of frames", sent(2), 1, 20),
        Goal("usual rooms: far voice sent, % of frames", tuple(max(heard.sent) for heard in usual), 0, 0),
        Goal("usual rooms: echo taken away, 0.3-1 s, dB", erle(0), 20, more=True),
        Goal("usual rooms: echo taken away, 1-3 s, dB", erle(1), 25, more=True),
        Goal("usual rooms: echo taken away, 3-12 s, dB", erle(2), 25, more=True),
        Goal("random rooms: near voice cut in double talk, % of frames", tuple(h.cut for h in random), 1),
        Goal("usual rooms: PESQ-WB in double talk", tuple(heard.both for heard in ten), 2.7, more=True),
        Goal(
            "all rooms: the same less the raw microphone's",
            tuple(h.both - h.both_raw for h in both),
            None,
            0,
            more=True,
        ),
        Goal("all rooms: PESQ-WB that the near voice alone loses", tuple(h.alone_loss for h in both), None, 0.05),
    ]


def scenes(all_heard: Sequence[Heard]) -> Table:
    """One by one."""
    rows = [
        (
            f"{heard.scene.name}: {heard.scene.far} to {heard.scene.near}",
            f"{heard.scene.echo_db:.0f}",
            " / ".join(f"{value:.0f}" for value in heard.sent),
            " / ".join(NONE if isnan(value) else f"{value:.0f}" for value in heard.erle),
            f"{heard.cut:.1f}",
            f"{heard.both:.2f} ({heard.both_raw:.2f})",
            f"{heard.alone_loss:.2f}",
        )
        for heard in all_heard
    ]
    head = ("scene", "echo, dB", "sent, %", "taken, dB", "cut, %", "PESQ in double talk (raw)", "lost alone")
    return Table("Echo cancelling, scene by scene", head, tuple(rows))


def costs(voices: Voices, tuning: Tuning) -> Table:
    """CPU time of a frame awake, warm and once in 20 ms, and of one asleep."""
    far, near = voices.names[:2]
    staged = stage(Scene("base", far, near), voices)
    rows = []
    for name, mode, played in (
        ("awake, a friend is heard", EchoMode.ON, staged.far),
        ("awake, nobody is heard", EchoMode.ON, None),
        ("off", EchoMode.OFF, staged.far),
    ):
        times = [timed(mode, staged, played, tuning, pause) for pause in (0.0, 0.018)]
        rows.append((name, *(f"{told(spent, 0)}" for spent in times)))
    note = (
        f"Means of the thread's CPU time; goals 300 warm and 550 cold awake. What is cancelled is {LAG} samples late."
    )
    return Table("What it costs", ("state", "us a frame, warm", "us a frame, 20 ms apart"), tuple(rows), note)


def timed(mode: EchoMode, staged: Staged, played: Samples | None, tuning: Tuning, pause: float) -> list[float]:
    cancelling, spent = EchoCancelling(TalkGate(), mode, tuning=tuning), []
    first = BOTH * TICKS_PER_SECOND
    for tick in range(first, first + (2 if pause else 8) * TICKS_PER_SECOND):
        time.sleep(pause)
        frame = frame_of(staged.microphone, tick)
        begun = time.thread_time_ns()
        if played is not None:
            cancelling.heard(tick, frame_of(played, tick), 1e-3, opened=True)
        cancelling.treat(tick, frame)
        spent.append((time.thread_time_ns() - begun) / 1e3)
    return [mean(spent[len(spent) // 4 :])]


def held(scene: Scene, folder: Path, tuning: Tuning) -> Heard:
    """Play a scene to a client's microphone."""
    os.environ["OMP_NUM_THREADS"] = "1"
    staged = stage(scene, Voices(folder))
    passed, sent, clean, out = through(staged, tuning)
    near = staged.near
    spoken = frame_powers(near) > 10 ** (active_dbfs(near[BOTH * SAMPLE_RATE : AGAIN * SAMPLE_RATE]) / 10 - 1.6)
    both = np.zeros_like(spoken)
    both[ticks(BOTH, NEAR)] = True
    heard = np.roll(out, -LAG)
    gated = np.repeat(passed, FRAME_SAMPLES) * staged.microphone[: out.size]
    double, alone = (BOTH + 0.5, NEAR - 0.3), (NEAR + 0.5, AGAIN - 0.3)
    return Heard(
        scene,
        sent=tuple(100 * float(sent[ticks(*part)].mean()) for part in ((FAR, 3), (3, BOTH), (AGAIN + 0.5, END))),
        erle=tuple(taken(staged.microphone, clean, passed, part) for part in ((0.3, 1), (1, 3), (3, BOTH))),
        cut=100 * float(1 - sent[spoken & both].mean()),
        both=likeness(near, heard, double),
        both_raw=likeness(near, staged.microphone, double),
        alone_loss=likeness(near, gated, alone) - likeness(near, heard, alone),
    )


def through(staged: Staged, tuning: Tuning) -> tuple[Flags, Flags, Samples, Samples]:
    """Which frames passed the gate, which were sent, what was made of the former, and what was sent."""
    count = staged.microphone.size // FRAME_SAMPLES
    passed, sent = np.zeros(count, bool), np.zeros(count, bool)
    clean = np.zeros(count * FRAME_SAMPLES, np.float32)
    out = np.zeros_like(clean)
    gate = TalkGate(tuning=tuning.gate)
    cancelling = EchoCancelling(gate, EchoMode.AUTO, tuning=tuning)
    pre_roll: deque[int] = deque(maxlen=PRE_ROLL_FRAMES)
    for tick in range(count):
        frame, played = frame_of(staged.microphone, tick), frame_of(staged.far, tick)
        level = mean_square(frame)
        opened = gate.push(level)
        if played.any():
            cancelling.heard(tick, played, level, opened=opened)
        if not opened:
            if tick and passed[tick - 1]:
                cancelling.rest()
            pre_roll.append(tick)
            continue
        for early in (*pre_roll, tick):
            talk = cancelling.treat(early, frame_of(staged.microphone, early))
            place = slice(early * FRAME_SAMPLES, (early + 1) * FRAME_SAMPLES)
            passed[early] = True
            clean[place] = cancelling.last
            if talk is not None:
                sent[early] = True
                out[place] = talk
        pre_roll.clear()
    return passed, sent, clean, out


def frame_of(samples: Samples, tick: int) -> Frame:
    return samples[tick * FRAME_SAMPLES : (tick + 1) * FRAME_SAMPLES]


def ticks(first: float, last: float) -> slice:
    return slice(round(first * TICKS_PER_SECOND), round(last * TICKS_PER_SECOND))


def taken(microphone: Samples, clean: Samples, passed: Flags, part: tuple[float, float]) -> float:
    """How many dB lie between what the microphone heard and what is left, over the frames that passed the gate."""
    place = slice(round(part[0] * SAMPLE_RATE), round(part[1] * SAMPLE_RATE))
    counts = np.repeat(passed, FRAME_SAMPLES)[place]
    if not counts.any():
        return float("nan")
    before, after = (float(np.mean(sound[place][counts] ** 2)) for sound in (microphone, clean))
    return float(10 * np.log10(before / (after + 1e-12)))


def likeness(said: Sound, heard: Samples, part: tuple[float, float]) -> float:
    """PESQ-WB; 1, the least, where nothing is heard."""
    place = slice(round(part[0] * SAMPLE_RATE), round(part[1] * SAMPLE_RATE))
    clean, noisy = (resample_poly(sound[place], 1, 3) for sound in (said, heard))
    try:
        return float(pesq(NARROW, clean, noisy, "wb"))
    except NoUtterancesError:
        return 1.0
