"""Cards that were opened one after the other: whose turn it is."""

import threading

from voicechat.client.audio.bridge import SILENT_BLOCK
from voicechat.client.audio.handover import Turns


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


def test_a_card_that_is_to_rest_notices_and_has_its_turn_back_when_it_calls_again() -> None:
    turns = Turns()
    turns.exchange = lambda block: b"+" + block
    card = turns.offer()
    card(b"1")
    resting = threading.Thread(target=turns.rest)
    resting.start()
    while card(b"2") != SILENT_BLOCK:
        pass  # not resting yet
    resting.join()
    turns.again()
    assert not turns.taken.is_set()
    assert card(b"3") == b"+3"
    assert turns.taken.is_set()
