"""Cards that were opened one after the other: whose turn it is."""

from voicechat.client.bridge import SILENT_BLOCK
from voicechat.client.turns import Turns


def test_of_two_cards_the_newer_is_heard_and_the_older_silent() -> None:
    turns = Turns()
    turns.exchange = lambda block: b"+" + block
    first, second = turns.offer(), turns.offer()
    assert second(b"2") == b"+2"
    assert turns.taken.is_set()
    assert first(b"1") == SILENT_BLOCK
    assert second(b"2") == b"+2"
    third = turns.offer()
    assert turns.withdraw()
    assert third(b"3") == SILENT_BLOCK
    assert second(b"2") == b"+2"
    fourth = turns.offer()
    fourth(b"4")
    assert not turns.withdraw(), "it has called meanwhile"
    turns.end()
    assert fourth(b"4") == SILENT_BLOCK
