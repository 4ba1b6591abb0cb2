"""Everything that reads bytes of strangers, with one sentence of truth for each: a value or WireError, nothing else.

A target runs one input and asserts more where it can: what was understood can be built
again. `mutated` makes inputs that get past the first bytes: it keeps what a parser looks
at first, and most lengths, and is otherwise unkind. (What a person pasted raises ConfigError in WireError's place.)
"""

import contextlib
import random
from collections.abc import Callable
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from tests.carriage.webrtc.browser import Browser, binding
from tests.server.router.routers import FakeRouter
from voicechat import invite
from voicechat.carriage.http import Exchange, HttpAnswer
from voicechat.carriage.webrtc import rtp, stun
from voicechat.carriage.webrtc.channel import RtcChannel
from voicechat.carriage.websocket import Closed, Messages
from voicechat.codecs.opus import OpusCodec, OpusDecoder
from voicechat.errors import ConfigError, WireError
from voicechat.format import FRAME_SAMPLES, silent_frame
from voicechat.media.packet import ME, MediaPacket
from voicechat.media.quality import Quality
from voicechat.security import dtls
from voicechat.security.seal import DatagramOpener, DatagramSeal, StringOpener, StringSeal
from voicechat.security.secret import Secret
from voicechat.security.tickets import Ticket
from voicechat.server.router import wire as router
from voicechat.session.client import ClientSession
from voicechat.session.server import ServerSession
from voicechat.testing import MemoryCodec
from voicechat.wire import control, datagrams, handshake, media, messages, older, text

CORPUS: Final = Path(__file__).parent / "corpus"
"""One file a target, one input a line, in hexadecimal: what the fuzzers found worth keeping."""

MOST_BYTES: Final = 4096
"""Longest input; no string or datagram is longer."""


