"""A `Peer` on a clock: what any carriage feeds, and what server and client speak to.

The carriage hands strings over and takes them; whoever has a UDP port hands datagrams over
and takes them (``send_datagram``). After each of these, and when something is due, the peer's
events go to the listener, and what it wants sent is sent. Nothing else is decided here.

More than 300 lines, since both who speak to it, the carriage and the owner, need one object: what
the one does has to be pumped to the other.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime

from voicechat.carriage.channel import Address, IChannel, UdpChannel
from voicechat.carriage.clock import Timer
from voicechat.carriage.events import PeerEvent
from voicechat.carriage.peer import IAllowance, Peer
from voicechat.errors import TooLong, WireError
from voicechat.session.base import Session
from voicechat.wire.datagrams import DatagramHeader
from voicechat.wire.messages import Bye, Message

LINGER: Final = 1.0
"""Seconds that last words may take to leave before the connection is aborted."""


class ICarriage(Protocol):
    """What takes strings to the other side, whole and in order."""

    overhead: int
    """Bytes that it sends with each string."""

    @property
    def host(self) -> str | None:
        """The other side's address, where datagrams may reach it, too; None if it has none."""

    def send_string(self, string: bytes) -> None:
        """Send a string; never waits. `Connection.paused` tells that enough is waiting."""

    def reading(self, on: bool) -> None:
        """Read no more for now, or go on."""

    def close(self) -> None:
        """Close when everything has left; `Connection.disconnected` follows."""

    def abort(self) -> None:
        """End now; `Connection.disconnected` follows."""


class IConnectionListener(Protocol):
    """Whoever has the connection. What it raises is a fault of ours; `fault` is told of those that a string caused."""

    def connected(self) -> None:
        """The carriage stands."""

    def happened(self, event: PeerEvent) -> None:
        """Something came, or happened. After `Wrong` and `Lifeless` it closes or aborts."""

    def fault(self) -> None:
        """A fault of ours, the exception at hand, in what a string has caused; it may be raised again.

        The connection is aborted after it.
        """

    def disconnected(self) -> None:
        """The connection is over, whoever ended it. Called once, and nothing after it."""


