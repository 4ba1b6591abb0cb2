"""The mixed rows of one room: equal rows are one product, one limiter, one encoding.

For k talkers in a flat room that is k + 1 encodings at most, however many listen:
one for all pure listeners, one for each talker's own mix-minus. Rows are equal only
at one bitrate, so q bitrates among the listeners make that k + q.
"""

from collections import Counter, deque
from collections.abc import Iterable, Set
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES, Frame
from voicechat.interfaces import ICodec, IEncoder
from voicechat.media.mixer import Frames, Limiter, mix
from voicechat.media.tuning import TUNING, Tuning


class MixRow(NamedTuple):
    """What one listener is to hear, and at how many bit/s."""

    gains: tuple[float, ...]
    """A row of the gain matrix: one linear gain for each live talker."""
    bitrate: int


class Mixed(NamedTuple):
    """One distinct row, encoded, and who gets it."""

    listeners: list[int]
    payload: bytes
    past: tuple[bytes, ...]
    """What its encoder made before, as much as a decoder needs to settle."""


class _Coder:
    """The limiter and encoder that one group of listeners hears."""

    def __init__(self, encoder: IEncoder, tuning: Tuning) -> None:
        self.encoder = encoder
        self._limiter = Limiter(tuning.loudness)
        self.past: deque[bytes] = deque(maxlen=tuning.stream.warm_with)
        """What it made last."""

    def encode(self, frame: Frame) -> bytes:
        """Limit a frame in place, and encode it."""
        self._limiter.apply(frame)
        payload = self.encoder.encode(frame)
        self.past.append(payload)
        return payload


class Mixing:
    """Groups listeners by their row and encodes each distinct row once a tick.

    A listener stays with the coder they had unless others of their group had another, or
    more of another group had theirs; changing coders in mid-stream is not heard
    (measured). Their bitrate stays the same until they are forgotten.
    """

    def __init__(self, codec: ICodec, tuning: Tuning = TUNING) -> None:
        self._codec = codec
        self._tuning = tuning
        self._coder_of: dict[int, _Coder] = {}
        self._groups: dict[MixRow, list[int]] = {}
        """Who heard what at the last tick; most ticks are like the one before, and then the next two hold."""
        self._coders: list[_Coder] = []
        self._matrix: NDArray[np.float32] = np.empty((0, 0), np.float32)
        self.encodings = 0
        """Frames encoded so far."""

    @property
    def coders(self) -> int:
        """Encoders held: at most one a listener."""
        return len(set(self._coder_of.values()))

    def forget(self, listener: int) -> None:
        """The listener no longer hears a mix."""
        self._coder_of.pop(listener, None)
        self._groups = {}

    def run(
        self, rows: dict[int, MixRow], frames: Frames, fresh: Set[int] = frozenset(), past: Iterable[Frames] = ()
    ) -> list[Mixed]:
        """Mix ``frames`` (talkers x 960) for each listener's row; rows of zeros are left out.

        ``past`` are the frames of the ticks before. A new coder with a listener in
        ``fresh`` codes them first, so that it and the decoder there have settled.
        """
        groups: dict[MixRow, list[int]] = {}
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
        done = []
        for listeners, coder, gains, frame in zip(
            self._groups.values(), self._coders, self._matrix, mixed, strict=True
        ):
            if not coder.past and not fresh.isdisjoint(listeners):
                for before in past:
                    coder.encode(gains @ before)
                    self.encodings += 1
            earlier = tuple(coder.past)
            self.encodings += 1
            done.append(Mixed(listeners, coder.encode(frame), earlier))
        return done

    def _assign(self, groups: dict[MixRow, list[int]]) -> list[_Coder]:
        """A coder for each group: the one that most of its listeners had, or a new one."""
        had = Counter(
            (number, self._coder_of[listener])
            for number, listeners in enumerate(groups.values())
            for listener in listeners
            if listener in self._coder_of
        )
        chosen: dict[int, _Coder] = {}
        claimed: set[_Coder] = set()
        for (number, coder), _ in had.most_common():
            if number not in chosen and coder not in claimed:
                chosen[number] = coder
                claimed.add(coder)
        coders = []
        for number, (row, listeners) in enumerate(groups.items()):
            coder = chosen.get(number) or _Coder(self._codec.encoder(row.bitrate), self._tuning)
            coders.append(coder)
            self._coder_of.update(dict.fromkeys(listeners, coder))
        return coders
