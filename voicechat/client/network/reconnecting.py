"""The client as a service: connect, log in, come back by itself, end with a reason.

The name is resolved anew at each try, the sound device stays open meanwhile. A
ticket brings the seat back without a new PAKE; a wrong password or another version
end it all, because trying again would not help. So does a full server, for somebody who
was not in yet; whoever was waits for a seat.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from voicechat.carriage.clock import Timer
from voicechat.carriage.tcp import StringProtocol
from voicechat.client.exits import Exit
from voicechat.client.network.datagrams import DatagramSocket
from voicechat.client.network.lookup import AsTyped
from voicechat.client.network.outage import News, Outage
from voicechat.client.network.protocol import RemoteServer
from voicechat.client.network.reasons import ENDINGS, FULL_HOUSE, NOT_NOW, SEAT_GONE, reason, unreachable
from voicechat.client.network.retry import FIRST_SECONDS, LONGEST_WAIT, QUICK_FOR, SOONEST, Retry, Uniform
from voicechat.client.network.strangers import Suspicion, kind
from voicechat.client.network.target import ICall, Target
from voicechat.client.notices import INotices
from voicechat.errors import ControlError, PasswordRefused, TooLong
from voicechat.media.packet import MediaPacket
from voicechat.security.secret import Secret
from voicechat.security.tickets import Ticket
from voicechat.session.client import ClientSession
from voicechat.wire import messages, older, shown
from voicechat.wire.handshake import Reason, Refuse


class Service:
    """Keeps one call connected. ``finish`` is called once, with an exit code and the last line ('' for none)."""

    def __init__(
        self,
        reactor: Any,
        call: ICall,
        target: Target,
        notices: INotices,
        finish: Callable[[int, str], None],
        uniform: Uniform,
    ) -> None:
        self._reactor = reactor
        self._call = call
        self._target = target
        self._notices = notices
        self._finish = finish
        self._uniform = uniform
        self._retry = Retry(uniform, reactor.seconds())
        self._ticket: Ticket | None = None
        self._attempt: Deferred[Any] | None = None
        self._next_try = Timer(reactor, self.start)
        self._over = False
        self._entered_now = False
        self._wait: float | None = None
        """Seconds until the next try, where the server's answer says something about it."""
        self._seat_gone = False
        """The ticket was not good any more: whoever was in has no seat now."""
        self._notified = ""
        """Why we wait, as it was told: once, not at each try."""
        self.ask_password: Callable[[Callable[[Secret], None]], None] | None = None
        """Gives another password, if a person has mistyped the first; called when it was refused."""
        self._password_refused = False
        self._suspicion = Suspicion(reactor, self._not_ours)
        self.on_entered: Callable[[], None] = lambda: None
        """Called at each entering."""
        self._started_at = self._lost_at = 0.0
        self._why = ""
        """Why the connection was lost, or the last try failed."""
        self._news = News(notices, self.where)
        call.recovery = self

    @property
    def where(self) -> str:
        """The server, as the user named it."""
        return f"{self._target.host} port {self._target.port}"

    def start(self) -> None:
        """Try to connect now."""
        self._entered_now = False
        self._started_at = self._reactor.seconds()
        endpoint = AsTyped(self._reactor, self._target.host, self._target.port, timeout=FIRST_SECONDS)
        self._attempt = endpoint.connect(Factory.forProtocol(self._protocol))
        self._attempt.addErrback(self._unreachable)

    def _protocol(self) -> StringProtocol:
        if self._ticket is None:
            self._call.password_logins += 1
        session = ClientSession(self._target.password, self._target.request, self._ticket)
        server = RemoteServer(self._reactor, self, session, self._socket_to if self._target.udp else None)
        return StringProtocol(server.connection)

    def _socket_to(self, host: str, number: int) -> DatagramSocket:
        return DatagramSocket(self._reactor, host, number)

    def stop(self) -> None:
        """Leave: goodbye, no more tries."""
        self._over = True
        self._next_try.stop()
        if self._attempt is not None:
            self._attempt.cancel()
        self._suspicion.stop()
        self._call.stop()

    def _end(self, code: int, text: str) -> None:
        if not self._over:
            self._over = True
            self._suspicion.stop()
            self._finish(code, text)

    # -- what the protocol tells --------------------------------------------------------

    def entered(self, connection: RemoteServer, welcome: messages.Welcome) -> None:
        """In the room."""
        if self._retry.entered:
            self._call.reconnects += 1
        self._retry.success()
        self._entered_now = True
        self._seat_gone, self._notified = False, ""
        ticket = welcome.ticket
        self._ticket = None if ticket is None else Ticket.from_hex(ticket.id, ticket.secret)
        self._call.entered(connection, welcome)
        self.on_entered()

    def rejected(self, connection: RemoteServer, answer: Refuse | messages.Bye) -> None:
        """The server sent us away."""
        if isinstance(answer, Refuse):
            self._refused_clear(answer)
        elif answer.reason in FULL_HOUSE and self._retry.entered:
            # perhaps it is our own lost connection that holds the seat
            self._wait_for(min(answer.retry, LONGEST_WAIT), FULL_HOUSE[answer.reason])
        elif answer.reason in ENDINGS:
            code, line = ENDINGS[answer.reason]
            self._end(code, line.format(where=self.where))
        elif answer.reason == messages.SHUTTING_DOWN:
            self._wait = self._uniform(0.1, max(0.2, 2 * min(answer.retry, QUICK_FOR)))
            self._notices.trouble("the server is shutting down")
        elif answer.reason == messages.TRY_LATER and self._retry.entered:
            self._wait_for(min(answer.retry, LONGEST_WAIT))
        else:
            self._end(Exit.TRY_LATER, f"{self.where} sent us away: {answer.reason or 'no reason given'}")

    def _refused_clear(self, answer: Refuse) -> None:
        """A REFUSE is not sealed: it may end the attempt, and is no news about anything else."""
        where = self.where
        match answer.reason:
            case Reason.PASSWORD if self.ask_password is not None and not self._retry.entered:
                self._password_refused = True  # asked when the connection is gone
            case Reason.PASSWORD:
                self._end(Exit.PASSWORD, f"the password was refused by {where}; ask your host for the right one")
            case Reason.VERSION:
                self._end(
                    Exit.PROTOCOL, f"{where} speaks another version of voicechat ({answer.highest_version}); update"
                )
            case Reason.TRY_LATER if self._retry.entered:  # the evening goes on when the ban is over
                self._wait_for(answer.retry_seconds)
            case Reason.TRY_LATER:
                seconds = answer.retry_seconds  # 255 is all that a byte can say
                again = " in some minutes" if seconds >= 255 else f" in {seconds} s" if seconds else " later"
                self._end(Exit.TRY_LATER, f"{where} does not let us in now (too many tries); try again{again}")
            case Reason.MALFORMED if self._target.request != older.request(self._target.request):
                self._ask_as_0_1_0()
            case Reason.MALFORMED:
                self._end(Exit.PROTOCOL, f"{where} did not understand us; update client and server")
            case Reason.TICKET_UNKNOWN:
                if self._ticket is not None:  # a restarted server: the password is good for a seat all the same
                    self._ticket, self._wait, self._seat_gone = None, 0.0, True
            case _:
                pass  # shutting down: the next try is another one

    def _ask_as_0_1_0(self) -> None:
        """The name or the room may be one that only the successors of 0.1.0 take: ask for one that it takes, once."""
        request = older.request(self._target.request)
        self._target = msgspec.structs.replace(self._target, request=request)
        self._wait = 0.0
        room = f" and room {shown.quoted(request.room)}" if request.room else ""
        self._notices.say(f"{self.where} does not take this name; trying {shown.quoted(request.name)}{room}")

    def _wait_for(self, seconds: float, why: str = NOT_NOW) -> None:
        """The server, which had let us in before, does not do so now: try again when it says, and not all at once.

        Each time a little later, so that one who waits for a seat all evening costs the server little.
        """
        least = max(seconds, self._retry.delay(self._reactor.seconds()) or 0.0)
        self._wait = self._uniform(least, least + max(1.0, least / 10))
        lost = SEAT_GONE if self._seat_gone and why != NOT_NOW else ""
        if why != self._notified:
            self._notified = why
            self._notices.trouble(lost + why.format(where=self.where, wait=self._wait))

    def sent_over(self, udp: bool) -> None:
        """Media goes over UDP, or over TCP again."""
        self._call.sent_over(udp)

    def received_over(self, udp: bool) -> None:
        """Media comes over UDP, or over TCP again."""
        self._call.received_over(udp)

    def media_received(self, packet: MediaPacket) -> None:
        """Goes to the call."""
        self._call.media_received(packet)

    def message_received(self, message: messages.Message) -> None:
        """Goes to the call."""
        self._call.message_received(message)

    def protocol_error(self, error: Exception) -> None:
        """The server broke the protocol, or could not prove the password."""
        if not self._entered_now:
            self._ticket = None
        if isinstance(error, PasswordRefused):
            self._end(Exit.PASSWORD, f"{self.where} does not know the password; ask your host for the right one")
        elif not self._retry.entered:
            self._not_ours((isinstance(error, TooLong) and kind(error.first)) or str(error))

    def nothing_comes(self, host: str) -> None:
        """The server says nothing in the login."""
        if not self._retry.entered:
            self._suspicion.ask(host, self._target.port)

    def _not_ours(self, what: str) -> None:
        self._end(Exit.PROTOCOL, f"what answers on {self.where} does not speak voicechat ({what})")

    def disconnected(self, connection: RemoteServer, why: str) -> None:
        """Try again, unless it was the end."""
        self._call.disconnected(connection)
        if self._over:
            return
        if self._entered_now:
            self._lost_at = self._reactor.seconds()
            self._retry.broke(self._lost_at)
            self._news.disconnected(why)
        self._again(why)

    def _unreachable(self, failure: Failure) -> None:
        self._attempt = None
        if not self._over:
            self._again(reason(failure))

    def _again(self, why: str) -> None:
        if self._password_refused and self.ask_password is not None:
            self._password_refused = False
            self.ask_password(self._with_password)
            return
        wait, self._wait = self._wait, None
        delay = self._retry.delay(self._reactor.seconds()) if wait is None else wait
        if delay is None:
            self._end(Exit.UNREACHABLE, unreachable(self._target.host, self._target.port, why))
            return
        self._why = why
        self._next_try.start(delay)
        outage = self.outage()
        if outage is not None and wait is None:  # else it was told
            self._news.waits(outage, self._reactor.seconds())
        self._call.on_change()

    def _with_password(self, password: Secret) -> None:
        if not self._over:
            self._target = msgspec.structs.replace(self._target, password=password)
            self._retry = Retry(self._uniform, self._reactor.seconds())
            self.start()

    # -- while nobody hears us ------------------------------------------------------------

    def outage(self) -> Outage | None:
        """Why nobody hears us, once somebody has."""
        now, connection = self._reactor.seconds(), self._call.connection
        if connection is not None:
            seconds = connection.answers.unanswered
            return Outage("the server does not answer", seconds) if seconds else None
        if not self._retry.entered or self._over:
            return None
        next_s = max(0.0, self._next_try.left) if self._next_try.runs else None
        return Outage(self._why, now - self._lost_at, max(1, self._retry.tries), next_s)

    def try_now(self) -> None:
        """Try again at once, also where the server only does not answer. ControlError if there is nothing to try."""
        connection = self._call.connection
        if connection is None:
            if self._next_try.runs:
                self._next_try.start_at(self._started_at + SOONEST)
                self._call.on_change()
        elif connection.answers.silent:
            self._wait = 0.0
            connection.give_up()
        else:
            raise ControlError("connected: there is nothing to try again")

    def answers_changed(self, connection: RemoteServer) -> None:
        """The server has fallen silent, or is heard again."""
        if connection is self._call.connection:
            self._news.silent(connection.answers.unanswered, self._reactor.seconds())
            self._call.on_change()
