"""What one frame costs: codec, mixer, limiter and gate, in microseconds of one core.

    python -m bench.codec [--rounds 10] [--json PATH]

The codec stands beside the floor, a bare ctypes loop over libopus with everything
prepared, and beside opuslib's own classes. All of them code the same frames,
so that a busy machine slows all alike; medians and quartiles are printed. Asserts
nothing.
"""

import argparse
import ctypes
import json
import platform
import random
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from time import perf_counter_ns
from typing import Any

import numpy as np
import opuslib
import soundfile
from opuslib.api import ctl, decoder, encoder

from voicechat.codecs.opus import WIDEBAND_UP_TO, OpusCodec
from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, TICK_MS, Samples, silent_frame
from voicechat.media.gate import TalkGate
from voicechat.media.levels import mean_square
from voicechat.media.mixer import Limiter, mix
from voicechat.media.packet import MOST_PAYLOAD

VOICE = Path(__file__).parents[1] / "demo" / "voices" / "cs_m1.flac"
BITRATES = (12_000, 24_000)
COMPLEXITIES = (5, 8)

Step = Callable[[int], Any]
"""Does the work of one frame, given its index."""

Row = dict[str, float | str]


def frames_of(path: Path) -> Samples:
    samples: Samples = soundfile.read(path, dtype="float32")[0]
    return samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)


def measure(steps: dict[str, Step], count: int, rounds: int) -> list[Row]:
    """Time each step for ``count`` frames, ``rounds`` times.

    Each frame has an order of its own, by chance, so that no step profits from what its neighbour left in the caches.
    """
    chance = random.Random(count)
    spent: dict[str, list[int]] = {name: [] for name in steps}
    names = list(steps)
    for _ in range(rounds):
        for index in range(count):
            chance.shuffle(names)
            for name in names:
                step = steps[name]
                begin = perf_counter_ns()
                step(index)
                spent[name].append(perf_counter_ns() - begin)
    rows: list[Row] = []
    for name, times in spent.items():
        low, middle, high = quantiles(times, n=4)
        rows.append({"what": name, "median_us": middle / 1e3, "p25_us": low / 1e3, "p75_us": high / 1e3})
    return rows


def floor_encoder(bitrate: int, complexity: int) -> Any:
    state = encoder.create_state(SAMPLE_RATE, 1, opuslib.APPLICATION_VOIP)
    ctl.set_bitrate(encoder.libopus_ctl, state, bitrate)
    ctl.set_complexity(encoder.libopus_ctl, state, complexity)
    if bitrate <= WIDEBAND_UP_TO:
        ctl.set_max_bandwidth(encoder.libopus_ctl, state, opuslib.BANDWIDTH_WIDEBAND)
    return state


def pointers_to(frames: Samples) -> list[Any]:
    return [frame.ctypes.data_as(ctypes.POINTER(ctypes.c_float)) for frame in frames]


def encoding(frames: Samples, bitrate: int, complexity: int) -> dict[str, Step]:
    """The floor first, then ours, then opuslib's class."""
    ours = OpusCodec(complexity).encoder(bitrate)
    state, room = floor_encoder(bitrate, complexity), ctypes.create_string_buffer(MOST_PAYLOAD)
    prepared, function = pointers_to(frames), encoder.libopus_encode_float
    theirs = opuslib.Encoder(SAMPLE_RATE, 1, opuslib.APPLICATION_VOIP)
    theirs.encoder_state = floor_encoder(bitrate, complexity)
    whole = [(frame * 32767).astype(np.int16).tobytes() for frame in frames]
    label = f"encode {bitrate // 1000} k c{complexity}"
    return {
        f"{label}: libopus": lambda i: function(state, prepared[i], FRAME_SAMPLES, room, MOST_PAYLOAD),
        f"{label}: ours": lambda i: ours.encode(frames[i]),
        f"{label}: opuslib's class": lambda i: theirs.encode(whole[i], FRAME_SAMPLES),
    }


