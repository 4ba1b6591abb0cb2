"""Arithmetic on 16-bit ticks (RFC 1982's idea). Nobody else compares wire ticks.

A tick on the wire is 16 bits and wraps after 22 minutes; inside, ticks are plain
integers that never wrap. `unwrap` is the one door between the two.
"""

from typing import Final

RING: Final = 1 << 16
_HALF: Final = RING >> 1


def ahead(a: int, b: int) -> int:
    """How far ``a`` lies after ``b`` on the ring, -32768..32767; negative when it lies before."""
    return ((a - b + _HALF) & (RING - 1)) - _HALF


def wrap(tick: int) -> int:
    """The 16 bits of a tick that travel."""
    return tick & (RING - 1)


def unwrap(wire_tick: int, near: int) -> int:
    """The integer tick nearest to ``near`` whose 16 bits are ``wire_tick``."""
    return near + ahead(wire_tick, near & (RING - 1))
