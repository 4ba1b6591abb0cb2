"""What of the metrics a hub knows, and is asked for: rooms, and who is in them.

Joins the hub and the metrics; nothing here costs anything until somebody reads.
"""

from typing import TYPE_CHECKING

from voicechat.server.metrics import Presence

if TYPE_CHECKING:
    from voicechat.server.hub import Hub


def tell(hub: "Hub") -> None:
    """Have a hub's metrics read what is so in it."""
    metrics = hub.metrics
    metrics.rooms.read = lambda: len(hub.live_rooms)
    metrics.talkers.read = lambda: sum(live_room.conference.talkers for live_room in hub.live_rooms)
    metrics.connections_before_login.read = lambda: len(hub.admission)
    metrics.participants[Presence.AWAY].read = lambda: sum(seat.member.away for seat in hub.seats.values())
    metrics.participants[Presence.HERE].read = lambda: sum(not seat.member.away for seat in hub.seats.values())
