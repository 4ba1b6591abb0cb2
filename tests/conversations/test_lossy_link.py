"""LossyLink: does to packets what it says, and the same each time."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from voicechat.testing import Line, LossyLink

MANY = 20_000


def fates(link: LossyLink[int], count: int = MANY) -> list[list[float]]:
    """Arrival times of packets sent one a tick."""
    return [link.arrivals(float(tick)) for tick in range(count)]


def test_a_plain_link_only_delays() -> None:
    assert fates(LossyLink(1, Line(delay=2.5)), 100) == [[tick + 2.5] for tick in range(100)]


def test_the_same_seed_gives_the_same_day() -> None:
    def link(seed: int) -> LossyLink[int]:
        return LossyLink(seed, Line(delay=1, jitter=3, loss=0.1, burst=2, reorder=0.1, reorder_by=2, duplicate=0.1))

    assert fates(link(5), 500) == fates(link(5), 500)
    assert fates(link(5), 500) != fates(link(6), 500)


@pytest.mark.parametrize("burst", [None, 1.0, 3.0])
def test_loss_has_the_share_and_the_length_of_bursts_asked_for(burst: float | None) -> None:
    link: LossyLink[int] = LossyLink(2, Line(loss=0.1, burst=burst))
    lost = "".join("x" if not times else "." for times in fates(link))
    assert link.lost == lost.count("x")
    assert link.lost / MANY == pytest.approx(0.1, rel=0.1)
    bursts = [run for run in lost.split(".") if run]
    assert link.lost / len(bursts) == pytest.approx(burst or 1 / 0.9, rel=0.1)


def test_jitter_fills_its_range_and_makes_packets_overtake() -> None:
    times = [at for (at,) in fates(LossyLink(3, Line(delay=1, jitter=2.5)))]
    transits = [at - tick for tick, at in enumerate(times)]
    assert min(transits) == pytest.approx(1, abs=0.01)
    assert max(transits) == pytest.approx(3.5, abs=0.01)
    assert times != sorted(times)


def test_a_share_is_held_back_and_a_share_comes_twice() -> None:
    link: LossyLink[int] = LossyLink(4, Line(delay=1, reorder=0.05, reorder_by=1.5, duplicate=0.02))
    seen = fates(link)
    transits = Counter(times[0] - tick for tick, times in enumerate(seen))
    assert set(transits) == {1.0, 2.5}
    assert transits[2.5] / MANY == pytest.approx(0.05, rel=0.15)
    assert link.duplicated == sum(len(times) == 2 for times in seen)
    assert link.duplicated / MANY == pytest.approx(0.02, rel=0.2)


def test_an_ordered_link_keeps_the_order_under_any_jitter() -> None:
    times = [at for (at,) in fates(LossyLink(5, Line(jitter=9, ordered=True)))]
    assert times == sorted(times)


def test_a_stall_holds_everything_and_lets_it_go_at_once() -> None:
    link: LossyLink[int] = LossyLink(6, Line(delay=1, duplicate=0.5))
    link.stall(10, 5)
    for tick in range(30):
        link.send(tick, float(tick))
    before = link.receive(14.999)
    assert {packet for _, packet in before} == set(range(9))
    burst = [packet for _, packet in link.receive(15.0)]
    assert burst == sorted(burst)
    assert set(burst) == set(range(9, 15))
    assert {packet for _, packet in link.receive(99.0)} == set(range(15, 30))


@given(
    st.integers(0, 1000),
    st.floats(0, 5),
    st.floats(0, 0.5),
    st.lists(st.floats(0, 3), min_size=1, max_size=40),
)
def test_what_is_sent_comes_once_twice_or_is_counted_as_lost(
    seed: int, jitter: float, loss: float, gaps: list[float]
) -> None:
    link: LossyLink[int] = LossyLink(seed, Line(delay=0.5, jitter=jitter, loss=loss, duplicate=0.2))
    now, got = 0.0, Counter[int]()
    for number, gap in enumerate(gaps):
        now += gap
        link.send(number, now)
        arrived = link.receive(now)
        assert [at for at, _ in arrived] == sorted(at for at, _ in arrived)
        got.update(packet for _, packet in arrived)
    got.update(packet for _, packet in link.receive(1e9))
    assert not len(link)
    assert len(got) == link.sent - link.lost
    assert sum(got.values()) == len(got) + link.duplicated


def test_by_a_clock_packets_are_called_back_when_they_arrive() -> None:
    clock, heard = Clock(), list[tuple[float, str]]()
    link: LossyLink[str] = LossyLink(7, Line(delay=0.25, duplicate=0.999_999))
    clock.advance(2.0)
    link.carry(clock, "word", lambda packet: heard.append((clock.seconds(), packet)))
    clock.advance(0.2)
    assert not heard
    clock.advance(0.05)
    assert heard == [(2.25, "word"), (2.25, "word")]


@pytest.mark.parametrize(
    "wrong",
    [{"loss": 1.0}, {"loss": -0.1}, {"delay": -1.0}, {"jitter": -1.0}, {"burst": 0.5}, {"ordered": True, "loss": 0.1}],
)
def test_a_line_without_meaning_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="line"):
        Line(**wrong)  # type: ignore[arg-type]
