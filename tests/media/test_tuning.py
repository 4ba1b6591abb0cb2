"""Each number of the tuning counts: a run with another one comes out otherwise, and with the same one as before."""

import random
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import pytest

from bench.echo_scenes import Scene, Voices, stage
from bench.parts.echo import frame_of
from demo.script import VOICES
from voicechat.format import FRAME_SAMPLES, Frame, silent_frame
from voicechat.media.changeover import PlaybackPath
from voicechat.media.echo import EchoCanceller
from voicechat.media.echo_detector import EchoDetector
from voicechat.media.echo_watch import EchoWatch
from voicechat.media.gate import GateMode, TalkGate
from voicechat.media.hearing import Hearing
from voicechat.media.levels import mean_square, mean_square_of
from voicechat.media.loudness import Loudness
from voicechat.media.mixer import Limiter
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.redundancy import Loss, RedundancyPolicy
from voicechat.media.sending import SendStream
from voicechat.media.stream import ReceiveStream
from voicechat.media.suppression import WienerSuppressor
from voicechat.media.tuning import TUNING, Tuning
from voicechat.rooms.conference import Conference
from voicechat.rooms.room import Room
from voicechat.testing import Line, LossyLink, MemoryCodec

CODEC = MemoryCodec()


def loud(chance: random.Random, level: float) -> Frame:
    return np.full(FRAME_SAMPLES, level * chance.uniform(0.5, 1.0), np.float32)


LINES = (Line(delay=2, jitter=0.4), Line(delay=2, jitter=3, loss=0.05), Line(delay=1, jitter=20))


def streams(tuning: Tuning) -> Iterator[object]:
    """One stream after another, on connections that jitter, lose and stall; loud speech, pauses, bursts."""
    for seed, line in enumerate(LINES):
        chance, out = random.Random(seed), silent_frame()
        stream = ReceiveStream(CODEC.decoder(), halves=True, tuning=tuning)
        sending, link = SendStream(CODEC.encoder(1)), LossyLink[MediaPacket](seed, line)
        for tick in range(1_500):
            if tick % 200 == 0:
                for old in range(tick - chance.randrange(7), tick):
                    link.send(sending.push(old, loud(chance, 0.5)), float(tick))
            if tick % 200 < 150:
                link.send(sending.push(tick, loud(chance, 0.5 if tick % 50 < 40 else 0.001)), float(tick))
            elif (end := sending.finish(tick)) is not None:
                link.send(end, float(tick))
            if tick in {450, 900}:
                link.stall(float(tick), chance.choice([6.0, 9.0, 30.0]))
            at = tick + chance.uniform(0.3, 0.9)
            for arrived, packet in link.receive(at):
                stream.put(packet, arrived)
            stream.join(at, lambda _: None)
            yield stream.pull(at, out), float(out[0]), stream.held()


NOISES = [(-66, 20), (-66, 3), (-55, 2), (-30, 1), (-38, 2), (-58, 4), (-25, 3), (-30, 12)]
CLICKS = [(-66, 30), (-30, 1), (-66, 50)]


def gates(tuning: Tuning) -> Iterator[object]:
    """Noise, clicks, breaths, talk and a key; once clicks alone."""
    for seed in range(4):
        gate, chance = TalkGate(tuning=tuning.gate), random.Random(seed)
        for _ in range(400):
            level, ticks = chance.choice(NOISES if seed else CLICKS)
            gate.mode = chance.choice([GateMode.VOICE] * 12 + [GateMode.OPEN, GateMode.SHUT] * bool(seed))
            for _ in range(ticks):
                yield gate.push(mean_square_of(level + 15 * (seed == 2) + chance.uniform(-3, 3)))


def reports(tuning: Tuning) -> Iterator[object]:
    """What a receiver may tell."""
    policy, chance = RedundancyPolicy(tuning=tuning.redundancy), random.Random(1)
    for _ in range(5_000):
        lost = chance.choice([0, 0, 0, 0, 1, 1, 2, 6])
        policy.report(Loss(chance.choice([50, 300]), lost, min(lost, chance.choice([1, 2, 3]))))
        yield policy.offset


