"""docs/wire-protocol.md is true: its examples are what our code makes and reads, its tables are the code's."""

import contextlib
import secrets
from collections.abc import Callable
from hashlib import sha256

import msgspec
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from spake2 import ed25519_basic as curve
from spake2.parameters.ed25519 import ParamsEd25519

from docs import draw_states
from tests.docs.pages import ROOT, hexadecimal, named, prose, spans, table
from voicechat.carriage import channel as links
from voicechat.errors import WireError
from voicechat.media.packet import LAST_SOURCE, ME, MIX, MediaPacket
from voicechat.security.keys import LOGIN_LABEL, RESUME_LABEL, SessionKeys, Side
from voicechat.security.login import IDENTITY_A, IDENTITY_B, ClientLogin, ServerLogin
from voicechat.security.resume import ClientResume, ServerResume
from voicechat.security.secret import Secret
from voicechat.security.tickets import Ticket
from voicechat.session.states import CLIENT, SERVER, SessionState
from voicechat.wire import control, handshake, media, messages
from voicechat.wire.datagrams import DatagramHeader, DatagramType, parse_header

PAGE = (ROOT / "docs" / "wire-protocol.md").read_text(encoding="utf-8")
BLOCKS = named(PAGE)

PASSWORD = b"correct horse"
SESSION_ID = bytes(range(16))
CONNECTION = 0xABCDEF
TOKEN = bytes.fromhex("0011223344556677")
SERVERS_TOKEN = bytes.fromhex("8899aabbccddeeff")
CONTROL = [line for name, block in BLOCKS.items() if name.partition(" ")[0] == "control" for line in block.lines]


def example(name: str) -> bytes:
    """The bytes of one of the page's examples."""
    return hexadecimal(BLOCKS[f"hex {name}"])


def packet(line: str) -> bytes:
    """A control packet from its line on the page: two hexadecimal digits, then JSON."""
    return bytes.fromhex(line[:2]) + line[2:].encode()


def sealed(name: str) -> bytes:
    (line,) = BLOCKS[f"control {name}"].lines
    return packet(line)


def entropy(filler: bytes) -> Callable[[int], bytes]:
    """The example's random numbers."""
    return lambda length: SESSION_ID if length == len(SESSION_ID) else filler * length


def logged_in() -> tuple[SessionKeys, SessionKeys]:
    """Client's and server's keys after the example's login, whose strings are compared on the way."""
    client, server = (
        ClientLogin(Secret(PASSWORD.decode()), entropy(b"\x61")),
        ServerLogin(Secret(PASSWORD.decode()), entropy(b"\x62")),
    )
    assert client.hello() == example("hello")
    assert server.reply(example("hello")) == example("reply")
    assert client.auth(example("reply"), sealed("request")) == example("auth")
    assert server.auth(example("auth")) == sealed("request")
    assert server.welcome(sealed("welcome")) == example("welcome string")
    assert client.welcome(example("welcome string")) == sealed("welcome")
    return client.keys, server.keys


def given_ticket() -> Ticket:
    """The ticket in the example's welcome."""
    welcome = control.decode(sealed("welcome"))
    assert isinstance(welcome, messages.Welcome)
    assert welcome.ticket is not None
    return Ticket.from_hex(welcome.ticket.id, welcome.ticket.secret)


# The login


def test_the_login_of_the_example_is_ours() -> None:
    logged_in()


def test_the_login_can_be_computed_from_the_page_alone() -> None:
    """With the curve's arithmetic, SHA-256 and HKDF, and not a line of ours."""
    constants = dict(line.split(" = ", 1) for line in PAGE.splitlines() if line.startswith(("    M = ", "    N = ")))
    m, n = (curve.bytes_to_element(bytes.fromhex(constants[f"    {name}"])) for name in "MN")
    w = int.from_bytes(HKDF(SHA256(), 48, b"", b"SPAKE2 pw").derive(PASSWORD), "big") % curve.L
    x, y = (int.from_bytes(bytes([byte]) * 64, "big") % curve.L for byte in (0x61, 0x62))
    clients = curve.Base.scalarmult(x).add(m.scalarmult(w)).to_bytes()
    servers = curve.Base.scalarmult(y).add(n.scalarmult(w)).to_bytes()
    assert example("hello") == b"VC\x01\x01" + SESSION_ID + b"A" + clients
    assert example("reply") == b"VC\x01\x02" + b"B" + servers
    secret = curve.bytes_to_element(servers).add(n.scalarmult(-w)).scalarmult(x).to_bytes()
    names = [sha256(text).digest() for text in (PASSWORD, b"voicechat/1 client", b"voicechat/1 server")]
    shared = sha256(b"".join([*names, clients, servers, secret])).digest()
    assert shared == example("shared")
    salt = sha256(example("hello") + example("reply")).digest()
    assert HKDF(SHA256(), 160, salt, b"voicechat/1 keys").derive(shared) == example("keys")


