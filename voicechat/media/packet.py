"""One media packet as a value. Its bytes are made in wire.media."""

from typing import Final

import msgspec

MIX: Final = 0
"""The source of a listener's own mix."""

ME: Final = 0xFF
"""The source of every upward packet: whoever the connection belongs to."""

LAST_SOURCE: Final = 250
"""Participants are numbered 1..250; 251-254 stay free for later."""

MOST_PAYLOAD: Final = 400
"""Bytes: our bound, 2.5 times what 20 ms at 64 kbit/s take, since VBR peaks lie below twice the average (measured)."""

LONGEST_OFFSET: Final = 3
"""Ticks that a redundant frame may lie back: offset 3 repairs bursts of 3 (measured)."""


MOST_REDUNDANT: Final = 255
"""Bytes of the frame on board beside the payload: its length is one byte."""


class MediaPacket(msgspec.Struct, frozen=True, gc=False):
    """A frame of one source at one tick, or the end of its talk spurt.

    ``payload`` is empty only with ``end``. ``tick`` is the 16-bit wire tick.
    ``redundant`` is the payload of tick - ``offset``; empty when offset is 0. It has been
    sent before, unless ``pair``: then offset is 1, both frames come for the first time, and
    ``marker`` is about the earlier one.
    """

    source: int
    tick: int
    payload: bytes
    marker: bool = False
    end: bool = False
    offset: int = 0
    redundant: bytes = b""
    pair: bool = False
