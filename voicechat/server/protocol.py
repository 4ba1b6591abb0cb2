"""The server's TCP protocol: an Int32StringReceiver that hands on.

Before login it is a visitor of `Admission`, afterwards the peer of a `Seat`. Every
error of the other side ends here, in one place, and costs this connection only.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final, ParamSpec

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory

from voicechat.carriage.tcp import Connection
from voicechat.errors import PasswordRefused, WireError
from voicechat.media.packet import MediaPacket
from voicechat.media.redundancy import RedundancyPolicy
from voicechat.security.tickets import TicketUnknown
from voicechat.server.hall import Seat
from voicechat.server.hub import Hub, TurnedAway
from voicechat.server.limits import Bucket, media_bytes, neighbourhood
from voicechat.session.server import ServerSession, refusal
from voicechat.session.states import State
from voicechat.wire import messages, text
from voicechat.wire.handshake import Hello, Reason, Refuse, Resume
from voicechat.wire.media import upward

P = ParamSpec("P")

EXCESS: Final = 9
"""Times the allowed rate that may be dropped on top of it before a participant is cut."""

LET_IN: Final = 10
"""Connections taken in a turn of the reactor: 4 ms. Voices that come meanwhile wait so long; of a hundred, as Twisted
takes them, they waited a tenth of a second (measured). Fewer would keep a friend in the kernel's queue in a flood of
logins, of which each turn computes one."""


class VoiceServerProtocol(Connection):
    """One client."""

    session: ServerSession

    def __init__(self, hub: Hub, address: str) -> None:
        super().__init__(hub.clock)
        self._hub = hub
        self.address = address
        """What limits and log lines go by: the address, for IPv6 the /64."""
        self.session = ServerSession(hub.password)
        self._seat: Seat | None = None
        self._resume: Resume | None = None
        """What it brought in place of a password."""
        now, limits = hub.clock.seconds(), hub.limits
        self._packets = Bucket(limits.media_a_second, limits.media_burst, now)
        self._bytes = Bucket(0.0, 0.0, now)
        self._control = Bucket(limits.control_a_second, limits.control_burst, now)
        self._excess_since, self._excess = now, 0
        self._strings = Bucket(limits.messages_a_second, limits.messages_burst, now)
        self._texts = Bucket(limits.text_a_second, limits.text_burst, now)

    # -- before login -------------------------------------------------------------

    def line_stands(self) -> None:
        """A visitor came."""
        self._hub.admission.came(self)

    @property
    def guesses(self) -> bool:
        """A login with the password has begun."""
        return self.session.state is State.HELLO

    def prove(self) -> None:
        """The visitor's turn has come, unless it is being closed."""
        if not self.stands:
            return
        if self._resume is None:
            self._guard(self._answer)
        else:
            self._guard(self._come_back, self._resume)

    def _ask_in(self, string: Hello | Resume) -> None:
        """HELLO or RESUME: queue for it; from a banned address nobody logs in."""
        banned = self._hub.admission.banned(self) if isinstance(string, Hello) else 0.0
        if banned:
            self.send_clear(Refuse(Reason.TRY_LATER, min(255, int(banned) + 1)).build())
            self.close()
            return
        self._resume = string if isinstance(string, Resume) else None
        self._hub.admission.queue(self)

    def _answer(self) -> None:
        self.send_clear(self.session.answer())

    def show_out(self, why: str) -> None:
        """No login in time, or the place is needed: without a word, so that a friend just tries again."""
        if why == messages.SHUTTING_DOWN:
            self.send_clear(Refuse(Reason.SHUTTING_DOWN).build())
            self.close()
        else:
            self.abort()

    # -- strings ------------------------------------------------------------------

    def string_came(self, string: bytes) -> None:
        """Any string."""
        self._guard(self._take, string)

    def _take(self, string: bytes) -> None:
        value = self.session.receive(string)
        if isinstance(value, MediaPacket):
            self._media(value, len(string))
        elif isinstance(value, Hello | Resume):
            self._ask_in(value)
        elif isinstance(value, messages.Request):
            self._enter(value)
        elif value is not None:
            self._message(value)

    def _guard(self, action: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run something that the other side caused; whatever goes wrong ends this connection and no other."""
        try:
            action(*args, **kwargs)
        except (WireError, PasswordRefused) as error:
            self.went_wrong(error)
        except Exception:  # noqa: BLE001  the one place that keeps a fault of ours from costing others
            self._hub.metrics.failure(f"a fault in handling {self.address}", self.clock.seconds())
            self.abort()

    def went_wrong(self, error: Exception) -> None:
        """The other side broke the protocol, or does not know the password."""
        now, metrics = self.clock.seconds(), self._hub.metrics
        if isinstance(error, PasswordRefused):
            metrics.note("wrong password", self.address, now, "a login failed")
            if self._hub.admission.failed(self):
                metrics.note("ban", self.address, now, f"banned for {self._hub.limits.ban_seconds:.0f} s")
        elif isinstance(error, TicketUnknown):
            metrics.count("came back too late")  # after a restart of ours, every honest client
        else:
            metrics.note("bad input", self.address, now, str(error))
        if not self.stands:
            return
        if self._seat is None:
            self.send_clear(refusal(error))
            self.close()
        else:
            seat, self._seat = self._seat, None
            self._hub.leave(seat, "broke the protocol")
            self.abort()

    # -- entering -----------------------------------------------------------------

    def _enter(self, request: messages.Request) -> None:
        try:
            seat, welcome = self._hub.enter(self, request)
        except TurnedAway as refused:
            self._hub.metrics.note("turned away", self.address, self.clock.seconds(), refused.reason)
            self.send_clear(self.session.turn_away(refused.reason, 5.0))
            self.close()
            return
        self._seated(seat, welcome)

    def _come_back(self, resume: Resume) -> None:
        seat, ticket = self._hub.redeem(resume)
        self.session.resume(ticket, resume)
        self._seated(seat, self._hub.resume(self, seat))

    def _seated(self, seat: Seat, welcome: messages.Welcome) -> None:
        self._seat = seat
        allowed = self._hub.limits.media_share * media_bytes(welcome.bitrate)
        self._bytes = Bucket(allowed, allowed, self.clock.seconds())
        self._hub.admission.gone(self)
        self.send_clear(self.session.enter(welcome))
        self.start_heartbeat()
        self.ping_now()  # how far he is, for those who hear him
        self.link = self._hub.datagrams.open(self.session.keys, welcome.connection, self.send)
        if self.link is not None:
            self.link.on_media = self._datagram
            if welcome.quality.pairs:
                self.link.policy = RedundancyPolicy(first=0)  # pairs until a report says that the line loses
        self._hub.entered(seat)

    # -- in the room --------------------------------------------------------------

    def _datagram(self, packet: bytes, size: int) -> None:
        """A media packet came over UDP; one that comes after a goodbye is late, not wrong."""
        if self.stands and self._seat is not None:
            self._guard(self._take_datagram, packet, size)

    def _take_datagram(self, packet: bytes, size: int) -> None:
        self._media(upward(self.session.datagram(packet)), size)

    def _media(self, packet: MediaPacket, size: int) -> None:
        seat = self._seat
        if seat is None:
            return
        now = self.clock.seconds()
        if not self._packets.take(now) or not self._bytes.take(now, size):
            self._hub.metrics.count("media over the limit")
            self._too_much(now)
            return
        seat.hall.arrived(seat, packet)
        if seat.hall.conference.mixing:
            self._hub.ticker.wake()

    def _too_much(self, now: float) -> None:
        """More media than anybody needs is dropped; ten times as much for some seconds ends it."""
        limits = self._hub.limits
        if now - self._excess_since > limits.excess_seconds:
            self._excess_since, self._excess = now, 0
        self._excess += 1
        if self._excess > EXCESS * limits.media_a_second * limits.excess_seconds:
            raise WireError("far too many packets")

    def _message(self, message: messages.Message) -> None:
        if self._seat is None:
            return
        if not self._strings.take(self.clock.seconds()):
            raise WireError("far too many messages")
        if isinstance(message, messages.Pong):
            self.answered(message)
        elif isinstance(message, messages.Path | messages.Report):
            self._about_link(message)
        elif self._control.take(self.clock.seconds()):
            self._act(self._seat, message)
        else:
            self._hub.metrics.note("messages over the limit", self.address, self.clock.seconds())

    def _act(self, seat: Seat, message: messages.Message) -> None:
        """What a participant asks for; the session's table has let nothing else pass."""
        match message:
            case messages.Ping():
                self.answer(message)
            case messages.State():
                seat.hall.state(seat, message)
            case messages.Gain(source, gain):
                seat.hall.gain(seat, source, gain)
            case messages.Text():
                if self._texts.take(self.clock.seconds()):
                    seat.hall.text(seat, text.line(message.text))
                else:
                    self._hub.metrics.note("messages over the limit", self.address, self.clock.seconds())
            case messages.Bye():
                self._seat = None
                self._hub.leave(seat, "")
                self.close()

    def _about_link(self, message: messages.Path | messages.Report) -> None:
        if self.link is None:
            return
        if isinstance(message, messages.Path):
            self.link.told(message)
        else:
            self.link.reported(message)

    def line_broke(self) -> None:
        """The connection is over."""
        self._seat = None
        with ExitStack() as rest:  # all of it, even if something of it fails
            rest.callback(self._hub.gone, self)
            rest.callback(self._hub.admission.gone, self)
            if self.link is not None:
                self._hub.datagrams.close(self.link)


class VoiceServerFactory(ServerFactory):
    """Makes a protocol for each connection."""

    noisy = False

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._port: Any = None
        self._held_back = False

    def listens(self, port: Any) -> None:
        """What listens takes LET_IN connections in a turn of the reactor from now on."""
        self._port = port
        self._hold_back()

    def _hold_back(self) -> None:
        """In a flood Twisted takes a hundred in a turn, and twenty more in each."""
        self._held_back = False
        self._port.numberAccepts = LET_IN

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """One for ``addr``."""
        if self._port is not None and not self._held_back:
            self._held_back = True
            self._hub.clock.callLater(0, self._hold_back)
        return VoiceServerProtocol(self._hub, neighbourhood(getattr(addr, "host", "local")))
