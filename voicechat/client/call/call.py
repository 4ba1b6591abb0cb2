"""The call: one player's media and people, over one connection after another.

Frames of the microphone go out while somebody else is there to hear them; packets
come in, are heard through `Playback`, and what the room does is told as notices.
Nothing here connects or reconnects; that is `service`.
"""

from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec
from twisted.internet.interfaces import IReactorTime

from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.audio.capture import Captured
from voicechat.client.call.friends import ByName, Friends
from voicechat.client.call.playback import Playback
from voicechat.client.call.voice import Voice
from voicechat.client.call.ways import Ways
from voicechat.client.network.outage import IRecovery
from voicechat.client.network.protocol import RemoteServer
from voicechat.client.notices import INotices
from voicechat.errors import WireError
from voicechat.format import TICK_MS
from voicechat.interfaces import ICodec
from voicechat.media.echo_detector import EchoDetector
from voicechat.media.hearing import Hearing
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.packing import Packing
from voicechat.media.sending import SendStream
from voicechat.session.trips import KNOWN
from voicechat.wire import media, messages, older, shown

MOST_LINES: Final = 20
"""Lines about the room in a second: more than friends can make, and as much as a terminal bears for an evening."""


def hours_and_minutes() -> str:
    """The wall clock here, for people."""
    return datetime.now().astimezone().strftime("%H:%M")


MOST_SAID: Final = 100
"""Text lines kept: more than the largest terminal shows, at most 50 000 characters."""


class Said(msgspec.Struct, frozen=True):
    """A text line between friends."""

    when: str
    """Hours and minutes of the wall clock here."""
    name: str
    text: str


class IRecording(Protocol):
    """A source or sink with a start stamp."""

    start_ns: int | None


