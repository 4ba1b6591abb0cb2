"""The echo test: a conference of one, who hears after a second what the server heard of them.

`EchoConference` is a conference with two members: the one who tests, and Echo, whom
nobody plays. Whatever a listener in Echo's place would be sent of the other's voice
(the packets of this hop, freed of its redundancy, in the order in which they came)
is kept for ECHO_DELAY and then sent to them from Echo's number. So they hear what their
friends would, and no conference ever returns anybody's voice to its own number.

May import the conference, the room and the packets.
"""

from collections import deque
from typing import Final

from voicechat.format import TICKS_PER_SECOND
from voicechat.interfaces import ICodec
from voicechat.media.packet import MediaPacket
from voicechat.rooms.conference import Conference, Delivery
from voicechat.rooms.room import Room

ECHO_DELAY: Final = TICKS_PER_SECOND
"""Ticks after which a packet comes back: one second, so that nobody takes it for their own voice in the room, and a
short sentence is heard when it has been said."""

MOST_WAITING: Final = 5 * ECHO_DELAY
"""Packets kept. What the server takes of a participant in a second (125) may be twice as many when redundancy brings a
lost frame with each; above that the oldest goes: 100 kB at most."""

ROOM_NAME: Final = "echo test"
ECHO_NAME: Final = "Echo"


class EchoConference(Conference):
    """The media of an echo test. To be given an empty room; its one member besides Echo is added as usual."""

    def __init__(self, codec: ICodec, bitrate: int, now: float) -> None:
        room = Room(ROOM_NAME)
        super().__init__(room, codec, bitrate)
        self.echo = room.enter(ECHO_NAME, now).source
        """The number of the one who says everything again."""
        self.add(self.echo)
        self._waiting: deque[tuple[float, MediaPacket]] = deque(maxlen=MOST_WAITING)

    def arrived(self, source: int, packet: MediaPacket, now: float) -> list[Delivery]:
        """A packet came; nothing is to be sent at once."""
        for listeners, heard in super().arrived(source, packet, now):
            if self.echo in listeners:
                self._waiting.append((now + ECHO_DELAY, heard))
        return []

    @property
    def mixing(self) -> bool:
        """Something waits to be said again, so `tick` has to be called."""
        return bool(self._waiting)

    def tick(self, tick: int) -> list[Delivery]:
        """One beat: what came a second ago goes back, to whoever listens."""
        self.expire(float(tick))
        listeners = [source for source, member in self.room.members.items() if member.gain(self.echo) > 0]
        deliveries = []
        while self._waiting and self._waiting[0][0] <= tick:
            packet = self._waiting.popleft()[1]
            echoed = MediaPacket(self.echo, packet.tick, packet.payload, packet.marker, packet.end)
            deliveries.append(Delivery(listeners, echoed))
        return deliveries if listeners else []
