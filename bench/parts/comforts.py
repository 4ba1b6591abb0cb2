"""What is done for the sound: the gate, even loudness, noise suppression, the echo warning, and what each costs.

On the demo's recorded voices and noises, through the client's own parts, without any
call. A noise stands 12 s before each voice, so that what learns has learnt, and 3 s
after it.

More than 300 lines, since the four measurements share voices, noises and what is made of them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pesq import pesq
from pystoi import stoi
from scipy.signal import fftconvolve, resample_poly

from bench.calls import Studio
from bench.figures import NONE, Table, told
from bench.rig import speech
from demo.script import VOICES, read
from voicechat.client.call import rnnoise
from voicechat.client.call.voice import Suppress, Voice
from voicechat.errors import ConfigError
from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, TICKS_PER_SECOND, Samples
from voicechat.media.echo_detector import EchoDetector
from voicechat.media.gate import PRE_ROLL_FRAMES, TalkGate
from voicechat.media.levels import dbfs_of, gain_of, mean_square_of
from voicechat.media.loudness import MARGIN_DB, Loudness
from voicechat.media.tuning import Tuning

ALL: Final = ("cs_f1", "cs_m1", "en_f2", "en_f3", "en_m4", "it_m2")
FEW: Final = ("cs_m1", "en_f2", "it_m2")
NOISES: Final = ("fan", "keyboard", "game", "babble")
BELOW: Final = (15, 5)
"""dB of the noise below the voice."""

ACTIVE: Final = -26.0
BEFORE, AFTER = 12, 3
NARROW: Final = 16_000
MODES: Final = (Suppress.OFF, Suppress.LIGHT, Suppress.STRONG)

Flags = NDArray[np.bool_]


def comforts(studio: Studio) -> list[Table]:
    """One table for each."""
    voices = FEW if studio.plan.quick else ALL
    tuning = studio.plan.tuning
    return [
        gates(voices, tuning),
        loudness(voices, tuning),
        suppression(voices, tuning),
        echoes(voices, tuning),
        costs(tuning),
    ]


def gates(voices: Sequence[str], tuning: Tuning) -> Table:
    """Speech cut and noise passed."""
    rows = []
    for name, below in scenes():
        cut, passed = [], []
        for voice in voices:
            clean, noisy = scene(voice, name, below)
            spoken, sent = speech_in(clean), gated(noisy, tuning)
            cut.append(100 * float((spoken & ~sent).sum() / spoken.sum()))
            quiet = np.convolve(spoken, np.ones(2 * (tuning.gate.hang_over_ticks + PRE_ROLL_FRAMES) + 1), "same") < 1
            quiet[: 10 * TICKS_PER_SECOND] = False
            passed.append(100 * float((quiet & sent).sum() / quiet.sum()))
        alone = NONE
        if name in NOISES:
            alone = f"{100 * float(gated(noise(name, 60, ACTIVE - below), tuning)[10 * TICKS_PER_SECOND :].mean()):.0f}"
        rows.append((titled(name, below), told(cut, 1), told(passed), alone))
    head = ("noise", "speech frames cut, %", "frames passed around the talk, %", "noise alone: passed, %")
    return Table("Gate", head, tuple(rows), "Speech: frames of the clean voice down to 16 dB below its active level.")


def loudness(voices: Sequence[str], tuning: Tuning) -> Table:
    """Active level before and after."""
    rows = []
    for level in (-40, -32, -26, -20, -14, -8):
        before, first, after, range_db, changed = [], [], [], [], []
        for voice in voices:
            said = clip(voice)
            loud = np.clip(said * gain_of(level - active_level(said)), -1, 1).astype(np.float32)
            treatment, gains, out = Loudness(tuning.loudness), [], []
            for frame in frames(np.tile(loud, 3)):
                value = float(frame.dot(frame)) / FRAME_SAMPLES
                if value > mean_square_of(-56):
                    out.append(treatment.apply(frame, value).copy())
                    gains.append(treatment.gain_db)
            before.append(active_level(loud))
            first.append(active_level(np.concatenate(out[: 3 * TICKS_PER_SECOND])))
            after.append(active_level(np.concatenate(out[10 * TICKS_PER_SECOND :])))
            range_db.append(max(gains[10 * TICKS_PER_SECOND :]) - min(gains[10 * TICKS_PER_SECOND :]))
            changed.append(float(np.abs(np.concatenate(out)).max()))
        rows.append((told(before), told(first, 1), told(after, 1), told(range_db, 1), f"{max(changed):.2f}"))
    head = ("active level before, dBFS", "first 3 s of talk", "from 10 s on", "gain moves by, dB", "highest peak")
    return Table("Even loudness", head, tuple(rows), "Talk: the voices without their pauses. The goal is -20.")


def suppression(voices: Sequence[str], tuning: Tuning) -> Table:
    """PESQ and STOI of what passes the gate, without the encoder."""
    rows = []
    for name, below in scenes():
        row = [titled(name, below)]
        for mode in MODES:
            scores = [judged(voice, name, below, mode, tuning) for voice in voices]
            known = [score for score in scores if score is not None]
            row.append(f"{told((p for p, _ in known), 2)}; {told((s for _, s in known), 3)}" if known else NONE)
        rows.append(tuple(row))
    head = ("noise", *(f"{mode.value}: PESQ-WB; STOI" for mode in MODES))
    return Table(
        "Noise suppression", head, tuple(rows), "Behind the gate, before the encoder. Without RNNoise: no figure."
    )


def judged(voice: str, name: str, below: float, mode: Suppress, tuning: Tuning) -> tuple[float, float] | None:
    """PESQ-WB and STOI of one voice in one noise; None without RNNoise."""
    if mode is Suppress.STRONG and not has_rnnoise():
        return None
    clean, noisy = scene(voice, name, below)
    treatment = Voice(tuning=tuning.suppression)
    treatment.suppress(mode)
    sent, out = gated(noisy, tuning), np.zeros_like(noisy)
    for frame, into, passes in zip(frames(noisy), frames(out), sent, strict=True):
        if not passes:
            treatment.rest()
        elif (treated := treatment.treat(frame, 0.0)) is not None:
            into[:] = treated
    late = 0 if mode is Suppress.OFF else lag(clean, out)
    talk = slice(BEFORE * SAMPLE_RATE, clean.size - AFTER * SAMPLE_RATE)
    said, heard = (resample_poly(s, 1, 3) for s in (clean[talk], np.roll(out, -late)[talk]))
    return float(pesq(NARROW, said, heard, "wb")), float(stoi(said, heard, NARROW))


def echoes(voices: Sequence[str], tuning: Tuning) -> Table:
    """How soon an echo is named, and that conversations are left alone."""
    rows = []
    for echo, below, late in ((0.3, 15, 12), (0.5, 20, 20), (0.8, 15, 40)):
        found = []
        for voice in voices:
            said = np.tile(clip(voice), 4)
            returned = fftconvolve(said, room(echo))[: said.size].astype(np.float32) * np.float32(gain_of(-below))
            theirs = np.concatenate([np.zeros(late), levels(returned)[:-late]])
            found.append(named(passed_levels(levels(said), tuning), passed_levels(theirs, tuning), tuning=tuning))
        told_at = [at[0] for at in found if at]
        title = f"a room of {echo} s, {below} dB softer, {late * 20} ms later"
        rows.append((title, f"{len(told_at)} of {len(found)}", told(told_at, 0)))
    pairs = [(one, other) for one in voices for other in voices if one != other]
    alarms = sum(bool(named(*conversation(*pair, seed, tuning), tuning=tuning)) for seed, pair in enumerate(pairs))
    rows.append((f"{len(pairs)} conversations of ten minutes, often at once", f"{alarms} of {len(pairs)}", NONE))
    return Table("Whose microphone returns my voice", ("what", "named", "after seconds"), tuple(rows))


def costs(tuning: Tuning) -> Table:
    """CPU time of a frame, warm and once in 20 ms."""
    said = frames(clip("it_m2"))[: 4 * TICKS_PER_SECOND]
    values = [float(frame.dot(frame)) / FRAME_SAMPLES for frame in said]
    gate, even, detector = TalkGate(tuning=tuning.gate), Loudness(tuning.loudness), EchoDetector(tuning.echo)
    for frame, value in zip(said, values, strict=True):
        even.apply(frame, value)  # so that it has a gain to apply

    def watched(k: int) -> None:
        detector.spoke(k, values[k])
        detector.heard(1, k, values[k])

    steps: dict[str, Callable[[int], object]] = {
        "gate": lambda k: gate.push(values[k]),
        "loudness, some dB up": lambda k: even.apply(said[k], values[k]),
        "echo, a frame sent and one heard": watched,
    }
    for mode in MODES[1:] if has_rnnoise() else MODES[1:2]:
        treatment = Voice(tuning=tuning.suppression)
        treatment.suppress(mode)
        steps[f"suppression, {mode.value}"] = treating(treatment, said)
    rows = []
    for title, step in steps.items():
        warm: list[float] = []
        cold: list[float] = []
        for times, pause in ((warm, 0.0), (cold, 0.018)):
            for k in range(len(said) if not pause else TICKS_PER_SECOND * 2):
                time.sleep(pause)
                begun = time.thread_time_ns()
                step(k)
                times.append((time.thread_time_ns() - begun) / 1e3)
        per_minute = sum(cold) / len(cold) * 60 * TICKS_PER_SECOND / 1e6
        rows.append((title, f"{sum(warm) / len(warm):.1f}", f"{sum(cold) / len(cold):.0f}", f"{per_minute:.2f}"))
    head = ("step", "us a frame, warm", "us a frame, 20 ms apart", "s/min while talking")
    return Table("What they cost", head, tuple(rows), "Means of the thread's CPU time.")


def treating(treatment: Voice, said: Samples) -> Callable[[int], object]:
    return lambda k: treatment.treat(said[k], 0.0)


# What is said and what it is said in


def scenes() -> Iterator[tuple[str, float]]:
    yield "quiet", 50.0
    for below in BELOW:
        yield from ((name, float(below)) for name in NOISES)


def titled(name: str, below: float) -> str:
    return "a quiet room" if name == "quiet" else f"{name}, {below:.0f} dB below"


def clip(voice: str) -> Samples:
    samples = read(VOICES / f"{voice}.flac")
    return samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES]


def noise(name: str, seconds: float, dbfs: float) -> Samples:
    """So much of a noise; a quiet room's is white."""
    count = round(seconds * TICKS_PER_SECOND) * FRAME_SAMPLES
    source = np.random.default_rng(speech.SEED).normal(size=count) if name == "quiet" else clip(f"noise_{name}")
    sound: Samples = np.resize(source, count).astype(np.float32)
    sound *= np.float32(gain_of(dbfs) / np.sqrt(np.mean(sound**2)))
    return sound


