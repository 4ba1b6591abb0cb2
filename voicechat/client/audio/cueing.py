"""Cues on their way to the loudspeaker: mixed into what it plays, on the device's thread, and sent to nobody.

Here and not where frames are made, since cues are heard while nobody talks, while we are deafened and while nobody
is connected: no frame is made then, but the device takes a block all the same.

The reactor's thread appends a cue, the device's takes it block by block. What crosses over are appends and pops of
deques, which are atomic in CPython. While nothing waits, the device's thread sees an empty deque, and that is all.
"""

from collections import deque
from typing import Final

import numpy as np

from voicechat.format import BLOCK_SAMPLES, Samples

MOST_WAITING: Final = 3
"""Cues, with the one that is played: a third of a second. Of more only the newest is worth being heard."""


class CueQueue:
    """At most MOST_WAITING cues, one after the other."""

    def __init__(self) -> None:
        self.waiting: deque[deque[Samples]] = deque()
        """Cues, by their blocks; the first is being played."""

    def put(self, sound: Samples) -> None:
        """Play whole blocks as soon as those before are over. Where too many wait, this one takes the newest's place.

        Called on the REACTOR's thread.
        """
        if len(self.waiting) >= MOST_WAITING:
            self.waiting.pop()
        self.waiting.append(deque(sound.reshape(-1, BLOCK_SAMPLES)))

    def mixed(self, block: bytes) -> bytes:
        """A block that the loudspeaker is to play, with the cue's next one. Called on the DEVICE's thread."""
        try:
            cue = self.waiting[0]
            samples = cue.popleft() + np.frombuffer(block, np.float32)
            if not cue:
                self.waiting.popleft()
        except IndexError:  # while one card takes over from another, two threads may be here at once
            return block
        return samples.clip(-1.0, 1.0, out=samples).tobytes()
