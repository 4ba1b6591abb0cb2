"""How late a friend is heard: an estimate from what both ends and the server know. Pure.

From their mouth to our ear the sound waits for a frame to be full, for the codec's
look-ahead, on both ways to and from the server, in our playout delay, and for the block
of the sound card that it is played in. Where the server mixes, it also waits in the
server's buffer and for the tick, and is coded once more.

What the sound devices themselves hold back is not known and not in it: 5 to 15 ms on
a PC whose sound system is set well (measured with PipeWire), more with PulseAudio.
"""

from typing import Final

from voicechat.format import BLOCK_SECONDS, TICK_MS

BLOCK_MS: Final = BLOCK_SECONDS * 1000

LOOK_AHEAD_MS: Final = 6.5
"""Of libopus' encoder for voice at 48 kHz: 312 samples (OPUS_GET_LOOKAHEAD, measured)."""


def delay_ms(*, their_way_ms: float, our_way_ms: float, playout_ms: float, mixed: float | None, pairs: bool) -> float:
    """Milliseconds; ``mixed`` is how long the server holds their frames where it mixes for us, None where it does not.

    ``pairs``: they send two frames in each packet, so the first waits for the second.
    """
    delay = TICK_MS * (1 + pairs) + LOOK_AHEAD_MS + their_way_ms + our_way_ms + playout_ms + BLOCK_MS
    if mixed is not None:
        delay += mixed + TICK_MS / 2 + LOOK_AHEAD_MS
    return delay
