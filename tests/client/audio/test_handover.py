"""Cards that were opened one after the other: whose turn it is."""

import threading

from voicechat.client.audio.handover import DeviceHandover
from voicechat.format import SILENT_BLOCK


def test_of_two_cards_the_newer_is_heard_and_the_older_silent() -> None:
    handover = DeviceHandover()
    handover.exchange = lambda block: b"+" + block
    first, second = handover.offer(), handover.offer()
    assert second(b"2") == b"+2"
    assert handover.taken.is_set()
    assert first(b"1") == SILENT_BLOCK
    assert second(b"2") == b"+2"
    third = handover.offer()
    assert handover.withdraw()
    assert third(b"3") == SILENT_BLOCK
    assert second(b"2") == b"+2"
    fourth = handover.offer()
    fourth(b"4")
    assert not handover.withdraw(), "it has called meanwhile"
    handover.end()
    assert fourth(b"4") == SILENT_BLOCK


def test_a_card_that_is_to_rest_notices_and_has_its_turn_back_when_it_calls_again() -> None:
    handover = DeviceHandover()
    handover.exchange = lambda block: b"+" + block
    card = handover.offer()
    card(b"1")
    resting = threading.Thread(target=handover.rest)
    resting.start()
    while card(b"2") != SILENT_BLOCK:
        pass  # not resting yet
    resting.join()
    handover.again()
    assert not handover.taken.is_set()
    assert card(b"3") == b"+3"
    assert handover.taken.is_set()
