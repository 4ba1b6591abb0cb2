"""What happens in a connection, besides the media and the messages that come."""

from dataclasses import dataclass
from typing import TypeAlias

from voicechat.errors import WireError
from voicechat.media.packet import MediaPacket
from voicechat.wire.messages import Message


@dataclass(frozen=True, slots=True)
class Clear:
    """A string that came before the session is in the room."""

    string: bytes


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Something opened under this session's keys, for the first time: the other side has them."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """The other side broke the protocol; nothing that comes is listened to any more."""

    error: WireError


@dataclass(frozen=True, slots=True)
class Lifeless:
    """The other side owes an answer for too long, or takes nothing: the connection is to be aborted."""

    why: str


@dataclass(frozen=True, slots=True)
class SentOver:
    """What is sent takes UDP from now on, or the connection again."""

    udp: bool


@dataclass(frozen=True, slots=True)
class ReceivedOver:
    """The same for what comes."""

    udp: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A ping was sent."""


PeerEvent: TypeAlias = MediaPacket | Message | Clear | Confirmed | Wrong | Lifeless | SentOver | ReceivedOver | Asked
