"""A request's bytes, in whatever pieces; and its answer, read by another library."""

import http.client
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.carriage.http import MOST_HEAD, Exchange, HttpAnswer, HttpRequest
from voicechat.errors import WireError

HEAD = b"GET /a?b HTTP/1.1\r\nHost: x\r\nUpgrade: h2c, WebSocket\r\nX-Forwarded-For: a , b\r\nx-forwarded-for:c\r\n\r\n"


def read(*pieces: bytes) -> HttpRequest | None:
    exchange = Exchange()
    for piece in pieces[:-1]:
        assert exchange.received(piece) is None
    return exchange.received(pieces[-1])


def test_a_request_is_read() -> None:
    asked = read(HEAD + b"behind")
    assert asked is not None
    assert (asked.target, asked.path, asked.rest) == (b"/a?b", b"/a", b"behind")
    assert asked.values(b"x-forwarded-for") == [b"a", b"b", b"c"]
    assert asked.upgrades
    assert not asked.takes_gzip


@given(st.lists(st.integers(1, len(HEAD) - 1), unique=True))
def test_its_pieces_do_not_matter(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(HEAD)]
    assert read(*(HEAD[start:end] for start, end in pairwise(ends))) == read(HEAD)


@given(st.binary(max_size=200), st.sampled_from([b"", b"GET ", b"GET / HTTP/1.1\r\n", HEAD[:-2]]))
def test_any_bytes_are_a_request_or_an_error_or_not_all_of_it(data: bytes, before: bytes) -> None:
    try:
        asked = read(before + data)
    except WireError:
        return
    if asked is not None:
        assert asked.target
        assert isinstance(asked.upgrades, bool)


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\nHost x\r\n\r\n", b"GET /\0 HTTP/1.1\r\n"]
)
def test_what_is_none_is_an_error(head: bytes) -> None:
    with pytest.raises(WireError, match="none of HTTP"):
        read(head + b"\r\n\r\n")


def test_only_get_is_read() -> None:
    with pytest.raises(WireError, match="something else"):
        read(HEAD.replace(b"GET", b"PUT"))


def test_a_head_without_end_is_given_up_and_not_kept() -> None:
    exchange, line = Exchange(), b"X: " + b"x" * 60 + b"\r\n"
    assert exchange.received(b"GET / HTTP/1.1\r\n") is None
    for _ in range(MOST_HEAD // len(line) - 1):
        assert exchange.received(line) is None
    with pytest.raises(WireError):
        exchange.received(2 * line)


@pytest.mark.parametrize(
    ("encodings", "takes"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip; q=0", False),
        ("gzip;q=0.00", False),
        ("br", False),
        ("x-gzip", False),
    ],
)
def test_whether_it_takes_gzip(encodings: str, takes: bool) -> None:
    asked = read(HEAD[:-2] + f"Accept-Encoding: {encodings}\r\n\r\n".encode())
    assert asked is not None
    assert asked.takes_gzip is takes


class _Socket:
    """Enough of one for http.client."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


@given(st.binary(max_size=1000))
def test_an_answer_is_understood(body: bytes) -> None:
    exchange = Exchange()
    assert exchange.received(HEAD) is not None
    answer = http.client.HTTPResponse(_Socket(exchange.answered(HttpAnswer(200, (("X-Y", "z"),), body))))  # type: ignore[arg-type]
    answer.begin()
    assert answer.read() == body
    assert {name.lower(): value for name, value in answer.getheaders()} == {
        "x-y": "z",
        "content-length": str(len(body)),
        "connection": "close",
    }
