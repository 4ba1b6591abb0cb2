"""A program of 0.1.0, as far as it can be kept: what it sent, byte for byte, and what it ends its connection at.

What lives here: ``Evening``, the recording; ``obey``, 0.1.0's own check of a control packet from a server, written out
as that version had it (commit 7093656, voicechat/wire), so that no change of today's can change it; and its keys.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from voicechat.security.keys import SessionKeys, Side, resume_keys
from voicechat.security.login import ClientLogin, ServerLogin
from voicechat.security.secret import Secret

ZOE: Final = Path(__file__).with_name("zoe_0_1_0.hex")

PASSWORD: Final = "correct horse battery"


def client_chance(length: int) -> bytes:
    """The random numbers of the client that was recorded."""
    return bytes(range(16)) if length == 16 else b"\x61" * length


def server_chance(length: int) -> bytes:
    """And of its server."""
    return b"\x62" * length


class Connection(NamedTuple):
    """One connection's strings in their order; True: from the client."""

    strings: list[tuple[bool, bytes]]

    @property
    def client(self) -> list[bytes]:
        """What the client sent."""
        return [string for sent, string in self.strings if sent]

    @property
    def server(self) -> list[bytes]:
        """What the server sent."""
        return [string for sent, string in self.strings if not sent]


def connections(path: Path = ZOE) -> list[Connection]:
    """A recording: ``#`` a remark, ``=`` a connection, ``>`` a string of the client, ``<`` one of the server."""
    found: list[Connection] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("="):
            found.append(Connection([]))
        elif not line.startswith("#"):
            mark, _, digits = line.partition(" ")
            found[-1].strings.append((mark == ">", bytes.fromhex(digits)))
    return found


class Keys(NamedTuple):
    """What both ends of the recorded connections can open, and the tickets that were given in them."""

    client: SessionKeys
    server: SessionKeys


def login_keys(reply: bytes, auth: bytes, welcome: bytes) -> tuple[Keys, bytes, bytes]:
    """Both ends of a login by the recorded chance, the request in the AUTH and the response in the WELCOME."""
    client, server = ClientLogin(Secret(PASSWORD), client_chance), ServerLogin(Secret(PASSWORD), server_chance)
    assert server.reply(client.hello()) == reply
    client.auth(reply, b"")
    request, response = server.auth(auth), client.welcome(welcome)
    server.welcome(b"")
    return Keys(client.keys, server.keys), request, response


def resumed_keys(secret: bytes, resume: bytes, resumed: bytes) -> tuple[Keys, bytes]:
    """Both ends of a connection that a ticket brought, and the response in its RESUMED."""
    transcript = resume + resumed[4:20]
    client, server = (resume_keys(side, secret, transcript) for side in (Side.CLIENT, Side.SERVER))
    return Keys(client, server), client.opener.open(resumed[52:])


# 0.1.0's messages, and its check of their texts.

_COMMANDS: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))

_Text = Annotated[str, Meta(max_length=2048)]
_Source = Annotated[int, Meta(ge=1, le=250)]
_Count = Annotated[int, Meta(ge=0, le=1 << 53)]
_Milliseconds = Annotated[int, Meta(ge=0, le=60_000)]


class _Participant(msgspec.Struct):
    source: _Source
    name: _Text
    away: bool = False
    muted: bool = False
    deafened: bool = False
    quality: str = "normal"


class _Ticket(msgspec.Struct):
    id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]
    secret: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class _Welcome(msgspec.Struct):
    source: _Source
    name: _Text
    room: _Text
    connection: Annotated[int, Meta(ge=0, lt=1 << 24)]
    roster: Annotated[list[_Participant], Meta(max_length=250)]
    udp_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    bitrate: Annotated[int, Meta(ge=8000, le=64_000)] = 12_000
    ticket: _Ticket | None = None
    echo: Annotated[int, Meta(ge=0, le=250)] = 0
    quality: str = "normal"


class _Joined(msgspec.Struct):
    participant: _Participant


class _Left(msgspec.Struct):
    source: _Source
    reason: _Text = ""


class _Away(msgspec.Struct):
    source: _Source


class _Talk(msgspec.Struct):
    source: _Source
    talking: bool
    way_ms: _Milliseconds | None = None
    held_ms: _Milliseconds | None = None


class _State(msgspec.Struct):
    muted: bool = False
    deafened: bool = False
    source: Annotated[int, Meta(ge=0, le=250)] = 0


class _Line(msgspec.Struct):
    text: _Text
    source: Annotated[int, Meta(ge=0, le=250)] = 0


class _Ping(msgspec.Struct):
    id: _Count


class _Path(msgspec.Struct):
    token: Annotated[str, Meta(max_length=128, pattern=r"\A[0-9a-f]*\Z")]


class _Report(msgspec.Struct):
    expected: _Count
    lost: _Count
    bursts: _Count


class _Bye(msgspec.Struct):
    reason: _Text = ""
    retry: Annotated[float, Meta(ge=0.0, le=3600.0)] = 0.0


FROM_A_SERVER: Final[dict[int, type[msgspec.Struct]]] = {
    0x80: _Welcome,
    0x81: _Joined,
    0x82: _Left,
    0x83: _Away,
    0x84: _Away,
    0x85: _Talk,
    0x86: _State,
    0x88: _Line,
    0x89: _Ping,
    0x8A: _Ping,
    0x8B: _Path,
    0x8C: _Report,
    0x8D: _Bye,
}


def obey(packet: bytes) -> Any:
    """What 0.1.0's client makes of a control packet. AssertionError or msgspec's error where it ends its connection."""
    assert packet[0] >= 0x80, "media"
    message = msgspec.json.decode(packet[1:], type=FROM_A_SERVER[packet[0]])
    for text in texts(msgspec.to_builtins(message)):
        check(text)
    return message


def check(text: str) -> None:
    """0.1.0 ends its connection at a text that fails here."""
    assert text.isprintable() or not any(unicodedata.category(sign) in _COMMANDS for sign in text), ascii(text)


def check_name(name: str, most: int) -> None:
    """And its server refuses a name of more than 32 bytes, or a room of more than 64, that fails here."""
    check(name)
    assert unicodedata.normalize("NFC", name).strip() == name
    assert len(name.encode()) <= most, name


def texts(value: Any) -> Iterator[str]:
    """All texts in a message's fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
