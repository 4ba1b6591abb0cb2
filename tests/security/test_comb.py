"""Products by a table against those of spake2 itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spake2.ed25519_basic import Base, L, Zero
from spake2.parameters.ed25519 import ParamsEd25519

from voicechat.security.comb import FixedPoint, quick_params

BASE = FixedPoint(Base)


@given(st.integers(-L, 2 * L))
def test_a_product_is_what_spake2_makes_of_it(number: int) -> None:
    assert BASE.scalarmult(number) == Base.scalarmult(number)


@pytest.mark.parametrize("number", [1, 2, L - 1, L + 1, 1 << 251, (1 << 252) - 1])
def test_products_at_the_edges(number: int) -> None:
    assert BASE.scalarmult(number) == Base.scalarmult(number)


@pytest.mark.parametrize("number", [0, L, -L])
def test_nothing_times_a_point_is_the_neutral_point_itself(number: int) -> None:
    assert BASE.scalarmult(number) is Zero


def test_the_parameters_are_the_usual_ones_and_leave_those_alone() -> None:
    quick = quick_params()
    assert quick.M.scalarmult(1) == ParamsEd25519.M
    assert quick.N.scalarmult(1) == ParamsEd25519.N
    assert quick.group.Base.scalarmult(1) == Base
    assert ParamsEd25519.group.Base is Base
