"""What a browser gets: the page, or a WebSocket to talk by; nothing else, and nothing that tells of this server.

The page is read, and made smaller, when the first browser asks for it; what reads requests and
frames is imported then.
"""

import re
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

from voicechat.server.metrics import WebAnswer
from voicechat.session.bucket import Bucket

if TYPE_CHECKING:
    from voicechat.carriage.http import HttpAnswer, HttpRequest
    from voicechat.server.hub import Hub

NEEDED: Final = ("h11", "wsproto")
"""What the extra `web` installs, for the page and its WebSocket."""

NEEDED_BY_RTC: Final = ("OpenSSL", "pylibsrtp")
"""The same for WebRTC."""

AT_OFFER: Final = "voicechat.server.rtc"
"""What imports that."""

PAGE: Final = Path(__file__).parents[1] / "web" / "page.html"
"""The page, as it is installed."""

KNOCKS_TOO_MUCH: Final = 2
"""Rank (`Knocks.rank`) from which an address gets no page: 16 connections within seconds, some times what one needs
who loads it again and again."""

_POLICY: Final = re.compile(rb'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')

_HEADERS: Final = (
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
"""With the page, besides its policy: it is nobody's frame, tells no one where it came from, and is not kept."""

BUSY: Final = b"Many ask for this page just now. Try again in a minute.\n"
BUSY_HEADERS: Final = (("Content-Type", "text/plain"), ("Retry-After", "60"), *_HEADERS)


def installed() -> bool:
    """What a browser needs of the server is there; nothing is imported to know it."""
    return all(find_spec(name) is not None for name in NEEDED) and PAGE.is_file()


def takes_offers() -> bool:
    """What media by WebRTC needs is there, too."""
    return all(find_spec(name) is not None for name in NEEDED_BY_RTC)


class WebPage:
    """The page of a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @cached_property
    def plain(self) -> bytes:
        """Its bytes."""
        return self._file.read_bytes()

    @cached_property
    def small(self) -> bytes:
        """The same in a third of them, for a browser that takes gzip."""
        import gzip

        return gzip.compress(self.plain, mtime=0)

    @cached_property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What goes with it. Its policy stands in it, since from a disk it has no headers; here it is made stronger."""
        found = _POLICY.search(self.plain)
        if found is None:
            raise ValueError("the page has no policy")
        policy = f"{found[1].decode()}; frame-ancestors 'none'"
        return (("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy), *_HEADERS)


class Web:
    """What browsers get, and how often."""

    def __init__(self, hub: "Hub", page: Path = PAGE) -> None:
        self._clock = hub.clock
        self._knocks = hub.admission.knocks
        self._counts = hub.metrics.requests_total
        self._pages = Bucket(hub.limits.pages_a_second, hub.limits.pages_burst, hub.clock.seconds())
        self._page = WebPage(page)
        self._loads = hub.takes_offers

    def answer(self, request: "HttpRequest", address: str) -> "HttpAnswer | None":
        """What somebody of this address gets for a request; None: a WebSocket."""
        from voicechat.carriage.http import HttpAnswer

        if request.path != b"/":
            self._counts[WebAnswer.NOT_FOUND].value += 1
            return HttpAnswer(404)
        if request.upgrades:
            self._counts[WebAnswer.WEBSOCKET].value += 1
            self._load()
            return None
        if not self._may_have_page(address):
            self._counts[WebAnswer.TOO_OFTEN].value += 1
            return HttpAnswer(503, BUSY_HEADERS, BUSY)
        self._counts[WebAnswer.PAGE].value += 1
        page = self._page
        if request.takes_gzip:
            return HttpAnswer(200, (*page.headers, ("Content-Encoding", "gzip")), page.small)
        return HttpAnswer(200, page.headers, page.plain)

    def _load(self) -> None:
        """Import what an offer will need beside all else: it takes 0.1 s (measured), in which no voice would pass."""
        if self._loads:
            self._loads = False
            with suppress(RuntimeError):  # the system starts no thread: then the offer waits for it
                Thread(target=import_module, args=(AT_OFFER,), daemon=True).start()

    def _may_have_page(self, address: str) -> bool:
        """A page is a hundred times longer than what asks for it: no flood is to fill the host's line with pages."""
        now = self._clock.seconds()
        return self._knocks.rank(address, now) < KNOCKS_TOO_MUCH and self._pages.take(now)
