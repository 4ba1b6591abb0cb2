"""Tickets: coming back to one's seat after a lost connection, without a new PAKE.

May import the standard library, ``wire.handshake`` and ``voicechat.errors``. The
book lives in memory only: after a restart of the server no ticket is known, and
nobody can steal one from a disk. It reads no clock; ``now`` is an argument.

The server puts a new ticket into every WELCOME and RESUMED, that is, sealed. A
ticket is an id, which travels in the clear in a RESUME, and a secret, which never
travels again: a RESUME proves it with an HMAC, and the new session's keys come
from it (``voicechat.security.resume``).

The life of a ticket: it is good while its session is connected (a client often
knows before its server that the connection is dead) and for 60 s after the server
was told so by ``disconnected``. A RESUME with a right proof does not use it up yet,
for the RESUMED may be lost; nor does a replay of it, which brings a stranger nothing
but a string that it cannot open. ``used`` does, when the first string under the new
keys came: that shows that the RESUMED was opened. A RESUMED brings the *next* ticket,
the same one until then, so a seat has two at most: whoever shows the next one has
opened a RESUMED, too, and ends the first.

A wrong proof uses nothing up, else a listener who has read the id could burn the
ticket of somebody else. Of two clients with a copy of one ticket the first that says
something has the seat, and the other gets ``TicketUnknown``; it is told REFUSE 7.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from voicechat.errors import WireError
from voicechat.wire.handshake import NONCE_BYTES, TICKET_ID_BYTES, Resume

SECRET_BYTES: Final = 32
"""A ticket's secret: as long as a key."""

AWAY_SECONDS: Final = 60.0
"""How long a seat, and so its ticket, is kept after its connection was lost."""

MOST_TICKETS: Final = 1000
"""Tickets in one book; far above the seats of any server, so only a fault of ours can reach it."""

_NO_PROOF: Final = bytes(32)
_PROOF_LABEL: Final = b"voicechat/1 resume"

T = TypeVar("T")


class TicketUnknown(WireError):
    """The ticket was used, is too old, was never issued, or the proof is wrong: all told alike (REFUSE 7)."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to come back. Both fields are random; the secret is kept out of the repr."""

    id: bytes
    """16 bytes."""
    secret: bytes = field(repr=False)
    """32 bytes."""

    def to_hex(self) -> tuple[str, str]:
        """Id and secret as 32 and 64 hexadecimal digits, for the JSON of a WELCOME."""
        return self.id.hex(), self.secret.hex()

    @classmethod
    def from_hex(cls, id_digits: str, secret_digits: str) -> "Ticket":
        """The inverse; WireError for any other text."""
        return cls(_unhex(id_digits, TICKET_ID_BYTES), _unhex(secret_digits, SECRET_BYTES))

    def proof(self, proved: bytes) -> bytes:
        """HMAC-SHA256 under the secret, over a RESUME's bytes before its proof; 32 bytes."""
        return hmac.digest(self.secret, _PROOF_LABEL + proved, "sha256")


def _unhex(digits: str, length: int) -> bytes:
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        value = b""
    # fromhex passes over blanks, so the digits are counted as well
    if len(value) != length or len(digits) != 2 * length:
        raise WireError("not a ticket")
    return value


def resume_with(ticket: Ticket) -> Resume:
    """The client's RESUME for this ticket, with a fresh nonce."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    unproved = Resume(ticket.id, nonce, _NO_PROOF)
    return Resume(ticket.id, nonce, ticket.proof(unproved.proved()))


class _Entry(Generic[T]):
    __slots__ = ("before", "ends", "holder", "next", "ticket")

    def __init__(self, ticket: Ticket, holder: T) -> None:
        self.ticket = ticket
        self.holder = holder
        self.ends: float | None = None
        """When the ticket ceases to be good; None while the connection stands."""
        self.next: Ticket | None = None
        """The one that follows it, once that was given out."""
        self.before: bytes | None = None
        """Id of the one that it follows, while that one is good, too."""


class TicketBook(Generic[T]):
    """The server's tickets, each with its holder (a participant, a seat: whatever the caller gives)."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[bytes, _Entry[T]] = {}

    def __len__(self) -> int:
        """Tickets in the book, those included whose time ran out but which nobody has looked at since."""
        return len(self._entries)

    def issue(self, holder: T) -> Ticket:
        """A new ticket for ``holder``; in a full book the oldest makes room."""
        ticket = Ticket(secrets.token_bytes(TICKET_ID_BYTES), secrets.token_bytes(SECRET_BYTES))
        while len(self._entries) >= MOST_TICKETS:
            self.revoke(next(iter(self._entries)))
        self._entries[ticket.id] = _Entry(ticket, holder)
        return ticket

    def disconnected(self, ticket_id: bytes, now: float) -> None:
        """The holder's connection is gone: its tickets are good for another 60 s. Only the first call counts."""
        for entry in self._both(ticket_id):
            if entry.ends is None:
                entry.ends = now + AWAY_SECONDS

    def revoke(self, ticket_id: bytes) -> None:
        """Forget a ticket and its next: the holder said goodbye or lost the seat. Unknown ids are no error."""
        for entry in self._both(ticket_id):
            del self._entries[entry.ticket.id]

    def _both(self, ticket_id: bytes) -> list[_Entry[T]]:
        """A ticket and the one that follows it, as far as they are in the book."""
        entry = self._entries.get(ticket_id)
        if entry is None:
            return []
        after = None if entry.next is None else self._entries.get(entry.next.id)
        return [entry] if after is None else [entry, after]

    def expire(self, now: float) -> None:
        """Forget the tickets whose time has run out."""
        for entry in list(self._entries.values()):
            if entry.ends is not None and now >= entry.ends:
                del self._entries[entry.ticket.id]

    def redeem(self, resume: Resume, now: float) -> tuple[T, Ticket]:
        """Whose ticket this is, and the ticket for deriving the keys; the one before it is not good any more.

        TicketUnknown when it is not good any more or the proof is wrong; a
        wrong proof (compared in constant time) leaves the ticket as it was.
        """
        entry = self._entries.get(resume.ticket_id)
        if entry is None or (entry.ends is not None and now >= entry.ends):
            raise TicketUnknown("the ticket is not known here")
        if not hmac.compare_digest(entry.ticket.proof(resume.proved()), resume.proof):
            raise TicketUnknown("the ticket is not known here")
        if entry.before is not None:
            self._entries.pop(entry.before, None)
            entry.before = None
        return entry.holder, entry.ticket

    def next(self, ticket: Ticket) -> Ticket:
        """The ticket to give to whoever redeemed this one: the same each time, and good for as long."""
        entry = self._entries[ticket.id]
        if entry.next is None:
            entry.next = self.issue(entry.holder)
            after = self._entries[entry.next.id]
            after.ends, after.before = entry.ends, ticket.id
        return entry.next

    def used(self, ticket: Ticket) -> None:
        """The first string under the keys of a redeemed ticket came: it is gone, and the next one is connected."""
        entry = self._entries.pop(ticket.id, None)
        after = None if entry is None or entry.next is None else self._entries.get(entry.next.id)
        if after is not None:
            after.ends = after.before = None
