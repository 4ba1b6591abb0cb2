"""A whole conversation without a socket, a sound card or a clock: ten minutes of talk in seconds.

Each member speaks through a SendStream, packets travel as bytes over a LossyLink to one
Conference, and what it delivers travels over another LossyLink to their friends'
Hearings. All times are ticks of the server's clock, with fractions. A member's sound
card has its own phase and its own drift.

Everybody's frames are stamped: each member has two slots in every PERIOD samples, and
what stands in them tells the tick. So a mix can be taken apart again: whom it carries,
and how old each voice is. A frame that was concealed, merged or faded does not read
back, and counts as not heard.
"""

import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import Callable

import msgspec
import numpy as np
from zope.interface import implementer

from voicechat.errors import WireError
from voicechat.format import FRAME_SAMPLES, TICKS_PER_SECOND, Frame, Samples, silent_frame
from voicechat.interfaces import ICodec, IDecoder, IEncoder
from voicechat.media.gate import PRE_ROLL_FRAMES
from voicechat.media.hearing import Hearing
from voicechat.media.packet import MediaPacket
from voicechat.media.packing import Packing
from voicechat.media.sending import SendStream
from voicechat.rooms.conference import Conference, Delivery
from voicechat.rooms.room import Room
from voicechat.rooms.talker import SILENT_AFTER
from voicechat.testing import Line, LossyLink
from voicechat.wire import media

MINUTE = 60 * TICKS_PER_SECOND

PERIOD = 16
"""Samples: two slots for each of at most eight members."""

