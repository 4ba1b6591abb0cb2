"""One request of a browser and its answer: bytes <-> values, by h11. Sans-IO.

A connection carries one request: either it asks for a WebSocket, or it is answered and
over. So nothing is known here of bodies, pipelines and connections that are kept.

h11 is imported with this module, and this module when the first browser comes.
"""

from typing import Final, NamedTuple

import h11

from voicechat.errors import WireError

MOST_HEAD: Final = 8192
"""Bytes of a request with its headers: what nginx takes of one line of them. A browser that sends us no cookie needs
600, and a proxy adds some."""


class HttpRequest(NamedTuple):
    """What is asked for, always by GET."""

    target: bytes
    """As it was sent: a path, and whatever stands behind a question mark."""
    headers: tuple[tuple[bytes, bytes], ...]
    """Names in small letters, in the order that they came in."""
    rest: bytes
    """What came behind it already."""

    def values(self, name: bytes) -> list[bytes]:
        """The values of a header that is a list: of all lines of that name, in order, without spaces around them."""
        lines = (value for key, value in self.headers if key == name)
        return [value for line in lines for value in map(bytes.strip, line.split(b",")) if value]

    @property
    def path(self) -> bytes:
        """The target without a question."""
        return self.target.partition(b"?")[0]

    @property
    def takes_gzip(self) -> bool:
        """The answer may be compressed (RFC 9110, section 12.5.3)."""
        for value in self.values(b"accept-encoding"):
            coding, _, weight = value.lower().replace(b" ", b"").partition(b";q=")
            if coding == b"gzip":
                return not weight or weight.strip(b"0.") != b""
        return False

    @property
    def upgrades(self) -> bool:
        """It asks for a WebSocket (RFC 6455, section 4.1)."""
        return b"websocket" in map(bytes.lower, self.values(b"upgrade"))


class HttpAnswer(NamedTuple):
    """What a request is answered with."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Exchange:
    """One request, as its bytes come, and its answer."""

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)

    def received(self, data: bytes) -> HttpRequest | None:
        """The request, when all of it is there. WireError if it is none of HTTP's, or longer than MOST_HEAD."""
        try:
            self._h11.receive_data(data)
            event = self._h11.next_event()
        except h11.RemoteProtocolError:
            raise WireError("a request that is none of HTTP's") from None
        if not isinstance(event, h11.Request):
            return None
        if event.method != b"GET":
            raise WireError("a request for something else than a page")
        return HttpRequest(event.target, tuple(event.headers), self._h11.trailing_data[0])

    def answered(self, answer: HttpAnswer) -> bytes:
        """The bytes of an answer, after which the connection is to be closed."""
        headers = [*answer.headers, ("Content-Length", str(len(answer.body))), ("Connection", "close")]
        parts = (
            h11.Response(status_code=answer.status, headers=headers),
            h11.Data(data=answer.body),
            h11.EndOfMessage(),
        )
        return b"".join(self._h11.send(part) or b"" for part in parts)
