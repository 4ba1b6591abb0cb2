"""What one frame costs on its own: ``bench.codec``, and the same steps cold, once a frame as a call has them."""

import time
from typing import Final

from bench import codec
from bench.calls import Studio
from bench.figures import Table, percentile, told
from voicechat.codecs.opus import OpusCodec
from voicechat.format import TICK_SECONDS, silent_frame

COLD_FRAMES: Final = 250


def coding(studio: Studio) -> list[Table]:
    """Warm: in a tight loop, beside libopus alone. Cold: 20 ms apart."""
    rounds = 1 if studio.plan.quick else 3
    frames = codec.frames_of(codec.VOICE)
    rows: list[codec.Row] = []
    for bitrate in codec.BITRATES:
        for complexity in codec.COMPLEXITIES:
            rows += codec.measure(codec.encoding(frames, bitrate, complexity), len(frames), rounds)
        rows += codec.measure(codec.decoding(frames, bitrate), len(frames), rounds)
    rows += codec.measure(codec.mixing(frames), len(frames), rounds)
    head = ("step", "us a frame", "quartiles", "above the first of its kind")
    note = "All steps take the same frames, each frame in an order by chance, so that a busy machine slows all alike."
    return [Table("One frame, warm", head, tuple(_compared(rows)), note), cold()]


def cold() -> Table:
    """A call codes one frame and sleeps: the caches belong to others by then."""
    rows = []
    for complexity in codec.COMPLEXITIES:
        encode, decode = cold_times(OpusCodec(complexity))
        label = f"12 kbit/s, complexity {complexity}"
        rows += [(f"encode, {label}", *_spread(encode)), (f"decode, {label}", *_spread(decode))]
    enhanced = OpusCodec(enhance=True, clock=lambda: 0.0)
    if enhanced.enhancement.complexity:
        _, decode = cold_times(enhanced)
        rows.append((f"decode, 12 kbit/s, enhanced ({enhanced.enhancement.value})", *_spread(decode)))
    head = ("step", "us a frame", "95 %", "s/min at 50 a second")
    note = "CPU time of the thread, frames 20 ms apart."
    return Table("One frame, cold", head, tuple(rows), note)


def cold_times(whole: OpusCodec, count: int = COLD_FRAMES) -> tuple[list[float], list[float]]:
    """Microseconds of CPU time of each encode, and of each decode."""
    talker, listener, out = whole.encoder(12_000), whole.decoder(), silent_frame()
    encodes, decodes = [], []
    for frame in codec.frames_of(codec.VOICE)[:count]:
        start = time.thread_time_ns()
        payload = talker.encode(frame)
        encodes.append((time.thread_time_ns() - start) / 1e3)
        time.sleep(TICK_SECONDS / 2)
        start = time.thread_time_ns()
        listener.decode(payload, out)
        decodes.append((time.thread_time_ns() - start) / 1e3)
        time.sleep(TICK_SECONDS / 2)
    return encodes, decodes


def _spread(times: list[float]) -> tuple[str, str, str]:
    mean = sum(times) / len(times)
    return told([percentile(times, 50)]), told([percentile(times, 95)]), f"{mean * 50 * 60 / 1e6:.2f}"


def _compared(rows: list[codec.Row]) -> list[tuple[str, ...]]:
    floors: dict[str, float] = {}
    compared: list[tuple[str, ...]] = []
    for row in rows:
        what, median = str(row["what"]), float(row["median_us"])
        floor = floors.setdefault(what.split(":", maxsplit=1)[0], median)
        above = "" if median == floor else f"{100 * (median / floor - 1):+.0f} %"
        compared.append((what, f"{median:.1f}", f"{row['p25_us']:.1f} to {row['p75_us']:.1f}", above))
    return compared
