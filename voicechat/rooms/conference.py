"""One room's media: packets arrive, deliveries leave; nobody ever hears their own voice.

`arrived` forwards at once to every listener who hears just this talker. `tick`,
called every 20 ms while `mixing`, serves those who hear several: each talker's
ReceiveStream gives one frame, `Mixing` makes and encodes the distinct rows.

Change-over to a mix: the talker that was forwarded goes on being forwarded while the
first mixed frames leave. What they said before goes through their decoder and the new
encoder first, and the last of it to the listener, so that nobody hears a cold codec.
A listener's states are in `listener`. A mix goes on until all that was said has been mixed.
With fewer than two members present nothing is decoded, encoded or delivered.
"""

from collections.abc import Iterable, Set
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicechat.format import FRAME_SAMPLES
from voicechat.interfaces import ICodec
from voicechat.media.counts import Counts
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.packing import split_pair
from voicechat.media.quality import HIGH_BITRATE
from voicechat.media.serial import wrap
from voicechat.media.tuning import TUNING, Tuning
from voicechat.rooms.listener import Listener, Serving
from voicechat.rooms.mixing import Mixed, Mixing, MixRow
from voicechat.rooms.room import Room
from voicechat.rooms.talker import SILENT_AFTER, Talker, past_of

_NO_FRAMES: Final = np.empty((0, FRAME_SAMPLES), np.float32)


class Delivery(NamedTuple):
    """A packet and the participants who get it."""

    listeners: list[int]
    packet: MediaPacket


class Edge(NamedTuple):
    """Somebody started or stopped talking."""

    source: int
    talking: bool


