"""What a libopus does beyond plain decoding, found out by decoding.

From 1.5 on libopus may hold two neural models, both off unless a decoder asks for them by its complexity
(opus_decoder.c: OPUS_SET_COMPLEXITY): from 5 on deep PLC, which goes on with a voice where packets are lost, from 6 on
LACE as well, which takes away what a low bit rate does to one (J. Buethe et al., "LACE: A light-weight, causal model
for enhancing coded speech through adaptive convolutions", WASPAA 2023). Neither adds delay. An older library refuses
the request; one that was built without the models takes it and does nothing. So some frames are decoded with and
without, and compared.

Measured with libopus 1.5.2 (docs/sound.md): the quality at 12 kbit/s, with losses, and what it costs.

Knows no libopus: decoders and payloads in, a verdict out. May import the interfaces, the sound format and numpy.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

import numpy as np

from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, Frame, silent_frame
from voicechat.interfaces import IDecoder

PLAIN: Final = 0
CONCEALING: Final = 5
ENHANCING: Final = 6
"""Complexities of a decoder. 7 (NoLACE) costs three times as much as 6 and sounds as good (measured)."""

MOST_MS: Final = 0.25
"""Milliseconds that a frame may take with LACE: four friends at once are 5 % of a core then. 0.04 where it was
measured, so a machine that needs more is six times slower, or has no vector instructions that libopus knows."""

TRIED: Final = 8
"""Frames that are decoded to find out: the models speak from the second one on, the quickest tells what one takes."""

PITCH: Final = 120.0
"""Hz of them."""


class Enhancement(Enum):
    """What the decoders of a client do beyond decoding; the names that --stats has."""

    OFF = "off"
    """Nobody asked."""
    TOO_OLD = "too old"
    """The library refuses: it is older than 1.5."""
    NO_MODELS = "no models"
    """It takes the request, and the sound is the same."""
    CONCEALMENT = "concealment"
    """Deep concealment alone, since LACE is not built in."""
    SPARED = "spared"
    """Deep concealment alone, since the machine is slow, or is to be spared."""
    LACE = "lace"
    """Both."""

    @property
    def complexity(self) -> int:
        """What decoders are asked for."""
        return _COMPLEXITIES.get(self, PLAIN)


_COMPLEXITIES: Final = {
    Enhancement.CONCEALMENT: CONCEALING,
    Enhancement.SPARED: CONCEALING,
    Enhancement.LACE: ENHANCING,
}


def vowel() -> list[Frame]:
    """A saw tooth of a voice's pitch: the models have something to say of it."""
    periods = np.arange(TRIED * FRAME_SAMPLES) * (PITCH / SAMPLE_RATE)
    return list((0.2 * (periods % 1.0 - 0.5)).astype(np.float32).reshape(TRIED, FRAME_SAMPLES))


def found(
    make: Callable[[int], IDecoder | None], payloads: Sequence[bytes], clock: Callable[[], float], *, spare: bool
) -> Enhancement:
    """Which models a library has, and the machine has time for.

    ``make`` gives a fresh decoder of a complexity, None if the library knows no such thing; ``payloads`` are `vowel`
    coded for a wide band; ``clock`` gives seconds; ``spare``: LACE is too much for this machine in any case.
    """
    enhancing, concealing, plain = make(ENHANCING), make(CONCEALING), make(PLAIN)
    if enhancing is None or concealing is None or plain is None:
        return Enhancement.TOO_OLD
    usual, _ = _decoded(plain, payloads, clock)
    _decoded(concealing, payloads, clock)
    enhanced, seconds = _decoded(enhancing, payloads, clock)
    lace = not np.array_equal(enhanced, usual)
    if lace and not spare and seconds * 1000 <= MOST_MS:
        return Enhancement.LACE
    if np.array_equal(_concealed(concealing), _concealed(plain)):
        return Enhancement.NO_MODELS
    return Enhancement.SPARED if lace else Enhancement.CONCEALMENT


def _decoded(decoder: IDecoder, payloads: Sequence[bytes], clock: Callable[[], float]) -> tuple[Frame, float]:
    """The last frame, and the seconds that the quickest one took: a busy machine makes single ones slow, not all."""
    out, times = silent_frame(), []
    for payload in payloads:
        begun = clock()
        decoder.decode(payload, out)
        times.append(clock() - begun)
    return out, min(times)


def _concealed(decoder: IDecoder) -> Frame:
    out = silent_frame()
    decoder.conceal(out)
    return out
