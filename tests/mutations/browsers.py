"""Breakages of what keeps browsers, and those who play one, in their bounds."""

from typing import Final

from tests.mutations.mutation import Mutation

_PAGES: Final = "tests/server/test_oneport.py::PageTests::"
_PROXIES: Final = "tests/server/test_oneport.py::ProxyTests::"
_PATHS: Final = "tests/server/test_rtc.py::RtcTests::"
_PAGE: Final = "tests/web/test_page.py::test_the_pages_code_passes_its_tests_under_node"
_MESSAGES: Final = "tests/carriage/test_websocket.py::"

BROWSERS: Final = (
    Mutation(
        "T22",
        "a request may be as long as it likes",
        "voicechat/carriage/http.py",
        "max_incomplete_event_size=MOST_HEAD",
        "max_incomplete_event_size=1 << 30",
        (f"{_PAGES}test_a_head_without_end_is_cut_early_and_a_slow_one_in_time",),
    ),
    Mutation(
        "T22",
        "the page goes to whoever asks, as often as they ask",
        "voicechat/server/web.py",
        "if not self._may_have_page(address):",
        "if False:",
        (f"{_PAGES}test_a_flood_of_pages_gets_few",),
    ),
    Mutation(
        "T22",
        "a message of a WebSocket grows without bound",
        "voicechat/carriage/websocket.py",
        "if len(self._message) > self._longest():",
        "if False:",
        (f"{_MESSAGES}test_a_message_without_end_is_given_up_and_not_kept",),
    ),
    Mutation(
        "T22",
        "pings and empty parts are taken for ever",
        "voicechat/carriage/websocket.py",
        "if not self._others.take(now):",
        "if False:",
        (f"{_MESSAGES}test_pings_pongs_and_empty_parts_are_counted",),
    ),
    Mutation(
        "T24",
        "whoever knows the name of a path gets answers",
        "voicechat/carriage/webrtc/channel.py",
        "or not request.is_signed_by(self.accept.password):",
        "or False:",
        (f"{_PATHS}test_nothing_is_answered_to_who_does_not_know_the_password_of_a_path",),
    ),
    Mutation(
        "T24",
        "any certificate is as good as the one that was offered",
        "voicechat/security/dtls.py",
        "if not hmac.compare_digest(shown, self._fingerprint) or",
        "if",
        (
            f"{_PATHS}test_who_has_the_password_but_not_the_certificate_gets_no_keys",
            "tests/security/test_dtls.py::test_another_certificate_than_was_offered_gets_no_keys",
        ),
    ),
    Mutation(
        "T24",
        "a path keeps all addresses that it was ever asked from",
        "voicechat/carriage/webrtc/channel.py",
        "if len(self.addresses) > MOST_ADDRESSES:",
        "if False:",
        (f"{_PATHS}test_addresses_of_one_browser_are_few",),
    ),
    Mutation(
        "T24",
        "a handshake of DTLS may go on for ever",
        "voicechat/security/dtls.py",
        "self._came > MOST_HANDSHAKE",
        "False",
        ("tests/security/test_dtls.py::test_a_handshake_without_end_is_given_up",),
    ),
    Mutation(
        "T24",
        "RTCP that nobody has sealed is taken for a friend's",
        "voicechat/carriage/webrtc/channel.py",
        "self._dtls.srtp.open_control(datagram)",
        "pass",
        (f"{_PATHS}test_what_is_forged_from_a_friends_address_takes_nothing_from_them",),
    ),
    Mutation(
        "T24",
        "DTLS that is forged after the handshake is taken for a friend's",
        "voicechat/security/dtls.py",
        "if sealed:",
        "if False:",
        (f"{_PATHS}test_what_is_forged_from_a_friends_address_takes_nothing_from_them",),
    ),
    Mutation(
        "T24",
        "a browser may have as many sources as it makes up",
        "voicechat/security/dtls.py",
        "len(self._sources) >= MOST_SOURCES",
        "False",
        (f"{_PATHS}test_sources_of_one_browser_are_few",),
    ),
    Mutation(
        "T24",
        "what comes by a path is not counted",
        "voicechat/carriage/peer.py",
        "if not self.open or (allowance is not None and not allowance.datagram(now)):",
        "if not self.open:",
        (f"{_PATHS}test_a_flood_of_binding_requests_ends_like_any_other",),
    ),
    Mutation(
        "T24",
        "media that comes by a path is not counted",
        "voicechat/carriage/peer.py",
        "if packet is not None and (allowance is None or allowance.media(now, size)):",
        "if packet is not None:",
        (f"{_PATHS}test_more_media_than_a_voice_has_is_not_passed_on",),
    ),
    Mutation(
        "T24",
        "media goes on by a way of which no report tells that any comes",
        "voicechat/carriage/webrtc/channel.py",
        "now < self._bound_until and self._again_at == _NEVER",
        "now < self._bound_until",
        (f"{_PATHS}test_a_browser_that_hears_nothing_gets_strings_within_two_seconds_and_rtp_again",),
    ),
    Mutation(
        "T24",
        "the time of the stream stands still in silence",
        "voicechat/carriage/webrtc/rtp.py",
        "place = max(self._newest + 1, int((now - self._began) / TICK_SECONDS))",
        "place = self._newest + 1",
        (
            "tests/carriage/webrtc/test_rtp.py::test_the_stream_goes_on_by_one_and_its_time_with_the_clock",
            f"{_PATHS}test_the_stream_of_a_spurt_goes_on_by_one_and_ends_with_a_byte",
        ),
    ),
    Mutation(
        "T23",
        "anybody may say for whom a connection is",
        "voicechat/server/oneport.py",
        "if host is not None and self._proxies.trusts(host):",
        "if host is not None:",
        (f"{_PROXIES}test_of_a_stranger_nothing_is_believed",),
    ),
    Mutation(
        "T23",
        "the first address that a proxy lists is believed",
        "voicechat/server/proxies.py",
        "for entry in reversed(forwarded):",
        "for entry in forwarded:",
        ("tests/server/test_proxies.py::test_what_a_visitor_writes_changes_nothing",),
    ),
    Mutation(
        "T7",
        "the page takes a string that was changed",
        "voicechat/web/src/chacha.js",
        "if (end < 0 || !same(",
        "if (end < 0 || false && !same(",
        (_PAGE,),
    ),
    Mutation(
        "T8",
        "the page believes whoever answers",
        "voicechat/web/src/login.js",
        "if (!same(proofAndSealed",
        "if (false && !same(proofAndSealed",
        (_PAGE,),
    ),
    Mutation(
        "T13",
        "the page gives its decoder whatever comes",
        "voicechat/web/src/packets.js",
        "!(payload[0] & 7) && TWENTY_MS.has(payload[0] >> 3)",
        "true",
        (_PAGE,),
    ),
    Mutation(
        "T15",
        "the page shows signs that nobody sees",
        "voicechat/web/src/texts.js",
        "if (UNSEEN.test(text)) throw",
        "if (false) throw",
        (_PAGE,),
    ),
)
