"""Buckets, bans, and what counts as one address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.format import TICKS_PER_SECOND
from voicechat.media.packet import ME, MediaPacket
from voicechat.media.quality import HIGHEST_BITRATE, LOWEST_BITRATE
from voicechat.server.limits import OVERHEAD, Bans, Limits, address_block, media_bytes
from voicechat.session.bucket import Bucket
from voicechat.wire import media

GAPS = st.lists(st.floats(0, 10), min_size=1, max_size=100)


@given(GAPS, st.floats(0.1, 100), st.floats(1, 50))
def test_a_bucket_never_lets_more_through_than_its_burst_and_rate(gaps: list[float], rate: float, burst: float) -> None:
    bucket, now, passed = Bucket(rate, burst, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        passed += bucket.take(now)
        assert passed <= burst + rate * now + 1e-6


@given(GAPS)
def test_who_keeps_to_the_rate_is_never_refused(gaps: list[float]) -> None:
    bucket, now = Bucket(5.0, 2.0, 0.0), 0.0
    for gap in gaps:
        now += 0.2001 + gap
        assert bucket.take(now)


@given(GAPS, st.floats(0.1, 100), st.floats(1, 50))
def test_a_bucket_tells_when_it_will_let_through(gaps: list[float], rate: float, burst: float) -> None:
    bucket, now = Bucket(rate, burst, 0.0), 0.0
    for gap in gaps:
        now += gap
        wait = bucket.wait(now)
        assert wait == 0 or not bucket.take(now)
        now += wait + 1e-9  # a clock is no finer
        assert bucket.take(now)


def test_a_large_amount_needs_a_full_bucket() -> None:
    bucket = Bucket(100.0, 1000.0, 0.0)
    assert bucket.take(0.0, 900)
    assert not bucket.take(0.0, 200)
    assert bucket.take(1.0, 200)
    assert not bucket.take(1000.0, 1001), "no rest makes the burst larger"


def test_failures_within_the_time_ban_and_older_ones_do_not() -> None:
    bans, limits = Bans(Limits()), Limits()
    for n in range(limits.failures - 1):
        assert not bans.failed("a", float(n))
    assert not bans.failed("a", limits.failure_seconds + 1.0), "the first two are too old to count"
    assert not bans.failed("a", limits.failure_seconds + 1.1)
    assert bans.failed("a", limits.failure_seconds + 1.2)


def test_a_ban_ends_and_the_count_begins_anew() -> None:
    limits = Limits(failures=3)
    bans = Bans(limits)
    assert [bans.failed("a", 0.0) for _ in range(3)] == [False, False, True]
    assert bans.remaining("a", 10.0) == limits.ban_seconds - 10
    assert bans.remaining("b", 10.0) == 0
    assert bans.remaining("a", limits.ban_seconds) == 0
    assert not bans.failed("a", limits.ban_seconds)
    assert len(bans) == 1


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 100)), max_size=200))
def test_what_is_remembered_of_guessers_is_bounded(attempts: list[tuple[str, float]]) -> None:
    bans, now = Bans(Limits(failures=2, most_banned=3)), 0.0
    for address, gap in attempts:
        now += gap
        bans.failed(address, now)
        assert len(bans) <= 6


def test_a_crowd_of_addresses_pushes_out_the_oldest_only() -> None:
    bans = Bans(Limits(failures=1, most_banned=100))
    for n in range(150):
        bans.failed(f"192.0.2.{n}", float(n))
    assert bans.remaining("192.0.2.149", 150.0)
    assert bans.remaining("192.0.2.50", 150.0)
    assert not bans.remaining("192.0.2.49", 150.0)


@pytest.mark.parametrize(
    ("host", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", "local"),
    ],
)
def test_an_address_counts_as_itself_or_as_its_network(host: str, counted_as: str) -> None:
    assert address_block(host) == counted_as


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_one_line_has_one_ipv6_network(address: object, host: int) -> None:
    network = int(address) >> 64 << 64  # type: ignore[call-overload]
    from ipaddress import IPv6Address

    other = IPv6Address(network | host)
    if other.ipv4_mapped is None and IPv6Address(network).ipv4_mapped is None:
        assert address_block(str(other)) == f"{IPv6Address(network)}/64"


@pytest.mark.parametrize("bitrate", [LOWEST_BITRATE, 12_000, 24_000, HIGHEST_BITRATE])
def test_who_sends_every_frame_twice_stays_below_the_limit_of_his_bitrate(bitrate: int) -> None:
    payload = bytes(bitrate // 8 // TICKS_PER_SECOND)
    packet = media.encode(MediaPacket(ME, 1, payload, offset=1, redundant=payload))
    sealed = len(packet) + 16
    assert sealed == 2 * len(payload) + OVERHEAD
    assert sealed * TICKS_PER_SECOND == media_bytes(bitrate)
    allowed = Limits().media_share * media_bytes(bitrate)
    bucket = Bucket(allowed, allowed, 0.0)
    assert all(bucket.take(step / TICKS_PER_SECOND, sealed) for step in range(500))
    assert not all(bucket.take(10 + step / TICKS_PER_SECOND / 2.5, sealed) for step in range(500))
