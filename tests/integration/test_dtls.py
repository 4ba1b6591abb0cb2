"""OpenSSL tells the time of a flight that has to be sent again by the machine's clock, so here it passes."""

import select

from tests.carriage.webrtc.browser import Browser
from voicechat.security.dtls import DtlsServer


def test_a_flight_that_is_lost_is_sent_again_when_its_time_has_come() -> None:
    browser = Browser()
    server = DtlsServer(browser.offer.fingerprint)
    for datagram in browser.hello():
        server.received(datagram)
    assert server.outgoing
    server.outgoing.clear()
    wait = server.wait()
    assert wait is not None
    assert 0.5 < wait <= 1.0
    server.poll()
    assert not server.outgoing, "not before its time"
    select.select([], [], [], wait + 0.02)
    server.poll()
    assert server.outgoing
    waiting = [answer for datagram in list(server.outgoing) for answer in browser.received(datagram)]
    server.outgoing.clear()
    for datagram in waiting:
        server.received(datagram)
    assert server.srtp is not None
