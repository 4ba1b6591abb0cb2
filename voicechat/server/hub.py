"""The hub: seats, rooms and the beat. It joins the pure parts and holds no sockets.

A login ends in `enter`, which gives the peer a seat or says why not. A ticket begins
in `resume`, which gives nothing yet: the seat stays as it is until the peer has shown
by a string under the new keys that it opened the answer, which `back` is told. A seat
whose connection was lost is kept for 60 s; on a full server it yields (`voicechat.server.yielding`).
"""

import secrets
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from voicechat.carriage.clock import Timer, ticks
from voicechat.interfaces import ICodec
from voicechat.media.quality import HIGH_BITRATE, NORMAL_BITRATE
from voicechat.rooms.conference import Conference
from voicechat.rooms.directory import Alone, Directory, Key
from voicechat.rooms.echo import EchoConference
from voicechat.rooms.room import Room
from voicechat.security.secret import Secret
from voicechat.security.tickets import AWAY_SECONDS, Ticket, TicketBook
from voicechat.server import census, greeting
from voicechat.server.admission import Admission
from voicechat.server.eventlog import EventLog
from voicechat.server.guard import GuardedCodec
from voicechat.server.limits import Limits
from voicechat.server.live_room import MOST_FAULTS, LiveRoom
from voicechat.server.metrics import Login, Metrics, Rejected
from voicechat.server.seat import IPeer, Returning, Seat
from voicechat.server.ticker import Ticker
from voicechat.server.yielding import TurnedAway, who_yields
from voicechat.session.bucket import Bucket
from voicechat.wire.handshake import Resume
from voicechat.wire.messages import (
    LETTERS,
    LOCKED_OUT,
    REPLACED,
    SHUTTING_DOWN,
    TRY_LATER,
    Bye,
    Request,
    Welcome,
)
from voicechat.wire.shown import quoted

RETRY_SECONDS: Final = 0.5
"""What clients are told to wait at a shutdown: a restart takes about as long."""

FAULT: Final = "the server has a fault"
"""Told to the people of a room that had to be closed."""


