"""Whether the hand-over between forwarding and mixing is heard: a hundred changes in one talk, in virtual time.

A talker talks on and on; a second one is there for a while and gone again, and says
nothing but digital silence, so that the listener's row changes its way each time while
what they should hear stays the same. The conference, the listener's streams and the codec
are the real ones; lines and clocks are ideal, so whatever is lost here is lost to the
hand-over. The same talk, only forwarded and only mixed, stands beside it.

A mix is later than a forwarded voice, by the wait for its tick and its second coding. Where
the listener's delay follows, the change is a jump in time, and PESQ takes a jump for damage;
a row of clean words with the same jumps in them shows how much.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.calls import Studio
from bench.figures import Table
from bench.parts.quality import scores
from bench.rig import speech
from bench.rig.listening import Heard, Signal, listen
from demo.script import VOICES
from voicechat.codecs.opus import OpusCodec
from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, Samples, silent_frame
from voicechat.media.hearing import Hearing
from voicechat.media.packet import ME
from voicechat.media.quality import MIX_COMPLEXITY
from voicechat.media.sending import SendStream
from voicechat.media.tuning import TUNING, Tuning
from voicechat.rooms.conference import Conference
from voicechat.rooms.room import Room

CHANGES: Final = 100
BITRATE: Final = 12_000

TOGETHER: Final = 35
"""Ticks in which both talk."""

ALONE: Final = 85
"""Ticks of one talker: a second until they are forwarded again, and a while of that."""

ARRIVES, HEARD, PLAYED = 0.1, 0.3, 0.7
"""Within a tick: when a packet is at the server, when what it sends is at the listener, when their card asks."""

STEP_DB: Final = 6.0
BLOCK: Final = SAMPLE_RATE // 100
AROUND: Final = 10
"""Blocks each way in which the levels of the two ways are looked up: their delays differ by less."""

LOUD: Final = -45.0


def handover(studio: Studio) -> list[Table]:
    """PESQ and STOI against the mean of both ways, gaps, and steps of level."""
    changes = CHANGES // 5 if studio.plan.quick else CHANGES
    ticks = changes // 2 * (TOGETHER + ALONE) + ALONE
    said = endless(ticks)
    tuning = studio.plan.tuning
    heard, ways = talk(said, tuning)
    forwarded, mixed = talk(said, tuning, alone=True)[0], talk(said, tuning, always=True)[0]
    true = said.reshape(-1).astype(np.float64)
    judged = [listen(true, one) for one in (forwarded, mixed, heard)]
    share, count = float(ways.mean()), int(np.sum(ways[1:] != ways[:-1]))
    lags = [median(one.delays) for one in judged[:2]]
    jumping = listen(true, jumped(true, ways, lags))
    expected = [_mean(judged[0], judged[1], share, k) for k in (0, 1)]
    got = [_mean(judged[2], judged[2], share, k) for k in (0, 1)]
    rows = [_row(name, one) for name, one in zip(("only forwarded", "only mixed"), judged, strict=False)]
    steps, worst = level_steps(heard, forwarded, mixed)
    rows.append((f"their mean, {100 * share:.0f} % mixed", f"{expected[0]:.2f}", f"{expected[1]:.3f}", "", "", ""))
    told = _row(f"{count} changes", judged[2])
    rows.append((*told[:-1], f"{steps}, largest {worst:.1f} dB"))
    rows.append(("difference", f"{got[0] - expected[0]:+.3f}", f"{got[1] - expected[1]:+.4f}", "", "", ""))
    rows.append(("goal", "-0.10", "-0.010", "0", "20", f"0 above {STEP_DB:.0f} dB"))
    rows.append(_row(f"for comparison: clean words that jump by {lags[1] - lags[0]:.0f} ms at each change", jumping))
    head = ("way", "PESQ-WB", "STOI", "gaps", "of them, ms", "steps of level")
    note = (
        "In virtual time, ideal lines. A step: 10 ms that are louder than the louder, or softer than the softer, of "
        "the two ways by more, within 100 ms of the same place."
    )
    return [Table("Hand-over between forwarding and mixing", head, tuple(rows), note)]


def endless(ticks: int) -> Samples:
    """One voice after another without the pauses between, in frames."""
    voices = [speech.voice(VOICES / f"{name}.flac") for names in speech.CAST[:2] for name in names]
    line = np.resize(np.concatenate(voices), ticks * FRAME_SAMPLES)
    return line.reshape(ticks, FRAME_SAMPLES)


def talk(
    said: Samples, tuning: Tuning = TUNING, *, alone: bool = False, always: bool = False
) -> tuple[Signal, NDArray[np.bool_]]:
    """What one listener hears of a talk that passed a conference, and whether each frame came by the mix."""
    codec, room = OpusCodec(), Room("")
    conference = Conference(room, OpusCodec(MIX_COMPLEXITY), BITRATE, always_mix=always, tuning=tuning)
    talker, silent, listener = (room.enter(name, 0.0).source for name in ("talker", "silent", "listener"))
    for source in (talker, silent, listener):
        conference.add(source)
    speaking, silence = SendStream(codec.encoder(BITRATE), ME), SendStream(codec.encoder(BITRATE), ME)
    hearing, out = Hearing(codec, tuning), silent_frame()
    sound, ways = [], []
    for tick, frame in enumerate(said):
        sent = conference.tick(tick) if conference.mixing else []
        sent += conference.arrived(talker, speaking.push(tick, frame), tick + ARRIVES)
        joins = not alone and not always and tick % (TOGETHER + ALONE) >= ALONE
        packet = silence.push(tick, silent_frame()) if joins else silence.finish(tick)
        if packet is not None:
            sent += conference.arrived(silent, packet, tick + ARRIVES)
        for listeners, delivered in sent:
            if listener in listeners:
                hearing.put(delivered, tick + HEARD)
        hearing.pull(tick + PLAYED, out)
        sound.append(out.astype(np.float64))
        ways.append(hearing.mixed)
    return np.concatenate(sound), np.array(ways)


def jumped(said: Signal, ways: NDArray[np.bool_], lags: Sequence[float]) -> Signal:
    """What was said, as late in each frame as the way is by which it was heard, with a crossfade at each change."""
    late = [np.concatenate([np.zeros(shift), said])[: len(said)] for shift in (round(lag * 48) for lag in lags)]
    share = np.repeat(ways.astype(np.float64), FRAME_SAMPLES)
    share = np.convolve(share, np.ones(BLOCK) / BLOCK, "full")[: len(said)]
    return late[0] * (1 - share) + late[1] * share


def level_steps(heard: Signal, forwarded: Signal, mixed: Signal) -> tuple[int, float]:
    """How many blocks are out of what either way would give by more than STEP_DB, and by how many dB the worst is."""
    ways = np.stack([_levels(forwarded), _levels(mixed)])
    count = ways.shape[1]
    padded = np.pad(ways, ((0, 0), (AROUND, AROUND)), mode="edge")
    around = np.stack([padded[:, shift : shift + count] for shift in range(2 * AROUND + 1)])
    high, low = around.max(axis=(0, 1)), around.min(axis=(0, 1))
    level = _levels(heard)
    out = np.maximum(level - high, np.where(low > LOUD, low - level, 0.0))
    out = out[high > LOUD]
    return int(np.sum(out > STEP_DB)), float(max(0.0, out.max()))


def _levels(sound: Signal) -> NDArray[np.float64]:
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
    levels: NDArray[np.float64] = 10 * np.log10(np.mean(blocks**2, axis=1) + 1e-9)
    return levels


def _mean(one: Heard, other: Heard, share: float, which: int) -> float:
    """Of PESQ (0) or STOI (1), weighted by how long each was heard."""
    values = [float(np.mean(scores([heard]))) if which == 0 else heard.stoi or 0.0 for heard in (one, other)]
    return (1 - share) * values[0] + share * values[1]


def _row(name: str, heard: Heard) -> tuple[str, ...]:
    pesq = float(np.mean(scores([heard])))
    return (name, f"{pesq:.2f}", f"{heard.stoi or 0:.3f}", str(heard.gaps), str(heard.gap_ms), "")
