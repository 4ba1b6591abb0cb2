"""Packing: two frames a packet lose none, keep their order, and are those of an even tick and the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.media.packet import MOST_REDUNDANT, MediaPacket
from voicechat.media.packing import Packing, split_pair
from voicechat.media.redundancy import Redundancy
from voicechat.media.serial import wrap
from voicechat.wire import media

STARTS = st.integers(0, 70_000) | st.integers(65_520, 65_550)
SPURTS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=5)


def spurt(start: int, length: int, source: int = 7) -> list[MediaPacket]:
    """A talk spurt whose payloads tell their tick, and its end."""
    ticks = range(start, start + length)
    frames = [MediaPacket(source, wrap(tick), b"%d" % tick, marker=tick == start) for tick in ticks]
    return [*frames, MediaPacket(source, wrap(start + length), b"", end=True)]


def talk(start: int, spurts: list[tuple[int, int]]) -> list[MediaPacket]:
    packets: list[MediaPacket] = []
    for length, pause in spurts:
        packets += spurt(start, length)
        start += length + pause
    return packets


def singles(packets: list[MediaPacket]) -> list[MediaPacket]:
    """The packets as their receiver takes them, after a way over the wire, without redundancy."""
    received = [single for packet in packets for single in split_pair(media.decode(media.encode(packet)))]
    return [MediaPacket(one.source, one.tick, one.payload, one.marker, one.end) for one in received]


@given(STARTS, SPURTS)
def test_every_frame_comes_once_in_order_with_its_marker_and_the_end(start: int, spurts: list[tuple[int, int]]) -> None:
    packets, packing = talk(start, spurts), Packing(pairs=True)
    packed = [sent for packet in packets for sent in packing.pack(packet, 0)]
    assert singles(packed) == packets
    assert len(packed) <= sum(length // 2 + 2 for length, _ in spurts)
    for packet in packed:
        assert not packet.pair or packet.tick % 2


@given(STARTS, SPURTS, st.data())
def test_who_loses_some_of_the_frames_passes_on_all_others(
    start: int, spurts: list[tuple[int, int]], data: st.DataObject
) -> None:
    """The markers come; an end that does not costs no more than the frame before it."""
    whole = talk(start, spurts)
    packets = [packet for packet in whole if packet.marker or data.draw(st.integers(0, 3))]
    packing = Packing(pairs=True)
    sent = singles([sent for packet in packets for sent in packing.pack(packet, 0)])
    assert [packet for packet in packets if packet in sent] == sent
    forgotten = [number for number, packet in enumerate(packets) if packet not in sent]
    for number in forgotten:
        assert packets[number].tick % 2 == 0
        assert number + 1 == len(packets) or packets[number + 1].marker


@given(STARTS, SPURTS, st.data())
def test_a_second_hop_makes_the_same_pairs_and_no_frame_waits_for_them(
    start: int, spurts: list[tuple[int, int]], data: st.DataObject
) -> None:
    first, second = Packing(pairs=True), Packing(pairs=True)
    for packet in talk(start, spurts):
        for sent in first.pack(packet, 0):
            again = [once for single in split_pair(sent) for once in second.pack(single, 0)]
            assert again == [sent]


@given(STARTS, SPURTS, st.integers(1, 3))
def test_while_the_line_loses_a_saver_is_as_everybody(start: int, spurts: list[tuple[int, int]], offset: int) -> None:
    packing, usual = Packing(pairs=True), Redundancy()
    for packet in talk(start, spurts):
        assert list(packing.pack(packet, offset)) == [usual.add_redundancy(packet, offset)]


@given(STARTS, st.lists(st.tuples(st.integers(1, 9), st.integers(0, 1)), min_size=1, max_size=6))
def test_loss_that_comes_and_goes_costs_no_frame_and_pairs_begin_with_a_spurt(
    start: int, stretches: list[tuple[int, int]]
) -> None:
    packets = spurt(start, sum(length for length, _ in stretches))
    offsets = [offset for length, offset in stretches for _ in range(length)] + [stretches[-1][1]]
    packing = Packing(pairs=True)
    packed = [sent for packet, offset in zip(packets, offsets, strict=True) for sent in packing.pack(packet, offset)]
    assert singles(packed) == packets
    lossy = next((number for number, offset in enumerate(offsets) if offset), len(packets))
    assert not any(packet.pair for packet in packed if packet.tick in {one.tick for one in packets[lossy + 1 :]})


def test_who_is_no_saver_gets_what_he_always_got() -> None:
    packing = Packing()
    for packet in spurt(10, 20):
        assert packing.pack(packet, 0) == (packet,)


@pytest.mark.parametrize("size", [MOST_REDUNDANT, MOST_REDUNDANT + 1])
def test_a_frame_that_is_too_long_for_a_pair_goes_alone(size: int) -> None:
    packets = [MediaPacket(7, 2, bytes(size), marker=True), MediaPacket(7, 3, bytes(size))]
    packing = Packing(pairs=True)
    packed = [sent for packet in packets for sent in packing.pack(packet, 0)]
    assert singles(packed) == packets
    assert len(packed) == (1 if size == MOST_REDUNDANT else 2)