class Hub:
    """Everything that one server process knows."""

    def __init__(
        self,
        clock: IReactorTime,
        codec: ICodec,
        password: Secret,
        *,
        limits: Limits | None = None,
        bitrate: int = NORMAL_BITRATE,
        high_bitrate: int = HIGH_BITRATE,
        always_mix: bool = False,
        log: Logger | None = None,
    ) -> None:
        self.clock = clock
        self.password = password
        self.limits = limits or Limits()
        self.metrics = Metrics()
        self.events = EventLog(self.metrics, log)
        self._codec = GuardedCodec(codec, clock, self.metrics, self.events)
        self._bitrates = bitrate, high_bitrate
        self._always_mix = always_mix
        self.takes_offers = False
        """Browsers may have media by WebRTC; to be set before there are ports."""
        self.live_rooms: Directory[LiveRoom] = Directory(self._make_live_room)
        self.seats: dict[int, Seat] = {}
        """By connection number."""
        self._tickets: TicketBook[Seat] = TicketBook()
        self.ticker = Ticker(clock, self._beat, self.metrics, self.events)
        self.admission = Admission(clock, self.limits, self.metrics, self.events, self.ticker.due_in)
        self._expiry = Timer(clock, self._expire)
        census.connect(self.metrics, self.live_rooms, self.seats, self.admission)

    def _make_live_room(self, key: Key) -> LiveRoom:
        bitrate, high = self._bitrates
        conference: Conference
        if isinstance(key, Alone):
            conference = EchoConference(self._codec, bitrate, ticks(self.clock))
        else:
            counts = self.metrics.frames
            conference = Conference(
                Room(key), self._codec, bitrate, high=high, always_mix=self._always_mix, counts=counts
            )
        return LiveRoom(key, conference, self.clock, self.limits, self.metrics, self.events)

    # -- seats ------------------------------------------------------------------

    def enter(self, peer: IPeer, request: Request) -> tuple[Seat, Welcome]:
        """A seat for one who proved the password, or TurnedAway."""
        key = Alone() if request.echo else request.room
        self._make_room(key, request.name, peer.address)
        live_room = self.live_rooms.find(key)
        if live_room is None:
            raise TurnedAway(TRY_LATER)
        try:
            member = live_room.conference.room.enter(request.name, ticks(self.clock), request.quality)
        except Exception:
            self.live_rooms.tidy(key)
            raise
        presence_changes = Bucket(self.limits.comings_a_second, self.limits.comings_burst, self.clock.seconds())
        seat = Seat(
            member, live_room, self._new_connection(), presence_changes, letters=LETTERS in request.capabilities
        )
        self.seats[seat.connection] = seat
        seat.peer, seat.address, seat.asked = peer, peer.address, request.name
        try:
            live_room.enter(seat)
            self.metrics.logins_total[Login.ENTERED].value += 1
            self._log_people(f"{quoted(member.name)} entered room {quoted(live_room.name)} from {peer.address}")
            ticket = self._tickets.issue(seat)
            seat.ticket = ticket.id
            return seat, self._welcome(peer, seat, seat.connection, ticket)
        except Exception:
            self.leave(seat, FAULT)
            raise

    def _make_room(self, key: Key, name: str, address: str) -> None:
        """See to it that a seat is free for who asks; or TurnedAway."""
        live_room = self.live_rooms.get(key)
        in_room = () if live_room is None else live_room.seats.values()
        for seat in who_yields(self.seats.values(), in_room, self.limits, name, address, self.clock.seconds()):
            self.leave(seat, "the seat was needed")

    def entered(self, peer: IPeer, seat: Seat) -> None:
        """The welcome is on its way; whoever did not fit into it follows, and who talks now."""
        for news in (*greeting.others(seat), *seat.live_room.talking(seat.source)):
            peer.send(news)

    def resume(self, peer: IPeer, resume: Resume) -> tuple[Seat, Ticket, Welcome]:
        """The seat of a ticket, the ticket for the keys and what to answer; TicketUnknown if it is not good.

        Whoever came by an earlier ticket of the seat was its owner, who has another connection now, or a replay.
        """
        seat, ticket = self._tickets.redeem(resume, self.clock.seconds())
        for other, returning in list(seat.returning.items()):
            if returning.ticket != ticket:
                self._give_up_returning(seat, other)
        seat.ticket = ticket.id
        following, connection = self._tickets.next(ticket), self._new_connection()
        seat.returning[peer] = Returning(ticket, following, connection)
        return seat, ticket, self._welcome(peer, seat, connection, following)

    def back(self, peer: IPeer, seat: Seat) -> None:
        """The peer has the new keys: the seat is its own. The old connection, if it stands, is told and closed."""
        ticket, following, connection = seat.returning.pop(peer)
        old, seat.peer, seat.address = seat.peer, peer, peer.address
        try:
            if old is not None:
                old.farewell(Bye(REPLACED))
            for other in list(seat.returning):
                self._give_up_returning(seat, other)
            seat.ticket = following.id
            self._tickets.used(ticket)
            self.seats.pop(seat.connection, None)
            seat.connection = connection
            self.seats[connection] = seat
            seat.live_room.back(seat)
            self.metrics.logins_total[Login.RESUMED].value += 1
            self._log_people(f"{quoted(seat.member.name)} in room {quoted(seat.live_room.name)} is back")
        except Exception:
            self.leave(seat, FAULT)  # the ticket is used up
            raise

    def _give_up_returning(self, seat: Seat, peer: IPeer) -> None:
        """A connection that showed a ticket, and will not have the seat."""
        del seat.returning[peer]
        peer.abort()

    def leave(self, seat: Seat, reason: str) -> None:
        """The seat is given up."""
        if self.seats.pop(seat.connection, None) is None:
            return
        self._tickets.revoke(seat.ticket)
        for peer in list(seat.returning):
            self._give_up_returning(seat, peer)
        seat.live_room.leave(seat, reason)
        self.live_rooms.tidy(seat.live_room.key)
        why = f": {reason}" if reason else ""
        self._log_people(f"{quoted(seat.member.name)} left room {quoted(seat.live_room.name)}{why}")

    def _log_people(self, line: str) -> None:
        """A line about people."""
        self.events.people(line, self.clock.seconds())

    def disconnected(self, peer: IPeer) -> None:
        """A connection is over, whatever came before: no seat stays with it."""
        for seat in list(self.seats.values()):
            seat.returning.pop(peer, None)
            if seat.peer is peer:
                self._keep(seat)

    def _keep(self, seat: Seat) -> None:
        """A connection ended without goodbye: the seat is kept for a while."""
        if not self._expiry.runs:
            self._expiry.start(AWAY_SECONDS)
        self._tickets.disconnected(seat.ticket, self.clock.seconds())
        seat.live_room.away(seat)
        self._log_people(f"{quoted(seat.member.name)} in room {quoted(seat.live_room.name)} is away")

    def change_password(self, password: Secret, *, kick: bool = False) -> None:
        """From now on this one counts, also for logins that have begun; ``kick``: nobody stays who came by another."""
        if password == self.password:
            return
        self.password = password
        self.admission.empty(Rejected.PASSWORD_CHANGED)
        if kick:
            self._dismiss(self.seats.values(), Bye(LOCKED_OUT))

    def close(self) -> None:
        """Goodbye to all; the server stops."""
        with ExitStack() as rest:  # all of it, even if something of it fails
            rest.callback(self.admission.empty, Rejected.SHUTTING_DOWN)
            rest.callback(self._expiry.stop)
            rest.callback(self.ticker.stop)
            self._dismiss(self.seats.values(), Bye(SHUTTING_DOWN, RETRY_SECONDS))

    def _dismiss(self, seats: Iterable[Seat], bye: Bye) -> None:
        """Goodbye to these people; nobody of them hears of the others, and each goes even if another's going fails."""
        with ExitStack() as rest:
            for seat in list(seats):
                rest.callback(self.leave, seat, bye.reason)
                if seat.peer is not None:
                    rest.callback(seat.peer.farewell, bye)
                    seat.peer = None

    def _welcome(self, peer: IPeer, seat: Seat, connection: int, ticket: Ticket) -> Welcome:
        welcome = greeting.welcome(
            seat, connection, ticket, peer.udp_port, seat.member.quality.bitrate(*self._bitrates)
        )
        return greeting.with_offers(welcome) if self.takes_offers and peer.udp_port else welcome

    def _expire(self) -> None:
        """Seats away for too long are given up."""
        now = self.clock.seconds()
        self._tickets.expire(now)
        for seat in list(self.seats.values()):
            if seat.away_since is not None and now - seat.away_since >= AWAY_SECONDS and not seat.returning:
                try:
                    self.leave(seat, "did not come back")
                except Exception:  # noqa: BLE001  told in the log; the others have waited, too
                    self.events.failure(f"a fault in giving up the seat of {quoted(seat.member.name)}", now)
        away = [seat.away_since for seat in self.seats.values() if seat.away_since is not None]
        if away:
            self._expiry.start(max(1.0, min(away) + AWAY_SECONDS - now))

    def _new_connection(self) -> int:
        while True:
            connection = secrets.randbelow(1 << 24)
            taken = (coming.connection for seat in self.seats.values() for coming in seat.returning.values())
            if connection not in self.seats and connection not in taken:
                return connection

    # -- the beat ---------------------------------------------------------------

    def _beat(self, tick: int) -> bool:
        """One tick of every room that mixes; False when none does any more. One bad room costs no other."""
        needed = False
        for live_room in self.live_rooms:
            if not live_room.conference.mixing:
                continue
            try:
                live_room.tick(tick)
                live_room.faults = 0
            except Exception:  # noqa: BLE001  told in the log
                self._failed(live_room)
            needed = needed or live_room.conference.mixing
        return needed

    def _failed(self, live_room: LiveRoom) -> None:
        """A tick of a room failed; too many in a row cost the room its people."""
        live_room.faults += 1
        self.metrics.ticks_failed_total.value += 1
        if live_room.faults == 1:
            self.events.failure(f"a tick of room {quoted(live_room.name)} failed", self.clock.seconds())
        if live_room.faults < MOST_FAULTS:
            return
        self.events.failure(f"room {quoted(live_room.name)} is closed after too many faults", self.clock.seconds())
        self._dismiss(live_room.seats.values(), Bye(FAULT))