class Call:
    """Media and people of one client."""

    def __init__(
        self,
        clock: IReactorTime,
        codec: ICodec,
        bridge: AudioBridge,
        notices: INotices,
        wall_clock: Callable[[], str] = hours_and_minutes,
        voice: Voice | None = None,
    ) -> None:
        self._clock = clock
        self._codec = codec
        self._bridge = bridge
        self._notices = notices
        self._wall_clock = wall_clock
        self._echoes = EchoDetector()
        self.voice = voice or Voice()
        """What is done to our own voice before it is coded."""
        self.friends = Friends()
        self.hearing = Hearing(codec)
        self.hearing.on_forwarded = self._watch
        self.hearing.lateness = self._lateness
        self.playback = Playback(clock, self.hearing, bridge)
        self.connection: RemoteServer | None = None
        self._sending: SendStream | None = None
        self._packing = Packing()
        self._bitrate = 0
        self.source = 0
        self.echo = 0
        """Who says again what we say, in an echo test; 0: this is none."""
        self.name = self.room = ""
        """Ours, as the server has them."""
        self.messages: deque[Said] = deque(maxlen=MOST_SAID)
        """Text lines, our own too."""
        self._deafened = False
        self._speaking = False
        """The last frame from the bridge was one of talk."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when people, connection or path changed, or something was said."""
        self.on_entered: Callable[[], None] = lambda: None
        """Called at each entering, when messages can be sent."""
        self.recovery: IRecovery | None = None
        """Who brings a broken line back."""
        self.on_joined: Callable[[messages.Participant], None] = lambda _person: None
        """Called when somebody entered the room."""
        self.ways = Ways(clock, self.tell, self._changed)
        self.sent_over, self.heard_over = self.ways.sent_over, self.ways.heard_over
        self.sent = 0
        self.pakes = 0
        """Logins by password."""
        self.reconnects = 0
        self._totals: Counter[str] = Counter()
        self._heard_by_name = ByName()
        self._round_trip: float | None = None
        self._late_before: list[float] = []
        """What the last connection knew of the line, until a new one knows as much."""
        self._second = self._lines = 0
        bridge.on_turn = self.turn

    # -- connections ----------------------------------------------------------------

    def entered(self, connection: RemoteServer, welcome: messages.Welcome) -> None:
        """In the room; ``connection`` carries the media from now on."""
        self.connection = connection
        self.source, self.name, self.room = welcome.source, welcome.name, welcome.room
        self.echo = welcome.echo
        for source in list(self.hearing.heard):
            self._settle_heard(source)
        here = {person.source: person.name for person in welcome.roster}
        for source in self.hearing.talkers:
            if here.get(source) != self.friends.name(source):  # gone meanwhile; the number may be somebody else's
                self.hearing.forget(source)
                self._echoes.forget(source)
        if self._sending is None or self._bitrate != welcome.bitrate:
            self._bitrate = welcome.bitrate
            self._sending = SendStream(self._codec.encoder(welcome.bitrate))
        self._sending.finish(0)
        self._packing = Packing(pairs=welcome.quality.pairs)
        self._notices.say(self.friends.welcome(welcome))
        self.ways.entered(udp=connection.has_udp)
        self.on_entered()

    def _changed(self) -> None:
        self.on_change()

    @property
    def path(self) -> str:
        """The carriage of what we send, 'udp' or 'tcp'."""
        return self.ways.out

    def left(self, connection: RemoteServer) -> None:
        """The connection is over; what it counted is kept."""
        self._totals.update(connection.traffic())
        if connection is self.connection:
            self._round_trip = connection.round_trip
            self._late_before = self._lateness()
            self.connection = None
            self.ways.left()
            self.friends.lost()
            self.on_change()

    @property
    def connected(self) -> bool:
        """In the room now."""
        return self.connection is not None

    @property
    def round_trip(self) -> float | None:
        """Seconds to the server and back, over TCP."""
        return self._round_trip if self.connection is None else self.connection.round_trip

    @property
    def loss(self) -> float:
        """Share of the datagrams to us that were lost lately; 0 without datagrams."""
        return 0.0 if self.connection is None else self.connection.loss

    @property
    def level(self) -> float:
        """Mean square of the microphone's last frame."""
        return self._bridge.level

    @property
    def talking(self) -> bool:
        """What the microphone hears is meant to be sent."""
        return self._bridge.talking

    def send(self, message: messages.Message) -> None:
        """A control message to the server, if there is one now; a text to one of 0.1.0 as that takes it."""
        if self.connection is None:
            return
        if isinstance(message, messages.Text) and not self.connection.session.letters:
            message = messages.Text(older.line(message.text))
        self.connection.send(message)

    # -- media ------------------------------------------------------------------------

    def turn(self) -> None:
        """The bridge has something for us, or wants something. Called once a frame."""
        while (captured := self._bridge.captured()) is not None:
            self._speak(captured)
        self.playback.turn()

    def _speak(self, captured: Captured) -> None:
        tick, frame, mean_square = captured
        sending, connection = self._sending, self.connection
        if (frame is not None) != self._speaking:
            self._speaking = frame is not None
            self.on_change()
        if sending is None:
            return
        if connection is None or frame is None or not self.friends.listening:
            packet = sending.finish(tick)
            self.voice.rest()
        else:
            if not connection.answers.watching:
                connection.answers.flows()
            treated = self.voice.treat(frame, mean_square)
            packet = sending.finish(tick) if treated is None else sending.push(tick, treated)
            if treated is not None:
                self._echoes.spoke(tick, mean_square)
                self.sent += 1
        if packet is not None and connection is not None:
            for packed in self._packing.pack(packet, connection.redundancy):
                connection.send_media(media.encode(packed), twice=packed.end)

    def heard(self, packet: MediaPacket) -> None:
        """A media packet from the server. WireError if it cannot be played."""
        if packet.source == self.source:
            raise WireError("the server returned our own voice")
        if self._deafened:
            return  # sent before the server knew
        if packet.source == MIX:
            for name in self.friends.talking:
                self._heard_by_name.add(name, 1)
        self.playback.arrived(packet)

    def _lateness(self) -> list[float]:
        """By how many ticks probes to the server and back were late; a friend's voice passes two links, too."""
        known = [] if self.connection is None else self.connection.lateness()
        return self._late_before if len(known) < min(KNOWN, len(self._late_before)) else known

    def _watch(self, source: int, mean_square: float) -> None:
        """A forwarded friend's frame is played; his microphone may return what we say."""
        if self._echoes.heard(source, self._bridge.tick, mean_square):
            self.tell(f"{self.friends.shown(source)}'s microphone returns your voice: headphones would end that")

    def deafen(self, deafened: bool) -> None:
        """Play nothing, or what comes from now on."""
        self._deafened = deafened
        if deafened:
            self.playback.stop()
            self.hearing.stop()

    def told(self, message: messages.Message) -> None:
        """The room changed."""
        line = self.friends.learn(message)
        if isinstance(message, messages.Left):
            self._settle_heard(message.source)
            self.hearing.forget(message.source)
            self._echoes.forget(message.source)
        elif isinstance(message, messages.Joined):
            self.on_joined(message.participant)
        elif isinstance(message, messages.Text):
            self.said(self.friends.name(message.source), message.text)
            return
        if line is not None:
            self.tell(line, self._notices.talk if isinstance(message, messages.Talk) else self._notices.say)
        self.on_change()

    def said(self, name: str, text: str) -> None:
        """Somebody, perhaps we, said something in a text line."""
        said = Said(self._wall_clock(), name, text)
        self.messages.append(said)
        self.tell(f"[{said.when}] {shown.named(said.name)}: {shown.isolated(said.text)}", self._notices.chat)
        self.on_change()

    def tell(self, line: str, how: Callable[[str], None] | None = None) -> None:
        """A line about the room; of a flood, only the first ones of each second and how many there were."""
        second = int(self._clock.seconds())
        if second != self._second:
            if self._lines > MOST_LINES:
                self._notices.say(f"({self._lines - MOST_LINES} more lines were left out)")
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines <= MOST_LINES:
            (how or self._notices.say)(line)

    def stop(self) -> None:
        """The call is over: end the spurt, say goodbye."""
        self.playback.stop()
        self.ways.stop()
        if self.connection is not None:
            self.connection.farewell(messages.Bye(messages.LEAVING))

    # -- figures ------------------------------------------------------------------------

    def _settle_heard(self, source: int) -> None:
        """Count a source's frames for its name, before the number may be somebody else's."""
        if source != MIX:
            frames = self.hearing.heard.pop(source, 0)
            if frames:
                self._heard_by_name.add(self.friends.name(source), frames)

    def stats(self, recorded_in: IRecording, recorded_out: IRecording) -> dict[str, Any]:
        """What --stats writes."""
        for source in list(self.hearing.heard):
            self._settle_heard(source)
        totals = Counter(self._totals)
        if self.connection is not None:
            totals.update(self.connection.traffic())
        counts = self.hearing.counts
        round_trip = self.round_trip
        return {
            "packets": {"in": totals["packets_in"], "out": totals["packets_out"]},
            "bytes": {"in": totals["bytes_in"], "out": totals["bytes_out"]},
            "frames": {
                "sent": self.sent,
                "played": counts.played,
                "recovered": counts.recovered,
                "concealed": counts.concealed,
                "silent": counts.silent,
                "late": counts.late,
                "dropped": counts.dropped,
            },
            "playout_delay_ms": round(self.hearing.held * TICK_MS, 1),
            "underruns": self._bridge.underruns,
            "overruns": self._bridge.overruns,
            "round_trip_ms": None if round_trip is None else round(round_trip * 1000, 1),
            "reconnects": self.reconnects,
            "pakes": self.pakes,
            "path": self.path,
            "path_in": self.ways.back,
            "wav": {"in_start_ns": recorded_in.start_ns, "out_start_ns": recorded_out.start_ns},
            "sources": dict(self._heard_by_name.frames),
            "sources_left_out": self._heard_by_name.left_out,
            "passed_over": totals["passed_over"] + self.hearing.passed_over,
        }
