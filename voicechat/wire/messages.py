"""Every control message as a typed value. Their bytes are made in wire.control.

Text that others wrote never holds control characters: such a message is refused, so
no terminal ever sees one. Names, rooms and lines are bounded here as the wire page says.

Unknown fields are ignored and new ones get defaults, so that an older program
understands a newer one; a missing field without a default is a WireError.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from voicechat.media.packet import LAST_SOURCE
from voicechat.media.quality import HIGHEST_BITRATE, LOWEST_BITRATE, NORMAL_BITRATE, Quality
from voicechat.media.redundancy import Loss
from voicechat.wire import text as texts

Source = Annotated[int, Meta(ge=1, le=LAST_SOURCE)]
"""A participant's number in their room."""

_Name = Annotated[str, Meta(max_length=texts.MOST_NAME_BYTES)]
_Room = Annotated[str, Meta(max_length=texts.MOST_ROOM_BYTES)]
_Line = Annotated[str, Meta(max_length=texts.MOST_TEXT)]
_Capabilities = Annotated[tuple[Annotated[str, Meta(max_length=32)], ...], Meta(max_length=16)]
"""Words for what a program can do beyond 0.1.0; of one that is not known nothing is kept. More than anybody needs."""
_Hex = Annotated[str, Meta(max_length=128, pattern=r"\A[0-9a-f]*\Z")]
_TicketId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]
_TicketSecret = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Fingerprint = Annotated[str, Meta(pattern=r"\A[0-9A-F]{2}(:[0-9A-F]{2}){31}\Z")]
"""SHA-256 of a certificate, as SDP writes it (RFC 8122, section 5)."""
_IceText = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9+/]{4,256}\Z")]
"""A name or password of ICE (RFC 8839, section 5.4)."""
_Count = Annotated[int, Meta(ge=0, le=1 << 53)]
_Milliseconds = Annotated[int, Meta(ge=0, le=60_000)]
_Port = Annotated[int, Meta(ge=0, le=65535)]

MOST_IN_WELCOME: Final = 20
"""Participants in a welcome, which has to fit into one string; the rest follow as Joined."""

LETTERS: Final = "letters"
"""A capability: takes names and rooms that are counted in letters, and joiners in them and in texts."""

CAPABILITIES: Final = (LETTERS,)
"""What this program can do, in both roles."""

RTC: Final = "rtc"
"""A capability: a server that takes an `Offer`."""

_KNOWN: Final = (*CAPABILITIES, RTC)

FULL: Final = "full"
"""No seat is free on the server."""
ROOM_FULL: Final = "the room is full"
"""Nor in this room; there may be one in another."""
TRY_LATER: Final = "try later"
SHUTTING_DOWN: Final = "shutting down"
LOCKED_OUT: Final = "the password was changed"
REPLACED: Final = "replaced"
LEAVING: Final = "leaving"


def _keep_known(message: "Request | Welcome") -> None:
    known = tuple(word for word in _KNOWN if word in message.capabilities)
    msgspec.structs.force_setattr(message, "capabilities", known)


class Message(msgspec.Struct, frozen=True, gc=False):
    """Base of all control messages."""


class Participant(msgspec.Struct, frozen=True, gc=False):
    """Somebody in the room."""

    source: Source
    name: _Name
    away: bool = False
    muted: bool = False
    deafened: bool = False
    quality: Quality = Quality.NORMAL

    def __post_init__(self) -> None:
        texts.check(self.name, "the name", texts.MOST_NAME_BYTES)


class Request(Message, frozen=True, omit_defaults=True):
    """Client, inside AUTH: who wants to enter which room."""

    name: _Name
    room: _Room = ""
    echo: bool = False
    """In place of ``room``: one of my own, where I hear what the server heard of me."""
    quality: Quality = Quality.NORMAL
    capabilities: _Capabilities = ()

    def __post_init__(self) -> None:
        texts.check(self.name, "the name", texts.MOST_NAME_BYTES)
        texts.check(self.room, "the room's name", texts.MOST_ROOM_BYTES)
        _keep_known(self)


class TicketText(msgspec.Struct, frozen=True, gc=False):
    """A ticket to resume with, in hexadecimal; never logged."""

    id: _TicketId
    secret: _TicketSecret

    def __repr__(self) -> str:
        return "TicketText(***)"