class Target(msgspec.Struct, frozen=True):
    """One parser. ``run`` raises nothing but AssertionError, and that only for a fault of ours."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    head: int = 0
    """Leading bytes that mutations mostly spare."""


# -- what is run ---------------------------------------------------------------------


def _handshake(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert handshake.decode(data).build() == data


def _media(data: bytes) -> None:
    with contextlib.suppress(WireError):
        packet = media.decode(data)
        assert media.encode(packet) == data
        with contextlib.suppress(WireError):
            media.upward(packet)
        with contextlib.suppress(WireError):
            media.downward(packet)


def _control(data: bytes) -> None:
    with contextlib.suppress(WireError):
        message = control.decode(data)
        if message is not None:
            assert control.decode(control.encode(message)) == message


def _header(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert datagrams.parse_header(data).build() == data[: datagrams.HEADER_BYTES]


def _text(data: bytes) -> None:
    given = data.decode(errors="surrogateescape")
    for tidy in (text.name, text.room, text.line):
        with contextlib.suppress(WireError):
            assert tidy(tidy(given)) == tidy(given)
    with contextlib.suppress(WireError):
        older_name = older.name(text.chosen_name(given))
        assert older_name
        assert len(older_name.encode()) <= older.MOST_NAME_BYTES
        text.check(older_name, "the name")


def _ticket(data: bytes) -> None:
    id_digits, _, secret_digits = data.decode(errors="surrogateescape").partition(" ")
    with contextlib.suppress(WireError):
        ticket = Ticket.from_hex(id_digits, secret_digits)
        assert (len(ticket.id), len(ticket.secret)) == (16, 32)


def _link(data: bytes) -> None:
    with contextlib.suppress(ConfigError):
        invited = invite.parse(data.decode(errors="surrogateescape"))
        assert invite.parse(invited.link()) == invited


def _server(data: bytes) -> None:
    with contextlib.suppress(WireError):
        ServerSession(_PASSWORD).receive(data)


def _client(data: bytes) -> None:
    client = ClientSession(_PASSWORD, messages.Request("Ann"), _TICKET)
    with contextlib.suppress(WireError):
        answer = client.receive(data)
        assert isinstance(answer, handshake.Refuse)


def _string(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert StringOpener(_KEY).open(data) in _PLAIN


def _datagram(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert DatagramOpener(_KEY[:16]).open(datagrams.parse_header(data), data) in _PLAIN


def _opus(data: bytes) -> None:
    codec, decoder = _opus_codec()
    out = np.full(FRAME_SAMPLES, np.nan, np.float32)
    try:
        decoder.decode(data, out)
    except WireError:
        assert not out.any()
    else:
        codec.check(data)
    assert np.abs(out).max() <= 1


def _request(data: bytes) -> None:
    exchange = Exchange()
    with contextlib.suppress(WireError):
        asked = exchange.received(data)
        if asked is not None:
            assert asked.target
            assert data.endswith(asked.rest)
            assert exchange.answered(HttpAnswer(404)).startswith(b"HTTP/1.1 404")
            if asked.upgrades:
                assert Messages(asked, lambda: 256, 0.0).outgoing.startswith(b"HTTP/1.1 101")


def _frames(data: bytes) -> None:
    asked = Exchange().received(_UPGRADE)
    assert asked is not None
    whole = Messages(asked, lambda: 256, 0.0)
    with contextlib.suppress(WireError, Closed):
        for message in whole.received(data, 0.0):
            assert len(message) <= 256
    assert len(whole.outgoing) < 2_000, "a few pongs and the answer"


def _stun(data: bytes) -> None:
    with contextlib.suppress(WireError):
        asked = stun.read(data)
        assert len(stun.success(asked, "password", "192.0.2.1", 1)) <= max(len(data), 80)
        if asked.is_signed_by("password"):
            assert any(asked.signed[20:] == seed[20 : len(asked.signed)] for seed in _stun_seeds())


def _rtp(data: bytes) -> None:
    up = rtp.Upward(111)
    with contextlib.suppress(WireError):
        packet = up.taken(rtp.parse(data))
        if packet is not None:
            assert media.upward(media.decode(media.encode(packet))) == packet


def _dtls(data: bytes) -> None:
    whole = list(dtls.records(data))
    assert data.startswith(b"".join(whole))
    server = dtls.DtlsServer(_FINGERPRINT)
    with contextlib.suppress(WireError):
        server.received(data)
    assert server.srtp is None
    assert sum(map(len, server.outgoing)) < 3_000


def _path(data: bytes) -> None:
    path = RtcChannel(messages.Offer(111, _FINGERPRINT), _FINGERPRINT, 0.0)
    with contextlib.suppress(WireError):
        assert path.received(data or b"\0", ("192.0.2.1", 1), 0.0) is None
    assert not path.up


def _router(data: bytes) -> None:
    for request in _ROUTER_REQUESTS:
        with contextlib.suppress(WireError):
            answer = request.answered(data)
            if isinstance(answer, router.Given):
                assert 0 < answer.port < 65_536
                assert router.LEAST_SECONDS <= answer.seconds <= router.MOST_SECONDS
    router.announces(data)


# -- what it begins with -------------------------------------------------------------

_UPGRADE: Final = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_FINGERPRINT: Final = ":".join(["0F"] * 32)
_PASSWORD: Final = Secret("k7qx-m3vt-9hrw")
_TICKET: Final = Ticket(bytes(16), bytes(range(32)))
_KEY: Final = bytes(range(32))
_PLAIN: Final = (b"", b"\x40\xff\x00\x01sound", b'\x88{"text":"psst"}')
_HANDSHAKES: Final = (
    handshake.Hello(bytes(16), b"A" + bytes(32)),
    handshake.Reply(b"B" + bytes(32)),
    handshake.Auth(bytes(32), bytes(60)),
    handshake.SealedWelcome(bytes(32), bytes(200)),
    handshake.Resume(bytes(16), bytes(16), bytes(32)),
    handshake.Resumed(bytes(16), bytes(32), bytes(200)),
    handshake.Refuse(handshake.Reason.PASSWORD, 5),
)
_MESSAGES: Final = (
    messages.Welcome(
        1,
        "Ann",
        "den",
        77,
        [messages.Participant(2, "Ben", muted=True)],
        1234,
        12_000,
        messages.TicketText("0" * 32, "f" * 64),
    ),
    messages.Joined(messages.Participant(3, "Žofie", away=True)),
    messages.Left(3, "did not come back"),
    messages.Away(3),
    messages.Back(3),
    messages.Talk(3, talking=True),
    messages.State(muted=True, deafened=False, source=3),
    messages.Gain(3, 0.5),
    messages.Text('gg \\ " 👍'),
    messages.Ping(7),
    messages.Pong(1 << 53),
    messages.Path("0123456789abcdef"),
    messages.Report(50, 2, 1),
    messages.Bye("leaving", 0.5),
    messages.Request("Ann", "den", quality=Quality.HIGH),
)


@cache
def _opus_codec() -> tuple[OpusCodec, OpusDecoder]:
    codec = OpusCodec()
    return codec, codec.decoder()


def _handshake_seeds() -> list[bytes]:
    return [value.build() for value in _HANDSHAKES]


def _media_seeds() -> list[bytes]:
    payload = MemoryCodec().encoder(1).encode(silent_frame())
    return [
        media.encode(MediaPacket(ME, 65_535, payload, marker=True)),
        media.encode(MediaPacket(7, 0, payload, offset=3, redundant=payload)),
        media.encode(MediaPacket(0, 9, b"", end=True)),
        media.encode(MediaPacket(250, 9, bytes(400))),
    ]


def _control_seeds() -> list[bytes]:
    return [control.encode(message) for message in _MESSAGES]


def _header_seeds() -> list[bytes]:
    return [datagrams.DatagramHeader(kind, 0xABCDEF, 0x01020304).build() + bytes(24) for kind in datagrams.DatagramType]


def _text_seeds() -> list[bytes]:
    names = ("Ann", "Z\u030cofie", "李小龙", "👍🏽 e\u0301", " \u202ea\u200b\x1b[2J", "x" * 40)
    return [name.encode() for name in names]


def _ticket_seeds() -> list[bytes]:
    return [" ".join(_TICKET.to_hex()).encode()]


def _link_seeds() -> list[bytes]:
    links = (
        invite.Invite("play.example.org", 4321, "the den", _PASSWORD),
        invite.Invite("fe80::1%eth0", 1234, "žluťoučká", Secret("%#/?")),
        invite.Invite("192.0.2.7"),
    )
    return [link.link().encode() for link in links]


def _string_seeds() -> list[bytes]:
    return [StringSeal(_KEY).seal(plain) for plain in _PLAIN]


def _datagram_seeds() -> list[bytes]:
    return [DatagramSeal(_KEY[:16], 77).seal(kind, plain) for kind in datagrams.DatagramType for plain in _PLAIN]


def _opus_seeds() -> list[bytes]:
    codec, chance = OpusCodec(), np.random.default_rng(1)
    seeds = []
    for bitrate in (12_000, 24_000, 64_000):
        encoder = codec.encoder(bitrate)
        for loudness in (0.0, 0.01, 0.5):
            noise = (chance.standard_normal(FRAME_SAMPLES) * loudness).astype(np.float32)
            seeds.append(encoder.encode(noise))
    return seeds


def _request_seeds() -> list[bytes]:
    return [
        _UPGRADE,
        b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br;q=0.5\r\n\r\n",
        b"GET /favicon.ico?x HTTP/1.0\r\n\r\n",
    ]


def _frame(first: int, data: bytes) -> bytes:
    """A frame of a client, under a mask of zeros."""
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return bytes([first]) + size + bytes(4) + data


def _frame_seeds() -> list[bytes]:
    return [
        _frame(0x82, bytes(53)),
        _frame(0x82, bytes(256)) + _frame(0x89, b"ping") + _frame(0x82, b"x"),
        _frame(0x02, b"a") + _frame(0x00, b"b") + _frame(0x80, b"c"),
        _frame(0x88, b"\x03\xe8bye"),
    ]


_ROUTER_REQUESTS: Final = (
    router.AskAddress(),
    router.AskPort(router.Carried.TCP, 1234, 1234, 3600),
    router.AskMap(router.Carried.UDP, 1234, 1234, 3600, IPv4Address("192.168.1.20"), bytes(12)),
)


def _router_seeds() -> list[bytes]:
    fake = FakeRouter()
    return [fake.answers(request.build())[0] for request in _ROUTER_REQUESTS] + [bytes.fromhex("008000010000004d")]


def _stun_seeds() -> list[bytes]:
    return [binding("mine", "password", transaction=bytes(12)), binding("a+b/", "other", transaction=bytes(range(12)))]


def _rtp_seeds() -> list[bytes]:
    frame = b"\x48" + bytes(26)
    return [
        b"\x80\x6f\x00\x01" + bytes(8) + frame,
        b"\x90\xef\x00\x01" + bytes(8) + b"\xbe\xde\x00\x01\x10\xff\x00\x00" + frame,
        b"\xb2\x6f\x00\x01" + bytes(16) + b"\xbe\xde\x00\x00" + frame + b"\x00\x02",
    ]


@cache
def _dtls_seeds() -> list[bytes]:
    (hello,) = Browser().hello()
    return [hello, b"\x15\xfe\xfd" + bytes(9) + b"\x02\x02\x28", b"\x16\xfe\xfd" + bytes(9) + b"\x00"]


TARGETS: Final = {
    "handshake": Target(_handshake, _handshake_seeds, head=4),
    "media": Target(_media, _media_seeds),
    "control": Target(_control, _control_seeds, head=1),
    "header": Target(_header, _header_seeds, head=1),
    "text": Target(_text, _text_seeds),
    "ticket": Target(_ticket, _ticket_seeds),
    "link": Target(_link, _link_seeds, head=12),
    "server": Target(_server, _handshake_seeds, head=4),
    "client": Target(_client, _handshake_seeds, head=4),
    "string": Target(_string, _string_seeds),
    "datagram": Target(_datagram, _datagram_seeds, head=1),
    "request": Target(_request, _request_seeds, head=4),
    "frames": Target(_frames, _frame_seeds, head=2),
    "stun": Target(_stun, _stun_seeds, head=8),
    "rtp": Target(_rtp, _rtp_seeds, head=1),
    "dtls": Target(_dtls, _dtls_seeds, head=1),
    "path": Target(_path, lambda: [*_dtls_seeds(), *_rtp_seeds()], head=1),
    "opus": Target(_opus, _opus_seeds, head=1),
    "router": Target(_router, _router_seeds, head=4),
}


def corpus(name: str) -> list[bytes]:
    """What was kept of a target's inputs."""
    file = CORPUS / f"{name}.hex"
    return [bytes.fromhex(line) for line in file.read_text().splitlines()] if file.exists() else []


