"""A call in virtual time: one talks, another listens; lines and sound cards are models, all else is the real thing.

What lives here: ``rehearse``. May import the whole media path and the judge of what was
heard. A minute of it takes three seconds of CPU time, and the same seed gives the same call
however busy the machine is: what the depth and the beat of playback are chosen by. The
encoder's thread is left out, and so is the sound system's own delay.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from twisted.internet.task import Clock

from bench.rig.listening import Heard, Signal, listen
from voicechat.carriage.channel import REPORT_EVERY
from voicechat.carriage.clock import ticks
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.call.playback import Playback
from voicechat.codecs.opus import OpusCodec
from voicechat.format import BLOCK_SAMPLES, SAMPLE_RATE, SILENT_BLOCK, TICK_SECONDS, Samples
from voicechat.media.counts import Counts
from voicechat.media.gate import TalkGate
from voicechat.media.hearing import Hearing
from voicechat.media.packet import MediaPacket
from voicechat.media.redundancy import LossMeter, Redundancy, RedundancyPolicy
from voicechat.media.sending import SendStream
from voicechat.media.tuning import TUNING, Tuning
from voicechat.rooms.conference import Conference
from voicechat.rooms.room import Room
from voicechat.session.reachability import MEASURE_EVERY, MEASURED
from voicechat.session.round_trips import RoundTrips
from voicechat.wire import media

BITRATE: Final = 12_000

ENCODING: Final = 0.0005
"""Seconds from one frame's packet to the next one's in a burst: an encode, cold (`python -m bench codec`)."""

WAKING: Final = 0.00015
"""Seconds, on average, from the sound thread's call to the reactor's turn."""


@dataclass(frozen=True)
class Line:
    """One of the two lines that a word passes, in seconds; packets keep their order, as TCP's and most routers' do."""

    delay: float = 0.0003
    jitter: float = 0.0006
    """Any delay from 0 to this is added, each as likely as another."""
    loss: float = 0.0
    """Share of the packets that are lost."""
    burst: int = 1
    """How many in a row."""


class _Way:
    """A line in one direction, and the redundancy of this hop."""

    def __init__(self, line: Line, chance: random.Random, tuning: Tuning = TUNING) -> None:
        self._line, self._chance = line, chance
        self._last = 0.0
        self._losing = self._sent = 0
        self._redundancy, self._policy, self._meter = (
            Redundancy(),
            RedundancyPolicy(tuning=tuning.redundancy),
            LossMeter(),
        )
        self._report_at = 0.0

    def carry(self, now: float) -> float | None:
        """When what is sent now arrives; None if it is lost."""
        line = self._line
        self._last = max(self._last, now + line.delay + line.jitter * self._chance.random())
        if line.loss and not self._losing and self._chance.random() < line.loss / line.burst:
            self._losing = line.burst
        if self._losing:
            self._losing -= 1
            return None
        return self._last

    def pack(self, packet: MediaPacket) -> tuple[int, bytes]:
        """The number of the next datagram, and what is in it."""
        self._sent += 1
        return self._sent, media.encode(self._redundancy.add_redundancy(packet, self._policy.offset))

    def arrived(self, number: int, now: float) -> None:
        """This datagram came; once a second the sender is told, at once, how many did not."""
        self._meter.note(number)
        if now >= self._report_at:
            self._report_at = now + REPORT_EVERY
            self._policy.report(self._meter.report())


@dataclass
class _Card:
    """A sound card, which calls when a period of its own is over, as often as it then has blocks for."""

    clock: Clock
    period: int
    first: float
    """When its first period is over."""
    filled: int
    """Samples of the first block that it had before."""
    exchange: Callable[[], None]
    blocks: int
    """How often it calls."""
    _done: int = 0

    def run(self) -> None:
        """Call until that is done."""
        if self._done == self.blocks:
            return
        periods = math.ceil(((self._done + 1) * BLOCK_SAMPLES - self.filled) / self.period)
        at = self.first + periods * self.period / SAMPLE_RATE
        self.clock.callLater(max(0.0, at - self.clock.seconds()), self._call)

    def _call(self) -> None:
        self.exchange()
        self._done += 1
        self.run()


@dataclass(frozen=True)
class Rehearsal:
    """What became of it."""

    heard: Heard
    counts: Counts
    underruns: int


def rehearse(
    said: Signal, period: int, line: Line, seed: int, tuning: Tuning = TUNING, *, enhance: bool = False
) -> Rehearsal:
    """Hold the call.

    ``period``: samples between two calls of each sound card; ``seed``: how all clocks stand; ``enhance``: the listener
    asks for all that libopus can do.
    """
    chance = random.Random(seed)
    said = np.concatenate([np.zeros(chance.randrange(2 * BLOCK_SAMPLES)), said])
    call = _Call(said.astype(np.float32), line, chance, tuning, enhance=enhance)
    filled = chance.randrange(BLOCK_SAMPLES)
    for exchange, before in ((call.speak, 0), (call.hear, filled)):
        first = call.clock.seconds() + chance.random() * period / SAMPLE_RATE
        _Card(call.clock, period, first, before, exchange, len(said) // BLOCK_SAMPLES).run()
    while call.clock.calls:
        call.clock.advance(max(0.0, call.clock.calls[0].getTime() - call.clock.seconds()))
    early = np.zeros(BLOCK_SAMPLES - filled, np.float32)  # the card still had that to play
    heard = np.concatenate([early, *(np.frombuffer(block, np.float32) for block in call.heard)])
    judged = listen(said, heard[: len(said)].astype(np.float64))
    return Rehearsal(judged, call.hearing.counts, call.listening.underruns)


def _probed(line: Line, chance: random.Random) -> list[float]:
    """What the listener's probes have told of their connection, there and back, as in `client.call.call`: ticks."""
    up, down = (_Way(line, random.Random(chance.random())) for _ in range(2))
    round_trips, lost = RoundTrips(), 0
    for probe in range(MEASURED):
        sent = probe * MEASURE_EVERY
        arrived = up.carry(sent)
        answered = None if arrived is None else down.carry(arrived)
        if answered is None:
            lost += 1
        else:
            round_trips.note(answered - sent, answered)
    return [seconds / TICK_SECONDS for seconds in round_trips.lateness()] + [1.0] * lost


