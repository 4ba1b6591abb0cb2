"""The outbox: control in order and complete, media young or gone, nothing without a bound."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from voicechat.session.outbox import MOST_CONTROL, MOST_CONTROL_BYTES, MOST_MEDIA, OLDEST_MEDIA, Outbox, OutboxFull


def drained(outbox: Outbox, now: float) -> list[bytes]:
    """All that is left."""
    packets = []
    while (packet := outbox.take(now)) is not None:
        packets.append(packet)
    return packets


def test_control_goes_first_and_each_in_its_order() -> None:
    outbox = Outbox()
    for number in range(3):
        outbox.put_media(b"m%d" % number, 0.0)
        outbox.put_control(b"c%d" % number)
    assert len(outbox) == 6
    assert drained(outbox, 0.02) == [b"c0", b"c1", b"c2", b"m0", b"m1", b"m2"]
    assert not len(outbox)
    assert outbox.take(0.02) is None


def test_of_too_much_media_the_oldest_gives_way() -> None:
    outbox = Outbox()
    for number in range(MOST_MEDIA + 3):
        outbox.put_media(bytes([number]), float(number) / 1000)
    assert drained(outbox, 0.02) == [bytes([number]) for number in range(3, MOST_MEDIA + 3)]
    assert outbox.dropped == 3


def test_old_words_are_thrown_away() -> None:
    outbox = Outbox()
    outbox.put_media(b"old", 10.0)
    outbox.put_media(b"new", 10.04)
    assert outbox.take(10.0 + OLDEST_MEDIA + 0.01) == b"new"
    assert outbox.dropped == 1


def test_one_who_takes_no_control_is_to_be_cut() -> None:
    outbox = Outbox()
    for number in range(MOST_CONTROL):
        outbox.put_control(b"%d" % number)
    with pytest.raises(OutboxFull):
        outbox.put_control(b"one more")
    assert len(drained(outbox, 0.0)) == MOST_CONTROL
    outbox.put_control(b"room again")


@given(st.lists(st.integers(1, 4000), max_size=40))
def test_control_is_bounded_by_its_bytes_too(sizes: list[int]) -> None:
    outbox, waiting = Outbox(), 0
    for size in sizes:
        if waiting + size > MOST_CONTROL_BYTES:
            with pytest.raises(OutboxFull):
                outbox.put_control(bytes(size))
        else:
            outbox.put_control(bytes(size))
            waiting += size
    assert sum(map(len, drained(outbox, 0.0))) == waiting
    outbox.put_control(bytes(MOST_CONTROL_BYTES))


class AnyOrder(RuleBasedStateMachine):
    """The outbox beside two plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox()
        self.now = 0.0
        self.serial = 0
        self.control: deque[bytes] = deque()
        self.media: deque[tuple[float, bytes]] = deque()
        self.put = 0
        self.taken = 0

    def packet(self) -> bytes:
        self.serial += 1
        return self.serial.to_bytes(4, "big")

    @rule(seconds=st.floats(0, 0.08))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: len(self.control) < MOST_CONTROL)
    @rule()
    def put_control(self) -> None:
        packet = self.packet()
        self.control.append(packet)
        self.outbox.put_control(packet)

    @rule(count=st.integers(1, 8))
    def put_media(self, count: int) -> None:
        for _ in range(count):
            packet = self.packet()
            self.media.append((self.now, packet))
            self.outbox.put_media(packet, self.now)
            self.put += 1
        while len(self.media) > MOST_MEDIA:
            self.media.popleft()

    @rule()
    def take(self) -> None:
        packet = self.outbox.take(self.now)
        if self.control:
            assert packet == self.control.popleft()
            return
        young = [p for at, p in self.media if self.now - at <= OLDEST_MEDIA]
        assert packet == (young[0] if young else None)
        if packet is not None:
            self.taken += 1
            while self.media.popleft()[1] != packet:
                pass
        else:
            self.media.clear()

    @invariant()
    def nothing_is_unbounded_and_nothing_unaccounted(self) -> None:
        waiting = len(self.outbox) - len(self.control)
        assert 0 <= waiting <= MOST_MEDIA
        assert self.put == self.taken + waiting + self.outbox.dropped


TestAnyOrder = AnyOrder.TestCase
