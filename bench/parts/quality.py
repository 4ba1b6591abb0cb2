"""How it sounds: PESQ-WB (P.862.2) and STOI of what is heard, on a clean line, beside what the codec alone allows."""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from bench.calls import Studio
from bench.figures import NONE, Table, told
from bench.rig import speech
from bench.rig.listening import Heard, Signal, listen
from voicechat.codecs.opus import OpusCodec
from voicechat.format import FRAME_SAMPLES, silent_frame
from voicechat.media.quality import HIGH_BITRATE

WAYS = {"talk 0": "0>1", "talk 1": "1>0"}
HEAD = ("what is heard", "PESQ-WB", "STOI", "goal, PESQ", "the codec alone: PESQ-WB", "STOI")


def quality(studio: Studio) -> list[Table]:
    """A lone talker forwarded, and through the mixer; two talkers against the sum of both."""
    said = tracks(studio.plan.spoken)
    rows = []
    for name, call, bitrate, times, goal in (
        ("lone talker, 12 kbit/s", "2 auto", 12_000, 1, "3.6"),
        ("lone talker, 16 kbit/s", "16 k auto", 16_000, 1, "3.9"),
        ("lone talker, high quality (24 kbit/s)", "high auto", HIGH_BITRATE, 1, NONE),
        ("lone talker, saver quality (12 kbit/s in pairs)", "saver auto", 12_000, 1, "3.6"),
        ("lone talker, mixed (coded twice), 12 kbit/s", "2 always", 12_000, 2, "3.0"),
        ("lone talker, mixed (coded twice), 16 kbit/s", "16 k always", 16_000, 2, "3.4"),
        ("lone talker, mixed (coded twice), high quality (24 kbit/s)", "high always", HIGH_BITRATE, 2, NONE),
    ):
        if studio.can(call):
            limit = [listen(one, coded(one, bitrate, times)) for one in said]
            rows.append(_row(name, _alone(studio, call), goal, limit))
    both = coded(coded(said[0], 12_000) + coded(said[1], 12_000), 12_000)
    limit = [listen(said[0] + said[1], both)]
    for name, call in (("two at once", "3 auto"), ("two at once, --mixing always", "3 always")):
        if studio.can(call):
            rows.append(_row(f"{name}: against the sum of both, 12 kbit/s", _sums(studio, call), NONE, limit))
    note = (
        "Median (lowest to highest) of pieces of about 8 s, of four voices; the codec alone has coded the same tracks "
        "once, or twice, with no line between and no mixer but a sum."
    )
    return [Table("Quality on a clean line", HEAD, tuple(rows), note)]


def scores(heard: Iterable[Heard]) -> list[float]:
    """PESQ of every piece; one who was not heard scores 1, the worst."""
    return [score for one in heard for score in (one.pesq or (1.0,))]


def tracks(seconds: float) -> list[Signal]:
    """What the first two talkers say, equally long."""
    said = []
    with tempfile.TemporaryDirectory() as folder:
        for talker in (0, 1):
            path = Path(folder, f"{talker}.wav")
            speech.write(path, talker, seconds)
            said.append(soundfile.read(path)[0])
    size = max(map(len, said))
    return [np.pad(one, (0, size - len(one))) for one in said]


def coded(said: Signal, bitrate: int, times: int = 1) -> Signal:
    """What the codec makes of it, so many times over."""
    whole = OpusCodec()
    for _ in range(times):
        encoder, decoder, out = whole.encoder(bitrate), whole.decoder(), silent_frame()
        frames = np.resize(said, (len(said) // FRAME_SAMPLES, FRAME_SAMPLES)).astype(np.float32)
        decoded = []
        for frame in frames:
            decoder.decode(encoder.encode(frame), out)
            decoded.append(out.astype(np.float64))
        said = np.concatenate(decoded)
    return said


def _alone(studio: Studio, call: str) -> list[Heard]:
    return [measured.heard[way] for phase, way in WAYS.items() for measured in studio.phases(call, phase)]


def _sums(studio: Studio, call: str) -> list[Heard]:
    return [
        heard
        for measured in studio.phases(call, "talk 0+1")
        for way, heard in measured.heard.items()
        if way.startswith("sum")
    ]


def _row(name: str, heard: Sequence[Heard], goal: str, limit: Sequence[Heard]) -> tuple[str, ...]:
    if not heard:
        return (name, NONE, NONE, goal, *_both(limit))
    return (name, *_both(heard), goal, *_both(limit))


def _both(heard: Sequence[Heard]) -> tuple[str, str]:
    return told(scores(heard), 2), told((one.stoi for one in heard), 3)
