"""One TCP port for all: native clients, whose strings have their length before them, and browsers.

A browser's first bytes are `GET `. Read as the length of a string they are over a gigabyte,
so a native client never sends them; and it is as a string too long that they come out here,
which costs a native client nothing.

Either may come by way of a proxy. A connection that one has made says at its first bytes whose
it is (`proxies`), and counts for that address from then on.
"""

from typing import TYPE_CHECKING, Final

from voicechat.carriage.tcp import StringProtocol
from voicechat.server.factory import Carried, by_strings
from voicechat.server.limits import address_block
from voicechat.server.protocol import RemoteClient
from voicechat.server.proxies import UNKNOWN, Proxies
from voicechat.server.web import Web

if TYPE_CHECKING:
    from voicechat.carriage.http import HttpAnswer, HttpRequest
    from voicechat.carriage.websocket import WebSocketCarriage


def carried(web: Web | None, proxies: Proxies) -> Carried:
    """What carries strings where there may be browsers, or proxies."""
    return (lambda client: OnePort(client, web, proxies)) if web is not None or proxies else by_strings


BROWSER: Final = int.from_bytes(b"GET ", "big")
"""What the first bytes of a browser are, read as a length."""


class OnePort(StringProtocol):
    """A connection of somebody who may be a browser, and may come by way of a proxy. ``web``: None for no browsers."""

    def __init__(self, client: RemoteClient, web: Web | None, proxies: Proxies) -> None:
        super().__init__(client.connection)
        self._client = client
        self._web = web
        self._proxies = proxies
        self._proxy = ""
        """The proxy that made the connection, until it has told for whom."""
        self._browser: WebSocketCarriage | None = None

    def connectionMade(self) -> None:
        """Somebody is there, or a proxy."""
        host = self.host
        if host is not None and self._proxies.trusts(host):
            self._proxy = host
            self._client.is_behind(UNKNOWN)
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        """Strings, or what a browser sends."""
        if self._browser is None:
            if self._proxy:
                self._look_behind(data)
            super().dataReceived(data)
        else:
            self.connection.received(len(data))
            self._browse(self._browser, data)

    def _browse(self, browser: "WebSocketCarriage", data: bytes) -> None:
        """Bytes of a browser; a fault of ours in what they have caused ends this connection and no other."""
        try:
            browser.received(data)
        except Exception:  # noqa: BLE001  told in the log, as a string's is
            self._client.fault()
            self._client.abort()

    def _look_behind(self, data: bytes) -> None:
        """The PROXY protocol has told by the first bytes whose they are; a browser's tell by themselves."""
        host = self.host or self._proxy
        if host != self._proxy or not data.startswith(b"G"):
            self._comes_from(host)

    def _comes_from(self, host: str) -> None:
        self._proxy = ""
        self._client.comes_from(address_block(host))

    def lengthLimitExceeded(self, length: int) -> None:
        """A string too long, or a browser."""
        if length != BROWSER or self.connection.peer.packets_in or self._web is None:
            super().lengthLimitExceeded(length)
            return
        from voicechat.carriage.websocket import WebSocketCarriage  # nobody needs it before

        self._browser = WebSocketCarriage(self, self._asked)
        self._browse(self._browser, self.recvd)

    def _asked(self, request: "HttpRequest") -> "HttpAnswer | None":
        if self._proxy:
            self._comes_from(self._proxies.visitor(self._proxy, request.values(b"x-forwarded-for")))
        assert self._web is not None
        return self._web.answer(request, self._client.address)