# -- how it is made worse ------------------------------------------------------------

_BYTES: Final = b'\x00\x01\x10\x7f\x80\xff{}[]",:\\ -.09eENnut'
_TOKENS: Final = (
    b"null",
    b"true",
    b"NaN",
    b"1e400",
    b"-1",
    b"9" * 40,
    b"9" * 4000,
    b"0.1",
    b'""',
    b"{}",
    b"[",
    b"[" * 2000,
    b'{"a":' * 400,
    b"\\ud800",
    b"\\u0000",
    b"\\u001b[2J",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x80\xae",
    b"\xff" * 40,
    bytes(300),
)


def mutated(target: Target, inputs: list[bytes], chance: random.Random) -> bytes:
    """An input made from one or two of ``inputs``; never longer than MOST_BYTES."""
    data = bytearray(chance.choice(inputs))
    spared = target.head if chance.random() < 0.9 else 0
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        if len(data) <= spared:
            data += bytes(chance.randrange(256) for _ in range(8))
        _hurt(data, spared, inputs, chance)
    return bytes(data[:MOST_BYTES])


def _hurt(data: bytearray, spared: int, inputs: list[bytes], chance: random.Random) -> None:
    at = chance.randrange(spared, len(data))
    match chance.randrange(10):
        case 0 | 1:  # these keep the length
            data[at] ^= 1 << chance.randrange(8)
        case 2 | 3:
            data[at] = chance.choice(_BYTES)
        case 4:
            data[at] = chance.randrange(256)
        case 5:
            del data[at : at + chance.choice((1, 1, 2, 8))]
        case 6:
            data[at:at] = chance.choice(_TOKENS)
        case 7:  # a value for a value, where there is JSON
            end = at + 1
            while end < len(data) and data[end] not in b",}]":
                end += 1
            data[at:end] = chance.choice(_TOKENS)
        case 8:
            del data[at:]
        case _:
            other = chance.choice(inputs)
            cut = chance.randrange(len(other) + 1)
            data[at:] = other[cut:]
