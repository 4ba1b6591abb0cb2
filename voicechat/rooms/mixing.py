"""The mixed rows of one room: equal rows are one product, one limiter, one encoding.

For k talkers in a flat room that is k + 1 encodings at most, however many listen:
one for all pure listeners, one for each talker's own mix-minus. Rows are equal only
at one bitrate, so q bitrates among the listeners make that k + q.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES, Frame
from voicechat.interfaces import ICodec, IEncoder
from voicechat.media.mixer import Limiter, mix

Gains = tuple[float, ...]
"""A row of the gain matrix: one linear gain for each live talker."""


class Row(NamedTuple):
    """What one listener is to hear, and at how many bit/s."""

    gains: Gains
    bitrate: int


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
    claims it; changing coders in mid-stream is not heard (measured). His bitrate
    stays the same until he is forgotten.
    """

    def __init__(self, codec: ICodec) -> None:
        self._codec = codec
        self._coder_of: dict[int, _Coder] = {}
        self._groups: dict[Row, list[int]] = {}
        """Who heard what at the last tick; most ticks are like the one before, and then the next two hold."""
        self._coders: list[_Coder] = []
        self._matrix: NDArray[np.float32] = np.empty((0, 0), np.float32)
        self.encodings = 0
        """Frames encoded so far."""

    @property
    def coders(self) -> int:
        """Encoders held: at most one a listener."""
        return len({id(coder) for coder in self._coder_of.values()})

    def forget(self, listener: int) -> None:
        """The listener no longer hears a mix."""
        self._coder_of.pop(listener, None)
        self._groups = {}

    def run(self, rows: dict[int, Row], frames: NDArray[np.float32]) -> list[Mixed]:
        """Mix ``frames`` (talkers x 960) for each listener's row; rows of zeros are left out."""
        groups: dict[Row, list[int]] = {}
        for listener, row in rows.items():
            if any(row.gains):
                groups.setdefault(row, []).append(listener)
        if not groups:
            return []
        if groups != self._groups:
            self._coders = self._assign(groups)
            self._matrix = np.array([row.gains for row in groups], np.float32)
            self._groups = groups
        mixed = np.empty((len(groups), FRAME_SAMPLES), np.float32)
        mix(self._matrix, frames, mixed)
        return [
            Mixed(listeners, self._encode(coder, frame))
            for listeners, coder, frame in zip(self._groups.values(), self._coders, mixed, strict=True)
        ]

    def _encode(self, coder: _Coder, frame: Frame) -> bytes:
        coder.limiter.apply(frame)
        self.encodings += 1
        return coder.encoder.encode(frame)

    def _assign(self, groups: dict[Row, list[int]]) -> list[_Coder]:
        """A coder for each group: one that its listeners had, or a new one; a decoder begins anew as well then."""
        claimed: set[int] = set()
        chosen: list[_Coder | None] = []
        for listeners in groups.values():
            had = (self._coder_of.get(listener) for listener in listeners)
            coder = next((c for c in had if c is not None and id(c) not in claimed), None)
            if coder is not None:
                claimed.add(id(coder))
            chosen.append(coder)
        coders = [coder or _Coder(self._codec.encoder(row.bitrate)) for row, coder in zip(groups, chosen, strict=True)]
        for listeners, coder in zip(groups.values(), coders, strict=True):
            for listener in listeners:
                self._coder_of[listener] = coder
        return coders
