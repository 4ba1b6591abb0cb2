"""Fixed points of Ed25519 with tables: what a server multiplies again and again, in a quarter of the time.

May import ``spake2``, the arithmetic of its curve. No password comes here but as the number that it is multiplied by.

A login's half has five products of a point and a number: three of them are of the base point and of SPAKE2's M and
N, which never change. Lim and Lee's comb (CRYPTO '94) writes the number's bits into TEETH rows, one below the other,
and takes a column at a time: one doubling, and one addition of what a table has for the column's bits. That is 64
steps where the usual way takes 380.

The table takes as long as two products, so it is worth while for who does many logins: a server.
"""

import copy
from functools import cache
from typing import Any, Final

from spake2.ed25519_basic import Element, L, Zero, add_elements, double_element
from spake2.parameters.ed25519 import ParamsEd25519

TEETH: Final = 8
"""Rows; the table has 2**TEETH points, 60 kB. Two more would save a fifth of the steps for four times the table."""

COLUMNS: Final = -(-L.bit_length() // TEETH)
"""Bits of a row."""


class FixedPoint:
    """A point of the main subgroup, for many products."""

    def __init__(self, point: Any) -> None:
        self._sums = [Zero.XYTZ]
        """The sum of the teeth for each pattern of bits; a tooth is the point times a power of 2**COLUMNS."""
        tooth = point.XYTZ
        for _ in range(TEETH):
            self._sums += [add_elements(known, tooth) for known in self._sums]
            for _ in range(COLUMNS):
                tooth = double_element(tooth)

    def scalarmult(self, number: int) -> Any:
        """The point times a number, as spake2's own points do it."""
        number %= L
        product = Zero.XYTZ
        for column in reversed(range(COLUMNS)):
            pattern = sum((number >> row * COLUMNS + column & 1) << row for row in range(TEETH))
            product = add_elements(double_element(product), self._sums[pattern])
        return Element(product) if number else Zero


@cache
def quick_params() -> Any:
    """SPAKE2's parameters, the points and numbers that it has by default, with tables (10 ms, the first time)."""
    params = copy.copy(ParamsEd25519)
    params.group = copy.copy(params.group)
    params.group.Base, params.M, params.N = map(FixedPoint, (params.group.Base, params.M, params.N))
    return params
