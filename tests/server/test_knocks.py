"""How often whom from where: ranks by all networks of an address, and who is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.server.knocks import HALVE, SPARED, Knocks, networks
from voicechat.server.limits import Limits, address_block

LINE = "2001:db8:1:203::/64"


def knocks(**limits: int) -> Knocks:
    return Knocks(Limits(**limits))


def test_a_few_tries_change_nothing_and_four_times_as_many_put_one_behind() -> None:
    door = knocks()
    ranks = []
    for _ in range(16):
        door.count("192.0.2.7", 0.0)
        ranks.append(door.rank("192.0.2.7", 0.0))
    assert ranks == [0] * 3 + [1] * 12 + [3], "and with sixteen the row of addresses counts, too"
    assert door.rank("198.51.100.1", 0.0) == 0


def test_half_is_forgotten_in_some_seconds() -> None:
    door = knocks()
    for _ in range(8):
        door.count("192.0.2.7", 0.0)
    assert door.rank("192.0.2.7", HALVE - 0.1) == 1
    assert door.rank("192.0.2.7", HALVE + 0.1) == 0


def test_many_lines_of_one_network_count_together_and_not_so_much_as_one() -> None:
    door = knocks()
    for number in range(2000):
        door.count(address_block(f"2001:db8:1:{number:x}::1"), 0.0)
    fresh, elsewhere = address_block("2001:db8:1:ffff::1"), address_block("2001:db8:2:1::1")
    assert door.rank(elsewhere, 0.0) == 0
    assert door.rank(fresh, 0.0) == 3, "2000 of a /48 are as 250 of an address"
    assert door.rank(address_block("2001:db8:1:1::1"), 0.0) > door.rank(fresh, 0.0), "its own /56 knocks as well"


def test_a_friend_in_the_network_of_a_flood_is_still_before_the_flood() -> None:
    door = knocks()
    for number in range(1000):
        door.count(f"192.0.2.{number % 100}", 0.0)
    assert 0 < door.rank("192.0.2.200", 0.0) < door.rank("192.0.2.7", 0.0)


def test_a_known_address_goes_first_for_a_day_unless_it_knocks_without_end() -> None:
    door, limits = knocks(), Limits()
    door.known(LINE, 0.0)
    assert door.rank(LINE, 0.0) == -1
    assert door.rank(LINE, limits.known_seconds) == -1
    assert door.rank(LINE, limits.known_seconds + 1) == 0
    for _ in range(int(SPARED)):
        door.count(LINE, 0.0)
    alone = door.rank(LINE, 0.0)
    door.count(LINE, 0.0)
    assert door.rank(LINE, 0.0) >= alone + 2 > 1, "a flood behind a friend's router is a flood"


@given(st.lists(st.tuples(st.ip_addresses(), st.floats(0, 100)), max_size=100))
def test_what_is_remembered_is_bounded(came: list[tuple[object, float]]) -> None:
    door, now = knocks(most_banned=20, most_known=5), 0.0
    for address, gap in came:
        now += gap
        door.count(address_block(str(address)), now)
        door.known(address_block(str(address)), now)
        assert len(door) <= 20
        assert len(door._known) <= 5


@given(st.ip_addresses(v=6), st.integers(0, 128))
def test_two_lines_share_the_networks_that_they_lie_in(address: object, bit: int) -> None:
    number = int(address)  # type: ignore[call-overload]
    from ipaddress import IPv6Address

    other = IPv6Address(number ^ (1 << bit) % (1 << 128))
    if IPv6Address(number).ipv4_mapped or other.ipv4_mapped:
        return
    mine, theirs = (
        {network for network, _ in networks(address_block(str(IPv6Address(one))))} for one in (number, int(other))
    )
    assert len(mine & theirs) == sum(bit < 128 - length for length in (64, 56, 48)) + 3 * (bit == 128)


@pytest.mark.parametrize("address", ["local", "192.0.2.7", LINE])
def test_every_address_has_networks_from_the_smallest_on(address: str) -> None:
    households = [homes for _, homes in networks(address)]
    assert households[0] == 1.0
    assert households == sorted(households)
