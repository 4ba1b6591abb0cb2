"""Simulated rooms with a loudspeaker: two voices, one from the loudspeaker and one near the microphone.

40 s each: the far voice alone, both at once, the near voice alone, the far voice again. Everything is
told by a seed, so that a scene is the same each time. The far voice goes through a small loudspeaker
that distorts, a delay, and a room (image method: J. Allen and D. Berkley, "Image method for
efficiently simulating small-room acoustics", JASA 65(4), 1979); on top come steady noise and what a
scene has of its own: slipped blocks, a clock that drifts, somebody who moves, a turned knob.

May import numpy, scipy, soundfile, the sound format and the levels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from voicechat.format import SAMPLE_RATE, TICKS_PER_SECOND, Samples

Sound = NDArray[np.float64]

FAR, BOTH, NEAR, AGAIN, END = 0, 12, 24, 31, 40
"""Seconds at which each part begins."""

FAR_DBFS: Final = -20.0
"""Active level of what the loudspeaker gets: what even loudness makes of everybody."""

NEAR_DBFS: Final = -26.0
"""Active level of the near voice in the microphone."""

RANDOM_SCENES: Final = 14
"""Random scenes of one seed."""

_SPEED: Final = 343.0
"""Of sound, m/s at 20 degrees."""

_MICROPHONE: Final = (2.0, 1.5, 0.9)
"""Where it stands in every room, in metres."""

_SPEAKER: Final = np.vstack(
    [
        butter(2, 140, "highpass", fs=SAMPLE_RATE, output="sos"),
        butter(2, 15_000, "lowpass", fs=SAMPLE_RATE, output="sos"),
    ]
)
"""A small loudspeaker's band."""


@dataclass(frozen=True)
class Scene:
    """What is simulated."""

    name: str
    far: str
    near: str
    reverberation: float = 0.4
    """Seconds in which the room's sound falls by 60 dB."""
    delay_ms: float = 60.0
    """From handing a block out to its beginning in the microphone, without the room."""
    echo_db: float = -10.0
    """Level of the echo against the near voice."""
    drive: float = 1.5
    """Of the loudspeaker's soft clip, tanh; 0: linear."""
    drift_ppm: float = 0.0
    """By which the microphone's clock differs from the loudspeaker's."""
    slips: tuple[tuple[float, float], ...] = ()
    """(second, ms) by which the echo is later from then on."""
    moving: float = 0.0
    """Seconds in which somebody moves from one place to the other and back; 0: nobody moves."""
    knob: tuple[tuple[float, float], ...] = ()
    """(second, dB) by which the loudspeaker is louder from then on."""
    distance: float = 0.8
    """Metres from loudspeaker to microphone."""
    room: tuple[float, float, float] = (4.2, 3.6, 2.6)
    """Metres."""
    noise_dbfs: float = -65.0
    seed: int = 0


@dataclass(frozen=True)
class Staged:
    """The sound of a scene: what was played, what the microphone heard, and the parts of that. All equally long."""

    far: Samples
    microphone: Samples
    near: Sound
    quiet: Samples
    """The microphone without the echo: the near voice and the noise."""


def base_family(far: str, near: str, seed: int) -> list[Scene]:
    """Usual rooms: in these nothing of the far voice may be sent."""
    base = Scene("base", far, near, seed=seed)
    return [
        base,
        replace(base, name="room 0.2 s", reverberation=0.2),
        replace(base, name="room 0.6 s", reverberation=0.6),
        replace(base, name="delay 20 ms", delay_ms=20.0),
        replace(base, name="delay 120 ms", delay_ms=120.0),
        replace(base, name="echo 10 dB softer", echo_db=-20.0),
        replace(base, name="linear loudspeaker", drive=0.0),
    ]


def hard_family(far: str, near: str, seed: int) -> list[Scene]:
    """What goes wrong one thing at a time."""
    base = Scene("base", far, near, seed=seed)
    return [
        replace(base, name="delay 250 ms", delay_ms=250.0),
        replace(base, name="echo as loud as the voice", echo_db=0.0),
        replace(base, name="hard clip", drive=5.0),
        replace(base, name="drift 50 ppm", drift_ppm=50.0),
        replace(base, name="slips of 10 ms", slips=((6, 10), (18, -10), (36, 10))),
        replace(base, name="volume 10 dB up and down", knob=((6, 10), (18, -10), (35, 10))),
        replace(base, name="somebody moves", moving=4.0),
    ]