def scene(voice: str, name: str, below: float) -> tuple[Samples, Samples]:
    """A voice between silence, and the same in a noise."""
    silence = [np.zeros(seconds * SAMPLE_RATE, np.float32) for seconds in (BEFORE, AFTER)]
    clean = np.concatenate([silence[0], clip(voice), silence[1]])
    return clean, clean + noise(name, clean.size / SAMPLE_RATE, ACTIVE - below)[: clean.size]


def frames(samples: Samples) -> Samples:
    return samples.reshape(-1, FRAME_SAMPLES)


def levels(samples: Samples) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.mean(frames(samples).astype(np.float64) ** 2, axis=1)
    return found


def speech_in(clean: Samples) -> Flags:
    spoken: Flags = levels(clean) > mean_square_of(ACTIVE - 16)
    return spoken


def opened(values: NDArray[np.float64], tuning: Tuning) -> Flags:
    """What is sent: frames that pass the gate, and the pre-roll."""
    gate = TalkGate(tuning=tuning.gate)
    sent = np.array([gate.push(float(value)) for value in values])
    for _ in range(PRE_ROLL_FRAMES):
        sent[:-1] |= sent[1:]
    return sent


def gated(samples: Samples, tuning: Tuning) -> Flags:
    return opened(levels(samples), tuning)


