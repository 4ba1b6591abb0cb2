"""One port: who speaks is told by the first bytes; what a browser gets, and what it may cost."""

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory
from twisted.trial.unittest import SynchronousTestCase

from tests.server.browsers import BrowserFriend, Stranger, request
from tests.server.house import PAGE, House, TcpFriend
from voicechat.carriage.websocket import OTHERS_BURST
from voicechat.server.limits import Limits
from voicechat.server.metrics import Login, Rejected, WebAnswer
from voicechat.server.proxies import UNKNOWN
from voicechat.server.web import NEEDED
from voicechat.testing import VoiceTransport
from voicechat.wire import control, messages
from voicechat.wire.handshake import MAX_WELCOME, Reason, Refuse, decode

PROXY = "198.51.100.7"
PING = control.encode(messages.Ping(7))


def split(answer: bytes) -> tuple[str, dict[str, str], bytes]:
    """The first line, the headers and the body of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}, body


class PageTests(SynchronousTestCase):
    """What a stranger's browser gets."""

    def setUp(self) -> None:
        self.house = House()

    def tearDown(self) -> None:
        assert not self.house.log.failures, self.house.log.failures[0]

    def test_the_page_comes_whole_and_the_connection_ends(self) -> None:
        stranger = Stranger(self.house)
        first, headers, body = split(stranger.send(request()))
        assert first.split() == ["HTTP/1.1", "200"]
        assert body == PAGE.read_bytes()
        assert int(headers["content-length"]) == len(body)
        assert stranger.transport.disconnecting
        assert not stranger.transport.aborted
        assert self.house.counted("requests_total", WebAnswer.PAGE) == 1

    def test_it_is_told_how_to_guard_the_page_and_nothing_else(self) -> None:
        _, headers, _ = split(Stranger(self.house).send(request()))
        assert headers.pop("content-security-policy") == (
            "default-src 'none'; connect-src 'self' ws: wss:; frame-ancestors 'none'"
        )
        assert headers.pop("content-type") == "text/html; charset=utf-8"
        assert headers == {
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-store",
            "content-length": str(PAGE.stat().st_size),
            "connection": "close",
        }

    def test_nothing_of_version_rooms_or_people_is_in_any_answer(self) -> None:
        """The same bytes whoever is in, and whatever the server is called."""
        empty = Stranger(self.house).send(request())
        ann = TcpFriend(self.house, "Ann", room="den").begin()
        self.house.login()
        assert ann.welcome is not None
        assert Stranger(self.house).send(request()) == empty
        others = [Stranger(self.house).send(request(path)) for path in ("/den", "/Ann", "/favicon.ico", "/?den")]
        assert len(set(others[:3])) == 1
        assert others[3] == empty

    def test_it_comes_small_to_who_takes_gzip(self) -> None:
        _, headers, body = split(Stranger(self.house).send(request("/", "Accept-Encoding: gzip, br")))
        assert headers["content-encoding"] == "gzip"
        assert gzip.decompress(body) == PAGE.read_bytes()

    def test_other_paths_are_not_there_not_even_for_a_websocket(self) -> None:
        stranger = Stranger(self.house)
        first, headers, body = split(stranger.send(request("/x", "Upgrade: websocket", "Connection: Upgrade")))
        assert (first.split()[1], body) == ("404", b"")
        assert headers == {"content-length": "0", "connection": "close"}
        assert stranger.transport.disconnecting

    def test_other_methods_are_closed_as_ever(self) -> None:
        for method in ("HEAD", "POST", "PUT", "OPTIONS", "PRI", "CONNECT"):
            stranger, silent = Stranger(self.house), Stranger(House(page=None))
            assert stranger.send(request(method=method)) == silent.send(request(method=method))
            assert stranger.transport.disconnecting

    def test_without_web_a_browser_is_told_no_more_than_ever(self) -> None:
        house = House(page=None)
        stranger = Stranger(house)
        string = stranger.send(request())[4:]
        assert decode(string) == Refuse(Reason.MALFORMED)
        assert stranger.transport.disconnecting
        assert house.counted("protocol_errors_total") == 1

    def test_a_head_in_single_bytes_is_read(self) -> None:
        stranger = Stranger(self.house)
        answer = b"".join(stranger.send(bytes([byte])) for byte in request())
        assert split(answer)[2] == PAGE.read_bytes()

    def test_a_get_after_the_first_string_is_a_string_too_long(self) -> None:
        ann = TcpFriend(self.house, "Ann").begin()
        self.house.settle()
        ann.send_bytes(request())
        self.house.settle()
        assert not ann.connected
        assert self.house.counted("requests_total") == 0

    def test_a_body_is_not_read(self) -> None:
        stranger = Stranger(self.house)
        stranger.send(request("/", "Content-Length: 1000000000"))
        before = self.house.counted("protocol_errors_total")
        for _ in range(100):
            stranger.protocol.dataReceived(bytes(10_000))
        assert stranger.transport.take() == b""
        assert self.house.counted("protocol_errors_total") == before

    def test_rubbish_behind_get_is_bad_input_and_gets_no_answer(self) -> None:
        stranger = Stranger(self.house)
        assert stranger.send(b"GET \xff\xfe\r\n\r\n") == b""
        assert stranger.transport.disconnecting
        assert self.house.counted("protocol_errors_total") == 1
        assert any("bad input came from 192.0.2.1" in line for line in self.house.log.lines)

    def test_a_head_without_end_is_cut_early_and_a_slow_one_in_time(self) -> None:
        endless, sent = Stranger(self.house), 0
        endless.send(request()[:-2])
        while not endless.transport.over:
            endless.send(b"X: " + b"y" * 200 + b"\r\n")
            sent += 205
            assert sent < 10_000
        endless.lose()
        slow = Stranger(self.house)
        slow.send(request()[:-2])
        self.house.clock.advance(Limits().login_seconds)
        assert slow.transport.aborted
        assert self.house.counted("refused_total", Rejected.NO_LOGIN_IN_TIME) == 1

    def test_one_who_does_not_take_the_page_is_cut_in_the_time_of_a_login(self) -> None:
        stranger = Stranger(self.house)
        stranger.send(request())
        assert not stranger.transport.aborted
        self.house.clock.advance(Limits().login_seconds)
        assert stranger.transport.aborted

    def test_a_fault_of_ours_costs_that_connection_and_is_told_few_times(self) -> None:
        house = House(page=Path("no such page"))
        friend = TcpFriend(house, "Ann").begin()
        house.login()
        for number in range(20):
            stranger = Stranger(house, f"10.0.{number}.1")
            assert stranger.send(request()) == b""
            assert stranger.transport.aborted
        assert friend.connected
        assert house.counted("faults_total") == 20
        assert 1 <= len(house.log.failures) <= 5

    def test_a_flood_of_pages_gets_few(self) -> None:
        """From one address and from very many: what leaves is bounded by the clock, not by what is asked."""
        limits, sent = Limits(), 0
        for number in range(1000):
            stranger = Stranger(self.house, f"10.{number % 200}.{number // 200}.1")
            first, *_ = split(stranger.send(request()))
            sent += first.split()[1] == "200"
            stranger.transport.disconnecting = True
            self.house.clock.advance(0.01)
        assert limits.pages_burst <= sent <= limits.pages_burst + 10 * limits.pages_a_second + 1
        assert self.house.counted("requests_total", WebAnswer.TOO_OFTEN) == 1000 - sent

    def test_a_flood_from_one_address_leaves_pages_for_others(self) -> None:
        for _ in range(200):
            Stranger(self.house, "10.0.0.1").send(request())
        first, *_ = split(Stranger(self.house, "203.0.113.5").send(request()))
        assert first.split()[1] == "200"

    def test_places_before_login_are_those_of_all(self) -> None:
        strangers = [Stranger(self.house, f"10.0.{number}.1") for number in range(100)]
        for stranger in strangers:
            stranger.send(b"GET / HT")
        assert sum(not stranger.transport.over for stranger in strangers) == Limits().before_login


