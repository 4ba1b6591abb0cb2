"""When the server is full: which away seat yields, and to whom.

A seat whose connection was lost is kept for a minute. For some seconds it is its owner's alone,
who is most likely back by then; after them it goes to whoever comes. To somebody who
asks for the same name it goes at once: that is the owner, whose ticket was lost or
whose client began anew. One whose owner has shown the ticket is not given away.

The same holds for a full room, and for an address that has its share of the seats.
"""

from collections.abc import Collection, Iterable

from voicechat.server.limits import Limits, seats_of
from voicechat.server.seat import Seat
from voicechat.wire.messages import FULL, ROOM_FULL


class TurnedAway(Exception):
    """No seat: ``reason`` is FULL, ROOM_FULL or TRY_LATER; ``why`` is for the log."""

    def __init__(self, reason: str, why: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.why = why or reason


def who_yields(
    seats: Collection[Seat], in_room: Collection[Seat], limits: Limits, name: str, address: str, now: float
) -> list[Seat]:
    """The seats that go, so that one is free on the server, in the room and of the address's share; or TurnedAway.

    ``seats``: all on the server. ``in_room``: those in the room of whoever asks, by this ``name``, from this
    ``address``. Nobody has to go before it is clear that there is room everywhere.
    """
    of_address = [seat for seat in seats if seat.address == address]
    leaving: list[Seat] = []
    for some, most, refusal in (
        (in_room, limits.room_size, TurnedAway(ROOM_FULL)),
        (of_address, seats_of(limits, address), TurnedAway(FULL, "full: the address has its share of the seats")),
        (seats, limits.max_clients, TurnedAway(FULL)),
    ):
        there = [seat for seat in some if seat not in leaving]
        if len(there) >= most:
            seat = yields(there, name, now, limits.yields_after)
            if seat is None:
                raise refusal
            leaving.append(seat)
    return leaving


def yields(seats: Iterable[Seat], name: str, now: float, after: float) -> Seat | None:
    """Of these seats the one that goes to somebody who asks for this name now, the one away for longest; or None."""
    away = [(seat.away_since, seat) for seat in seats if seat.away_since is not None]
    own = [(since, seat) for since, seat in away if seat.asked == name]
    open_to_all = [(since, seat) for since, seat in away if now - since >= after and not seat.returning]
    return min(own or open_to_all, key=lambda one: one[0], default=(0.0, None))[1]
