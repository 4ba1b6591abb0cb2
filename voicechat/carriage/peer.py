"""One connection, at either end and over any carriage, without the carriage.

Feed a `Peer` what came: `string_received` and `datagram_received`; say whether the carriage
takes more (`paused`), and call `poll` at `deadline`. Then take what there is:

    next_string   strings to be sent, in this order
    outgoing      datagrams to be sent
    events        what happened: MediaPacket and Message of the other side, and those of `carriage.events`

Before the session is in the room, each string is an event, `Clear`: each end has its own
handshake in its session, and a server its own time for it.

Sealed strings must leave in the order of their counter, so sealing happens when a string
is taken and never before. While the carriage takes all, that is at once; one that does not
leaves packets in the outbox, where media grows old and is dropped and control is bounded.

Pure: times are seconds of a monotonic clock; it knows no socket, clock or Twisted.

More than 300 lines, since it is one machine; what stands alone in it is in `channel`, `heartbeat`
and `session.outbox`.
"""

from collections import deque
from typing import Final, Protocol

from voicechat.carriage.channel import Address, IChannel, UdpChannel
from voicechat.carriage.events import Asked, Clear, Confirmed, Lifeless, PeerEvent, ReceivedOver, SentOver, Wrong
from voicechat.carriage.heartbeat import Heartbeat
from voicechat.errors import WireError
from voicechat.media.packet import MediaPacket
from voicechat.media.redundancy import RedundancyPolicy
from voicechat.session.base import Packet, Session
from voicechat.session.outbox import Outbox, OutboxFull, subject
from voicechat.session.states import SessionState
from voicechat.wire import control, handshake
from voicechat.wire.datagrams import DatagramHeader
from voicechat.wire.messages import Message, Path, Ping, Pong, Report

_NEVER: Final = float("inf")


class IAllowance(Protocol):
    """What the other side may send: asked before anything is done with it. Each may raise WireError: far too much."""

    def string(self, now: float, packet: bytes, size: int) -> bool:
        """Whether a packet that opened, of a string of ``size`` bytes, is looked at."""

    def datagram(self, now: float) -> bool:
        """Whether a datagram that opened, of whatever type, is looked at."""

    def media(self, now: float, size: int) -> bool:
        """Whether the media in a datagram of ``size`` bytes is looked at."""

    def ping(self, now: float) -> bool:
        """Whether a ping is answered."""


