"""Voice: what is done to the microphone's frames of talk before they are coded.

Runs in the reactor's thread, once a frame while somebody talks and somebody hears.
Knows no bridge, connection or codec: frames in, frames out.
"""

from voicechat.format import Frame
from voicechat.media.loudness import Loudness


class Voice:
    """The treatment of one player's own voice. Without ``loudness`` it stays as loud as it is."""

    def __init__(self, loudness: Loudness | None = None) -> None:
        self._loudness = loudness

    def treat(self, frame: Frame, mean_square: float) -> Frame:
        """One frame that passed the gate, and its mean square; what is to be coded, valid until the next call."""
        if self._loudness is not None:
            frame = self._loudness.apply(frame, mean_square)
        return frame
