"""The door: connections that have not logged in, and the queue of logins.

A stranger gets five seconds, a place, and a turn in the queue, also if he brings a ticket
in place of a password; for guessing the address is banned, and then tickets alone count:
they cannot be guessed, and a friend behind the same router keeps his seat. When the places are
taken, one goes whose address has knocked most in the last seconds, and the next login is
of an address that has knocked least: a flood from 64 addresses shows itself out, and a
friend who comes in the middle of it is in as fast as ever. One login is computed in a
turn of the reactor, so that voices pass between any two of them, and while voices are
mixed it is computed right after a beat, so that the next one comes in time.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from voicechat.server.limits import Bans, Limits
from voicechat.server.metrics import Metrics
from voicechat.session.bucket import Bucket

BREATH: Final = 0.005
"""Seconds between two logins: what is read from the sockets meanwhile is forwarded first."""

LOGIN: Final = 0.008
"""Seconds that a login keeps the reactor; both halves of SPAKE2 take 7 ms (measured)."""

RESUME_PRICE: Final = 0.1
"""What coming back with a ticket costs of the rate of logins: with a good one 0.3 ms, and still 250 a second then."""

BEHIND: Final = 0.0001
"""Seconds after a beat's time at which its turn has begun, whichever of the two was asked for first."""

KNOCKS_HALVE: Final = 10.0
"""Seconds in which half of an address's knocking is forgotten: a friend's typing errors count for less than a flood's
second, and are forgotten in a minute."""


class Visitor(Protocol):
    """A connection before login."""

    address: str

    @property
    def guesses(self) -> bool:
        """It has begun to prove a password; otherwise it brought a ticket, or nothing yet."""

    def prove(self) -> None:
        """Compute the login, or look at the ticket, now."""

    def show_out(self, why: str) -> None:
        """Time is up, or the place is needed."""


class Admission:
    """Counts visitors, times them out, queues their logins and bans who guesses.

    ``beat_in`` tells the seconds until the next beat, infinity if there is none.
    """

    def __init__(
        self, clock: IReactorTime, limits: Limits, metrics: Metrics, beat_in: Callable[[], float] = lambda: float("inf")
    ) -> None:
        self._clock, self._limits, self._metrics = clock, limits, metrics
        self._beat_in = beat_in
        self.bans = Bans(limits)
        self._visitors: OrderedDict[Visitor, IDelayedCall] = OrderedDict()
        self._queues: OrderedDict[str, deque[Visitor]] = OrderedDict()
        self._knocks: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """How often each address came lately, and when that was counted."""
        self._bucket = Bucket(limits.logins_a_second, limits.logins_burst, clock.seconds())
        self._call: IDelayedCall | None = None
        self._put_off = False

    def __len__(self) -> int:
        return len(self._visitors)

    def came(self, visitor: Visitor) -> None:
        """A new connection."""
        self._knock(visitor.address)
        same = [other for other in self._visitors if other.address == visitor.address]
        if len(same) >= self._limits.before_login_each:
            self._show_out(same[0], "too many connections of one address")
        if len(self._visitors) >= self._limits.before_login:
            busiest = max(self._visitors, key=lambda other: self._knocked(other.address))  # the oldest of these
            self._show_out(busiest, "too many connections before login")
        self._visitors[visitor] = self._clock.callLater(
            self._limits.login_seconds, self._show_out, visitor, "no login in time"
        )

    def banned(self, visitor: Visitor) -> float:
        """The seconds for which the visitor's address may not log in, 0 if it may; asked when one wants to."""
        seconds = self.bans.remaining(visitor.address, self._clock.seconds())
        if seconds:
            self._metrics.note("banned", visitor.address, self._clock.seconds(), "is banned for guessing")
        return seconds

    def failed(self, visitor: Visitor) -> bool:
        """A wrong password from a visitor; if that bans his address, whoever else of it is guessing goes, too."""
        address = visitor.address
        if not self.bans.failed(address, self._clock.seconds()):
            return False
        for other in [other for other in self._visitors if other.address == address and other is not visitor]:
            if other.guesses:
                self._show_out(other, "banned for guessing")
        return True

    def gone(self, visitor: Visitor) -> None:
        """Logged in, or closed."""
        call = self._visitors.pop(visitor, None)
        if call is not None and call.active():
            call.cancel()
        queue = self._queues.get(visitor.address)
        if queue is not None and visitor in queue:
            queue.remove(visitor)
            if not queue:
                del self._queues[visitor.address]

    def queue(self, visitor: Visitor) -> None:
        """The visitor wants to log in, or to come back: its turn comes."""
        self._queues.setdefault(visitor.address, deque()).append(visitor)
        if self._call is None or not self._call.active():
            self._call = self._clock.callLater(0, self._turn)

    def empty(self, why: str) -> None:
        """Show everybody out: the server stops, or another password counts."""
        if self._call is not None and self._call.active():
            self._call.cancel()
        for visitor in list(self._visitors):
            self._show_out(visitor, why)

    def _knock(self, address: str) -> None:
        """Count a connection of an address."""
        self._knocks[address] = (self._lately(address) + 1.0, self._clock.seconds())
        self._knocks.move_to_end(address)
        if len(self._knocks) > self._limits.most_banned:
            self._knocks.popitem(last=False)

    def _lately(self, address: str) -> float:
        """How often an address came; each time counts for less and less."""
        count, then = self._knocks.get(address, (0.0, 0.0))
        faded: float = 0.5 ** ((self._clock.seconds() - then) / KNOCKS_HALVE)
        return count * faded

    def _knocked(self, address: str) -> int:
        """The same in whole numbers, so that there are equals."""
        return round(self._lately(address))

    def _show_out(self, visitor: Visitor, why: str) -> None:
        self.gone(visitor)
        self._metrics.note("shown out", visitor.address, self._clock.seconds(), why)
        visitor.show_out(why)

    def _turn(self) -> None:
        """One visitor of the address whose turn it is."""
        if not self._queues:
            return
        address = min(self._queues, key=self._knocked)  # in turn among equals
        visitor = self._queues[address][0]
        price = 1.0 if visitor.guesses else RESUME_PRICE
        wait = self._bucket.wait(self._clock.seconds(), price)
        if not wait and visitor.guesses:
            wait = self._until_after_beat()
        if not wait:
            wait = BREATH
            self._bucket.take(self._clock.seconds(), price)
            queue = self._queues.pop(address)
            queue.popleft()
            if queue:
                self._queues[address] = queue
            visitor.prove()
        if self._queues:
            self._call = self._clock.callLater(wait, self._turn)

    def _until_after_beat(self) -> float:
        """Seconds that a login is put off because a beat is near; once each, for beats may leave no room at all."""
        beat = self._beat_in()
        self._put_off = beat < LOGIN and not self._put_off
        return max(0.0, beat) + BEHIND if self._put_off else 0.0