class SocketTests(SynchronousTestCase):
    """What a browser may do once it has a WebSocket."""

    def setUp(self) -> None:
        self.house = House()

    def tearDown(self) -> None:
        assert not self.house.log.failures, self.house.log.failures[0]

    def enter(self, name: str, **rest: Any) -> BrowserFriend:
        friend = BrowserFriend(self.house, name, **rest).begin()
        self.house.login()
        assert friend.welcome is not None
        return friend

    def test_before_login_a_message_is_as_short_as_a_string(self) -> None:
        friend = BrowserFriend(self.house, "Ann", says_hello=False).begin()
        self.house.settle()
        friend.send_string(bytes(257))
        self.house.settle()
        assert not friend.connected
        assert friend.socket.close_rcvd is not None
        assert friend.socket.close_rcvd.code == 1000
        assert self.house.counted("protocol_errors_total") == 1

    def test_time_and_places_are_those_of_a_login_over_tcp(self) -> None:
        friend = BrowserFriend(self.house, "Ann", says_hello=False).begin()
        self.house.settle()
        self.house.clock.advance(Limits().login_seconds)
        assert friend.transport.aborted

    def test_a_wrong_password_is_told_and_bans_as_ever(self) -> None:
        for _ in range(Limits().failures):
            BrowserFriend(self.house, "Ann", password="wrong").begin()
            self.house.login()
        assert self.house.counted("logins_total", Login.WRONG_PASSWORD) == Limits().failures
        banned = BrowserFriend(self.house, "Ann").begin()
        self.house.login()
        assert isinstance(banned.refused, Refuse)
        assert banned.refused.reason is Reason.TRY_LATER

    def test_a_ticket_brings_a_browser_back_and_a_client_where_the_browser_was(self) -> None:
        ann = self.enter("Ann")
        ann.break_line()
        again = self.enter("Ann", ticket=ann.ticket)
        assert self.house.counted("logins_total", Login.RESUMED) == 1
        again.break_line()
        native = TcpFriend(self.house, "Ann", ticket=again.ticket).begin()
        self.house.login()
        assert native.entered.source == ann.source

    def test_a_flood_of_pings_costs_the_one_who_sends_it(self) -> None:
        ann, ben = self.enter("Ann"), self.enter("Ben")
        for _ in range(int(OTHERS_BURST) + 1):
            ann.socket.send_ping(b"x")
            ann.flush()
        self.house.settle()
        assert not ann.connected
        assert ben.connected
        assert self.house.counted("protocol_errors_total") == 1

    def test_a_page_that_lies_costs_itself_and_nobody_else(self) -> None:
        """Whatever a page may send once it is in: too long, text, twice the same, a frame without mask, no sound."""
        ben = self.enter("Ben")
        lies: dict[str, Callable[[BrowserFriend], object]] = {
            "too long": lambda ann: ann.send_string(bytes(MAX_WELCOME + 1)),
            "text": lambda ann: ann.socket.send_text(b"let me in"),
            "forged": lambda ann: ann.send_string(bytes(60)),
            "twice": lambda ann: list(map(ann.send_string, [ann.session.seal(PING)] * 2)),
            "no mask": lambda ann: ann.send_bytes(b"\x82\x01x"),
            "no sound": lambda ann: ann.send_string(ann.session.seal(b"\x40\xff\x00\x01" + b"\xff" * 300)),
            "another's": lambda ann: ann.send_string(ann.session.seal(b"\x40\x01\x00\x01" + b"\x48")),
        }
        for number, (what, lie) in enumerate(lies.items(), 1):
            ann = self.enter("Ann")
            lie(ann)
            ann.flush()
            self.house.settle()
            assert not ann.connected, what
            assert self.house.counted("protocol_errors_total") == number, what
        assert ben.connected
        assert len(self.house.hub.seats) == 1, "who breaks the protocol keeps no seat"

    def test_a_closed_tab_is_away_and_gone_after_a_minute_like_a_line_that_broke(self) -> None:
        ann, ben = self.enter("Ann"), self.enter("Ben")
        ann.socket.send_close(1001)
        ann.flush()
        self.house.settle()
        assert not ann.connected
        assert self.house.hub.seats[ann.entered.connection].away_since is not None
        assert ben.connected

    def test_one_who_reads_nothing_gets_no_old_sound(self) -> None:
        ann, ben = self.enter("Ann"), self.enter("Ben")
        ann.transport.block()
        ben.talk(0.2)
        self.house.pass_ticks(100)
        ann.transport.unblock()
        self.house.settle()
        assert 0 < len(ann.values(ben.source)) <= 6

    def test_origin_is_nobodys_protection(self) -> None:
        for origin in ("null", "file://", "http://evil.example"):
            friend = BrowserFriend(self.house, "Ann", headers={"Origin": origin}).begin()
            self.house.login()
            assert friend.welcome is not None, "the proof inside is what protects"
            friend.break_line()

    def test_a_server_that_stops_says_so_to_a_browser_before_its_login(self) -> None:
        asking, talking = Stranger(self.house), BrowserFriend(self.house, "Ann", says_hello=False)
        asking.send(request()[:-2])
        talking.begin()
        self.house.settle()
        self.house.hub.close()
        assert asking.transport.take() == b"", "there is nothing yet by which it could be told"
        self.house.settle()
        assert isinstance(talking.refused, Refuse)
        assert talking.refused.reason is Reason.SHUTTING_DOWN


