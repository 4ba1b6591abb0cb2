"""Which of the sound cards that were opened may call ``exchange``, settled by one number.

What opens cards takes its time and may hang, and a card that is given up may call again:
only the newest that has called at all is heard. Called from the devices' threads and from
whichever opens them; knows neither cards nor devices.
"""

import threading
from typing import Final

from voicechat.client.audio.synthetic import Exchange
from voicechat.client.audio.threadstate import ThreadState
from voicechat.format import SILENT_BLOCK

NOTICED_WITHIN: Final = 0.05
"""Seconds within which a card's thread has called once more, if it still does; it does so every 10 ms."""


class DeviceHandover:
    """Who may call ``exchange``: the newest card that has called at all. The one before it plays silence.

    The thread that has the turn keeps its Python state, and lets it go at its first call after that.
    """

    def __init__(self) -> None:
        self.exchange: Exchange = lambda _: SILENT_BLOCK
        self.taken = threading.Event()
        """The card that was offered a turn has called."""
        self._left = threading.Event()
        """The card that had the turn has called without it."""
        self._state = ThreadState()
        self._change = threading.Lock()
        self._count = self._now = self._offered = self._resting = 0

    def offer(self) -> Exchange:
        """What the next card shall call."""
        self._count += 1
        number = self._count
        with self._change:
            self._offered = number
            self.taken.clear()
            self._left.clear()

        def turn(block: bytes) -> bytes:
            return self.exchange(block) if number == self._now or self._take(number) else SILENT_BLOCK

        return turn

    def rest(self) -> None:
        """The card that has the turn is to be stopped: it loses the turn, and gets time to notice."""
        with self._change:
            self._now, self._resting = 0, self._now
            self._left.clear()
        self.notice()

    def notice(self) -> None:
        """The card that had the turn is to be stopped, and gets time to notice: its thread lets its state go."""
        self._left.wait(NOTICED_WITHIN)

    def again(self) -> None:
        """The card that rests is stopped; its next call brings the turn back, unless there is a newer card by now."""
        with self._change:
            if not self._offered and not self._now:
                self._offered = self._resting
                self.taken.clear()

    def withdraw(self) -> bool:
        """The offer does not stand any longer; False if it was taken."""
        with self._change:
            self._offered = 0
            return not self.taken.is_set()

    def end(self) -> None:
        """Nobody may call any more."""
        with self._change:
            self._offered = self._now = 0

    def _take(self, number: int) -> bool:
        """On the device's thread: at a card's first call, and at each one without a turn."""
        with self._change:
            if number != self._offered:
                if self._state.let_go():
                    self._left.set()
                return False
            self._now, self._offered = number, 0
            self._state.keep()
            self.taken.set()
            return True
