"""A port is opened, kept open, and taken back, at routers of every mood; on a Clock."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from tests.server.router.routers import FakeRouter, Network
from voicechat.server.router import keeper as keeping
from voicechat.server.router import memory
from voicechat.server.router.keeper import Keeper, Keeping
from voicechat.server.router.talk import (
    LEASE,
    MOST_PORTS,
    MOST_WRONG,
    WAITS,
    Outcome,
    PortOpened,
    PortWish,
    RouterTalk,
    Way,
    opening,
)
from voicechat.server.router.ways import ByDatagrams
from voicechat.server.router.wire import Refusal, Result

ROUTER = "192.168.1.1"
OURS = IPv4Address("192.168.1.20")
BOTH = {(17, 1234): 1234, (6, 1234): 1234}


class Home:
    """A server's side of it, a router, and what the host was told."""

    def __init__(self, folder: Path | None = None) -> None:
        self.clock = Clock()
        self.network = Network(self.clock)
        self.router = self.network.routers[ROUTER] = FakeRouter()
        self.folder = folder
        self.told: list[Outcome] = []

    def keeper(self, inner: int = 1234, router: str = ROUTER) -> Keeper:
        ways = [ByDatagrams(self.clock, self.network.dial, ROUTER, way) for way in (Way.PCP, Way.NAT_PMP)]
        return Keeper(self.clock, ways, inner, self.told.append, router=router, ours=OURS, folder=self.folder)

    def started(self, inner: int = 1234) -> Keeper:
        keeper = self.keeper(inner)
        keeper.start()
        self.pass_seconds(6)
        return keeper

    def pass_seconds(self, seconds: float) -> None:
        for _ in range(int(seconds * 8)):
            self.clock.advance(0.125)

    def stopped(self, keeper: Keeper) -> float:
        """Seconds until it is over."""
        done: list[Any] = []
        keeper.stop().addCallback(done.append)
        began = self.clock.seconds()
        while not done:
            self.clock.advance(0.125)
            assert self.clock.seconds() < began + 60
        return self.clock.seconds() - began


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    held = Home(tmp_path)
    yield held
    assert held.network.sockets == 0, "each talk closes its socket"


@pytest.mark.parametrize(("pcp", "way"), [(True, Way.PCP), (False, Way.NAT_PMP)])
def test_tcp_and_udp_are_opened_by_the_same_number_and_taken_back(home: Home, pcp: bool, way: Way) -> None:
    home.router.pcp = pcp
    keeper = home.started()
    assert home.router.ports == BOTH
    assert home.told == [PortOpened(way, 1234, LEASE, IPv4Address("8.9.10.11"))]
    kept = memory.remembered(home.folder or Path())
    assert kept is not None
    assert kept.reached_at == (IPv4Address("8.9.10.11"), 1234)
    home.stopped(keeper)
    assert home.router.ports == {}
    assert memory.remembered(home.folder or Path()) is None
    assert not home.clock.getDelayedCalls()


def test_a_lease_is_renewed_before_its_half_and_nothing_is_told_again(home: Home) -> None:
    home.router.lease = 400
    home.started()
    home.router.asked.clear()
    home.pass_seconds(201)
    assert len(home.router.asked) == 2
    home.pass_seconds(199)
    assert len(home.router.asked) == 2 + 2
    assert len(home.told) == 1


def test_a_router_that_forgot_everything_is_asked_again_within_minutes(home: Home) -> None:
    home.started()
    home.router.open.clear()
    home.pass_seconds(keeping.LOOK)
    assert home.router.ports == BOTH


