"""Whose connection a proxy has made: the last address that one of ours has seen, and nothing that anybody can write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import ConfigError
from voicechat.server.proxies import Proxies, network

OURS = Proxies([network(text) for text in ("127.0.0.1", "10.0.0.0/8", "2001:db8::/32")])
ADDRESSES = st.ip_addresses().map(str)


@pytest.mark.parametrize(
    ("forwarded", "visitor"),
    [
        ([], "127.0.0.1"),
        (["203.0.113.5"], "203.0.113.5"),
        (["6.6.6.6", "203.0.113.5"], "203.0.113.5"),
        (["6.6.6.6", "203.0.113.5", "10.1.1.1"], "203.0.113.5"),
        (["10.2.2.2", "10.1.1.1"], "10.2.2.2"),
        (["203.0.113.5", "unknown"], "127.0.0.1"),
        (["203.0.113.5:4711"], "203.0.113.5"),
        (["[2001:db9::1]:4711"], "2001:db9::1"),
        (["2001:db9::1"], "2001:db9::1"),
        (["::ffff:203.0.113.5"], "203.0.113.5"),
        (["\xff\xfe"], "127.0.0.1"),
    ],
)
def test_the_visitor(forwarded: list[str], visitor: str) -> None:
    assert OURS.visitor("127.0.0.1", [entry.encode("latin-1") for entry in forwarded]) == visitor


@given(st.lists(st.binary(max_size=20) | ADDRESSES.map(str.encode), max_size=6), ADDRESSES)
def test_what_a_visitor_writes_changes_nothing(written: list[bytes], address: str) -> None:
    seen = OURS.visitor("127.0.0.1", [address.encode()])
    if not OURS.trusts(address):
        assert OURS.visitor("127.0.0.1", [*written, address.encode()]) == seen


def test_who_is_trusted() -> None:
    assert all(map(OURS.trusts, ("127.0.0.1", "10.255.0.1", "::ffff:10.0.0.1", "2001:db8::7")))
    assert not any(map(OURS.trusts, ("127.0.0.2", "11.0.0.1", "2001:db9::1", "local", "", None)))
    assert not Proxies()
    assert OURS


@pytest.mark.parametrize("text", ["proxy.example.org", "", "10.0.0.0/33", "1.2.3"])
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="an address or a network"):
        network(text)
