"""A seat: a participant's place in a room, and the connections that have it or may get it.

A seat outlives its connection for a minute. What it is told of the room goes to its
peer, and to whoever has shown its ticket; what is said in the room to its peer alone.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from voicechat.media.packet import MediaPacket
from voicechat.media.packing import Packing
from voicechat.rooms.conference import Conference
from voicechat.rooms.directory import Key
from voicechat.rooms.room import Member
from voicechat.security.tickets import Ticket
from voicechat.session.bucket import Bucket
from voicechat.wire.messages import Bye, Message, State, Talk


class IPeer(Protocol):
    """The connection to a participant, as the room sees it."""

    address: str

    @property
    def udp_port(self) -> int:
        """Where datagrams may go; 0 for none."""

    @property
    def round_trip(self) -> float | None:
        """Seconds to them and back; None while it is not known."""

    @property
    def redundancy(self) -> int:
        """Offset of the redundant frame on this hop; 0 for none."""

    def send(self, message: Message) -> None:
        """A control message."""

    def send_media(self, packet: bytes, *, twice: bool = False) -> None:
        """A plaintext media packet; may be dropped."""

    def farewell(self, message: Bye) -> None:
        """Say goodbye, and end as soon as that has left."""

    def abort(self) -> None:
        """End now."""


class ILiveRoom(Protocol):
    """The room of a seat, as hub and connections use it: what happens to the seat, and what its owner sends."""

    key: Key
    """What the directory knows it by."""
    conference: Conference

    @property
    def name(self) -> str:
        """The room's name."""

    def back(self, seat: "Seat") -> None:
        """They are here again."""

    def away(self, seat: "Seat") -> None:
        """Their connection is lost; the seat is kept."""

    def leave(self, seat: "Seat", reason: str) -> None:
        """The seat is given up."""

    def arrived(self, seat: "Seat", packet: MediaPacket) -> None:
        """A packet of theirs."""

    def state(self, seat: "Seat", message: State) -> None:
        """They muted or deafened themselves, or no longer."""

    def gain(self, seat: "Seat", talker: int, gain: float) -> None:
        """They want that talker louder or softer."""

    def talking(self, besides: int) -> Iterable[Talk]:
        """The news of all others who talk now."""

    def text(self, seat: "Seat", line: str) -> None:
        """A line to all others."""


class Returning(NamedTuple):
    """Somebody who is on the way back to a seat."""

    ticket: Ticket
    """What was shown."""
    following: Ticket
    """What it was answered with."""
    connection: int
    """The number that the seat gets."""


class Seat:
    """A participant's place: their member in the room, and their peer while they are connected."""

    def __init__(
        self, member: Member, live_room: ILiveRoom, connection: int, presence_changes: Bucket, *, letters: bool = False
    ) -> None:
        self.member = member
        self.live_room = live_room
        self.connection = connection
        self.presence_changes = presence_changes
        """Paces the news of their going away and coming back."""
        self.sent_away = False
        self.peer: IPeer | None = None
        self.returning: dict[IPeer, Returning] = {}
        """Connections that showed a ticket for this seat, and have not said anything under the new keys."""
        self.asked = member.name
        """The name asked for; the one given may have a number behind it."""
        self.address = ""
        """From where the owner came last."""
        self.ticket = b""
        """Id of the ticket that resumes this seat."""
        self.away_since: float | None = None
        self.letters = letters
        """Takes names and texts beyond 0.1.0's."""
        self.pairs = member.quality.pairs
        self.packings: dict[int, Packing] = {}
        """How packets to this listener are made, by source."""

    @property
    def source(self) -> int:
        """The participant's number in the room."""
        return self.member.source

    @property
    def peers(self) -> list[IPeer]:
        """Whoever has to know what goes on in the room: the owner's connection, and those that may become it."""
        return [*self.returning, *(() if self.peer is None else (self.peer,))]

    def pack(self, packet: MediaPacket, offset: int) -> Sequence[MediaPacket]:
        """What becomes of a packet on their hop, where redundancy of this offset is asked for, or pairs are."""
        packing = self.packings.get(packet.source)
        if packing is None:
            packing = self.packings[packet.source] = Packing(pairs=self.pairs)
        return packing.pack(packet, offset)
