"""Breakages of what keeps browsers, and those who play one, in their bounds."""

from typing import Final

from tests.mutations.mutation import Mutation

_PAGES: Final = "tests/server/test_oneport.py::PageTests::"
_PROXIES: Final = "tests/server/test_oneport.py::ProxyTests::"
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
)
