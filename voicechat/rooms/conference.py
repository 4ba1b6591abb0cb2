"""One room's media: packets arrive, deliveries leave; nobody ever hears himself.

`arrived` forwards at once to every listener who hears just this talker. `tick`,
called every 20 ms while `mixing`, serves those who hear several: each talker's
ReceiveStream gives one frame, `Mixing` makes and encodes the distinct rows.

Change-over to a mix: the talker that was forwarded goes on being forwarded until
the first mixed frame leaves. His decoder is warmed with his last payloads, so the
mix does not begin with a cold codec. The way back is decided by `forwarding.Row`.

With fewer than two members present nothing is decoded, encoded or delivered.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from voicechat.format import FRAME_SAMPLES, TICKS_PER_SECOND
from voicechat.interfaces import ICodec
from voicechat.media.forwarding import Row, Way
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.packing import apart
from voicechat.media.quality import HIGH_BITRATE
from voicechat.media.seen import Seen
from voicechat.media.serial import ahead, unwrap, wrap
from voicechat.media.stream import EARLY, WARM_WITH, Counts, Kind, ReceiveStream
from voicechat.rooms.mixing import Mixing
from voicechat.rooms.mixing import Row as MixedRow
from voicechat.rooms.room import Room

SILENT_AFTER: Final = TICKS_PER_SECOND // 2
"""Ticks without a packet after which a talker who sent no end is taken to have stopped: a stall of 0.5 s."""

_NO_FRAMES: Final = np.empty((0, FRAME_SAMPLES), np.float32)


OVERLAP: Final = 4
"""Ticks that both ways are sent at a change-over: two to warm the listener's decoder, two for the mix's lag."""


class Delivery(NamedTuple):
    """A packet and the participants who get it."""

    listeners: list[int]
    packet: MediaPacket


class Edge(NamedTuple):
    """Somebody started or stopped talking."""

    source: int
    talking: bool


class _Talker:
    """What the conference knows of one who talks."""

    def __init__(self) -> None:
        self.talking = False
        self.last_arrival = 0.0
        self.recent: deque[MediaPacket] = deque(maxlen=WARM_WITH)
        """The last packets of this talk spurt, as they were passed on."""
        self.seen = Seen()
        self.ended: int | None = None
        """Wire tick of the last end packet, while silent."""
        self.stream: ReceiveStream | None = None
        """His frames for mixing; kept, for what it has learnt of his way."""
        self.mixed = False
        """The stream is being fed."""

    def passed_on(self, source: int, packet: MediaPacket) -> list[MediaPacket]:
        """What a packet becomes on its way on, without the redundancy of this hop.

        A frame that this hop had lost and redundancy brings goes first, as a packet of
        its own, so that the next hop's redundancy covers it like any other: with both
        hops losing 10 %, 2 % of the frames are lost for good instead of 3 %.
        """
        if packet.marker:
            self.seen.forget()
            self.recent.clear()
        tick = unwrap(packet.tick, self.seen.newest)
        out = []
        if packet.redundant and self.seen.first_time(tick - packet.offset):
            out.append(MediaPacket(source, wrap(tick - packet.offset), packet.redundant))
        if packet.payload:
            self.seen.first_time(tick)
        out.append(MediaPacket(source, packet.tick, packet.payload, packet.marker, packet.end))
        return out

    def straggles(self, packet: MediaPacket) -> bool:
        """The packet was overtaken by the end of its spurt: nobody begins to talk by it."""
        return not packet.marker and self.ended is not None and -SILENT_AFTER <= ahead(packet.tick, self.ended) < 0

    def warm_stream(self, codec: ICodec, counts: Counts) -> ReceiveStream:
        """His stream, for mixing; when that begins, the decoder has just heard his last payloads."""
        if self.stream is None:
            self.stream = ReceiveStream(codec.decoder(), counts, margin=EARLY)  # the tick decodes at once
        if not self.mixed:
            self.mixed = True
            self.stream.stop()
            self.stream.warm(packet.payload for packet in self.recent)
        return self.stream

    def history(self) -> list[MediaPacket]:
        """His last packets again, for a listener who is forwarded to from now on: his decoder needs them."""
        return [
            MediaPacket(packet.source, packet.tick, packet.payload, marker=number == 0)
            for number, packet in enumerate(self.recent)
        ]


class _Listener:
    """How one listener is served."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.in_mix = False
        """A mixed talk spurt is open."""
        self.bridged = 0
        """The talker still forwarded until some mixed frames have left; 0 for none."""
        self.until: int | None = None
        """The tick at which the old way ends, while both overlap."""
        self.follows = 0
        """The talker whose packets he was forwarded last, without a break; 0 for none."""