class Conference:
    """The media of ``room``, mixed at ``bitrate``, or ``high`` for those who chose that. Times are ticks.

    ``counts``: where to count what became of frames, of this room's alone unless given.
    """

    def __init__(
        self,
        room: Room,
        codec: ICodec,
        bitrate: int,
        *,
        high: int = HIGH_BITRATE,
        always_mix: bool = False,
        counts: Counts | None = None,
        tuning: Tuning = TUNING,
    ) -> None:
        self._room = room
        self._codec = codec
        self._always_mix = always_mix
        self._tuning = tuning
        self._talkers: dict[int, Talker] = {}
        self._listeners: dict[int, Listener] = {}
        self._bitrates = bitrate, high
        self._mixing = Mixing(codec, tuning)
        self._edges: list[Edge] = []
        self._undecided = False
        """Somebody entered, and what they get has not been chosen."""
        self._mixes = False
        self.counts = Counts() if counts is None else counts
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
        """A member entered; they hear the rest of what is just being said."""
        self._undecided = True
        self._talkers[source] = Talker(self._tuning)
        self._listeners[source] = Listener(always_mix=self._always_mix, tuning=self._tuning.forwarding)

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
        return [delivery for single in split_pair(packet) for delivery in self._arrived(source, single, now)]

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
        talker.remember(packets, now)
        if packet.end and talker.talking:
            talker.ended = packet.tick
            self._stop(source, now)
        return deliveries

    def _pass_on(self, source: int, talker: Talker, packets: list[MediaPacket], now: float) -> list[Delivery]:
        """Into the talker's stream if somebody is mixed for, and to those who hear nobody else."""
        if self.mixing:
            stream = talker.enter_mix(self._codec, self.counts)
            for packet in packets:
                stream.put(packet, now)
        listeners = [number for number, listener in self._listeners.items() if listener.is_forwarded(source)]
        if not listeners:
            return []
        self.forwarded += len(listeners) * len(packets)
        fresh = [number for number in listeners if self._listeners[number].follows != source]
        for number in fresh:
            self._listeners[number].follows = source
        history = [Delivery(fresh, packet) for packet in talker.history()] if fresh else []
        return history + [Delivery(listeners, packet) for packet in packets]

    def expire(self, now: float) -> None:
        """Take talkers who fell silent without a word to have stopped."""
        for source, talker in self._talkers.items():
            if talker.talking and now - talker.last_arrival > SILENT_AFTER:
                self._stop(source, now)

    @property
    def talkers(self) -> int:
        """How many talk."""
        return sum(talker.talking for talker in self._talkers.values())

    @property
    def talking(self) -> bool:
        """Somebody talks, so `expire` has to be called now and then."""
        return any(talker.talking for talker in self._talkers.values())

    def held(self, source: int) -> float | None:
        """Ticks that a talker's frames are held for mixing; None if they were never mixed."""
        talker = self._talkers.get(source)
        return None if talker is None else talker.held()

    def edges(self) -> list[Edge]:
        """Who started and stopped talking since the last call."""
        edges, self._edges = self._edges, []
        return edges

    def _start(self, source: int, talker: Talker, now: float) -> None:
        talker.talking, talker.ended = True, None
        self._edges.append(Edge(source, True))
        self._decide(now)

    def _stop(self, source: int, now: float) -> None:
        talker = self._talkers.get(source)
        if talker is not None and talker.talking:
            talker.stop()
            self._edges.append(Edge(source, False))
            self._decide(now)

    def _decide(self, now: float) -> None:
        """Choose anew what every listener gets."""
        self._undecided = False
        everybody = self._talkers.items() if self._room.present > 1 else ()
        talking = [source for source, talker in everybody if talker.talking]
        due = [source for source, talker in everybody if talker.due]
        for number, listener in self._listeners.items():
            before = listener.policy.mode
            audible = self._heard(number, talking)
            mode = listener.policy.decide(audible, now, due=not audible and bool(self._heard(number, due)))
            if mode is not before:
                listener.change(mode, now)
        self._feed()

    def _heard(self, listener: int, sources: list[int]) -> list[int]:
        """Which of these a listener wants to hear."""
        member = self._room.members.get(listener)
        return [] if member is None else [source for source in sources if member.gain(source) > 0]

    def _feed(self) -> None:
        """Have the talkers' streams fed while somebody is mixed for, and only then."""
        mixing = self._mixes = any(listener.state.mixed for listener in self._listeners.values())
        for talker in self._talkers.values():
            if not mixing:
                talker.leave_mix()
            elif talker.talking:
                talker.enter_mix(self._codec, self.counts)

    # -- the tick ---------------------------------------------------------------

    @property
    def mixing(self) -> bool:
        """Somebody must be mixed for, so `tick` has to be called."""
        return self._mixes

    def tick(self, tick: int) -> list[Delivery]:
        """One beat: every talker gives one frame, every mixed listener gets one packet."""
        self.expire(float(tick))
        self._decide(float(tick))
        ended = [
            number
            for number, listener in self._listeners.items()
            if listener.until is not None and tick >= listener.until and listener.end_overlap()
        ]
        live, frames = self._pull(tick) if self._room.present > 1 else ([], _NO_FRAMES)
        rows = {number: self._row(number, live) for number, listener in self._listeners.items() if listener.state.mixed}
        # their decoders have heard the same words in another way, and go on in the middle of one
        fresh = {number for number in rows if self._listeners[number].state is Serving.JOINING}
        deliveries: list[Delivery] = []
        served: set[int] = set()
        past = past_of([self._talkers[source] for source in live]) if fresh else ()
        for mixed in self._mixing.run(rows, frames, fresh, past):
            served.update(mixed.listeners)
            deliveries += self._mixed(mixed, fresh, tick)
        for number in rows:
            if number not in served and self._listeners[number].state.open:
                self._listeners[number].nothing_leaves()
                ended.append(number)
        if ended:
            deliveries.append(Delivery(ended, MediaPacket(MIX, wrap(tick), b"", end=True)))
        for number in ended:
            self._mixing.forget(number)
        if not any(listener.state.mixed for listener in self._listeners.values()):
            self._feed()
        return deliveries

    def _row(self, number: int, live: list[int]) -> MixRow:
        """What a listener is to hear of those who gave sound."""
        member = self._room.members[number]
        return MixRow(tuple(map(member.gain, live)), member.quality.bitrate(*self._bitrates))

    def _pull(self, tick: int) -> tuple[list[int], NDArray[np.float32]]:
        """The talkers that gave sound, and their frames."""
        frames = np.empty((len(self._talkers), FRAME_SAMPLES), np.float32)
        live: list[int] = []
        for source, talker in self._talkers.items():
            if talker.pull(float(tick), frames[len(live)]):
                live.append(source)
        return live, frames[: len(live)]

    def _mixed(self, mixed: Mixed, changing: Set[int], tick: int) -> Iterable[Delivery]:
        """The packets of one row; who is ``changing`` gets those before it first, as a talker's history."""
        warmed = [number for number in mixed.listeners if mixed.past and number in changing]
        going, cold = list[int](), list[int]()
        for number in mixed.listeners:
            listener = self._listeners[number]
            is_open = listener.state.open
            (going if is_open or number in warmed else cold).append(number)
            if not is_open:
                listener.first_frame(tick)
        if warmed:
            for ago, payload in zip(range(len(mixed.past), 0, -1), mixed.past, strict=True):
                packet = MediaPacket(MIX, wrap(tick - ago), payload, marker=ago == len(mixed.past))
                yield Delivery(warmed, packet)
        if going:
            yield Delivery(going, MediaPacket(MIX, wrap(tick), mixed.payload))
        if cold:
            yield Delivery(cold, MediaPacket(MIX, wrap(tick), mixed.payload, marker=True))