class ProxyTests(SynchronousTestCase):
    """A proxy's visitors count by their own addresses; and only those of a proxy that the host has named."""

    def test_a_browser_behind_a_trusted_proxy_is_who_it_says(self) -> None:
        house = House(proxies=[PROXY])
        friend = BrowserFriend(house, "Ann", host=PROXY, headers={"X-Forwarded-For": "10.9.9.9, 203.0.113.5"})
        assert friend.client.address == UNKNOWN
        friend.begin()
        assert friend.client.address == "203.0.113.5", "the last is what the proxy saw; the first anybody may write"

    def test_of_a_stranger_nothing_is_believed(self) -> None:
        house = House(proxies=[PROXY])
        friend = BrowserFriend(house, "Ann", host="192.0.2.9", headers={"X-Forwarded-For": "203.0.113.5"}).begin()
        assert friend.client.address == "192.0.2.9"

    def test_who_guesses_behind_a_proxy_is_banned_and_not_the_others(self) -> None:
        house = House(proxies=[PROXY])

        def login(address: str, password: str) -> BrowserFriend:
            headers = {"X-Forwarded-For": address}
            friend = BrowserFriend(house, "Ann", host=PROXY, headers=headers, password=password).begin()
            house.login()
            return friend

        for _ in range(Limits().failures):
            login("203.0.113.66", "wrong")
        assert isinstance(login("203.0.113.66", "correct horse battery").refused, Refuse)
        assert login("203.0.113.5", "correct horse battery").welcome is not None

    def test_many_behind_a_proxy_are_not_too_many_of_one_address(self) -> None:
        house = House(proxies=[PROXY])
        strangers = [Stranger(house, PROXY) for _ in range(30)]
        for number, stranger in enumerate(strangers):
            stranger.send(request("/", f"X-Forwarded-For: 203.0.113.{number}")[:-2])
        assert not any(stranger.transport.over for stranger in strangers)
        assert house.counted("refused_total") == 0

    def test_too_many_of_one_address_behind_a_proxy_are_shown_out(self) -> None:
        house = House(proxies=[PROXY], pages_burst=100)
        upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", KEY)
        strangers = [Stranger(house, PROXY) for _ in range(30)]
        for stranger in strangers:
            stranger.send(request("/", "X-Forwarded-For: 203.0.113.5", *upgrade))
        assert sum(not stranger.transport.over for stranger in strangers) == Limits().before_login_each
        assert not house.log.failures
        assert house.counted("refused_total", Rejected.TOO_MANY_OF_ONE_ADDRESS) == 30 - Limits().before_login_each

    def test_a_native_client_by_the_proxy_protocol_is_who_it_says(self) -> None:
        for proxies, address in (([PROXY], "203.0.113.5"), ([], PROXY)):
            house = House(proxies=proxies)
            transport = VoiceTransport(PROXY)
            wrapped = HAProxyWrappingFactory(house.factory).buildProtocol(IPv4Address("TCP", PROXY, 40_000))
            wrapped.makeConnection(transport)
            wrapped.dataReceived(b"PROXY TCP4 203.0.113.5 198.51.100.1 40000 1234\r\n" + b"rubbish!")
            assert any(f"bad input came from {address}: " in line for line in house.log.lines)

    def test_a_native_client_by_a_proxy_that_says_nothing_is_the_proxy(self) -> None:
        house = House(proxies=[PROXY])
        ann = TcpFriend(house, "Ann", host=PROXY).begin()
        house.login()
        assert ann.welcome is not None
        assert ann.client.address == PROXY


KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = request("/", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", KEY)
HEADS = st.sampled_from([b"", b"GET ", b"GET / HTTP/1.1\r\n", request(), UPGRADE])


@given(HEADS, st.lists(st.binary(max_size=80), max_size=4))
def test_whatever_comes_first_ends_in_no_fault_and_no_more_than_an_answer(head: bytes, pieces: list[bytes]) -> None:
    house = House()
    stranger = Stranger(house)
    answers = b"".join(stranger.send(piece) for piece in (head, *pieces) if piece)
    assert not house.log.failures
    assert len(answers) <= PAGE.stat().st_size + 1000
    assert not house.hub.seats


LAZY = """
import sys
from voicechat.server import oneport, web, service, tap
assert web.installed() or True
print(*[name for name in %r if name in sys.modules], "gzip" in sys.modules)
"""


LOADED = """
import sys, threading
from tests.server.browsers import BrowserFriend
from tests.server.house import House
BrowserFriend(House(takes_offers=bool(int(sys.argv[1]))), "Ann").begin()
for thread in threading.enumerate():
    thread is threading.main_thread() or thread.join()
print("voicechat.server.rtc" in sys.modules)
"""


def test_what_an_offer_needs_is_imported_beside_all_else_when_a_websocket_is_asked_for() -> None:
    told = [
        subprocess.run([sys.executable, "-c", LOADED, taken], capture_output=True, text=True, check=True).stdout.strip()
        for taken in ("1", "0")
    ]
    assert told == ["True", "False"]


@pytest.mark.parametrize("names", [(*NEEDED, "voicechat.carriage.websocket")])
def test_nothing_of_it_is_imported_before_a_browser_comes(names: tuple[str, ...]) -> None:
    told = subprocess.run([sys.executable, "-c", LAZY % (names,)], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False"]