def passed_levels(values: NDArray[np.float64], tuning: Tuning) -> NDArray[np.float64]:
    noisy = values + mean_square_of(-68)
    return np.where(opened(noisy, tuning), noisy, 0.0)


def active_level(samples: Samples) -> float:
    """The active level in dBFS (ITU-T P.56)."""
    values = levels(samples)
    active = float(values.max())
    for _ in range(50):
        active = float(values[values > active * mean_square_of(-MARGIN_DB)].mean())
    return dbfs_of(active)


def lag(clean: Samples, out: Samples) -> int:
    """Samples by which ``out`` is late, up to 50 ms."""
    most = SAMPLE_RATE // 20
    found = fftconvolve(out, clean[::-1])[clean.size - 1 : clean.size - 1 + most]
    return int(found.argmax())


def has_rnnoise() -> bool:
    try:
        rnnoise.load()
    except ConfigError:
        return False
    return True


def room(seconds: float) -> Samples:
    """What a room does to a sound: the straight way, and an echo that is 60 dB down after ``seconds``."""
    count = SAMPLE_RATE // 2
    echo = np.random.default_rng(1).normal(size=count) * 10 ** (-3 * np.arange(count) / SAMPLE_RATE / seconds)
    echo[100] += 8
    response: Samples = (echo / np.sqrt(np.sum(echo**2))).astype(np.float32)
    return response


def conversation(one: str, other: str, seed: int, tuning: Tuning) -> list[NDArray[np.float64]]:
    """Ten minutes of two who talk for one to five seconds and pause for a third to two, each as they like."""
    said = []
    for person, voice in enumerate((one, other)):
        rng, ticks, values = np.random.default_rng(2 * seed + person), 600 * TICKS_PER_SECOND, levels(clip(voice))
        course, tick, position = np.zeros(ticks), 0, 0
        while tick < ticks:
            count = min(round(rng.uniform(1, 5) * TICKS_PER_SECOND), ticks - tick)
            course[tick : tick + count] = np.take(values, range(position, position + count), mode="wrap")
            position += count
            tick += count + round(rng.uniform(0.3, 2) * TICKS_PER_SECOND)
        said.append(passed_levels(course, tuning))
    return said


def named(mine: NDArray[np.float64], theirs: NDArray[np.float64], *, tuning: Tuning) -> list[float]:
    """Seconds at which the echo is named."""
    watch, found = EchoDetector(tuning.echo), []
    for tick, (said, heard) in enumerate(zip(mine, theirs, strict=True)):
        if said:
            watch.spoke(tick, said)
        if heard and watch.heard(1, tick, heard):
            found.append(tick / TICKS_PER_SECOND)
    return found
