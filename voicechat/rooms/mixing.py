"""The mixed rows of one room: equal rows are one product, one limiter, one encoding.

For k talkers in a flat room that is k + 1 encodings at most, however many listen:
one for all pure listeners, one for each talker's own mix-minus.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES, Frame
from voicechat.interfaces import ICodec, IEncoder
from voicechat.media.mixer import Limiter, mix

Gains = tuple[float, ...]
"""A row of the gain matrix: one linear gain for each live talker."""


class Mixed(NamedTuple):
    """One distinct row, encoded, and who gets it."""

    listeners: list[int]
    payload: bytes


class _Coder:
    """The limiter and encoder that one group of listeners hears."""

    def __init__(self, encoder: IEncoder) -> None:
        self.encoder = encoder
        self.limiter = Limiter()


class Mixing:
    """Groups listeners by their row and encodes each distinct row once a tick.

    A listener stays with the coder he had while nobody else of another group
    claims it; changing coders in mid-stream is not heard (measured).
    """

    def __init__(self, codec: ICodec, bitrate: int) -> None:
        self._codec = codec
        self._bitrate = bitrate
        self._coder_of: dict[int, _Coder] = {}
        self.encodings = 0
        """Frames encoded so far."""

    @property
    def coders(self) -> int:
        """Encoders held: at most one a listener."""
        return len({id(coder) for coder in self._coder_of.values()})

    def forget(self, listener: int) -> None:
        """The listener no longer hears a mix."""
        self._coder_of.pop(listener, None)

    def run(self, rows: dict[int, Gains], frames: NDArray[np.float32]) -> list[Mixed]:
        """Mix ``frames`` (talkers x 960) for each listener's row of gains; rows of zeros are left out."""
        groups: dict[Gains, list[int]] = {}
        for listener, gains in rows.items():
            if any(gains):
                groups.setdefault(gains, []).append(listener)
        if not groups:
            return []
        matrix = np.array(list(groups), np.float32)
        mixed = np.empty((len(groups), FRAME_SAMPLES), np.float32)
        mix(matrix, frames, mixed)
        coders = self._assign(list(groups.values()))
        return [
            Mixed(listeners, self._encode(coder, frame))
            for listeners, coder, frame in zip(groups.values(), coders, mixed, strict=True)
        ]

    def _encode(self, coder: _Coder, frame: Frame) -> bytes:
        coder.limiter.apply(frame)
        self.encodings += 1
        return coder.encoder.encode(frame)

    def _assign(self, groups: list[list[int]]) -> list[_Coder]:
        """A coder for each group: one that its listeners had, or a new one; a decoder begins anew as well then."""
        claimed: set[int] = set()
        chosen: list[_Coder | None] = []
        for listeners in groups:
            had = (self._coder_of.get(listener) for listener in listeners)
            coder = next((c for c in had if c is not None and id(c) not in claimed), None)
            if coder is not None:
                claimed.add(id(coder))
            chosen.append(coder)
        coders = [coder or _Coder(self._codec.encoder(self._bitrate)) for coder in chosen]
        for listeners, coder in zip(groups, coders, strict=True):
            for listener in listeners:
                self._move(listener, coder)
        return coders

    def _move(self, listener: int, coder: _Coder) -> None:
        if self._coder_of.get(listener) is not coder:
            self.forget(listener)
            self._coder_of[listener] = coder
