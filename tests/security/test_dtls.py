"""DTLS with a browser: keys for whoever has the certificate, whatever is lost; an error for all else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.carriage.webrtc.browser import Browser
from voicechat.errors import WireError
from voicechat.security.dtls import MOST_DATAGRAM, MOST_HANDSHAKE, DtlsServer, NotDtls, identity, records


def shake(browser: Browser, server: DtlsServer, lost: set[int] = frozenset()) -> None:  # type: ignore[assignment]
    """Both talk until nothing is on its way; datagrams of these numbers are lost."""
    number, waiting = 0, browser.hello()
    while waiting:
        for datagram in waiting:
            if number not in lost:
                server.received(datagram)
            number += 1
        waiting = []
        while server.outgoing:
            datagram = server.outgoing.popleft()
            assert len(datagram) <= MOST_DATAGRAM
            if number not in lost:
                waiting += browser.received(datagram)
            number += 1


def test_both_have_keys_and_each_opens_what_the_other_sealed() -> None:
    browser = Browser()
    server = DtlsServer(browser.offer.fingerprint)
    shake(browser, server)
    assert server.srtp is not None
    assert browser.sealed
    sealed = browser.say(1, b"\x48abc", extension=False)
    assert server.srtp.open(sealed)[12:] == b"\x48abc"
    with pytest.raises(WireError):
        server.srtp.open(sealed)
    with pytest.raises(WireError):
        server.srtp.open(browser.say(2, b"\x48abc")[:-1] + b"\0")
    browser.received(server.srtp.seal(b"\x80\x6f" + bytes(10) + b"down"))
    assert browser.heard == [b"\x80\x6f" + bytes(10) + b"down"]


def test_another_certificate_than_was_offered_gets_no_keys() -> None:
    server = DtlsServer(Browser().offer.fingerprint)
    with pytest.raises(WireError, match="another certificate"):
        shake(Browser(), server)
    assert server.srtp is None


def test_a_handshake_without_end_is_given_up() -> None:
    browser = Browser()
    server = DtlsServer(browser.offer.fingerprint)
    (hello,) = browser.hello()
    for _ in range(MOST_HANDSHAKE):
        server.received(hello)
    with pytest.raises(WireError, match="without end"):
        server.received(hello)
    assert len(server.outgoing) <= MOST_HANDSHAKE


@given(st.binary(max_size=200))
def test_what_is_no_record_changes_nothing(data: bytes) -> None:
    browser = Browser()
    server = DtlsServer(browser.offer.fingerprint)
    if b"".join(records(data)) != data or not data:
        with pytest.raises(NotDtls):
            server.received(data)
        shake(browser, server)
        assert server.srtp is not None


@given(st.lists(st.integers(0, 60), max_size=6), st.binary(max_size=20))
def test_records_are_cut_where_they_end(lengths: list[int], rest: bytes) -> None:
    whole = [b"\x16\xfe\xfd" + bytes(8) + length.to_bytes(2, "big") + bytes(length) for length in lengths]
    found = list(records(b"".join(whole) + b"\x00" + rest))
    assert found == whole


def test_the_certificate_is_one_for_the_whole_process() -> None:
    assert identity() is identity()
    assert len(identity().fingerprint) == 95