def random_family(voices: Sequence[str], seed: int) -> list[Scene]:
    """RANDOM_SCENES of anything: two of the voices, and rooms, delays, levels and troubles by chance."""
    rng = np.random.default_rng([seed, 0xEC40])
    scenes = []
    for number in range(RANDOM_SCENES):
        far, near = rng.choice(len(voices), 2, replace=False)
        slips = [(float(rng.uniform(4, 36)), float(rng.choice((-10, 10)))) for _ in range(rng.integers(1, 4))]
        scenes.append(
            Scene(
                f"random {seed}.{number}",
                voices[far],
                voices[near],
                reverberation=float(rng.uniform(0.2, 0.6)),
                delay_ms=float(rng.uniform(20, 180)),
                echo_db=float(rng.uniform(-22, -3)),
                drive=float(rng.choice((0.0, 1.5, 3.0))),
                drift_ppm=float(rng.choice((0.0, rng.uniform(0, 50)))),
                slips=tuple(sorted(slips)) if rng.random() < 1 / 3 else (),
                moving=float(rng.uniform(3, 8)) if rng.random() < 0.25 else 0.0,
                distance=float(rng.uniform(0.4, 1.2)),
                room=(float(rng.uniform(3.2, 6)), float(rng.uniform(3, 5)), float(rng.uniform(2.3, 3))),
                seed=int(rng.integers(2**31)),
            )
        )
    return scenes


def stage(scene: Scene, voices: "Voices") -> Staged:
    """Make the sound of a scene."""
    count = END * SAMPLE_RATE
    rng = np.random.default_rng([scene.seed, 1])
    seconds = np.arange(count) / SAMPLE_RATE
    far = at_level(voices.looped(scene.far, count), FAR_DBFS) * (1 - _within(seconds, NEAR, AGAIN))
    near = at_level(voices.looped(scene.near, count), NEAR_DBFS) * _within(seconds, BOTH, AGAIN)
    played = far.astype(np.float32)
    driven = np.tanh(scene.drive * far) / scene.drive if scene.drive else far
    driven = sosfilt(_SPEAKER, driven)
    echo = fftconvolve(driven, answer(scene, 0))[:count]
    if scene.moving:
        other = fftconvolve(driven, answer(scene, 1))[:count]
        there = 0.5 - 0.5 * np.cos(np.pi * seconds / scene.moving)
        echo = np.sqrt(1 - there) * echo + np.sqrt(there) * other
    echo = at_level(_later(echo, scene), NEAR_DBFS + scene.echo_db)
    for second, decibels in scene.knob:
        echo[int(second * SAMPLE_RATE) :] *= 10 ** (decibels / 20)
    quiet = near + rng.standard_normal(count) * 10 ** (scene.noise_dbfs / 20)
    return Staged(played, _clipped(quiet + echo), near, _clipped(quiet))


class VoicesError(Exception):
    """The voices of a folder cannot be used; the message says why."""


class Voices:
    """The recorded voices of a folder: 48 kHz, mono, WAV or FLAC; files that begin with "noise" are not voices."""

    def __init__(self, folder: Path) -> None:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".wav", ".flac"))
        self._paths = {path.stem: path for path in found if not path.stem.startswith("noise")}
        self.names = list(self._paths)
        if len(self.names) < 2:
            raise VoicesError(f"{folder}: two or more voices are needed, WAV or FLAC, 48 kHz, mono")

    def looped(self, name: str, count: int) -> Sound:
        """So many samples of a voice, from its beginning on, again and again."""
        return np.resize(_read(self._paths[name]), count)


@lru_cache(maxsize=32)
def _read(path: Path) -> Sound:
    try:
        sound, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise VoicesError(f"{path.name}: {error}") from None
    if rate != SAMPLE_RATE or sound.shape[1] != 1:
        raise VoicesError(f"{path.name}: 48 kHz and mono is needed, it has {rate} Hz and {sound.shape[1]} channels")
    if not sound.any():
        raise VoicesError(f"{path.name}: there is nothing but silence in it")
    found: Sound = sound[:, 0]
    return found


def active_dbfs(sound: Sound) -> float:
    """The active level: pauses do not count (after ITU-T P.56)."""
    powers = frame_powers(sound)
    least = powers.max() * 1e-3
    for _ in range(5):
        active = float(powers[powers > least].mean())
        least = active * 10**-1.59
    return float(10 * np.log10(active))