def talks(tuning: Tuning, ticks: int = 1_200) -> Iterator[object]:
    """Two talk by turns and at once, a third hears them."""
    chance, room, out = random.Random(3), Room("den"), silent_frame()
    noise = np.random.default_rng(1).normal(0, 0.1, (64, FRAME_SAMPLES)).astype(np.float32)
    conference, hearing = Conference(room, CODEC, 12_000, tuning=tuning), Hearing(CODEC, tuning)
    ann, ben, cid = (room.enter(name, 0.0).source for name in ("ann", "ben", "cid"))
    sending = {source: SendStream(CODEC.encoder(1)) for source in (ann, ben)}
    for source in (ann, ben, cid):
        conference.add(source)
    for tick in range(ticks):
        sent = conference.tick(tick) if conference.mixing else []
        for source, talking in ((ann, tick % 700 < 600), (ben, tick % 150 < 40)):
            frame = noise[tick % 64] * np.float32(0.0005 if tick % 90 > 80 else 1) + np.float32(0.1)
            packet = sending[source].push(tick, frame) if talking else sending[source].finish(tick)
            if packet is not None:
                sent += conference.arrived(source, packet, tick + 0.1)
        for listeners, packet in sent:
            yield listeners, packet.source, packet.tick
            if cid in listeners:
                hearing.put(packet, tick + 0.3 + (0.4 * chance.random() if packet.source == MIX else 0.0))
        hearing.pull(tick + 0.8, out)
        yield hearing.mixed, round(float(out.sum()), 3), hearing._paths[0].delay, hearing._paths[1].delay


def paths(tuning: Tuning) -> Iterator[object]:
    """From one path to another that is earlier, where they are alike and where they are not; words and pauses after."""
    random_numbers = np.random.default_rng(4)
    for coded, pauses in ((0.02, True), (0.06, False), (0.1, True), (0.14, False)):
        old, new, out = PlaybackPath(tuning.changeover), PlaybackPath(tuning.changeover), silent_frame()
        words = np.repeat([1e-4 if pauses and tick % 60 > 50 else 1.0 for tick in range(400)], FRAME_SAMPLES)
        noise = (random_numbers.normal(0, 0.1, words.size) * words).astype(np.float32)
        again = noise + (random_numbers.normal(0, coded, words.size) * words).astype(np.float32)
        for tick in range(10, 300):
            new.begin()
            new.add(again[tick * FRAME_SAMPLES :][:FRAME_SAMPLES], concealed=False)
            new.end()
            if tick < 20:
                old.begin()
                old.add(noise[tick * FRAME_SAMPLES - 700 :][:FRAME_SAMPLES], concealed=False)
                old.end()
            elif tick == 20:
                new.join(old)
            out[:] = new.output(FRAME_SAMPLES)
            new.give_back(out)
            yield new.warm, new.delay


def changes(tuning: Tuning) -> Iterator[object]:
    """Both."""
    yield from paths(tuning)
    yield from talks(tuning, 400)


def comforts(tuning: Tuning) -> Iterator[object]:
    """Loudness, limiter, suppression."""
    loudness, limiter = Loudness(tuning.loudness), Limiter(tuning.loudness)
    suppressor, out = WienerSuppressor(tuning.suppression), silent_frame()
    random_numbers = np.random.default_rng(2)
    for tick in range(500):
        frame = random_numbers.normal(0, 0.02 if tick % 40 < 20 else 0.002, FRAME_SAMPLES).astype(np.float32)
        treated = loudness.apply(frame, mean_square(frame))
        yield round(loudness.gain_db, 6), suppressor.apply(treated, out), round(float(np.abs(out).sum()), 4)
        shout = frame * np.float32(60 if tick % 10 == 0 else 1)
        limiter.apply(shout)
        yield round(limiter.gain, 6)


