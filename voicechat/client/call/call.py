"""The call: one player's media and people, over one connection after another.

Joins its parts: who is there (`friends`), what is said (`uplink`) and heard (`playback`), text and lines
for the player (`chat`), the ways that sound takes (`ways`), and what is counted (`figures`).
Nothing here connects or reconnects; that is `network.reconnecting`.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.call.cancelling import EchoCancelling, EchoMode
from voicechat.client.call.chat import Chat, hours_and_minutes
from voicechat.client.call.figures import CallFigures, IRecording
from voicechat.client.call.friends import Friends
from voicechat.client.call.measured import Measured
from voicechat.client.call.playback import Playback
from voicechat.client.call.uplink import Uplink
from voicechat.client.call.voice import Voice
from voicechat.client.call.ways import Ways
from voicechat.client.network.outage import IRecovery
from voicechat.client.network.protocol import RemoteServer
from voicechat.client.notices import INotices
from voicechat.errors import WireError
from voicechat.interfaces import IDescribedCodec
from voicechat.media.echo_detector import EchoDetector
from voicechat.media.hearing import Hearing
from voicechat.media.packet import MIX, MediaPacket
from voicechat.wire import messages, older


class Call:
    """Media and people of one client."""

    def __init__(
        self,
        clock: IReactorTime,
        codec: IDescribedCodec,
        bridge: AudioBridge,
        notices: INotices,
        wall_clock: Callable[[], str] = hours_and_minutes,
        voice: Voice | None = None,
        cancelling: EchoCancelling | None = None,
    ) -> None:
        self._clock = clock
        self._bridge = bridge
        self.chat = Chat(clock, notices, self._changed, wall_clock)
        self._echoes = EchoDetector()
        self.voice = voice or Voice()
        """What is done to our own voice before it is coded."""
        self.cancelling = cancelling or EchoCancelling(bridge.gate, EchoMode.OFF)
        """What is taken off it before that: friends, out of the loudspeaker."""
        self.friends = Friends()
        self.hearing = Hearing(codec)
        self.hearing.on_forwarded = self._watch
        self.measured = Measured()
        self.hearing.lateness = self.measured.lateness
        self.playback = Playback(clock, self.hearing, bridge)
        self.uplink = Uplink(codec, self.voice, self.friends, self._echoes, self.cancelling, self._changed)
        self.source = 0
        self.echo = 0
        """Who says again what we say, in an echo test; 0: this is none."""
        self.name = self.room = ""
        """Ours, as the server has them."""
        self.server = ""
        """As the player named it."""
        self._deafened = False
        self.on_change: Callable[[], None] = lambda: None
        """Called when people, connection or path changed, or a text line is new."""
        self.on_entered: Callable[[], None] = lambda: None
        """Called at each entering, when messages can be sent."""
        self.on_unheard: Callable[[], None] = lambda: None
        """Called when whoever is muted talks."""
        self.recovery: IRecovery | None = None
        """Who brings a broken line back."""
        self.on_joined: Callable[[messages.Participant], None] = lambda _person: None
        """Called when somebody entered the room."""
        self.ways = Ways(clock, self._notify_of_connection, self._changed)
        self.sent_over, self.received_over = self.ways.sent_over, self.ways.received_over
        self.password_logins = 0
        self.reconnects = 0
        self._figures = CallFigures(self.friends, self.hearing, bridge, self.ways, self.measured)
        self._codec = codec
        bridge.on_turn = self.turn
        bridge.on_unheard = self._unheard

    # -- connections ----------------------------------------------------------------

    def entered(self, connection: RemoteServer, welcome: messages.Welcome) -> None:
        """In the room; ``connection`` carries the media from now on."""
        self.measured.connection = connection
        self.source, self.name, self.room = welcome.source, welcome.name, welcome.room
        self.echo = welcome.echo
        self._figures.settle_all()
        here = {person.source: person.name for person in welcome.roster}
        for source in self.hearing.talkers:
            if here.get(source) != self.friends.name(source):  # gone meanwhile; the number may be somebody else's
                self.hearing.forget(source)
                self._echoes.forget(source)
        self.uplink.entered(connection, welcome.bitrate, pairs=welcome.quality.pairs)
        self.chat.notices.say(self.friends.welcome(welcome))
        self.ways.entered(udp=connection.has_udp)
        self.on_entered()

    def _changed(self) -> None:
        self.on_change()

    def _notify_of_connection(self, line: str) -> None:
        self.chat.notify(line, self.chat.notices.trouble)

    def _unheard(self) -> None:
        self.on_unheard()

    @property
    def path(self) -> str:
        """The carriage of what we send, 'udp' or 'tcp'."""
        return self.ways.out

    def disconnected(self, connection: RemoteServer) -> None:
        """The connection is over; what it counted is kept."""
        present = connection is self.connection
        self.measured.ended(connection)
        if present:
            self.uplink.disconnected()
            self.ways.disconnected()
            self.friends.disconnected()
            self.on_change()

    @property
    def connection(self) -> RemoteServer | None:
        """The present one: we are in the room."""
        return self.measured.connection

    @property
    def connected(self) -> bool:
        """In the room now."""
        return self.connection is not None

    @property
    def lost(self) -> bool:
        """Nobody hears us: there is no connection, or nothing answers on it."""
        return not self.connected or (self.recovery is not None and self.recovery.outage() is not None)

    @property
    def level(self) -> float:
        """Mean square of the microphone's last frame."""
        return self._bridge.level

    @property
    def talking(self) -> bool:
        """What the microphone hears is meant to be sent."""
        return self._bridge.talking and (self.uplink.talking or not self.connected)

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
        while (played := self._bridge.played()) is not None:
            self.cancelling.heard(played.tick, played.frame, played.mean_square, opened=played.opened)
        while (captured := self._bridge.captured()) is not None:
            self.uplink.push(captured)
        self.playback.turn()

    def media_received(self, packet: MediaPacket) -> None:
        """A media packet from the server. WireError if it cannot be played."""
        if packet.source == self.source:
            raise WireError("the server returned our own voice")
        if self._deafened:
            return  # sent before the server knew
        if packet.source == MIX:
            self._figures.count_mixed()
        self.playback.arrived(packet)

    def _watch(self, source: int, mean_square: float) -> None:
        """A forwarded friend's frame is played; their microphone may return what we say."""
        if self._echoes.heard(source, self._bridge.tick, mean_square):
            self.chat.notify(f"{self.friends.shown(source)}'s microphone returns your voice: headphones would end that")

    def deafen(self, deafened: bool) -> None:
        """Play nothing, or what comes from now on."""
        self._deafened = deafened
        if deafened:
            self.playback.stop()
            self.hearing.stop()

    def message_received(self, message: messages.Message) -> None:
        """The room changed."""
        line = self.friends.learn(message)
        if isinstance(message, messages.Left):
            self._figures.settle(message.source)
            self.hearing.forget(message.source)
            self._echoes.forget(message.source)
        elif isinstance(message, messages.Joined):
            self.on_joined(message.participant)
        elif isinstance(message, messages.Text):
            self.chat.add(self.friends.name(message.source), message.text)
            return
        if line is not None:
            notices = self.chat.notices
            self.chat.notify(line, notices.talk if isinstance(message, messages.Talk) else notices.people)
        self.on_change()

    def stop(self) -> None:
        """The call is over: end the spurt, say goodbye."""
        self.playback.stop()
        self.ways.stop()
        if self.connection is not None:
            self.connection.farewell(messages.Bye(messages.LEAVING))

    def stats(self, recorded_in: IRecording, recorded_out: IRecording) -> dict[str, Any]:
        """What --stats writes."""
        return self._figures.written(
            recorded_in,
            recorded_out,
            frames_sent=self.uplink.sent,
            reconnects=self.reconnects,
            password_logins=self.password_logins,
        ) | {
            "opus": self._codec.described(),
            "echo": {
                "state": self.cancelling.works,
                "cancelled": self.cancelling.cancelled,
                "withheld": self.cancelling.withheld,
            },
        }