class _Call:
    """Ann speaks, Ben listens."""

    def __init__(self, said: Samples, line: Line, chance: random.Random, tuning: Tuning, *, enhance: bool) -> None:
        self._chance = chance
        self.clock = Clock()
        self.clock.advance(100 + chance.random())
        codec, hearing = OpusCodec(), OpusCodec(enhance=enhance, clock=lambda: 0.0)
        self._said = said
        self._talking, self.listening = (
            AudioBridge(self._wake, TalkGate(tuning=tuning.gate), self.clock.seconds) for _ in range(2)
        )
        self._voice = SendStream(codec.encoder(BITRATE))
        self.hearing = Hearing(hearing, tuning)
        self._playback = Playback(self.clock, self.hearing, self.listening)
        self._talking.on_turn, self.listening.on_turn = self._turn, self._playback.turn
        room = Room("rehearsal")
        self._conference = Conference(room, codec, BITRATE, tuning=tuning)
        self._ann, self._ben = (room.enter(name, 0.0).source for name in ("Ann", "Ben"))
        for member in (self._ann, self._ben):
            self._conference.add(member)
        self._up, self._down = (_Way(line, random.Random(chance.random()), tuning) for _ in range(2))
        probed = _probed(line, random.Random(chance.random()))
        self.hearing.lateness = lambda: probed
        self.heard: list[bytes] = []

    def speak(self) -> None:
        """The microphone has a block."""
        block, self._said = self._said[:BLOCK_SAMPLES], self._said[BLOCK_SAMPLES:]
        self._talking.exchange(block.tobytes())

    def hear(self) -> None:
        """The loudspeaker needs one."""
        self.heard.append(self.listening.exchange(SILENT_BLOCK))

    def _wake(self, turn: Callable[[], None]) -> None:
        self.clock.callLater(self._chance.expovariate(1 / WAKING), turn)

    def _turn(self) -> None:
        busy = 0.0
        while (captured := self._talking.captured()) is not None:
            frame = captured.frame
            packet = self._voice.finish(captured.tick) if frame is None else self._voice.push(captured.tick, frame)
            if packet is not None:
                busy += ENCODING
                self._send(self._up, packet, self._arrived, busy)

    def _send(self, way: _Way, packet: MediaPacket, receive: Callable[[MediaPacket], None], after: float = 0) -> None:
        now = self.clock.seconds()
        for _ in range(1 + packet.end):  # an end is sent twice
            number, data = way.pack(packet)
            at = way.carry(now + after)
            if at is not None:
                self.clock.callLater(at - now, self._receive, way, number, data, receive)

    def _receive(self, way: _Way, number: int, data: bytes, receive: Callable[[MediaPacket], None]) -> None:
        way.arrived(number, self.clock.seconds())
        receive(media.decode(data))

    def _arrived(self, packet: MediaPacket) -> None:
        for listeners, delivered in self._conference.arrived(self._ann, media.upward(packet), ticks(self.clock)):
            if self._ben in listeners:
                self._send(self._down, delivered, self._came)

    def _came(self, packet: MediaPacket) -> None:
        self._playback.arrived(media.downward(packet))
