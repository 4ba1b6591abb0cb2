"""What waits to be sent to one peer, whose carriage takes no more for now.

Media may be dropped and is never queued without bound. Control is never dropped but
for what a later message makes untrue: of the news about a participant only the last
counts, somebody who came and went meanwhile was never there, and of a flood of text
the last lines are kept. What is sent is what was put, some of it left out, in its
order; so the peer ends with the same picture of the room, and nobody can fill the
queue of somebody whose connection stands still. What is left are answers to the peer's own
messages: above their limit it is to be cut.
"""

import enum
from collections import OrderedDict, deque
from typing import Final

from voicechat.wire import messages as m

MOST_MEDIA: Final = 5
"""Media packets waiting; 100 ms of one talker. Older words help nobody."""

OLDEST_MEDIA: Final = 0.1
"""Seconds after which waiting media is thrown away."""

MOST_CONTROL: Final = 64
"""Control packets waiting, besides news and texts: of pings, answers and reports nobody owes a tenth as many."""

MOST_CONTROL_BYTES: Final = 32 * 1024
"""Bytes of these; a peer so far behind is gone."""

MOST_TEXTS: Final = 10
"""Lines of friends waiting: 20 KB of the longest. More than a screen has room for; the oldest gives way."""


class OutboxFull(Exception):
    """The peer does not take its control packets; it is to be cut."""


class Topic(enum.Enum):
    """What news of a participant is about."""

    JOINED = "joined"
    LEFT = "left"
    LINE = "line"
    """Away, or back."""
    STATE = "state"
    TALK = "talk"
    GAIN = "gain"
    TEXT = "text"


Subject = tuple[Topic, int]
"""A topic, and a participant's number; 0 for oneself."""

_TOPICS: Final[dict[type[m.Message], Topic]] = {
    m.Left: Topic.LEFT,
    m.Away: Topic.LINE,
    m.Back: Topic.LINE,
    m.State: Topic.STATE,
    m.Talk: Topic.TALK,
    m.Gain: Topic.GAIN,
    m.Text: Topic.TEXT,
}


def subject(message: m.Message) -> Subject | None:
    """What a message is news of; None for one that has to arrive whatever follows, as one's own words have."""
    if isinstance(message, m.Joined):
        return Topic.JOINED, message.participant.source
    topic = _TOPICS.get(type(message))
    source: int = getattr(message, "source", 0)
    return None if topic is None or (topic is Topic.TEXT and not source) else (topic, source)


class Outbox:
    """Plaintext packets in the order in which they should leave: control first. ``now`` is in seconds."""

    def __init__(self) -> None:
        self._control: OrderedDict[tuple[Subject | None, int], bytes] = OrderedDict()
        """By what each is news of; the number tells those apart of which a later one replaces none."""
        self._serial = 0
        self._others = self._others_bytes = self._texts = 0
        self._media: deque[tuple[float, bytes]] = deque()
        self.dropped = 0
        """Media packets thrown away."""

    def __len__(self) -> int:
        return len(self._control) + len(self._media)

    def put_control(self, packet: bytes, about: Subject | None = None) -> None:
        """Queue a control packet, in place of those that it makes untrue; OutboxFull above the limit of other ones."""
        if about is None:
            self._put_other(packet)
        elif about[0] is Topic.TEXT:
            self._put_text(packet, about)
        elif about[0] is Topic.LEFT:
            self._put_left(packet, about[1])
        else:
            self._forget((about, 0))
            self._control[about, 0] = packet

    def _put_other(self, packet: bytes) -> None:
        if self._others >= MOST_CONTROL or self._others_bytes + len(packet) > MOST_CONTROL_BYTES:
            raise OutboxFull
        self._others += 1
        self._others_bytes += len(packet)
        self._control[None, self._number()] = packet

    def _put_text(self, packet: bytes, about: Subject) -> None:
        if self._texts >= MOST_TEXTS:
            self._forget(next(key for key in self._control if key[0] and key[0][0] is Topic.TEXT))
        self._texts += 1
        self._control[about, self._number()] = packet

    def _put_left(self, packet: bytes, source: int) -> None:
        """Somebody went: if their coming waits, too, neither is told, nor what came after it; else it ends the news."""
        joined = ((Topic.JOINED, source), 0)
        came = joined in self._control
        since = False
        for key in list(self._control):
            since = since or key == joined
            if key[0] is not None and key[0][1] == source:
                topic = key[0][0]
                if since or (not came and topic is not Topic.TEXT):
                    self._forget(key)
        if not came:
            self._control[(Topic.LEFT, source), 0] = packet

    def _number(self) -> int:
        self._serial += 1
        return self._serial

    def _forget(self, key: tuple[Subject | None, int]) -> None:
        packet = self._control.pop(key, None)
        if packet is not None:
            self._uncount(key, packet)

    def _uncount(self, key: tuple[Subject | None, int], packet: bytes) -> None:
        if key[0] is None:
            self._others -= 1
            self._others_bytes -= len(packet)
        elif key[0][0] is Topic.TEXT:
            self._texts -= 1

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
            key, packet = self._control.popitem(last=False)
            self._uncount(key, packet)
            return packet
        self._age(now)
        return self._media.popleft()[1] if self._media else None

    def _age(self, now: float) -> None:
        while self._media and now - self._media[0][0] > OLDEST_MEDIA:
            self._media.popleft()
            self.dropped += 1