def test_the_pages_constants_are_those_of_the_code() -> None:
    assert ParamsEd25519.M.to_bytes().hex() in PAGE
    assert ParamsEd25519.N.to_bytes().hex() in PAGE
    for text in (IDENTITY_A, IDENTITY_B, LOGIN_LABEL, RESUME_LABEL, b"voicechat/1 resume"):
        assert f'"{text.decode()}"' in PAGE


def test_a_request_and_a_welcome_lie_in_the_examples() -> None:
    assert isinstance(control.decode(sealed("request")), messages.Request)
    welcome = control.decode(sealed("welcome"))
    assert isinstance(welcome, messages.Welcome)
    assert welcome.connection == CONNECTION


def test_the_ticket_of_the_example_brings_its_client_back(monkeypatch: pytest.MonkeyPatch) -> None:
    nonces = iter((b"\x63", b"\x64"))
    monkeypatch.setattr(secrets, "token_bytes", lambda length: next(nonces) * length)
    client = ClientResume(given_ticket())
    assert client.resume() == example("resume")
    resume = handshake.decode(example("resume"))
    assert isinstance(resume, handshake.Resume)
    server = ServerResume(given_ticket(), resume)
    assert server.resumed(sealed("welcome")) == example("resumed")
    assert client.resumed(example("resumed")) == sealed("welcome")
    assert (client.keys.seal.counter, client.keys.opener.counter) == (0, 1)


# Sealed


def test_strings_and_datagrams_after_the_login_are_ours() -> None:
    client, server = logged_in()
    strings = (
        (client, server, "string from the client", messages.Ping(1)),
        (server, client, "string from the server", messages.Talk(3, True)),
    )
    for sender, receiver, name, message in strings:
        assert sender.seal.seal(control.encode(message)) == example(name)
        assert control.decode(receiver.opener.open(example(name))) == message
    seals = {Side.CLIENT: client.datagram_seal(CONNECTION), Side.SERVER: server.datagram_seal(CONNECTION)}
    openers = {Side.CLIENT: server.datagram_opener(), Side.SERVER: client.datagram_opener()}
    datagrams = (
        (Side.CLIENT, "probe datagram", DatagramHeader(DatagramType.PROBE, CONNECTION, 0), TOKEN + bytes(8)),
        (Side.SERVER, "answer datagram", DatagramHeader(DatagramType.ANSWER, CONNECTION, 0), TOKEN + SERVERS_TOKEN),
        (Side.CLIENT, "media datagram", DatagramHeader(DatagramType.MEDIA, CONNECTION, 1), example("media packet")),
    )
    for side, name, header, plain in datagrams:
        assert seals[side].seal(header.type, plain) == example(name)
        assert parse_header(example(name)) == header
        assert openers[side].open(header, example(name)) == plain


# In the clear


def test_the_refusal_is_read_and_made() -> None:
    refusal = handshake.Refuse(handshake.Reason.TRY_LATER, 60)
    assert handshake.decode(example("refuse")) == refusal
    assert refusal.build() == example("refuse")


def bounds(number: int) -> tuple[int, int]:
    """Bytes of the shortest and the longest string of a type that can be read."""
    taken = []
    for length in range(handshake.MAX_WELCOME + 2):
        with contextlib.suppress(WireError):
            handshake.decode(b"VC" + bytes([handshake.VERSION, number, 1]).ljust(length, b"\0")[: length - 2])
            taken.append(length)
    assert len(taken) == max(taken) - min(taken) + 1
    return min(taken), max(taken)


