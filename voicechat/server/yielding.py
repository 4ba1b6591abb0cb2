"""When the house is full: which away seat yields, and to whom.

A seat whose line broke is kept for a minute. For some seconds it is its owner's alone,
who is most likely back by then; after them it goes to whoever comes. To somebody who
asks for the same name it goes at once: that is the owner, whose ticket was lost or
whose client began anew. One whose owner has shown the ticket is not given away.

The same holds for a full room, and for an address that has its share of the seats.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from voicechat.rooms.directory import Key
from voicechat.server.limits import seats_of
from voicechat.server.seat import Seat
from voicechat.wire.messages import FULL, ROOM_FULL

if TYPE_CHECKING:
    from voicechat.server.hub import Hub


class TurnedAway(Exception):
    """No seat: ``reason`` is FULL, ROOM_FULL or TRY_LATER; ``why`` is for the log."""

    def __init__(self, reason: str, why: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.why = why or reason


def make_room(hub: "Hub", key: Key, name: str, address: str) -> None:
    """See to it that a seat is free, in the room, in the house and of the address's share; or TurnedAway."""
    live_room, limits = hub.live_rooms.get(key), hub.limits
    mine = [seat for seat in hub.seats.values() if seat.address == address]
    leaving: list[Seat] = []  # nobody has to go before it is clear that there is room everywhere
    for seats, most, refusal in (
        (live_room.seats.values() if live_room is not None else (), limits.room_size, TurnedAway(ROOM_FULL)),
        (mine, seats_of(limits, address), TurnedAway(FULL, "full: the address has its share of the seats")),
        (hub.seats.values(), limits.max_clients, TurnedAway(FULL)),
    ):
        there = [seat for seat in seats if seat not in leaving]
        if len(there) >= most:
            seat = yields(there, name, hub.clock.seconds(), limits.yields_after)
            if seat is None:
                raise refusal
            leaving.append(seat)
    for seat in leaving:
        hub.leave(seat, "the seat was needed")


def yields(seats: Iterable[Seat], name: str, now: float, after: float) -> Seat | None:
    """Of these seats the one that goes to somebody who asks for this name now, the one away for longest; or None."""
    away = [(seat.away_since, seat) for seat in seats if seat.away_since is not None]
    own = [(since, seat) for since, seat in away if seat.asked == name]
    open_to_all = [(since, seat) for since, seat in away if now - since >= after and not seat.returning]
    return min(own or open_to_all, key=lambda one: one[0], default=(0.0, None))[1]
