"""What of the metrics a hub knows, and is asked for: rooms, and who is in them.

Joins the metrics and what the hub has; nothing here costs anything until somebody reads.
"""

from collections.abc import Collection, Mapping, Sized

from voicechat.rooms.directory import Directory
from voicechat.server.live_room import LiveRoom
from voicechat.server.metrics import Metrics, Presence
from voicechat.server.seat import Seat


def connect(metrics: Metrics, live_rooms: Directory[LiveRoom], seats: Mapping[int, Seat], visitors: Sized) -> None:
    """Have the metrics read how many there are of these, whenever somebody asks."""
    metrics.rooms.read = lambda: len(live_rooms)
    metrics.talkers.read = lambda: sum(live_room.conference.talkers for live_room in live_rooms)
    metrics.connections_before_login.read = lambda: len(visitors)
    metrics.participants[Presence.AWAY].read = lambda: _away(seats.values())
    metrics.participants[Presence.HERE].read = lambda: len(seats) - _away(seats.values())


def _away(seats: Collection[Seat]) -> int:
    return sum(seat.member.away for seat in seats)
