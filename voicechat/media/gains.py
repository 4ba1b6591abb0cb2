"""SourceGains: how loud each source is for one listener. May import numpy and the sound format.

A gain that changes while the source is heard is led over within one frame, so that no
step is heard as a click.
"""

from functools import lru_cache

import numpy as np

from voicechat.format import FRAME_SAMPLES, Frame


class SourceGains:
    """Linear gains by source; 1 for whom none was set."""

    def __init__(self) -> None:
        self._wanted: dict[int, float] = {}
        self._now: dict[int, float] = {}
        """What a source's last frame ended with; absent where that is 1."""

    def set(self, source: int, gain: float) -> None:
        """This source is to be as loud from its next frame on."""
        if gain == 1.0 and source not in self._now:
            self._wanted.pop(source, None)
        else:
            self._wanted[source] = gain

    def forget(self, source: int) -> None:
        """The source is gone."""
        self._wanted.pop(source, None)
        self._now.pop(source, None)

    def last(self, source: int) -> float:
        """What the source's last frame ended with."""
        return self._now.get(source, 1.0)

    def apply(self, source: int, frame: Frame) -> None:
        """Make the source's next frame as loud as it is to be."""
        wanted = self._wanted.get(source)
        if wanted is None:
            return
        now = self._now.get(source, 1.0)
        if now == wanted:
            if wanted != 1.0:
                frame *= wanted
            return
        self._now[source] = wanted
        frame *= now + (wanted - now) * _slope()


@lru_cache(maxsize=1)
def _slope() -> Frame:
    return np.linspace(0.0, 1.0, FRAME_SAMPLES, dtype=np.float32)