class Peer:
    """The other end of one connection, as this end deals with it. ``session``: this end's, before its handshake."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.outbox = Outbox()
        self.heartbeat = Heartbeat()
        self.channel: IChannel | None = None
        """The way of media beside the strings, if there is one."""
        self.datagrams: UdpChannel | None = None
        """The same, if it is one of our own datagrams."""
        self.events: deque[PeerEvent] = deque()
        self.longest = session.LONGEST_CLEAR
        """Bytes of a string that the other side may send now."""
        self.open = True
        """Neither closed nor wrong: what comes is listened to, and what is sent leaves."""
        self.deadline = _NEVER
        """When `poll` is to be called next; infinity for never."""
        self._allowance: IAllowance | None = None
        self._clear: deque[bytes] = deque()
        self._paused = False
        self._confirmed = False
        self._sent_up = False
        self._received_up: bool | None = None
        self.packets_in = self.packets_out = self.bytes_in = self.bytes_out = 0
        """Of strings, with what the carriage puts before them."""

    # -- figures --------------------------------------------------------------------

    @property
    def arrivals(self) -> int:
        """Strings and datagrams that came."""
        return self.packets_in + (0 if self.channel is None else self.channel.packets_in)

    def traffic(self) -> dict[str, int]:
        """Packets and bytes of strings and datagrams, each way."""
        ways = [self] if self.channel is None else [self, self.channel]
        return {
            field: sum(getattr(way, field) for way in ways)
            for field in ("packets_in", "packets_out", "bytes_in", "bytes_out")
        }

    def lateness(self, now: float) -> tuple[list[float], int]:
        """How uneven the way there and back is: seconds by which answers were late, and how many probes were lost.

        By datagrams or by pings, whichever there were more of.
        """
        late = self.heartbeat.round_trips.lateness()
        if self.datagrams is None:
            return late, 0
        by_datagrams = self.datagrams.reachability.round_trips.lateness()
        return by_datagrams if len(by_datagrams) >= len(late) else late, self.datagrams.reachability.lost(now)

    # -- what came ------------------------------------------------------------------

    def string_received(self, string: bytes, now: float) -> None:
        """A whole string; what comes after the end is not listened to."""
        if not self.open:
            return
        self.packets_in += 1
        session, allowance = self.session, self._allowance
        if session.state is not SessionState.IN_ROOM:
            self.events.append(Clear(string))
            return
        try:
            packet = session.opened(string)
            self._confirm()
            if allowance is None or allowance.string(now, packet, len(string)):
                value = session.read(packet)
                if value is not None:
                    self._received(value, now)
        except WireError as error:
            self.fail(error)

    def _confirm(self) -> None:
        if not self._confirmed:
            self._confirmed = True
            self.events.append(Confirmed())

    def _received(self, value: Packet, now: float) -> None:
        channel = self.channel
        if isinstance(value, MediaPacket):
            if channel is not None:
                channel.received_up = False
                self._note_ways(channel)
            self.events.append(value)
        elif isinstance(value, Pong):
            self.heartbeat.answered(value.id, now, measuring=channel is None or not channel.up)
            self._set_deadline()
        elif isinstance(value, Ping):
            if self._allowance is None or self._allowance.ping(now):
                self.send(Pong(value.id), now)
        elif isinstance(value, Report):
            if channel is not None:
                channel.reported(value, now)
                self._settle(channel, now)
        elif isinstance(value, Path):
            if channel is not None:
                channel.path_received(value, now)
                self._settle(channel, now)
        else:
            self.events.append(value)

    def datagram_received(self, header: DatagramHeader, datagram: bytes, address: Address, now: float) -> None:
        """A datagram with our channel's number. WireError, and nothing happens, if it does not open or is no probe."""
        channel = self.datagrams
        assert channel is not None
        packet = channel.opened(header, datagram)
        if not self.open:
            return  # one that comes after a goodbye is late, not wrong
        self._confirm()
        size = len(datagram)
        allowance = self._allowance
        try:
            if allowance is not None and not allowance.datagram(now):
                return
        except WireError as error:
            self.fail(error)
            return
        is_media = channel.received(header, packet, size, address, now)
        if not is_media or channel.deadline < self.deadline or channel.received_up is not self._received_up:
            self._settle(channel, now)  # not after each packet of media, which mostly changes nothing
        if is_media:
            try:
                if allowance is None or allowance.media(now, size):
                    self.events.append(self.session.read_media(packet))
            except WireError as error:
                self.fail(error)

    def channel_took(self, packet: bytes | None, size: int, now: float) -> None:
        """A channel that opens by itself took in a good datagram of ``size`` bytes; ``packet``: the media in it."""
        allowance = self._allowance
        try:
            if not self.open or (allowance is not None and not allowance.datagram(now)):
                return
            if packet is not None and (allowance is None or allowance.media(now, size)):
                self.events.append(self.session.read_media(packet))
        except WireError as error:
            self.fail(error)

    def settle(self, now: float) -> None:
        """Take over what the channel has come to, whatever it was given."""
        if self.channel is not None and self.open:
            self._settle(self.channel, now)

    def fail(self, error: WireError) -> None:
        """The other side did something wrong: tell, and listen to nothing more."""
        if self.open:
            self.session.close()
            self.events.append(Wrong(error))

    # -- what is to be sent ---------------------------------------------------------

    def send_clear(self, string: bytes) -> None:
        """A string of the handshake."""
        if self.open:
            self._clear.append(string)

    def send(self, message: Message, now: float) -> None:
        """A control message; never dropped while it is true, but a peer that takes none is `Lifeless`."""
        if not self.open:
            return
        try:
            self.outbox.put_control(control.encode(message), subject(message))
        except OutboxFull:
            self.events.append(Lifeless("it takes nothing"))

    def send_media(self, packet: bytes, now: float, *, twice: bool = False) -> None:
        """A plaintext media packet: at once, or soon, or never. ``twice``: again, where packets get lost."""
        if not self.open:
            return
        channel = self.channel
        if channel is None or not channel.up:
            self.outbox.put_media(packet, now)
            return
        channel.send_media(packet, now)
        if twice:
            channel.send_media(packet, now)
        self.deadline = min(self.deadline, channel.deadline)

    @property
    def redundancy(self) -> int:
        """Offset in ticks of the earlier frame that packets should carry again; 0 for none. Strings lose nothing."""
        return self.channel.redundancy if self.channel is not None and self.channel.up else 0

    def paused(self, paused: bool) -> None:
        """The carriage takes no more for now, or takes all again."""
        self._paused = paused

    @property
    def has_strings(self) -> bool:
        """Something is to be sent, or waits until the carriage takes more."""
        return bool(self._clear or self.outbox)

    def next_string(self, now: float) -> bytes | None:
        """The next string to be sent, or None: there is none, or the carriage takes none."""
        if self._clear:
            string = self._clear.popleft()
        else:
            packet = None if self._paused else self.outbox.take(now)
            if packet is None:
                return None
            string = self.session.seal(packet)
        self.packets_out += 1
        self.bytes_out += len(string)
        return string

    @property
    def outgoing(self) -> deque[tuple[bytes, Address]]:
        """Datagrams to be sent, and where to; to be emptied by who sends them."""
        return _NOTHING if self.channel is None else self.channel.outgoing

    # -- its life -------------------------------------------------------------------

    def enter(self, now: float, allowance: IAllowance | None = None) -> None:
        """The handshake is done: heartbeats begin, and strings may be longer. ``allowance`` counts from now on."""
        self.longest = handshake.MAX_WELCOME
        self._allowance = allowance
        self.heartbeat.start(now)
        self._set_deadline()

    def open_channel(
        self, number: int, now: float, address: Address | None = None, *, resting: bool = False, pairs: bool = False
    ) -> UdpChannel:
        """Have datagrams beside the strings. ``pairs``: no redundancy until a report says that datagrams are lost."""
        channel = UdpChannel(self.session.keys, number, now, address, resting=resting)
        if pairs:
            channel.policy = RedundancyPolicy(first=0)
        self.channel = self.datagrams = channel
        channel.poll(now)
        self._settle(channel, now)
        return channel

    def use(self, channel: IChannel, now: float) -> None:
        """Have this channel from now on, in place of the one that was."""
        if self.channel is not None:
            self.channel.stop()
        self.channel, self.datagrams = channel, None
        self._settle(channel, now)

    def ask(self, now: float) -> None:
        """Ping at once."""
        self.heartbeat.ask(now)
        self._set_deadline()

    def measure(self, now: float) -> None:
        """Learn how uneven the connection is."""
        self.heartbeat.measure(now)
        self._set_deadline()

    def poll(self, now: float) -> None:
        """Do what is due."""
        if now >= self.heartbeat.overdue_at:
            self.heartbeat.stop()
            self.events.append(Lifeless("it does not answer"))
        else:
            number = self.heartbeat.poll(now)
            if number is not None:
                self.send(Ping(number), now)
                self.events.append(Asked())
        channel = self.channel
        if channel is not None and now >= channel.deadline:
            channel.poll(now)
            self._settle(channel, now)
        self._set_deadline()

    def close(self) -> None:
        """Nothing that came counts any more, and nothing more is sent but what `next_string` still has."""
        self.open = False
        self.events.clear()
        self.session.close()
        self.heartbeat.stop()
        if self.channel is not None:
            self.channel.stop()
        self._set_deadline()

    def _settle(self, channel: IChannel, now: float) -> None:
        """Take over what the channel has come to."""
        while channel.messages:
            self.send(channel.messages.popleft(), now)
        self._note_ways(channel)
        self._set_deadline()

    def _note_ways(self, channel: IChannel) -> None:
        if channel.up is not self._sent_up:
            self._sent_up = channel.up
            self.events.append(SentOver(channel.up))
        if channel.received_up is not self._received_up:
            self._received_up = channel.received_up
            self.events.append(ReceivedOver(bool(channel.received_up)))

    def _set_deadline(self) -> None:
        beat = self.heartbeat.deadline
        self.deadline = beat if self.channel is None else min(beat, self.channel.deadline)


_NOTHING: Final[deque[tuple[bytes, Address]]] = deque()
