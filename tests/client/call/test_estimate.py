"""How late a friend is heard."""

import pytest

from voicechat.client.call.estimate import delay_ms


def test_on_a_clean_line_the_estimate_is_what_was_measured() -> None:
    """46 to 53 ms from mouth to ear on one machine, 5 to 15 of them in the devices (docs/performance.md)."""
    assert 30 <= delay_ms(their_way_ms=0, our_way_ms=0, playout_ms=5, mixed=None, pairs=False) <= 48


def test_each_part_counts_once() -> None:
    before = delay_ms(their_way_ms=0, our_way_ms=0, playout_ms=0, mixed=None, pairs=False)
    assert delay_ms(their_way_ms=20, our_way_ms=30, playout_ms=7, mixed=None, pairs=False) == before + 57
    assert delay_ms(their_way_ms=0, our_way_ms=0, playout_ms=0, mixed=None, pairs=True) == before + 20
    mixed = delay_ms(their_way_ms=0, our_way_ms=0, playout_ms=0, mixed=12, pairs=False)
    assert mixed == pytest.approx(before + 12 + 10 + 6.5)