def test_a_router_that_tells_of_its_restart_is_asked_soon_and_not_often(home: Home) -> None:
    keeper = home.started()
    home.router.open.clear()
    home.router.asked.clear()
    for _ in range(100):
        keeper.hint()
        home.pass_seconds(0.125)
    assert home.router.ports == BOTH
    assert len(home.router.asked) <= 2 * (13 // keeping.HINTS + 1)


def test_a_router_that_comes_late_is_found_and_told(home: Home) -> None:
    home.router.silent = True
    home.started()
    assert home.told == [None]
    assert memory.remembered(home.folder or Path()) is None
    home.pass_seconds(600)
    assert home.told == [None], "it is told once"
    assert len(home.router.asked) < 60
    home.router.silent = False
    home.pass_seconds(305)
    assert isinstance(home.told[-1], PortOpened)


@pytest.mark.parametrize(("result", "why"), [(2, Result.FORBIDS), (8, Result.NO_ROOM)])
def test_a_refusal_is_told_and_nothing_stays(home: Home, result: int, why: Result) -> None:
    home.router.result, home.router.nat_pmp = result, False
    keeper = home.started()
    assert home.told == [Refusal(why)]
    assert keeper.state is Keeping.RESTS
    home.stopped(keeper)


def test_another_number_is_taken_for_both_alike(home: Home) -> None:
    home.router.number = lambda carried, wished: 40_000 if carried == 6 or wished != 1234 else 30_000
    home.started()
    assert set(home.router.ports.values()) == {40_000}
    assert isinstance(home.told[0], PortOpened)
    assert home.told[0].port == 40_000


def test_a_router_that_never_gives_the_same_number_is_left_with_nothing_open(home: Home) -> None:
    home.router.nat_pmp = False
    home.router.number = lambda carried, wished: 30_000 + carried
    home.started()
    assert home.told == [Refusal(Result.TAKEN)]
    assert home.router.ports == {}
    assert len(home.router.asked) == 4 * MOST_PORTS + len(WAITS), "and NAT-PMP, in vain"


def test_after_a_crash_the_same_port_is_the_same_mapping_and_its_end_takes_it_back(home: Home) -> None:
    """PCP knows whose it is by the nonce, which is remembered."""
    home.router.number = lambda carried, wished: wished if wished != 1234 else 5000
    home.started()  # and is never stopped
    again = home.started()
    assert set(home.router.ports.values()) == {5000}
    assert isinstance(home.told[-1], PortOpened)
    home.stopped(again)
    assert home.router.ports == {}


def test_after_a_crash_another_port_takes_the_old_one_back(home: Home) -> None:
    home.started()
    home.started(4000)
    assert set(home.router.ports) == {(17, 4000), (6, 4000)}


@pytest.mark.parametrize("pcp", [True, False])
def test_after_a_crash_a_start_without_a_port_takes_it_back_too(home: Home, pcp: bool) -> None:
    home.router.pcp = pcp
    home.started()
    home.keeper(1).take_back()
    home.pass_seconds(5)
    assert home.router.ports == {}
    assert memory.remembered(home.folder or Path()) is None


def test_a_crash_while_the_router_was_asked_is_mended_too(home: Home) -> None:
    keeper = home.keeper()
    keeper.start()
    assert set(home.router.ports) == {(17, 1234)}, "TCP is not asked for yet"
    home.clock = Clock()  # it is no more
    home.network = Network(home.clock)
    home.network.routers[ROUTER] = home.router
    home.keeper(1).take_back()
    home.pass_seconds(8)
    assert home.router.ports == {}


def test_another_router_is_not_asked_for_what_it_never_opened(home: Home) -> None:
    home.started()
    home.router.asked.clear()
    home.keeper(1, router="10.0.0.1").take_back()
    home.pass_seconds(5)
    assert home.router.asked == []


def test_the_end_waits_for_a_silent_router_a_moment_and_remembers(home: Home) -> None:
    keeper = home.started()
    home.router.silent = True
    assert home.stopped(keeper) <= keeping.LAST_WORD + 0.125
    assert memory.remembered(home.folder or Path()) is not None
    home.pass_seconds(5)


def test_an_end_while_the_router_is_asked_leaves_nothing_open(home: Home) -> None:
    keeper = home.keeper()
    keeper.start()
    home.stopped(keeper)
    home.pass_seconds(5)
    assert home.router.ports == {}
    assert not home.clock.getDelayedCalls()


@pytest.mark.parametrize("closes", [False, True])
def test_where_nothing_listens_it_is_told_at_once(home: Home, closes: bool) -> None:
    home.router.refuses, home.network.closes = True, closes
    home.keeper().start()
    home.pass_seconds(WAITS[0])
    assert home.told == [None]
    assert len(home.router.asked) == 2, "PCP and NAT-PMP"


@pytest.mark.parametrize("closes", [False, True])
def test_a_router_that_listens_no_more_is_given_up_at_the_end_at_once(home: Home, closes: bool) -> None:
    keeper = home.started()
    home.router.refuses, home.network.closes = True, closes
    assert home.stopped(keeper) < WAITS[0]


def test_without_a_way_there_it_is_told(home: Home) -> None:
    home.network.routers.clear()
    home.started()
    assert home.told == [None]


def test_who_sends_nonsense_without_end_is_not_listened_to() -> None:
    ended: list[Outcome] = []
    talk = RouterTalk(opening(Way.PCP, PortWish(1234, 1234, bytes(12), OURS)), 0.0, lambda _: None, ended.append)
    for _ in range(MOST_WRONG):
        talk.received(b"\xff" * 60, 0.0)
    assert ended == [None]
    talk.received(b"\xff" * 60, 0.0)
    assert ended == [None]


@given(st.lists(st.tuples(st.binary(max_size=64), st.booleans()), max_size=200), st.sampled_from(Way))
def test_whatever_a_router_says_a_talk_ends_and_sends_little(said: list[tuple[bytes, bool]], way: Way) -> None:
    way = Way.PCP if way is Way.UPNP else way
    ended: list[Outcome] = []
    sent: list[bytes] = []
    talk = RouterTalk(opening(way, PortWish(1234, 1234, bytes(12), OURS)), 0.0, sent.append, ended.append)
    now = 0.0
    for data, late in said:
        if late:
            now += 1.0
            talk.due(now)
        talk.received(data, now)
    for _ in range(200):
        now += 1.0
        talk.due(now)
    assert len(ended) == 1
    assert len(sent) <= 3 * (1 + 4 * MOST_PORTS)
