"""Seen: which of the latest ticks of a stream have arrived already. One integer remembers 128 of them."""

from typing import Final

BITS: Final = 128
"""Ticks remembered: 2.5 s, far more than any reordering, a little more than the replay of a stalled connection."""

_MASK: Final = (1 << BITS) - 1


class Seen:
    """A sliding window of ticks, never wrapped ones."""

    def __init__(self) -> None:
        self.newest = 0
        self._bits = 0

    def forget(self) -> None:
        """Nothing has been seen."""
        self._bits = 0

    def first_time(self, tick: int) -> bool:
        """Note a tick; True if it had not been seen. What is far outside the window begins a new one."""
        back = self.newest - tick
        if not self._bits or not -BITS <= back < BITS:
            self.newest, self._bits = tick, 1
            return True
        if back < 0:
            self.newest = tick
            self._bits = (self._bits << -back | 1) & _MASK
            return True
        first = not self._bits >> back & 1
        self._bits |= 1 << back
        return first
