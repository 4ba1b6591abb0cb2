"""Fakes worth shipping: each implements an interface of voicechat and is checked against it.

MemoryCodec   frames as single values, so that a test reads a mix as arithmetic

Deterministic; no libopus, no sound device, no clock. May import everything below the
server and the client; nothing that ships imports this module.
"""

import math
import struct
from typing import Final

import numpy as np
from zope.interface import implementer

from voicechat.errors import WireError
from voicechat.format import Frame
from voicechat.interfaces import ICodec, IDecoder, IEncoder

_MEMORY_TAG: Final = b"MC"
_MEMORY_PAYLOAD: Final = struct.Struct("<2sf")
"""A MemoryCodec payload: the tag, then the frame's value as a little-endian float32."""


def _value_of(payload: bytes) -> float:
    """The value that a MemoryCodec payload carries; WireError unless it is one."""
    if len(payload) != _MEMORY_PAYLOAD.size:
        raise WireError(f"a memory payload has {_MEMORY_PAYLOAD.size} bytes, not {len(payload)}")
    tag, value = _MEMORY_PAYLOAD.unpack(payload)
    if tag != _MEMORY_TAG or not -1.0 <= value <= 1.0:
        raise WireError(f"not a memory payload: {payload.hex()}")
    return float(value)


@implementer(IEncoder)
class MemoryEncoder:
    """Codes a frame as its mean, in six bytes."""

    def __init__(self, bitrate: int) -> None:
        self.bitrate = bitrate
        """bit/s asked for; changes nothing."""
        self.frames = 0
        """Frames coded so far."""

    def encode(self, frame: Frame) -> bytes:
        """Code the mean of ``frame``, clipped to -1..1; a frame with NaN in it counts as silence."""
        self.frames += 1
        mean = float(frame.mean(dtype=np.float64))
        return _MEMORY_PAYLOAD.pack(_MEMORY_TAG, 0.0 if math.isnan(mean) else max(-1.0, min(1.0, mean)))


@implementer(IDecoder)
class MemoryDecoder:
    """Decodes to frames of one value; conceals by the last value halved, and halved again."""

    def __init__(self) -> None:
        self.frames = 0
        """Frames decoded so far, without concealed ones."""
        self._value = 0.0

    def decode(self, payload: bytes, out: Frame) -> None:
        """Fill ``out`` with the payload's value; WireError, and ``out`` silent, if it is none of MemoryEncoder's."""
        out.fill(0.0)
        self._value = _value_of(payload)
        self.frames += 1
        out.fill(self._value)

    def conceal(self, out: Frame) -> None:
        """Fill ``out`` with half of what it had before."""
        self._value /= 2
        out.fill(self._value)


@implementer(ICodec)
class MemoryCodec:
    """A codec whose payload is one number: a constant frame comes back exactly, any other as its mean."""

    def encoder(self, bitrate: int) -> MemoryEncoder:
        """A fresh encoder; any bitrate."""
        return MemoryEncoder(bitrate)

    def decoder(self) -> MemoryDecoder:
        """A fresh decoder."""
        return MemoryDecoder()

    def check(self, payload: bytes) -> None:
        """WireError unless the payload is one of MemoryEncoder's."""
        _value_of(payload)
