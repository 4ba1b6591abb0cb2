"""Where the router is, what its outer address means, and what is remembered."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.server.router import choice, gateway, memory
from voicechat.server.router.memory import Remembered
from voicechat.server.router.talk import PortOpened, PortWish, Way
from voicechat.server.router.upnp import ByUpnp
from voicechat.server.router.verdict import Reach, told, verdict
from voicechat.server.router.wire import Refusal, Result

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
"""
ROUTES6 = (
    "2a" + "0" * 30 + " 40 " + "0" * 32 + " 00 " + "0" * 32 + " 00000100 00000001 00000000 00000001 eth0\n"
    + "0" * 32 + " 00 " + "0" * 32 + " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003 eth0\n"
    + "0" * 32 + " 00 " + "0" * 32 + " 00 " + "0" * 32 + " ffffffff 00000001 00000000 00200200 lo\n"
)  # fmt: skip


def test_the_router_of_the_best_default_route_is_found() -> None:
    assert gateway.ipv4(ROUTES) == "192.168.1.1"
    assert gateway.ipv6(ROUTES6) == "fe80::1%eth0"
    assert gateway.ipv4("") == gateway.ipv6("") == ""


@given(st.text(alphabet="0123456789ABCDEFabcdef \t\nlo", max_size=400))
def test_no_table_is_a_fault(text: str) -> None:
    gateway.ipv4("head\n" + text)
    gateway.ipv6(text)


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("8.9.10.11", Reach.OUTSIDE),
        ("100.64.0.1", Reach.CGNAT),
        ("100.127.255.254", Reach.CGNAT),
        ("100.128.0.1", Reach.OUTSIDE),
        ("192.168.0.2", Reach.DOUBLE),
        ("10.1.2.3", Reach.DOUBLE),
        ("172.20.0.1", Reach.DOUBLE),
        ("0.0.0.0", Reach.UNKNOWN),
        ("127.0.0.1", Reach.NOWHERE),
        ("224.0.0.1", Reach.NOWHERE),
        ("255.255.255.255", Reach.NOWHERE),
        (None, Reach.UNKNOWN),
    ],
)
def test_an_outer_address_says_whether_friends_can_come(address: str | None, what: Reach) -> None:
    it = None if address is None else ip_address(address)
    assert verdict(it) is what
    line = told(PortOpened(Way.PCP, 4000, 3600, it), 1234)
    assert "\n" not in line
    assert ("voicechat://8.9.10.11:4000" in line) == (address == "8.9.10.11")
    assert ("small rented server" in line) == (what in (Reach.CGNAT, Reach.DOUBLE, Reach.NOWHERE))


def test_each_end_has_a_line_with_what_to_do() -> None:
    for outcome in (None, *map(Refusal, Result)):
        assert "by hand" in told(outcome, 1234)


def test_what_is_remembered_is_its_owners_alone(tmp_path: Path) -> None:
    it = Remembered("192.168.1.1", 1234, "00" * 12, "PCP", 4000, "8.9.10.11")
    memory.remember(tmp_path, it)
    assert memory.remembered(tmp_path) == it
    assert (tmp_path / memory.FILE).stat().st_mode & 0o777 == 0o600
    memory.forget(tmp_path)
    assert memory.remembered(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"router":"","inner":0,"nonce":"000000000000000000000000"}',
        '{"router":"","inner":1,"nonce":"00"}',
        '{"router":"","inner":1,"nonce":"zz0000000000000000000000"}',
        '{"router":"","inner":1,"outer":70000,"nonce":"000000000000000000000000"}',
        "[" * 2000,
    ],
)
def test_what_makes_no_sense_counts_as_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / memory.FILE).write_text(text)
    assert memory.remembered(tmp_path) is None


def test_a_host_who_answered_once_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not choice.asked(tmp_path, 1234), "nobody sits at a terminal"
    assert choice.remembered(tmp_path) is None
    for word in ("yes", "no"):
        (tmp_path / choice.FILE).write_text(f"{word}\n")
        assert choice.asked(tmp_path, 1234) is (word == "yes")


class Igd:
    """A router as miniupnpc shows it."""

    lanaddr = "192.168.1.20"
    discoverdelay = 0

    def __init__(
        self, place: str = "http://192.168.1.1:5000/root.xml", *, taken: int = 0, permanent: bool = False
    ) -> None:
        self.place, self.taken, self.permanent = place, taken, permanent
        self.open: dict[tuple[int, str], tuple[str, int, int]] = {}

    def discover(self) -> int:
        return 1

    def selectigd(self) -> str:
        if not self.place:
            raise Exception("No UPnP device discovered")  # noqa: TRY002  as miniupnpc does
        return self.place

    def externalipaddress(self) -> str:
        return "8.9.10.11"

    def addportmapping(self, *words: Any) -> bool:
        outer, carried, host, inner, _, _, seconds = words
        if outer == self.taken and carried == "TCP":
            raise Exception("ConflictInMappingEntry")  # noqa: TRY002
        if self.permanent and seconds:
            raise Exception("OnlyPermanentLeasesSupported")  # noqa: TRY002
        self.open[outer, carried] = (host, inner, seconds)
        return True

    def deleteportmapping(self, outer: int, carried: str) -> bool:
        del self.open[outer, carried]
        return True


WISH = PortWish(1234, 1234, bytes(12))


def test_upnp_opens_both_and_takes_them_back() -> None:
    igd = Igd()
    way = ByUpnp(None, "192.168.1.1", lambda: igd)
    assert way.opened(WISH) == PortOpened(Way.UPNP, 1234, 3600, ip_address("8.9.10.11"))
    assert igd.open == {(1234, carried): ("192.168.1.20", 1234, 3600) for carried in ("TCP", "UDP")}
    assert way.closed(WISH) is not None
    assert igd.open == {}


def test_upnp_takes_the_next_number_if_one_is_somebody_elses() -> None:
    igd = Igd(taken=1234)
    outcome = ByUpnp(None, "192.168.1.1", lambda: igd).opened(WISH)
    assert isinstance(outcome, PortOpened)
    assert set(igd.open) == {(1235, "TCP"), (1235, "UDP")}, "of the first nothing is left open"
    assert outcome.port == 1235


def test_upnp_does_without_a_lease_where_there_is_none() -> None:
    igd = Igd(permanent=True)
    assert isinstance(ByUpnp(None, "", lambda: igd).opened(WISH), PortOpened)
    assert {seconds for _, _, seconds in igd.open.values()} == {0}


@pytest.mark.parametrize("place", ["", "http://192.168.1.66:5000/", "http://[", "http://example.org/", "file:///etc"])
def test_upnp_asks_nobody_who_is_not_the_router(place: str) -> None:
    igd = Igd(place)
    assert ByUpnp(None, "192.168.1.1", lambda: igd).opened(WISH) is None
    assert igd.open == {}
