"""Which datagrams were seen already: a sliding window over their counters.

May import nothing. Pure integers: no key, no time, no datagram.

UDP may deliver a datagram twice or late, and an attacker may send a recorded
one again; each must be heard once at most. The receiver remembers the highest
counter that it has opened and, for the ``WINDOW`` counters up to it, one bit
each. Above the highest is new; inside the window the bit tells; below the
window nothing is known any more, so it is refused. The bits are one Python
integer, bit k standing for ``highest - k``. (RFC 6479 turns a ring of words instead, to
save the shift; in Python the shift of 128 bytes is the cheapest step of all.)

The order of use matters: ask ``is_fresh`` before the costly opening, and
``mark`` only after it succeeded. Else a forged datagram with a high counter
would push the window away from under the honest ones.
"""

from typing import Final

WINDOW: Final = 1024
"""Counters remembered: 20 s of speech at 50 datagrams a second. SRTP asks for 64 or more (RFC 3711 section 3.3.2)."""

_MASK: Final = (1 << WINDOW) - 1


class ReplayWindow:
    """The memory of one direction of one session."""

    __slots__ = ("_highest", "_seen")

    def __init__(self) -> None:
        self._highest = -1
        self._seen = 0

    def is_fresh(self, counter: int) -> bool:
        """Whether a datagram with this counter (0 or more) may still be opened. Changes nothing."""
        age = self._highest - counter
        return age < 0 or (age < WINDOW and not self._seen >> age & 1)

    def mark(self, counter: int) -> None:
        """Remember a counter that was fresh and whose datagram has been opened."""
        ahead = counter - self._highest
        if ahead <= 0:
            self._seen |= 1 << -ahead
        else:
            self._seen = (self._seen << ahead | 1) & _MASK if ahead < WINDOW else 1
            self._highest = counter
