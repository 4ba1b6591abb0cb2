"""Redundancy: the copy on board is the right frame, and it is there when it pays."""

import itertools
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from voicechat.media.packet import LONGEST_OFFSET, MediaPacket
from voicechat.media.redundancy import (
    FIRST_REPORTS,
    QUIET_REPORTS,
    REORDER,
    Loss,
    LossMeter,
    Redundancy,
    RedundancyPolicy,
)
from voicechat.media.serial import wrap
from voicechat.testing import Line, LossyLink

STARTS = st.integers(0, 70_000) | st.integers(65_520, 65_550)


def spurt(start: int, length: int) -> list[MediaPacket]:
    """A talk spurt whose payloads tell their tick, and its end."""
    frames = [MediaPacket(7, wrap(tick), b"%d" % tick, marker=tick == start) for tick in range(start, start + length)]
    return [*frames, MediaPacket(7, wrap(start + length), b"", end=True)]


@given(STARTS, st.lists(st.tuples(st.integers(1, 8), st.integers(1, 5)), min_size=1, max_size=5), st.integers(0, 3))
def test_the_copy_is_the_frame_so_many_ticks_back_of_the_same_spurt(
    start: int, spurts: list[tuple[int, int]], offset: int
) -> None:
    redundancy, tick = Redundancy(), start
    for length, pause in spurts:
        for step, packet in enumerate(spurt(tick, length)):
            packed = redundancy.add_redundancy(packet, offset)
            assert (packed.tick, packed.payload, packed.marker, packed.end) == (
                packet.tick,
                packet.payload,
                packet.marker,
                packet.end,
            )
            if offset and step >= offset:
                assert (packed.offset, packed.redundant) == (offset, b"%d" % (tick + step - offset))
            else:
                assert packed is packet
        tick += length + pause


def test_a_frame_that_comes_behind_its_time_can_be_sent_again_too() -> None:
    redundancy = Redundancy()
    for tick in (1, 2, 4, 3):
        redundancy.add_redundancy(MediaPacket(7, tick, b"%d" % tick, marker=tick == 1), 1)
    assert redundancy.add_redundancy(MediaPacket(7, 5, b"5"), 2).redundant == b"3"


def test_a_frame_that_never_came_is_no_copy() -> None:
    redundancy = Redundancy()
    redundancy.add_redundancy(MediaPacket(7, 1, b"one", marker=True), 1)
    assert redundancy.add_redundancy(MediaPacket(7, 3, b"three"), 1).redundant == b""
    assert redundancy.add_redundancy(MediaPacket(7, 4, b"four"), 3).redundant == b"one"


def test_nothing_is_kept_for_long() -> None:
    redundancy = Redundancy()
    for packet in spurt(65_000, 2_000)[:-1]:
        redundancy.add_redundancy(packet, 0)
    assert len(redundancy._recent) <= LONGEST_OFFSET + 1


def test_on_a_clean_line_no_byte_is_spent_after_the_first_reports() -> None:
    policy = RedundancyPolicy()
    for _ in range(FIRST_REPORTS):
        assert policy.offset == 1
        policy.report(Loss(50, 0, 0))
    assert policy.offset == 0


def test_two_reports_without_loss_do_not_end_what_a_session_begins_with() -> None:
    policy = RedundancyPolicy()
    for lost in (0, 0, 1, 0, 0, 1, 0, 0):
        policy.report(Loss(200, lost, lost))  # half a percent: too little to turn it on
        assert policy.offset == 1
    policy.report(Loss(200, 0, 0))
    assert policy.offset == 0


def test_once_a_line_lost_much_it_takes_ten_reports_to_end_it_however_early() -> None:
    policy = RedundancyPolicy()
    policy.report(Loss(50, 3, 3))
    for _ in range(QUIET_REPORTS - 1):
        policy.report(Loss(50, 0, 0))
        assert policy.offset == 1
    policy.report(Loss(50, 0, 0))
    assert policy.offset == 0


