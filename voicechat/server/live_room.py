"""A live room: one room with its conference and the people's connections.

Deliveries that the conference made become bytes here, once for all who get the
same, and go to each listener's peer. What happens in the room is told to all.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from twisted.internet.interfaces import IReactorTime

from voicechat.carriage.clock import Timer, ticks
from voicechat.format import TICK_SECONDS
from voicechat.media.packet import MediaPacket
from voicechat.rooms.conference import Conference, Delivery
from voicechat.rooms.directory import Key
from voicechat.rooms.talker import SILENT_AFTER
from voicechat.server.eventlog import EventLog
from voicechat.server.limits import Limits
from voicechat.server.metrics import Metrics
from voicechat.server.seat import IPeer, Seat
from voicechat.session.bucket import Bucket
from voicechat.wire import media, older
from voicechat.wire.messages import Away, Back, Joined, Left, Message, Talk, Text
from voicechat.wire.messages import State as StateMessage
from voicechat.wire.shown import quoted

PRESENCE_EVERY: Final = 2.0
"""Seconds until the presence of somebody whose connection flaps is looked at again."""

EDGES_EVERY: Final = 0.2
"""Seconds until those who start and stop talking are told of again, where that was too often: one line's time of
`limits.talk_lines_a_second`."""

MOST_FAULTS: Final = 50
"""Ticks in a row that may fail before a room is given up: one second."""


class LiveRoom:
    """One room on this server: its conference, and who sits in it."""

    def __init__(
        self,
        key: Key,
        conference: Conference,
        clock: IReactorTime,
        limits: Limits,
        metrics: Metrics,
        events: EventLog,
    ) -> None:
        self.key = key
        """What the directory knows it by."""
        self.conference = conference
        self._clock = clock
        self._forwarded, self._mixed = metrics.frames_forwarded_total, metrics.frames_mixed_total
        self._events = events
        self.seats: dict[int, Seat] = {}
        self.faults = 0
        """Ticks in a row that failed; the hub counts."""
        self._talk = Bucket(limits.talk_lines_a_second, limits.talk_lines_a_second, clock.seconds())
        self._edges: dict[int, bool] = {}
        self._talk_sent: dict[int, bool] = {}
        self._edge_timer = Timer(clock, self._send_edges)
        self._watch_timer = Timer(clock, self._watch)
        self._presence_timers: dict[int, Timer] = {}
        """By participant: when the news of whether they are here is looked at again."""

    @property
    def name(self) -> str:
        """The room's name."""
        return self.conference.room.name

    def __len__(self) -> int:
        return len(self.seats)

    # -- people -----------------------------------------------------------------

    def enter(self, seat: Seat) -> None:
        """Somebody took a seat; the others are told."""
        self.seats[seat.source] = seat
        self._presence_timers[seat.source] = Timer(self._clock, lambda: self._send_presence(seat))
        self.conference.add(seat.source)
        member = seat.member
        self.send(Joined(member.participant()), seat.source, Joined(member.participant(letters=False)))

    def leave(self, seat: Seat, reason: str) -> None:
        """A seat is given up: all of it, even if something of it fails."""
        self.seats.pop(seat.source, None)
        with ExitStack() as rest:
            rest.callback(self._left, seat, reason)
            rest.callback(self.conference.room.leave, seat.source, ticks(self._clock))
            self.conference.remove(seat.source, ticks(self._clock))

    def _left(self, seat: Seat, reason: str) -> None:
        """Tell the others, and forget what was kept about them."""
        timer = self._presence_timers.pop(seat.source, None)
        if timer is not None:
            timer.stop()
        self._talk_sent.pop(seat.source, None)
        self._edges.pop(seat.source, None)
        for other in self.seats.values():
            other.packings.pop(seat.source, None)
        self.send(Left(seat.source, reason))
        self._send_edges()
        if not self.seats:
            self._edge_timer.stop()
            self._watch_timer.stop()

    def away(self, seat: Seat) -> None:
        """Their connection is lost; the seat is kept."""
        seat.peer = None
        seat.away_since = self._clock.seconds()
        seat.member.away = True
        self.conference.changed(ticks(self._clock))
        self._send_presence(seat)
        self._send_edges()

    def back(self, seat: Seat) -> None:
        """They are here again."""
        seat.away_since = None
        seat.member.away = False
        seat.packings.clear()
        self.conference.changed(ticks(self._clock))
        self._send_presence(seat)

    def _send_presence(self, seat: Seat) -> None:
        """Whether they are here; of a connection that flaps, what is so in the end."""
        timer = self._presence_timers.get(seat.source)
        if timer is None or timer.runs or seat.sent_away == seat.member.away:
            return
        if not seat.presence_changes.take(self._clock.seconds()):
            timer.start(PRESENCE_EVERY)
            return
        seat.sent_away = seat.member.away
        self.send((Away if seat.sent_away else Back)(seat.source), besides=seat.source)

    def state(self, seat: Seat, message: StateMessage) -> None:
        """Muted, deafened: a deafened one is neither forwarded to nor mixed for."""
        if (message.muted, message.deafened) == (seat.member.muted, seat.member.deafened):
            return
        seat.member.muted, seat.member.deafened = message.muted, message.deafened
        self.conference.changed(ticks(self._clock))
        self.send(StateMessage(message.muted, message.deafened, seat.source), besides=seat.source)

    def gain(self, seat: Seat, talker: int, gain: float) -> None:
        """This listener wants that talker louder or softer."""
        if talker in self.seats and talker != seat.source:
            seat.member.gains[talker] = gain
            self.conference.changed(ticks(self._clock))

    def text(self, seat: Seat, line: str) -> None:
        """A line from one to all others."""
        self.send(Text(line, seat.source), seat.source, Text(older.line(line), seat.source))

    def send(self, message: Message, besides: int = 0, older_message: Message | None = None) -> None:
        """A message to everybody who is connected; ``older_message`` to those of 0.1.0, where that differs."""
        for source, seat in list(self.seats.items()):
            for peer in seat.peers if source != besides else ():
                try:
                    peer.send(message if seat.letters else older_message or message)
                except Exception:  # noqa: BLE001  told in the log
                    self._cut(seat, peer)

    def _cut(self, seat: Seat, peer: IPeer) -> None:
        """A fault of ours in sending to somebody costs that connection, and nobody else anything."""
        self._events.failure(f"a fault in sending to {quoted(seat.member.name)}", self._clock.seconds())
        peer.abort()

    # -- media ------------------------------------------------------------------

    def arrived(self, seat: Seat, packet: MediaPacket) -> None:
        """A participant's packet; forwarded at once where it is to be forwarded."""
        self.deliver(self.conference.arrived(seat.source, packet, ticks(self._clock)))
        self._send_edges()
        if not self._watch_timer.runs and self.conference.talking:
            self._watch()

    def tick(self, tick: int) -> None:
        """One beat of the mix. A fault of ours costs this room this tick; the hub counts how many in a row."""
        self.deliver(self.conference.tick(tick))
        self._send_edges()

    def deliver(self, deliveries: list[Delivery]) -> None:
        """Encode each packet once and hand it to its listeners' peers."""
        for listeners, packet in deliveries:
            (self._forwarded if packet.source else self._mixed).value += len(listeners)
            plain = b""
            for listener in listeners:
                seat = self.seats.get(listener)
                if seat is None or seat.peer is None:
                    continue
                try:
                    offset = seat.peer.redundancy
                    if offset or seat.pairs:
                        for packed in seat.pack(packet, offset):
                            seat.peer.send_media(media.encode(packed), twice=packed.end)
                    else:
                        plain = plain or media.encode(packet)
                        seat.peer.send_media(plain, twice=packet.end)
                except Exception:  # noqa: BLE001  told in the log
                    self._cut(seat, seat.peer)

    # -- who talks --------------------------------------------------------------

    def _watch(self) -> None:
        """While somebody talks: notice one who stops without a word."""
        self.conference.expire(ticks(self._clock))
        self._send_edges()
        if self.conference.talking:
            self._watch_timer.start(SILENT_AFTER * TICK_SECONDS)

    def _send_edges(self) -> None:
        for source, talking in self.conference.edges():
            self._edges[source] = talking
        if not self._edges or self._edge_timer.runs:
            return
        for source, talking in list(self._edges.items()):
            if self._talk_sent.get(source, False) == talking or source not in self.seats:
                del self._edges[source]
            elif self._talk.take(self._clock.seconds()):
                del self._edges[source]
                self._talk_sent[source] = talking
                self.send(self._talk_of(source, talking), besides=source)
            else:
                self._edge_timer.start(EDGES_EVERY)
                return

    def talking(self, besides: int) -> Iterator[Talk]:
        """The news of all who talk now, for one who has just come."""
        return (self._talk_of(source, True) for source, talks in self._talk_sent.items() if talks and source != besides)

    def _talk_of(self, source: int, talking: bool) -> Talk:
        """The news; with the figures that a listener's estimate of the delay needs, at the start of talk."""
        peer, held = self.seats[source].peer, self.conference.held(source)
        if not talking or peer is None or peer.round_trip is None:
            return Talk(source, talking)
        return Talk(source, talking, _ms(peer.round_trip / 2), None if held is None else _ms(held * TICK_SECONDS))


def _ms(seconds: float) -> int:
    return min(60_000, round(seconds * 1000))