VOICES = np.repeat(
    np.random.default_rng(5).choice(np.array([-1, 1], np.float32), (FRAME_SAMPLES // PERIOD, PERIOD // 2)), 2, axis=1
)
"""Signs that each member's stamp is said with: a frame resembles itself where it was said, and nothing else."""

RING = 1 << 18
"""Ticks after which stamps repeat: 87 minutes."""

GOOD = Line(delay=1, jitter=0.1)
JITTERY = Line(delay=1, jitter=1.5)
ROUGH = Line(delay=1, jitter=1.5, loss=0.05, reorder=0.02, reorder_by=1.5, duplicate=0.02)
TCP = Line(delay=1, jitter=0.3, ordered=True)

Script = Callable[[int, int], bool]
"""Whether member (1, 2, ...) opens their mouth in tick t of the conversation."""


def stamped(member: int, tick: int) -> Frame:
    """What member 1, 2, ... says at ``tick``: a value that tells the tick, and its complement, in two slots."""
    value = (1 + (tick % RING) / RING) / 4
    frame = silent_frame()
    frame[2 * member - 2 :: PERIOD] = value
    frame[2 * member - 1 :: PERIOD] = 0.75 - value
    frame *= VOICES.reshape(-1)
    return frame


def read(frame: Frame) -> dict[int, int]:
    """The lower bits of the tick of each whose frame is in this one as they said it, alone or with others."""
    periods = frame.reshape(-1, PERIOD) * VOICES
    steady = bool((periods == periods[0]).all())
    ticks: dict[int, int] = {}
    slots = periods[0].tolist()
    for slot, value in enumerate(slots[::2]):
        tick = (4 * value - 1) * RING
        if not 0 <= tick < RING or tick != int(tick) or value + slots[2 * slot + 1] != 0.75:
            continue
        if steady or (periods[:, 2 * slot] == value).all():
            ticks[slot + 1] = int(tick)
    return ticks


@implementer(IEncoder, IDecoder)
class StampCoder:
    """Keeps the mean of each slot: a stamped frame comes through exactly, and so does a sum of them."""

    def __init__(self) -> None:
        self._pattern: Samples = np.zeros(PERIOD, np.float32)
        self._kept = self._pattern

    def encode(self, frame: Frame) -> bytes:
        periods = frame.reshape(-1, PERIOD) * VOICES
        mean = np.add.reduce(periods, axis=0, dtype=np.float64) / len(periods)
        return b"S" + bytes(mean.astype("<f4").data)

    def decode(self, payload: bytes, out: Frame) -> None:
        self._pattern = np.frombuffer(payload, "<f4", offset=1)
        np.multiply(self._pattern, VOICES, out=out.reshape(-1, PERIOD))

    def conceal(self, out: Frame) -> None:
        self._pattern = self._pattern / np.float32(2)
        np.multiply(self._pattern, VOICES, out=out.reshape(-1, PERIOD))

    def keep(self) -> None:
        self._kept = self._pattern

    def restore(self) -> None:
        self._pattern = self._kept


@implementer(ICodec)
class StampCodec:
    """A codec for stamped frames; conceals by halves, as MemoryCodec does."""

    def encoder(self, bitrate: int) -> StampCoder:
        return StampCoder()

    def decoder(self) -> StampCoder:
        return StampCoder()

    def check(self, payload: bytes) -> None:
        if len(payload) != 1 + 4 * PERIOD or payload[:1] != b"S":
            raise WireError("not a stamp")


class Heard(msgspec.Struct):
    """What one listener heard of one talker."""

    ticks: list[int] = msgspec.field(default_factory=list)
    """Ticks of the talker, in the order in which they were heard."""
    delays: list[tuple[float, float]] = msgspec.field(default_factory=list)
    """When a frame was heard, and how many ticks after it was said."""

    def between(self, start: float, end: float) -> list[float]:
        """The delays of what was heard in a stretch of time."""
        return [delay for at, delay in self.delays if start <= at < end]


class Member:
    """One player: card, voice and ears."""

    def __init__(self, source: int, chance: random.Random, ppm: float, codec: ICodec) -> None:
        self.source = source
        self.period = 1 + ppm * 1e-6
        self.phase = chance.random()
        self.pull_phase = chance.random()
        self.first_tick = chance.choice([0, 65_500, chance.randrange(1 << 20)])
        self.sending = SendStream(codec.encoder(12_000))
        self.hearing = Hearing(codec)
        self.out = silent_frame()
        self.said: list[int] = []
        """Ticks of the conversation in which they said something."""
        self.said_at: dict[int, float] = {}
        self.heard: defaultdict[int, Heard] = defaultdict(Heard)
        self.most_active = 0


class Conversation:
    """``members`` people in a room; ``up`` and ``down`` are the lines to the server and from it."""

    def __init__(
        self,
        members: int,
        script: Script,
        *,
        up: Line,
        down: Line,
        seed: int = 1,
        ppm: tuple[float, ...] = (),
        always_mix: bool = False,
        redundancy: int = 0,
        savers: frozenset[int] = frozenset(),
    ) -> None:
        if members > PERIOD // 2:
            raise ValueError("no slots for so many voices")
        chance = random.Random(seed)
        codec = StampCodec()
        self._script = script
        self._redundancy = redundancy
        self.room = Room("den")
        self.conference = Conference(self.room, codec, 12_000, always_mix=always_mix)
        self.members: dict[int, Member] = {}
        self.up: dict[int, LossyLink[bytes]] = {}
        self.down: dict[int, LossyLink[bytes]] = {}
        self._savers = savers
        self._packings: dict[tuple[int, int], Packing] = {}
        for number in range(members):
            source = self.room.enter("x", 0.0).source
            self.conference.add(source)
            self.members[source] = Member(source, chance, ppm[number] if ppm else 0.0, codec)
            self.up[source] = LossyLink(chance.randrange(1 << 30), up)
            self.down[source] = LossyLink(chance.randrange(1 << 30), down)
        self.now = 0.0
        self.frozen: list[tuple[float, float]] = []
        """When the server does not run at all."""
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        for member in self.members.values():
            self._at(member.phase, self._speak, member, 0)
            self._at(member.pull_phase, self._listen, member, 0)
        self._at(0.0, self._beat, 0)

    def freeze(self, start: float, length: float) -> None:
        """The server stands still: no tick, and what arrives waits in its buffers."""
        self.frozen.append((start, start + length))
        for link in self.up.values():
            link.stall(start, length)

    def leave(self, source: int) -> None:
        """Somebody gives up their seat; what they say is no longer sent, and they are sent nothing."""
        self.conference.remove(source, self.now)
        self.room.leave(source, self.now / TICKS_PER_SECOND)

    def run(self, ticks: float) -> "Conversation":
        """Let so many ticks pass."""
        until = self.now + ticks
        events = self._events
        while events[0][0] < until:
            self.now, _, what, arguments = heapq.heappop(events)
            what(*arguments)
        self.now = until
        return self

    def _at(self, at: float, what: Callable[..., None], *arguments: object) -> None:
        heapq.heappush(self._events, (at, next(self._order), what, arguments))

    # -- a member ------------------------------------------------------------------------

    def _speak(self, member: Member, tick: int) -> None:
        """The card has captured a frame; the gate opens with the frames before the first loud one."""
        self._at(member.phase + (tick + 1) * member.period, self._speak, member, tick + 1)
        if self._script(tick, member.source):
            first = tick if member.sending.talking else max(0, tick - PRE_ROLL_FRAMES)
            if member.said:
                first = max(first, member.said[-1] + 1)
            for said in range(first, tick + 1):
                frame = stamped(member.source, said)
                member.said.append(said)
                member.said_at[said] = member.phase + said * member.period
                self._send_up(member, member.sending.push(member.first_tick + said, frame))
        elif (end := member.sending.finish(member.first_tick + tick)) is not None:
            self._send_up(member, end)

    def _send_up(self, member: Member, packet: MediaPacket) -> None:
        for packed in self._packing(member.source, -1, member.source).pack(packet, self._redundancy):
            for at in self.up[member.source].arrivals(self.now):
                self._at(at, self._arrive, member.source, media.encode(packed))

    def _packing(self, source: int, to: int, player: int) -> Packing:
        """How a source's packets are made on a hop, whose end is ``player``."""
        return self._packings.setdefault((source, to), Packing(pairs=player in self._savers))

    def _listen(self, member: Member, turn: int) -> None:
        """The card wants a frame."""
        self._at(member.pull_phase + (turn + 1) * member.period, self._listen, member, turn + 1)
        if not member.hearing.active:
            return
        member.hearing.pull(self.now, member.out)
        own = member.out.reshape(-1, PERIOD)[:, 2 * member.source - 2 : 2 * member.source]
        assert not own.any(), "somebody hears their own voice"
        for talker, tick in self._read(member.out).items():
            heard = member.heard[talker]
            heard.ticks.append(tick)
            heard.delays.append((self.now, self.now - self.members[talker].said_at[tick]))

    def _read(self, frame: Frame) -> dict[int, int]:
        """Which tick of whom is in a frame."""
        ticks: dict[int, int] = {}
        for talker, low in read(frame).items():
            newest = self.members[talker].said[-1]
            ticks[talker] = newest - (newest - low) % RING
        return ticks

    def _hear(self, member: Member, data: bytes) -> None:
        member.hearing.put(media.downward(media.decode(data)), self.now)
        member.most_active = max(member.most_active, len(member.hearing._streams))

    # -- the server ----------------------------------------------------------------------

    def _arrive(self, source: int, data: bytes) -> None:
        packet = media.upward(media.decode(data))
        if source not in self.room.members:
            return
        self._deliver(self.conference.arrived(source, packet, self.now))

    def _beat(self, tick: int) -> None:
        self._at(tick + 1.0, self._beat, tick + 1)
        if any(start <= tick < end for start, end in self.frozen):
            return
        if self.conference.mixing:
            self._deliver(self.conference.tick(tick))
        elif tick % int(SILENT_AFTER) == 0:
            self.conference.expire(float(tick))

    def _deliver(self, deliveries: list[Delivery]) -> None:
        for listeners, packet in deliveries:
            for listener in listeners:
                assert packet.source != listener
                for packed in self._packing(packet.source, listener, listener).pack(packet, self._redundancy):
                    for at in self.down[listener].arrivals(self.now):
                        self._at(at, self._hear, self.members[listener], media.encode(packed))

    # -- what came of it -----------------------------------------------------------------

    def share(self, listener: int, talker: int, start: float = 0.0, end: float = float("inf")) -> float:
        """Share of what a talker said in a stretch of time that the listener heard."""
        said = {tick for tick in self.members[talker].said if start <= tick < end}
        return len(said & set(self.members[listener].heard[talker].ticks)) / len(said)

    def pairs(self) -> list[tuple[int, int]]:
        """Everybody with everybody else: (listener, talker)."""
        return list(itertools.permutations(self.members, 2))


def chatter(seed: int, members: int, *, longest: int = 4 * TICKS_PER_SECOND, share: float = 0.5) -> Script:
    """Talk spurts and pauses by chance, 20 minutes of them, over and over; each member talks for about ``share``."""
    spurts: dict[int, list[bool]] = {}
    for member in range(1, members + 1):
        chance = random.Random(seed * 1000 + member)
        ticks: list[bool] = []
        while len(ticks) < 20 * MINUTE:
            length = chance.randrange(15, longest)
            ticks += [True] * length
            ticks += [False] * max(10, int(chance.randrange(15, longest) * (1 - share) / share))
        spurts[member] = ticks
    return lambda tick, member: spurts[member][tick % (20 * MINUTE)]