class Welcome(Message, frozen=True, omit_defaults=True):
    """Server, inside WELCOME: you are in."""

    source: Source
    name: _Name
    """As the others see it; ' (2)' is added when a friend has one like it already."""
    room: _Room
    connection: Annotated[int, Meta(ge=0, lt=1 << 24)]
    """Goes into every datagram's header."""
    roster: Annotated[list[Participant], Meta(max_length=MOST_IN_WELCOME)]
    udp_port: _Port = 0
    """0: media goes over TCP only."""
    bitrate: Annotated[int, Meta(ge=LOWEST_BITRATE, le=HIGHEST_BITRATE)] = NORMAL_BITRATE
    """bit/s to send at; the range that every codec takes (ICodec)."""
    ticket: TicketText | None = None
    echo: Annotated[int, Meta(ge=0, le=LAST_SOURCE)] = 0
    """Who says again what I say, in an echo test; 0: this is none, also from a server that knows none."""
    quality: Quality = Quality.NORMAL
    """What the server grants of what was asked for; one that knows nothing of qualities grants NORMAL."""
    capabilities: _Capabilities = ()

    def __post_init__(self) -> None:
        texts.check(self.name, "the name", texts.MOST_NAME_BYTES)
        texts.check(self.room, "the room's name", texts.MOST_ROOM_BYTES)
        _keep_known(self)


class Joined(Message, frozen=True):
    """Somebody entered the room."""

    participant: Participant


class Left(Message, frozen=True):
    """Somebody is gone; the source's number rests for 60 s."""

    source: Source
    reason: _Line = ""

    def __post_init__(self) -> None:
        texts.check(self.reason, "the reason")


class Away(Message, frozen=True):
    """Somebody's connection was lost; the seat is kept."""

    source: Source


class Back(Message, frozen=True):
    """Somebody who was away is here again."""

    source: Source


class Talk(Message, frozen=True, omit_defaults=True):
    """Who started or stopped talking, as the server hears it; and how late they come, where the server knows it."""

    source: Source
    talking: bool
    way_ms: _Milliseconds | None = None
    """Half the round trip between them and the server."""
    held_ms: _Milliseconds | None = None
    """How long the server holds their frames where it mixes them."""


class State(Message, frozen=True):
    """Muted or deafened: from a client about itself (source 0), from the server about a friend."""

    muted: bool = False
    deafened: bool = False
    source: Annotated[int, Meta(ge=0, le=LAST_SOURCE)] = 0


class Gain(Message, frozen=True):
    """Client: this friend louder or softer, for me (linear; 0 is mute)."""

    source: Source
    gain: Annotated[float, Meta(ge=0.0, le=8.0)]


class Text(Message, frozen=True):
    """A line between friends; source 0 upward, the writer's downward."""

    text: _Line
    source: Annotated[int, Meta(ge=0, le=LAST_SOURCE)] = 0

    def __post_init__(self) -> None:
        texts.check(self.text, "the text")


class Ping(Message, frozen=True):
    """Answered at once by a Pong with the same number."""

    id: _Count


class Pong(Message, frozen=True):
    """The answer to a Ping."""

    id: _Count


class Path(Message, frozen=True):
    """A probe with this token (16 hexadecimal digits) came over UDP, but the way back may be broken."""

    token: _Hex


class Report(Message, frozen=True):
    """What the sender of this report received in about the last second over UDP."""

    expected: _Count
    lost: _Count
    bursts: _Count

    def loss(self) -> Loss:
        """The same for redundancy's policy."""
        return Loss(self.expected, self.lost, self.bursts)


class Offer(Message, frozen=True):
    """A browser: media may come and go by WebRTC, to one that has the certificate. A new one ends what was before."""

    payload_type: Annotated[int, Meta(ge=0, le=127)]
    """The number that stands for Opus in the browser's RTP."""
    fingerprint: _Fingerprint


class Accept(Message, frozen=True):
    """Server: by these, on the port of the welcome."""

    ufrag: _IceText
    password: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9+/]{22,256}\Z")]
    fingerprint: _Fingerprint
    ssrc: Annotated[int, Meta(ge=1, lt=1 << 32)]
    """What the one stream to the browser is known by."""

    def __repr__(self) -> str:
        return "Accept(***)"


class Bye(Message, frozen=True):
    """The last message: why, and after how many seconds another try makes sense."""

    reason: _Line = ""
    retry: Annotated[float, Meta(ge=0.0, le=3600.0)] = 0.0

    def __post_init__(self) -> None:
        texts.check(self.reason, "the reason")