def decoding(frames: Samples, bitrate: int) -> dict[str, Step]:
    """The floor first, then ours, then opuslib's class; what has no floor beside them."""
    codec = OpusCodec()
    talker = codec.encoder(bitrate)
    payloads = [talker.encode(frame) for frame in frames]
    sizes, out = [len(payload) for payload in payloads], silent_frame()
    state, function = decoder.create_state(SAMPLE_RATE, 1), decoder.libopus_decode_float
    pointer = pointers_to(out[None, :])[0]
    ours, theirs, concealing = codec.decoder(), opuslib.Decoder(SAMPLE_RATE, 1), codec.decoder()
    label = f"decode {bitrate // 1000} k"

    def decode_and_conceal(index: int) -> None:
        concealing.decode(payloads[index], out)
        concealing.conceal(out)

    return {
        f"{label}: libopus": lambda i: function(state, payloads[i], sizes[i], pointer, FRAME_SAMPLES, 0),
        f"{label}: ours": lambda i: ours.decode(payloads[i], out),
        f"{label}: opuslib's class": lambda i: theirs.decode(payloads[i], FRAME_SAMPLES),
        f"decode and conceal {bitrate // 1000} k": decode_and_conceal,
        f"check a payload of {bitrate // 1000} k": lambda i: codec.check(payloads[i]),
    }


def mixing_for(size: int, frames: Samples) -> Step:
    """The product for ``size`` friends of whom each hears all others."""
    gains = np.ones((size, size), np.float32) - np.eye(size, dtype=np.float32)
    talkers = np.resize(frames, (size, FRAME_SAMPLES)).copy()
    out = np.empty_like(talkers)
    return lambda _: mix(gains, talkers, out)


def mixing(frames: Samples) -> dict[str, Step]:
    """The matrix product for rooms of some sizes, the limiter in each of its ways, the gate."""
    steps: dict[str, Step] = {"nothing (the clock itself)": lambda _: None}
    for size in (2, 4, 16):
        steps[f"mix {size} talkers for {size} listeners"] = mixing_for(size, frames)
    loud = frames * (2 / np.abs(frames).max(axis=1, keepdims=True))
    idle, falling, releasing = Limiter(), Limiter(), Limiter()
    work = silent_frame()

    def fall(index: int) -> None:
        falling.gain = 1.0
        work[:] = loud[index]
        falling.apply(work)

    def release(index: int) -> None:
        releasing.gain = 0.5
        work[:] = frames[index]
        releasing.apply(work)

    gate = TalkGate()
    levels = [mean_square(frame) for frame in frames]
    return steps | {
        "limiter, idle": lambda i: idle.apply(frames[i]),
        "limiter, 7 dB too loud": fall,
        "limiter, releasing": release,
        "level of a frame": lambda i: mean_square(frames[i]),
        "talk gate": lambda i: gate.push(levels[i]),
    }


def show(rows: list[Row]) -> None:
    """Print the rows; those of one label are compared with the first."""
    floors: dict[str, float] = {}
    for row in rows:
        label, median = str(row["what"]).split(":")[0], float(row["median_us"])
        floor = floors.setdefault(label, median)
        compared = "" if median == floor else f"  {100 * (median / floor - 1):+.0f} %"
        print(f"{row['what']:40} {median:8.2f}  ({row['p25_us']:.2f} - {row['p75_us']:.2f}){compared}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.codec", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6, help="times that the voice is gone through")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    frames = frames_of(VOICE)
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}, {sys.platform}")
    print(f"us of {TICK_MS} ms: median (quartiles), and how much above the first of its kind\n")
    rows: list[Row] = []
    for bitrate in BITRATES:
        for complexity in COMPLEXITIES:
            rows += measure(encoding(frames, bitrate, complexity), len(frames), options.rounds)
        rows += measure(decoding(frames, bitrate), len(frames), options.rounds)
    rows += measure(mixing(frames), len(frames), options.rounds)
    show(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