def test_the_strings_in_the_clear_are_the_codes() -> None:
    rows = {int(kind, 0): (name, length) for kind, name, _, _, length in table(PAGE, "type", "name", "from")}
    kinds = {kind.TYPE: kind for kind in handshake.Handshake.__args__}
    assert rows.keys() == kinds.keys()
    for number, (name, length) in rows.items():
        assert name == handshake.called(kinds[number]).upper()
        least, most = bounds(number)
        assert length == (str(least) if least == most else f"{least} to {most}")


def test_every_reason_to_refuse_is_told() -> None:
    assert [int(row[0]) for row in table(PAGE, "reason")] == [int(reason) for reason in handshake.Reason]


# Packets


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("media packet", MediaPacket(ME, 0x1234, b"\x48\x01\x02\x03", marker=True)),
        (
            "media packet with redundancy",
            MediaPacket(3, 0x1235, b"\x48\x04\x05", offset=1, redundant=b"\x48\x01\x02\x03"),
        ),
        (
            "pair",
            MediaPacket(ME, 0x1237, b"\x48\x04\x05", marker=True, offset=1, redundant=b"\x48\x01\x02\x03", pair=True),
        ),
        ("end of a spurt", MediaPacket(ME, 0x1236, b"", end=True)),
    ],
)
def test_the_media_packets_of_the_examples_are_ours(name: str, value: MediaPacket) -> None:
    assert media.encode(value) == example(name)
    assert media.decode(example(name)) == value


def test_flags_and_sources_are_the_codes() -> None:
    flags = [int(row[0], 16) for row in table(PAGE, "flag")]
    assert flags == [media._MARKER, media._END, media._PAIR, media._OFFSET]
    assert sum(flags) | media._UNUSED | media.FIRST_CONTROL == 0xFF
    assert (ME, MIX, LAST_SOURCE) == (0xFF, 0, 250)


def test_the_types_of_datagrams_are_the_codes() -> None:
    rows = {int(row[0]): row[1] for row in table(PAGE, "type", "name", "packet")}
    assert rows == {int(kind): kind.name.lower() for kind in DatagramType}
    assert len(TOKEN) == links.TOKEN_BYTES
    assert 2 * len(TOKEN) == links.PROBE_BYTES


@pytest.mark.parametrize("line", CONTROL)
def test_the_control_packets_of_the_examples_are_ours(line: str) -> None:
    message = control.decode(packet(line))
    assert message is not None
    assert control.encode(message) == packet(line)


def test_every_kind_of_message_has_an_example() -> None:
    assert {int(line[:2], 16) for line in CONTROL} == control.KINDS.keys()


def test_the_kinds_of_messages_their_fields_and_directions_are_the_codes() -> None:
    rows = {int(row[0], 16): row[1:] for row in table(PAGE, "kind")}
    assert rows.keys() == control.KINDS.keys()
    for kind, (name, direction, fields) in rows.items():
        message = control.KINDS[kind]
        assert name == message.__name__.lower()
        expected = [field.name + "?" * (not field.required) for field in msgspec.structs.fields(message)]
        assert spans(fields) == expected, name
        from_client = message in SERVER[SessionState.IN_ROOM] or message is messages.Request
        from_server = message in CLIENT[SessionState.IN_ROOM] or message is messages.Welcome
        told = direction.partition(";")[0].partition(",")[0]
        assert (
            told == {(True, True): "both", (True, False): "client", (False, True): "server"}[from_client, from_server]
        )


def test_every_message_is_explained() -> None:
    told = prose(PAGE)
    for message in control.KINDS.values():
        assert f"**{message.__name__.lower()}**" in told, message


def test_reasons_of_goodbyes_are_those_of_the_code() -> None:
    reasons = (messages.FULL, messages.ROOM_FULL, messages.TRY_LATER)
    for reason in (*reasons, messages.LOCKED_OUT, messages.REPLACED, messages.SHUTTING_DOWN, messages.LEAVING):
        assert f"`{reason}`" in PAGE


# States


def test_the_diagrams_are_drawn_from_the_tables() -> None:
    """If not: python -m docs.draw_states."""
    assert PAGE.count("<!-- begin states: ") == len(draw_states.TABLES)
    assert draw_states.updated(PAGE) == PAGE


def test_a_changed_table_changes_its_diagram() -> None:
    fewer = {state: dict(row) for state, row in SERVER.items()}
    del fewer[SessionState.IN_ROOM][messages.Gain]
    assert "gain" not in draw_states.draw(fewer, [])
    assert draw_states.draw(fewer, []) != draw_states.draw(SERVER, [])