class Connection:
    """One connection. ``session``: this end's, before its handshake."""

    def __init__(self, clock: IReactorTime, session: Session, listener: IConnectionListener) -> None:
        self.clock = clock
        self.peer = Peer(session)
        self.send_datagram: Callable[[bytes, Address], None] = lambda _datagram, _address: None
        """How datagrams leave; set by who opens the channel."""
        self._listener = listener
        self._carriage: ICarriage | None = None
        self._sending = self._handing_over = self._closing = False
        self._timer = Timer(clock, self._due)
        self._linger = Timer(clock, self.abort)
        self._pause = Timer(clock, self._read_on)

    # -- the carriage calls these -----------------------------------------------------

    @property
    def longest(self) -> int:
        """Bytes of a string that the other side may send now."""
        return self.peer.longest

    def connected(self, carriage: ICarriage) -> None:
        """The carriage stands."""
        self._carriage = carriage
        self._listener.connected()
        self._pump()

    def carried_by(self, carriage: ICarriage) -> None:
        """The carriage turns out to be another one; none has carried a string yet."""
        self._carriage = carriage

    def received(self, size: int) -> None:
        """So many bytes came."""
        self.peer.bytes_in += size

    def string_received(self, string: bytes) -> None:
        """A whole string came."""
        try:
            self.peer.string_received(string, self.clock.seconds())
            self._pump()
        except Exception:  # noqa: BLE001  the listener tells of it; what a string does ends this connection alone
            try:
                self._listener.fault()
            finally:
                self.abort()

    def too_long(self, length: int) -> None:
        """A string announces itself that is too long; not a byte of it is read."""
        self.wrong(TooLong(length))

    def wrong(self, error: WireError) -> None:
        """What came is no string at all."""
        self.peer.fail(error)
        self._pump()

    def paused(self, paused: bool) -> None:
        """The carriage takes no more for now, or takes all again; at the end it has to."""
        self.peer.paused(paused and not self._closing)
        if not paused:
            self._pump()

    def disconnected(self) -> None:
        """The carriage is gone."""
        self._carriage = None
        with ExitStack() as rest:  # all of it, even if something of it fails
            rest.callback(self._listener.disconnected)
            rest.callback(self._pause.stop)
            rest.callback(self._over)

    # -- whoever has the UDP port calls this ------------------------------------------

    def datagram_received(self, header: DatagramHeader, datagram: bytes, address: Address) -> None:
        """A datagram with the channel's number. WireError, and nothing happens, if it is none of the other side's."""
        try:
            self.peer.datagram_received(header, datagram, address, self.clock.seconds())
        finally:
            self._pump()

    def channel_takes(self, take: Callable[[float], bytes | None], size: int) -> None:
        """A datagram of ``size`` bytes came for a channel that opens by itself.

        ``take`` gives it to the channel, at the time that it is called with, and returns the media that was in it.
        What it raises is raised, when what has come of it is done.
        """
        now = self.clock.seconds()
        try:
            self.peer.channel_took(take(now), size, now)
        finally:
            self.peer.settle(now)
            self._pump()

    # -- server and client call these -------------------------------------------------

    @property
    def session(self) -> Session:
        """This end's session."""
        return self.peer.session

    @property
    def channel(self) -> UdpChannel | None:
        """The datagrams beside the strings, if there are any."""
        return self.peer.datagrams

    @property
    def host(self) -> str | None:
        """The other side's address, where datagrams may reach it, too."""
        return None if self._carriage is None else self._carriage.host

    @property
    def stands(self) -> bool:
        """Neither closed nor being closed."""
        return self._carriage is not None and self.peer.open

    @property
    def round_trip(self) -> float | None:
        """Seconds there and back by strings, smoothed; None while it is not known."""
        return self.peer.heartbeat.round_trip

    @property
    def redundancy(self) -> int:
        """Offset in ticks of the earlier frame that packets should carry again; 0 for none."""
        return self.peer.redundancy

    def lateness(self) -> tuple[list[float], int]:
        """As `Peer.lateness`, now."""
        return self.peer.lateness(self.clock.seconds())

    def send_clear(self, string: bytes) -> None:
        """A string of the handshake."""
        self.peer.send_clear(string)
        self._pump()

    def send(self, message: Message) -> None:
        """A control message; never dropped while it is true, but a peer that takes none is cut."""
        self.peer.send(message, self.clock.seconds())
        self._pump()

    def send_media(self, packet: bytes, *, twice: bool = False) -> None:
        """A plaintext media packet: at once, or soon, or never. ``twice``: again, where packets get lost."""
        peer = self.peer
        peer.send_media(packet, self.clock.seconds(), twice=twice)
        outgoing = peer.outgoing
        if not outgoing:
            self._pump()
            return
        while outgoing:  # the usual way, once for each listener of each packet: nothing else has changed
            self.send_datagram(*outgoing.popleft())
        if peer.deadline != self._timer.at:
            self._timer.start_at(peer.deadline)

    def enter(self, allowance: IAllowance | None = None) -> None:
        """The handshake is done."""
        self.peer.enter(self.clock.seconds(), allowance)
        self._pump()

    def open_channel(
        self,
        number: int,
        send_datagram: Callable[[bytes, Address], None],
        address: Address | None = None,
        *,
        resting: bool = False,
        pairs: bool = False,
    ) -> UdpChannel:
        """Have datagrams beside the strings, as `Peer.open_channel` does."""
        self.send_datagram = send_datagram
        channel = self.peer.open_channel(number, self.clock.seconds(), address, resting=resting, pairs=pairs)
        self._pump()
        return channel

    def use(self, channel: IChannel, send_datagram: Callable[[bytes, Address], None]) -> None:
        """Have this channel beside the strings, in place of the one that was."""
        self.send_datagram = send_datagram
        self.peer.use(channel, self.clock.seconds())
        self._pump()

    def ask(self) -> None:
        """Ping at once, for a round trip time."""
        self.peer.ask(self.clock.seconds())
        self._pump()

    def measure(self) -> None:
        """Learn how uneven the connection is."""
        self.peer.measure(self.clock.seconds())
        self._pump()

    def pause(self, seconds: float) -> None:
        """Read nothing for so long."""
        if self._carriage is not None and not self._pause.runs:
            self._carriage.reading(False)
            self._pause.start(seconds)

    def _read_on(self) -> None:
        if self._carriage is not None:
            self._carriage.reading(True)

    def farewell(self, message: Bye) -> None:
        """Say goodbye and close."""
        self.send(message)
        self.close()

    def close(self) -> None:
        """Close after all that was sent, also what waits yet; abort when that takes too long."""
        carriage = self._carriage
        if carriage is None or not self.peer.open:
            return
        self._closing = True
        self.paused(False)
        self._over()
        self._linger.start(LINGER)
        carriage.close()

    def abort(self) -> None:
        """End the connection now."""
        with ExitStack() as rest:
            if self._carriage is not None:
                rest.callback(self._carriage.abort)
            rest.callback(self._over)

    def _over(self) -> None:
        with ExitStack() as rest:
            rest.callback(self._linger.stop)
            rest.callback(self._timer.stop)
            rest.callback(self.peer.close)

    # -- the pump -----------------------------------------------------------------------

    def _due(self) -> None:
        try:
            # never earlier than the time it was asked for: now and a difference may add up to a hair less
            self.peer.poll(max(self.clock.seconds(), self.peer.deadline))
            self._pump()
        except Exception:
            self.abort()  # what is due would be due again at once
            raise

    def _pump(self) -> None:
        """Tell what happened, send what is to be sent, and be called when something is due."""
        peer = self.peer
        outgoing = peer.outgoing
        while outgoing:
            self.send_datagram(*outgoing.popleft())
        if peer.has_strings:
            self._send_strings()
        if peer.events:
            self._hand_over()
        if peer.open and peer.deadline != self._timer.at:
            self._timer.start_at(peer.deadline)

    def _hand_over(self) -> None:
        if self._handing_over:
            return  # the listener has something sent: what happened meanwhile is told after what it is told now
        self._handing_over = True
        try:
            events = self.peer.events
            while events:
                self._listener.happened(events.popleft())
        finally:
            self._handing_over = False

    def _send_strings(self) -> None:
        carriage = self._carriage
        if carriage is None or self._sending:
            return  # a carriage that tells in the midst of a string that it takes more
        self._sending = True
        try:
            now = self.clock.seconds()
            while (string := self.peer.next_string(now)) is not None:
                self.peer.bytes_out += carriage.overhead
                carriage.send_string(string)
        finally:
            self._sending = False