class Conference:
    """The media of ``room``, mixed at ``bitrate``, or ``high`` for those who chose that. Times are ticks."""

    def __init__(
        self, room: Room, codec: ICodec, bitrate: int, *, high: int = HIGH_BITRATE, always_mix: bool = False
    ) -> None:
        self._room = room
        self._codec = codec
        self._always_mix = always_mix
        self._talkers: dict[int, _Talker] = {}
        self._listeners: dict[int, _Listener] = {}
        self._bitrates = bitrate, high
        self._mixing = Mixing(codec)
        self._edges: list[Edge] = []
        self._undecided = False
        """Somebody entered, and his way has not been chosen."""
        self.counts = Counts()
        self.forwarded = 0
        """Packets delivered undecoded, one for each listener."""

    @property
    def room(self) -> Room:
        """Who is here."""
        return self._room

    @property
    def encodings(self) -> int:
        """Frames encoded so far."""
        return self._mixing.encodings

    def __len__(self) -> int:
        return len(self._room)

    # -- members ----------------------------------------------------------------

    def add(self, source: int) -> None:
        """A member entered; he hears the rest of what is just being said."""
        self._undecided = True
        self._talkers[source] = _Talker()
        self._listeners[source] = _Listener(Row(always_mix=self._always_mix))

    def remove(self, source: int, now: float) -> None:
        """A member is gone."""
        talker = self._talkers.pop(source, None)
        self._listeners.pop(source, None)
        self._mixing.forget(source)
        if talker is not None and talker.talking:
            self._edges.append(Edge(source, False))
        self._decide(now)

    def changed(self, now: float) -> None:
        """Gains, deafness or presence of members changed."""
        for source, member in self._room.members.items():
            if member.away:
                self._stop(source, now)
        self._decide(now)

    # -- arrivals ---------------------------------------------------------------

    def arrived(self, source: int, packet: MediaPacket, now: float) -> list[Delivery]:
        """A member's packet came; what is to be sent at once. WireError if no codec could have made it."""
        for payload in (packet.payload, packet.redundant):
            if payload:
                self._codec.check(payload)
        return [delivery for single in apart(packet) for delivery in self._arrived(source, single, now)]

    def _arrived(self, source: int, packet: MediaPacket, now: float) -> list[Delivery]:
        """A packet of one frame, or an end."""
        talker = self._talkers[source]
        talker.last_arrival = now
        packets = talker.passed_on(source, packet)
        if packet.payload:
            if not talker.talking and not talker.straggles(packet):
                self._start(source, talker, now)
            elif self._undecided:
                self._decide(now)
        deliveries = self._pass_on(source, talker, packets, now) if self._room.present > 1 else []
        talker.recent.extend(out for out in packets if out.payload)
        if packet.end:
            talker.ended = packet.tick
            self._stop(source, now)
        return deliveries

    def _pass_on(self, source: int, talker: _Talker, packets: list[MediaPacket], now: float) -> list[Delivery]:
        """Into the talker's stream if somebody is mixed for, and to those who hear just him."""
        if self.mixing:
            stream = talker.warm_stream(self._codec, self.counts)
            for packet in packets:
                stream.put(packet, now)
        listeners = [number for number, listener in self._listeners.items() if self._forwards(listener, source)]
        if not listeners:
            return []
        self.forwarded += len(listeners) * len(packets)
        fresh = [number for number in listeners if self._listeners[number].follows != source]
        for number in fresh:
            self._listeners[number].follows = source
        history = [Delivery(fresh, packet) for packet in talker.history()] if fresh else []
        return history + [Delivery(listeners, packet) for packet in packets]

    @staticmethod
    def _forwards(listener: _Listener, source: int) -> bool:
        row = listener.row
        return (row.way is Way.FORWARD and row.talker == source) or listener.bridged == source

    def expire(self, now: float) -> None:
        """Take talkers who fell silent without a word to have stopped."""
        for source, talker in self._talkers.items():
            if talker.talking and now - talker.last_arrival > SILENT_AFTER:
                self._stop(source, now)

    @property
    def talking(self) -> bool:
        """Somebody talks, so `expire` has to be called now and then."""
        return any(talker.talking for talker in self._talkers.values())

    def held(self, source: int) -> float | None:
        """Ticks that a talker's frames are held for mixing; None if he was never mixed."""
        talker = self._talkers.get(source)
        return None if talker is None or talker.stream is None else talker.stream.held()

    def edges(self) -> list[Edge]:
        """Who started and stopped talking since the last call."""
        edges, self._edges = self._edges, []
        return edges

    def _start(self, source: int, talker: _Talker, now: float) -> None:
        talker.talking, talker.ended = True, None
        self._edges.append(Edge(source, True))
        self._decide(now)

    def _stop(self, source: int, now: float) -> None:
        talker = self._talkers.get(source)
        if talker is not None and talker.talking:
            talker.talking = False
            talker.recent.clear()
            self._edges.append(Edge(source, False))
            self._decide(now)

    def _decide(self, now: float) -> None:
        """Choose every listener's way anew."""
        self._undecided = False
        talking = [source for source, talker in self._talkers.items() if talker.talking]
        if self._room.present < 2:
            talking = []
        for number, listener in self._listeners.items():
            member = self._room.members.get(number)
            audible = [source for source in talking if member is not None and member.gain(source) > 0]
            before, talker = listener.row.way, listener.row.talker
            way = listener.row.decide(audible, now)
            if way is before:
                continue
            if way is Way.MIX:
                listener.until = None
                if before is Way.FORWARD:
                    listener.bridged, listener.in_mix = talker, False
                continue
            listener.bridged = 0
            if way is Way.SILENCE:
                listener.follows = 0
            elif listener.in_mix:
                listener.until = int(now) + OVERLAP
        if not self.mixing:
            for talker_state in self._talkers.values():
                talker_state.mixed = False

    # -- the tick ---------------------------------------------------------------

    @property
    def mixing(self) -> bool:
        """Somebody must be mixed for, so `tick` has to be called."""
        return any(listener.in_mix or listener.row.way is Way.MIX for listener in self._listeners.values())

    def tick(self, tick: int) -> list[Delivery]:
        """One beat: every talker gives one frame, every mixed listener gets one packet."""
        self.expire(float(tick))
        self._decide(float(tick))
        over = self._end_overlaps(tick)
        live, frames = self._pull(tick) if self._room.present > 1 else ([], _NO_FRAMES)
        rows = {
            number: self._row(number, live)
            for number, listener in self._listeners.items()
            if listener.in_mix or listener.row.way is Way.MIX
        }
        deliveries: list[Delivery] = []
        served: set[int] = set()
        for mixed in self._mixing.run(rows, frames):
            served.update(mixed.listeners)
            deliveries += self._mixed(mixed.listeners, mixed.payload, tick)
        silent = over + [number for number in rows if number not in served and self._listeners[number].in_mix]
        if silent:
            deliveries.append(Delivery(silent, MediaPacket(MIX, wrap(tick), b"", end=True)))
            self._close(silent)
        return deliveries

    def _row(self, number: int, live: list[int]) -> MixedRow:
        """What a listener is to hear of those who gave sound."""
        member = self._room.members[number]
        return MixedRow(tuple(map(member.gain, live)), member.quality.bitrate(*self._bitrates))

    def _end_overlaps(self, tick: int) -> list[int]:
        """Let the old ways go whose time is up; the listeners whose mix ends thereby."""
        over = []
        for number, listener in self._listeners.items():
            if listener.until is None or tick < listener.until:
                continue
            listener.until = None
            if listener.row.way is Way.MIX:
                listener.bridged = listener.follows = 0
            elif listener.in_mix:
                listener.in_mix = False
                over.append(number)
        return over

    def _pull(self, tick: int) -> tuple[list[int], np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
        """The talkers that gave sound, and their frames."""
        frames = np.empty((len(self._talkers), FRAME_SAMPLES), np.float32)
        live: list[int] = []
        for source, talker in self._talkers.items():
            stream = talker.stream
            if stream is not None and stream.active and stream.pull(float(tick), frames[len(live)]) is not Kind.SILENT:
                live.append(source)
        return live, frames[: len(live)]

    def _mixed(self, listeners: list[int], payload: bytes, tick: int) -> Iterable[Delivery]:
        """The packets of one row; listeners whose mix begins get the marker."""
        fresh = [number for number in listeners if not self._listeners[number].in_mix]
        going = [number for number in listeners if self._listeners[number].in_mix]
        for number in fresh:
            self._listeners[number].in_mix = True
            self._listeners[number].until = tick + OVERLAP
        if going:
            yield Delivery(going, MediaPacket(MIX, wrap(tick), payload))
        if fresh:
            yield Delivery(fresh, MediaPacket(MIX, wrap(tick), payload, marker=True))

    def _close(self, numbers: list[int]) -> None:
        for number in numbers:
            self._listeners[number].in_mix = False
            self._mixing.forget(number)
