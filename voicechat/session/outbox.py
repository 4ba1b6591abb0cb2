"""What waits to be sent to one peer whose line is not free.

Media may be dropped and is never queued without bound; control may be queued and
is never dropped: above its limit the peer is to be cut.
"""

from collections import deque
from typing import Final

MOST_MEDIA: Final = 5
"""Media packets waiting; 100 ms of one talker. Older words help nobody."""

OLDEST_MEDIA: Final = 0.1
"""Seconds after which waiting media is thrown away."""

MOST_CONTROL: Final = 64
"""Control packets waiting: more than a full room joining and leaving at once makes."""

MOST_CONTROL_BYTES: Final = 32 * 1024
"""Bytes of control waiting; a peer so far behind is gone."""


class OutboxFull(Exception):
    """The peer does not take its control packets; it is to be cut."""


class Outbox:
    """Plaintext packets in the order in which they should leave: control first. ``now`` is in seconds."""

    def __init__(self) -> None:
        self._control: deque[bytes] = deque()
        self._control_bytes = 0
        self._media: deque[tuple[float, bytes]] = deque()
        self.dropped = 0
        """Media packets thrown away."""

    def __len__(self) -> int:
        return len(self._control) + len(self._media)

    def put_control(self, packet: bytes) -> None:
        """Queue a control packet; OutboxFull above the limit."""
        if len(self._control) >= MOST_CONTROL or self._control_bytes + len(packet) > MOST_CONTROL_BYTES:
            raise OutboxFull
        self._control.append(packet)
        self._control_bytes += len(packet)

    def put_media(self, packet: bytes, now: float) -> None:
        """Queue a media packet; the oldest gives way."""
        self._age(now)
        if len(self._media) >= MOST_MEDIA:
            self._media.popleft()
            self.dropped += 1
        self._media.append((now, packet))

    def take(self, now: float) -> bytes | None:
        """The next packet to send, or None."""
        if self._control:
            packet = self._control.popleft()
            self._control_bytes -= len(packet)
            return packet
        self._age(now)
        return self._media.popleft()[1] if self._media else None

    def _age(self, now: float) -> None:
        while self._media and now - self._media[0][0] > OLDEST_MEDIA:
            self._media.popleft()
            self.dropped += 1
