"""Playout: blocks that are ready for the loudspeaker, and the asking for more.

The reactor's thread provides, the device's thread takes a block at a time. When fewer are left than the device takes
together, more is asked for, once. That leaves the reactor the 10 ms that a block lasts; what is late is an underrun.

What crosses over are numbers and flags, and appends and pops of a bounded deque, which are atomic in CPython.
"""

from collections import deque
from typing import Final

from voicechat.format import BLOCK_BYTES, SILENT_BLOCK

MOST_READY: Final = 32
"""Blocks ready for the loudspeaker: 320 ms, above the deepest playout delay and its frame."""


class PlayoutQueue:
    """At most MOST_READY blocks."""

    def __init__(self) -> None:
        self._ready: deque[bytes] = deque()
        self.playing = False
        """Between `play` and `rest`: an empty queue is an underrun."""
        self.asked = False
        """Fewer blocks are left than the device may take together."""
        self.underruns = 0
        """Blocks that were not ready when the loudspeaker needed them."""

    def __len__(self) -> int:
        return len(self._ready)

    def take(self) -> bytes:
        """The next block, or silence, which is an underrun while somebody is heard. Called on the DEVICE's thread."""
        try:  # not "if": while one card takes over from another, two threads may be here at once
            return self._ready.popleft()
        except IndexError:
            if self.playing:
                self.underruns += 1
            return SILENT_BLOCK

    def ask(self, together: int) -> bool:
        """Whether the reactor is to be woken for more. Called on the DEVICE's thread."""
        if self.playing and not self.asked and len(self._ready) < together:
            self.asked = True
            return True
        return False

    def play(self, silent_blocks: int) -> None:
        """Somebody is heard from now on; ``silent_blocks`` go before the first frame."""
        self._ready.extend((SILENT_BLOCK,) * min(silent_blocks, MOST_READY))
        self.asked = True
        self.playing = True

    def rest(self) -> None:
        """Nobody is heard any more; what is ready is still played."""
        self.playing = False
        self.asked = False

    def provide(self, sound: bytes, together: int) -> None:
        """Add blocks; too much is dropped, the oldest first."""
        ready = self._ready
        for start in range(0, len(sound), BLOCK_BYTES):
            ready.append(sound[start : start + BLOCK_BYTES])
        while len(ready) > MOST_READY:
            ready.popleft()
        self.asked = len(ready) < together
