"""A client, as the server deals with it over whatever carriage.

Before login it is a visitor of `Admission`, afterwards the peer of a `Seat`. Every
error of the other side ends here, in one place, and costs this connection only.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import ParamSpec, TypeVar

from voicechat.carriage.connection import Connection
from voicechat.carriage.events import Clear, Confirmed, Lifeless, PeerEvent, Wrong
from voicechat.errors import PasswordRefused, WireError
from voicechat.media.packet import MediaPacket
from voicechat.security.tickets import TicketUnknown
from voicechat.server.admission import Step
from voicechat.server.allowance import ParticipantAllowance
from voicechat.server.datagrams import DatagramPort
from voicechat.server.eventlog import Event
from voicechat.server.hub import Hub
from voicechat.server.metrics import Login
from voicechat.server.seat import Seat
from voicechat.server.yielding import TurnedAway
from voicechat.session.server import ServerSession, refusal
from voicechat.session.states import SessionState
from voicechat.wire import messages, text
from voicechat.wire.handshake import Auth, Hello, Reason, Refuse, Resume, decode

P = ParamSpec("P")
T = TypeVar("T")


class RemoteClient:
    """One client.

    ``address``: what limits and log lines go by; for IPv6 the /64.
    ``datagrams``: those beside the way that it came by, if there are any.
    """

    def __init__(self, hub: Hub, address: str, datagrams: DatagramPort | None = None) -> None:
        self._hub = hub
        self._datagrams = datagrams or DatagramPort(hub.clock, hub.metrics, hub.events)  # one that is never open
        self.address = address
        self._known = True  # the address is the client's own, and no proxy's
        self.session = ServerSession(hub.password)
        self.connection = Connection(hub.clock, self.session, self)
        self._seat: Seat | None = None
        self._returning: Seat | None = None
        """The seat whose ticket it showed, until it has shown the new keys, too."""
        self._resume: Resume | None = None
        """What it brought in place of a password."""
        self._auth = b""
        """Its proof, until the turn to look at it comes."""
        self._allowed: ParticipantAllowance
        """Set with the seat."""
        self.send, self.send_media = self.connection.send, self.connection.send_media
        self.farewell, self.abort = self.connection.farewell, self.connection.abort

    @property
    def stands(self) -> bool:
        """The connection is neither closed nor being closed."""
        return self.connection.stands

    @property
    def round_trip(self) -> float | None:
        """Seconds there and back; None while it is not known."""
        return self.connection.round_trip

    @property
    def redundancy(self) -> int:
        """Offset of the redundant frame on this hop; 0 for none."""
        return self.connection.redundancy

    @property
    def udp_port(self) -> int:
        """Where its datagrams may go: the port beside the one that it came by; 0 for none."""
        return self._datagrams.number_for(self.address)

    # -- before login -------------------------------------------------------------

    def is_behind(self, proxy: str) -> None:
        """It comes by way of a proxy, which has not told for whom."""
        self.address, self._known = proxy, False

    def comes_from(self, address: str) -> None:
        """The proxy has told."""
        self.address = address
        self._hub.admission.known(self)

    def connected(self) -> None:
        """A visitor came."""
        self._hub.admission.admit(self, known=self._known)

    @property
    def guesses(self) -> bool:
        """A login with the password has begun."""
        return self.session.state is SessionState.HELLO

    def prove(self) -> None:
        """The visitor's turn has come, unless it is being closed."""
        if not self.stands:
            return
        if self._auth:
            self._guard(self._proceed, self._auth)
        elif self._resume is None:
            self._guard(lambda: self.connection.send_clear(self.session.answer()))
        else:
            self._guard(self._come_back, self._resume)

    def _ask_in(self, string: Hello | Resume) -> None:
        """HELLO or RESUME: queue for it; from a banned address nobody logs in."""
        banned = self._hub.admission.banned(self) if isinstance(string, Hello) else 0.0
        if banned:
            self.connection.send_clear(Refuse(Reason.TRY_LATER, min(255, int(banned) + 1)).build())
            self.connection.close()
            return
        self._resume = string if isinstance(string, Resume) else None
        self._hub.admission.queue(self, Step.ANSWER if self._resume is None else Step.TICKET)

    def _ask_for_look(self, string: bytes) -> None:
        """AUTH: queue for it. What comes before its turn is not listened to: a guess at a time."""
        if self._auth:
            return
        if isinstance(decode(string), Auth):
            self._auth = string
            self._hub.admission.queue(self, Step.PROOF)
        else:
            self._proceed(string)  # costs nothing, and is told at once

    def reject(self, why: str) -> None:
        """No login in time, or the place is needed: without a word, so that a friend just tries again."""
        if why == messages.SHUTTING_DOWN and self._returning is None:
            self.connection.send_clear(Refuse(Reason.SHUTTING_DOWN).build())
            self.connection.close()
        else:
            self.abort()

    # -- what happens ---------------------------------------------------------------

    def happened(self, event: PeerEvent) -> None:
        """Whatever the connection brings."""
        self._guard(self._take, event)

    def _take(self, event: PeerEvent) -> None:
        if isinstance(event, MediaPacket):
            self._media(event)
        elif isinstance(event, messages.Message):
            self._message(event)
        elif isinstance(event, Clear):
            (self._ask_for_look if self.session.answered else self._proceed)(event.string)
        elif isinstance(event, Confirmed):
            self._opened()
        elif isinstance(event, Wrong):
            self.protocol_error(event.error)
        elif isinstance(event, Lifeless):
            self.abort()

    def _proceed(self, string: bytes) -> None:
        """The next string of the login."""
        value = self.session.receive(string)
        if isinstance(value, Hello | Resume):
            self._ask_in(value)
        elif isinstance(value, messages.Request):
            self._enter(value)

    def _now(self) -> float:
        return float(self._hub.clock.seconds())

    def _guard(self, action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Run something that the other side caused; whatever goes wrong ends this connection and no other."""
        try:
            return action(*args, **kwargs)
        except (WireError, PasswordRefused) as error:
            self.protocol_error(error)
        except Exception:  # noqa: BLE001  what keeps a fault of ours from costing others
            self.fault()
            self.abort()
        return None

    def fault(self) -> None:
        """A fault of ours, the exception at hand."""
        self._hub.events.failure(f"a fault in handling {self.address}", self._now())

    def protocol_error(self, error: Exception) -> None:
        """The other side broke the protocol, or does not know the password."""
        now, metrics, events = self._now(), self._hub.metrics, self._hub.events
        if isinstance(error, PasswordRefused):
            metrics.logins_total[Login.WRONG_PASSWORD].value += 1
            events.note(Event.WRONG_PASSWORD, self.address, now)
            if self._hub.admission.failed(self):
                metrics.bans_total.value += 1
                events.note(Event.BAN, self.address, now, f"{self._hub.limits.ban_seconds:.0f}")
        elif isinstance(error, TicketUnknown):
            metrics.logins_total[Login.TICKET_UNKNOWN].value += 1  # after a restart of ours, every honest client
        else:
            metrics.protocol_errors_total.value += 1
            events.note(Event.BAD_INPUT, self.address, now, str(error))  # the error itself would keep its frames
        if not self.stands:
            return
        if self._returning is not None:
            self.abort()  # what it was told is sealed; the seat stays as it was
        elif self._seat is None:
            self.connection.send_clear(refusal(error))
            self.connection.close()
        else:
            seat, self._seat = self._seat, None
            self._hub.leave(seat, "broke the protocol")
            self.abort()

    # -- entering -----------------------------------------------------------------

    def _enter(self, request: messages.Request) -> None:
        self._hub.admission.entered(self)
        try:
            seat, welcome = self._hub.enter(self, request)
        except TurnedAway as refused:
            self._hub.metrics.logins_total[Login.FULL].value += 1
            self._hub.events.note(Event.TURNED_AWAY, self.address, self._now(), refused.why)
            self.connection.send_clear(self.session.turn_away(refused.reason, 5.0))
            self.connection.close()
            return
        self._seat = seat
        self._greet(seat, welcome)

    def _come_back(self, resume: Resume) -> None:
        seat, ticket, welcome = self._hub.resume(self, resume)
        self.session.resume(ticket, resume)
        self._returning = seat
        self._greet(seat, welcome)

    def _greet(self, seat: Seat, welcome: messages.Welcome) -> None:
        hub = self._hub
        self._allowed = ParticipantAllowance(
            hub.limits, hub.metrics, hub.events, self.address, welcome.bitrate, self._now()
        )
        connection = self.connection
        connection.send_clear(self.session.enter(welcome))
        connection.enter(self._allowed)
        connection.ask()  # how far they are, for those who hear them; and an answer that settles who has the seat
        self._datagrams.open(connection, welcome.connection, pairs=welcome.quality.pairs)
        hub.entered(self, seat)

    def _opened(self) -> None:
        """Something opened under the keys of a ticket: its owner is back."""
        seat, self._returning = self._returning, None
        if seat is not None:
            self._seat = seat
            self._hub.admission.entered(self)
            self._hub.back(self, seat)

    # -- in the room --------------------------------------------------------------

    def _media(self, packet: MediaPacket) -> None:
        seat = self._seat
        if seat is None:
            return
        seat.live_room.arrived(seat, packet)
        if seat.live_room.conference.mixing:
            self._hub.ticker.wake()

    def _message(self, message: messages.Message) -> None:
        if self._seat is None:
            return
        if self._allowed.control(self._now()):
            self._act(self._seat, message)

    def _act(self, seat: Seat, message: messages.Message) -> None:
        """What a participant asks for; the session's table has let nothing else pass."""
        match message:
            case messages.State():
                seat.live_room.state(seat, message)
            case messages.Gain(source, gain):
                seat.live_room.gain(seat, source, gain)
            case messages.Text():
                if self._allowed.text(self._now()):
                    self._send_text(seat, message.text)
            case messages.Offer() if self._datagrams.takes_offers:
                self.connection.send(self._datagrams.offered(self.connection, message))
            case messages.Bye():
                self._seat = None
                self._hub.leave(seat, "")
                self.connection.close()

    def _send_text(self, seat: Seat, line: str) -> None:
        """A text line. 0.1.0 lets one pass of which nobody would see anything; that goes to nobody."""
        try:
            seat.live_room.text(seat, text.line(line))
        except WireError:
            if seat.letters:
                raise
            self._hub.metrics.texts_unseen_total.value += 1

    def disconnected(self) -> None:
        """The connection is over."""
        self._seat = self._returning = None
        with ExitStack() as rest:  # all of it, even if something of it fails
            rest.callback(self._hub.disconnected, self)
            rest.callback(self._hub.admission.disconnected, self)
            rest.callback(self._datagrams.close, self.connection)