@given(st.floats(0.02, 0.5))
def test_loss_turns_it_on_within_two_reports_and_it_stays_on(share: float) -> None:
    policy = RedundancyPolicy()
    for _ in range(5):
        policy.report(Loss(50, 0, 0))
    lost = max(1, round(50 * share))
    policy.report(Loss(50, lost, lost))
    policy.report(Loss(50, lost, lost))
    assert policy.offset == 1
    for _ in range(QUIET_REPORTS - 1):
        policy.report(Loss(50, 0, 0))
        assert policy.offset == 1


def test_after_ten_reports_without_loss_the_bytes_are_saved_again() -> None:
    policy = RedundancyPolicy()
    policy.report(Loss(50, 3, 3))
    for _ in range(60):
        policy.report(Loss(50, 0, 0))
    assert policy.offset == 0


def test_against_bursts_the_copy_lies_further_away_and_comes_back() -> None:
    policy = RedundancyPolicy()
    for _ in range(10):
        policy.report(Loss(50, 6, 2))
    assert policy.offset == LONGEST_OFFSET
    for _ in range(30):
        policy.report(Loss(50, 3, 3))
    assert policy.offset == 1


@given(st.lists(st.builds(Loss, st.integers(-5, 1 << 53), st.integers(-5, 1 << 53), st.integers(-5, 1 << 53))))
def test_no_report_however_odd_breaks_the_policy(reports: list[Loss]) -> None:
    policy = RedundancyPolicy()
    for loss in reports:
        policy.report(loss)
        assert policy.offset in range(LONGEST_OFFSET + 1)
    for _ in range(300):
        policy.report(Loss(50, 0, 0))
    assert policy.offset == 0


@given(st.randoms(use_true_random=False), st.sets(st.integers(20, 400), max_size=40))
def test_what_was_merely_overtaken_is_no_loss_and_parts_no_burst(random: Random, lost: set[int]) -> None:
    meter = LossMeter()
    came = [counter for counter in range(420) if counter not in lost]
    for counter in sorted(came, key=lambda counter: counter + random.random() * (REORDER - 1)):
        meter.note(counter)
    last = max(came) - REORDER
    gone = sorted(counter for counter in lost if counter <= last)
    bursts = sum(counter - 1 not in lost for counter in gone)
    report = meter.report()
    assert (report.lost, report.bursts) == (len(gone), bursts)
    assert meter.report() == Loss(0, 0, 0)


@given(st.integers(0, 1000), st.floats(0, 0.3), st.floats(1, 4))
def test_the_meter_counts_what_the_line_lost(seed: int, loss: float, burst: float) -> None:
    meter, link = LossMeter(), LossyLink[int](seed, Line(loss=loss, burst=burst))
    came = [counter for counter in range(300) if link.arrivals(0.0)]
    for counter in came:
        meter.note(counter)
    for counter in range(came[-1] + 1, came[-1] + 1 + REORDER) if came else ():  # the newest are not judged yet
        meter.note(counter)
    seen = meter.report()
    if not came:
        assert seen == Loss(0, 0, 0)
        return
    gaps = [later - sooner - 1 for sooner, later in itertools.pairwise(came)]
    assert seen == Loss(came[-1] - came[0], sum(gaps), sum(gap > 0 for gap in gaps))
    assert meter.report() == Loss(0, 0, 0)
    assert meter.lost_in_all == sum(gaps)


@given(st.integers(0, 1000), st.floats(1.5, 6))
def test_what_only_comes_in_another_order_is_not_lost(seed: int, jitter: float) -> None:
    meter, link = LossMeter(), LossyLink[int](seed, Line(jitter=jitter))
    for counter in range(200):
        link.send(counter, float(counter))
    for _, counter in link.receive(1e9):
        meter.note(counter)
    assert meter.report().lost == 0


@given(st.lists(st.integers(0, 500), max_size=100, unique=True))
def test_reports_make_sense_for_any_order_of_arrival(counters: list[int]) -> None:
    meter = LossMeter()
    for number, counter in enumerate(counters):
        meter.note(counter)
        if number % 7 == 6:
            loss = meter.report()
            assert loss.expected >= 0
            assert 0 <= loss.lost <= max(loss.expected, 0)
            assert 0 <= loss.bursts <= loss.lost + len(counters)
