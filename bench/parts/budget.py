"""Where the delay comes from, stage by stage, each measured on its own, and their sum beside the whole."""

from statistics import median
from typing import Any

import numpy as np

from bench import codec
from bench.calls import Studio
from bench.figures import Table, percentile
from bench.parts.coding import cold_times
from bench.parts.quality import WAYS
from bench.rig.listening import best_lag
from bench.rig.stage import FLOOR
from voicechat.codecs.opus import OpusCodec
from voicechat.format import BLOCKS_PER_FRAME, FRAME_SAMPLES, SAMPLE_RATE, TICK_MS, silent_frame

OPUS_COMPLEXITY = 8
"""The client's default."""


def budget(studio: Studio) -> list[Table]:
    """For a forwarded voice on a clean line, from the calls that `latency` has held."""
    calls = studio.calls("2 auto")
    phases = [measured for phase in WAYS for measured in studio.phases("2 auto", phase)]
    stats = [one for call in calls for one in call.stats.values()]
    encode, decode = (percentile(times, 50) or 0.0 for times in cold_times(OpusCodec(OPUS_COMPLEXITY)))
    floor = median(percentile(measured.heard[FLOOR].delays, 50) or 0.0 for measured in phases)
    whole = median(percentile(measured.heard[WAYS[measured.phase.name]].delays, 50) or 0.0 for measured in phases)
    # What --stats tells counts to the ear: the block that the driver is given is in the loop-through's delay, too.
    playout = _median_of(stats, "playout_delay_ms") - TICK_MS / BLOCKS_PER_FRAME
    stages = [
        ("sound system and driver, a block of 10 ms in and one out", floor, "the loop-through beside the call"),
        ("the frame's second block", TICK_MS - TICK_MS / BLOCKS_PER_FRAME, "by construction"),
        ("look-ahead of Opus", look_ahead(), "coded voice against the voice"),
        ("encoding, cold", encode / 1000, "median CPU time"),
        ("both lines, and the server", _median_of(stats, "round_trip_ms"), "half a round trip each, --stats"),
        ("playout delay, without the block that the loop-through has", playout, "--stats"),
        ("decoding, cold", decode / 1000, "median CPU time"),
    ]
    total = sum(stage[1] for stage in stages)
    rows = [(name, f"{ms:.1f}", how) for name, ms, how in stages]
    rows += [
        ("sum of the stages", f"{total:.1f}", ""),
        ("mouth to ear, measured as a whole", f"{whole:.1f}", "correlation"),
    ]
    note = "A playout delay counts from a frame's earliest possible arrival; here: smoothed over a call's last frames."
    return [Table("Where the delay comes from", ("stage", "ms", "how it was measured"), tuple(rows), note)]


def look_ahead() -> float:
    """Milliseconds by which the codec alone is late."""
    frames = codec.frames_of(codec.VOICE)
    whole = OpusCodec()
    encoder, decoder, out = whole.encoder(12_000), whole.decoder(), silent_frame()
    decoded = []
    for frame in frames:
        decoder.decode(encoder.encode(frame), out)
        decoded.append(out.copy())
    said = frames.reshape(-1).astype(np.float64)
    heard = np.concatenate(decoded).astype(np.float64)
    start = len(said) // 4
    piece = said[start : start + SAMPLE_RATE]
    lag, _ = best_lag(piece, heard[start : start + SAMPLE_RATE + 2 * FRAME_SAMPLES])
    return lag * 1000 / SAMPLE_RATE


def _median_of(stats: list[Any], key: str) -> float:
    """The median of what the clients told."""
    told = [float(one[key]) for one in stats if one.get(key) is not None]
    return median(told) if told else 0.0