def at_level(sound: Sound, dbfs: float) -> Sound:
    return sound * 10 ** ((dbfs - active_dbfs(sound)) / 20)


def frame_powers(sound: NDArray[np.floating]) -> Sound:
    """Mean square of each frame."""
    frame = SAMPLE_RATE // TICKS_PER_SECOND
    found: Sound = (sound[: sound.size // frame * frame].reshape(-1, frame).astype(np.float64) ** 2).mean(1)
    return found


def answer(scene: Scene, place: int) -> Sound:
    """The room's impulse response from the loudspeaker, which stands at one of two places near each other."""
    rng = np.random.default_rng([scene.seed, 2, place])
    size = np.array(scene.room)
    microphone = np.array(_MICROPHONE)
    direction = np.array([0.6, 0.7, 0.2]) + 0.05 * place * rng.standard_normal(3)
    source = microphone + direction / np.linalg.norm(direction) * (scene.distance + 0.03 * place)
    walls = 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    absorbed = min(0.99, 0.161 * float(np.prod(size)) / (walls * scene.reverberation))  # Sabine
    reflects = np.sqrt(1 - absorbed)
    count = int(scene.reverberation * 1.1 * SAMPLE_RATE)
    response = np.zeros(count)
    for delays, strengths in _images(size, source, microphone, reflects, count, rng):
        np.add.at(response, delays, strengths)
    found: Sound = response / np.abs(response).max()
    return found


def _images(
    size: Sound, source: Sound, microphone: Sound, reflects: float, count: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], Sound]]:
    """Delays (samples) and strengths of all mirror images of the source, an eighth of them at a time."""
    axes = [np.arange(-k, k + 1) for k in np.ceil(_SPEED * count / SAMPLE_RATE / (2 * size)).astype(int)]
    straight = float(np.linalg.norm(source - microphone))
    for mirrored in np.ndindex(2, 2, 2):
        away = [
            (1 - 2 * m) * s + 2 * k * length - p
            for m, s, k, length, p in zip(mirrored, source, axes, size, microphone, strict=True)
        ]
        bounces = [np.abs(k - m) + np.abs(k) for m, k in zip(mirrored, axes, strict=True)]
        distance = np.sqrt(sum(part**2 for part in np.ix_(*away)))
        reflected = distance > straight * 1.01
        # Real walls are uneven: without it the images beat against each other (flutter).
        distance = distance * (1 + 0.002 * rng.standard_normal(distance.shape) * reflected)
        strength = reflects ** sum(np.ix_(*bounces)) / (4 * np.pi * np.maximum(distance, 0.1))
        strength = strength * np.where(reflected, rng.choice((-1, 1), distance.shape), 1)
        delays = np.round(distance / _SPEED * SAMPLE_RATE).astype(np.int64)
        heard = delays < count
        yield delays[heard], strength[heard]


def _within(seconds: Sound, first: float, last: float) -> Sound:
    """1 between two times, with soft edges of 10 ms."""
    edge = np.hanning(SAMPLE_RATE // 100)
    found: Sound = fftconvolve(((seconds >= first) & (seconds < last)).astype(float), edge / edge.sum(), "same")
    return np.where(found < 1e-9, 0.0, np.where(found > 1 - 1e-9, 1.0, found))  # a transform's dust is no sound


def _later(sound: Sound, scene: Scene) -> Sound:
    """The echo as it comes: delayed, by a drifting clock, with slips."""
    delay = np.full(sound.size, scene.delay_ms)
    for second, milliseconds in scene.slips:
        delay[int(second * SAMPLE_RATE) :] += milliseconds
    when = np.arange(sound.size) * (1 + scene.drift_ppm * 1e-6) - delay * SAMPLE_RATE / 1000
    if not scene.drift_ppm:
        return np.interp(np.round(when), np.arange(sound.size), sound, 0.0, 0.0)
    spectrum = np.fft.rfft(sound)
    fine = np.fft.irfft(np.concatenate([spectrum, np.zeros(3 * sound.size // 2)]), 4 * sound.size) * 4
    return np.interp(when * 4, np.arange(fine.size), fine, 0.0, 0.0)


def _clipped(sound: Sound) -> Samples:
    return np.clip(sound, -1, 1).astype(np.float32)