def echoes(tuning: Tuning) -> Iterator[object]:
    """Friends whose microphones return more and less of a voice, at a lag that wanders."""
    for seed in range(16):
        chance, detector = random.Random(seed), EchoDetector(tuning.echo)
        mine = [10 ** chance.uniform(-6, -2) if tick % 160 < 90 else 0.0 for tick in range(1_500)]
        for tick, level in enumerate(mine):
            detector.spoke(tick, level)
            lag = 20 if tick < 125 else 20 + 3 * (seed % 3)
            other = 10 ** ((seed // 2) / 9 * chance.uniform(-1.5, 1.5))
            yield detector.heard(1, tick, mine[max(0, tick - lag)] * other)


ROOM = stage(Scene("tuning", "en_m4", "en_f2", moving=3.0, echo_db=-6.0), Voices(VOICES))
PIECES = (*range(100), *range(560, 720), *range(1190, 1260), *range(1550, 1640))
"""Ticks of a far voice alone, of both, of the near one alone after it, and of the far one again."""


def cancelled(tuning: Tuning) -> Iterator[object]:
    """Two voices in a room where somebody moves, with a doubt; then levels with headphones on and off."""
    canceller = EchoCanceller(tuning.cancel)
    for tick in PIECES:
        played = frame_of(ROOM.far, tick)
        canceller.played(played if played.any() else None)
        if tick == 1_600:
            canceller.doubt()
        yield round(float(np.abs(canceller.cancel(frame_of(ROOM.microphone, tick), 3e-7)).sum()), 3), canceller.talk
    chance = np.random.default_rng(6)
    canceller = EchoCanceller(tuning.cancel)
    far = chance.normal(0, 0.1, (200, FRAME_SAMPLES)).astype(np.float32)
    near = chance.normal(0, 0.2, far.shape) * (np.arange(200) % 20 < 8)[:, None] * (np.arange(200) % 100 >= 40)[:, None]
    microphone = (0.2 * np.roll(far.ravel(), 500).reshape(far.shape) + near).astype(np.float32)
    microphone[150:] = np.roll(microphone[150:], 400, axis=1)  # as if the room were another
    for played, heard in zip(far, microphone, strict=True):
        canceller.played(played)
        canceller.cancel(heard, 1e-7)
        yield canceller.talk
    watch = EchoWatch(tuning.cancel)
    for tick in range(700):
        level = 10 ** chance.uniform(-3.4, -1)
        follows = level * 0.01 * (1 if tick > 400 else 10 ** chance.uniform(-2, 0))
        yield watch.frame(level, follows, opened=tick > 300 or tick % 25 == 0)


RUNS: dict[str, Callable[[Tuning], Iterator[object]]] = {
    "playout": streams,
    "stream": streams,
    "gate": gates,
    "redundancy": reports,
    "forwarding": talks,
    "changeover": changes,
    "loudness": comforts,
    "suppression": comforts,
    "echo": echoes,
    "cancel": cancelled,
}
NUMBERS = [(part, field) for part in TUNING.__struct_fields__ for field in getattr(TUNING, part).__struct_fields__]
USUAL = {run: list(run(TUNING)) for run in set(RUNS.values())}


def other(part: str, field: str, factor: float) -> Tuning:
    numbers = getattr(TUNING, part)
    value = getattr(numbers, field)
    changed = type(value)(value * factor)
    return msgspec.structs.replace(TUNING, **{part: msgspec.structs.replace(numbers, **{field: changed})})


@pytest.mark.parametrize(("part", "field"), NUMBERS)
def test_each_number_counts(part: str, field: str) -> None:
    run = RUNS[part]
    assert any(list(run(other(part, field, factor))) != USUAL[run] for factor in (0.5, 2.0, 0.2))


def test_the_same_numbers_give_the_same_run() -> None:
    for run, usual in USUAL.items():
        assert list(run(Tuning())) == usual
