"""The door: connections that have not logged in, and the queue of what their logins cost.

A stranger gets five seconds, a place, and a turn in the queue, also one who brings a
ticket in place of a password; for guessing the address is banned, and then tickets
alone count: they cannot be guessed, and a friend behind the same router keeps the seat.

Who knocks is counted for the address and for the networks around it (`Knocks`), and
whoever logged in lately is known. When the places are taken, one of whom most knocks
went before makes room, and the next turn is of one of whom the fewest did; so a flood
closes its connections itself, and a friend who comes in the middle of it is in as fast as ever.
Among equals, as behind one router, what they do tells them apart: first goes who is
overdue, then who has said nothing, then whose turn has not come. Who was just answered
is not rejected.

A login has two halves. The answer to a HELLO is cheap; the dear half comes when the
client has proved something, and a wrong proof counts against it. A HELLO without a
proof, again and again, is counted as knocking: it puts off the next turn, and shuts
nobody out.

One step is computed in a turn of the reactor, so that voices pass between any two of
them, and while voices are mixed it is computed right after a beat, so that the next one
comes in time.
"""

import enum
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime

from voicechat.carriage.clock import Timer
from voicechat.server.eventlog import REJECTED, Event, EventLog
from voicechat.server.knocks import Knocks
from voicechat.server.limits import Bans, Limits
from voicechat.server.metrics import Login, Metrics, Rejected
from voicechat.session.bucket import Bucket

BREATH: Final = 0.005
"""Seconds between two steps: what is read from the sockets meanwhile is forwarded first."""

LOGIN: Final = 0.008
"""Seconds that a login keeps the reactor; both halves of SPAKE2 take 7 ms (measured)."""

ANSWER_PRICE: Final = 0.2
"""What the answer to a HELLO costs of the rate of logins: 1.5 ms of 7 (measured), so that 125 a second have one."""

PROOF_PRICE: Final = 1.0 - ANSWER_PRICE
"""What looking at the proof costs of it."""

RESUME_PRICE: Final = 0.1
"""What coming back with a ticket costs of the rate of logins: with a good one 0.3 ms, and still 250 a second then."""

BEHIND: Final = 0.0001
"""Seconds after a beat's time at which its turn has begun, whichever of the two was asked for first."""

NEAR: Final = 0.5
"""Seconds for which one who connected, or was answered, may owe the next string: round trips to another continent."""

ANSWERED_SHARE: Final = 0.875
"""Of the places, how many may be taken by those who are near their end, and so are not rejected. The rest is for those
who come: 8 of 64, and 56 answered in half a second are 112 a second who then say no more."""

LEFT_KNOCKS: Final = 5.0
"""For how many more knocks a HELLO counts to whose answer nothing came: it took an answer, and a place for a while."""


class Step(enum.Enum):
    """What a visitor waits for, with its price in logins."""

    ANSWER = ANSWER_PRICE
    PROOF = PROOF_PRICE
    TICKET = RESUME_PRICE


class Progress(enum.IntEnum):
    """How far a visitor is, in the order in which they are rejected."""

    CLOSING = 0
    OVERDUE = 1
    """The next string is owed for longer than NEAR."""
    SILENT = 2
    ASKING = 3
    """Waits for its turn with a HELLO or a ticket."""
    NEAR = 4
    """Was just answered, or waits for its proof to be looked at: not rejected."""


class Visitor(Protocol):
    """A connection before login."""

    address: str

    @property
    def stands(self) -> bool:
        """It is not being closed."""

    @property
    def guesses(self) -> bool:
        """It has begun to prove a password; otherwise it brought a ticket, or nothing yet."""

    def prove(self) -> None:
        """Take the step that was queued, now."""

    def reject(self, why: str) -> None:
        """Time is up, or the place is needed."""


class _Place:
    """What is known of a visitor."""

    __slots__ = ("answered", "since", "step", "timer")

    def __init__(self, now: float, timer: Timer) -> None:
        self.timer = timer
        """Its login has so long."""
        self.since = now
        """When it came, or was answered."""
        self.step: Step | None = None
        """What it waits for."""
        self.answered: Step | None = None
        """The last step that was taken."""

    def progress(self, visitor: Visitor, now: float) -> Progress:
        """How far it is."""
        if not visitor.stands:
            return Progress.CLOSING
        if self.step is not None:
            return Progress.NEAR if self.step is Step.PROOF else Progress.ASKING
        if now - self.since > NEAR:
            return Progress.OVERDUE
        return Progress.SILENT if self.answered is None else Progress.NEAR


class Admission:
    """Counts visitors, times them out, queues the steps of their logins and bans who guesses.

    ``beat_in`` tells the seconds until the next beat, infinity if there is none.
    """

    def __init__(
        self,
        clock: IReactorTime,
        limits: Limits,
        metrics: Metrics,
        events: EventLog,
        beat_in: Callable[[], float] = lambda: float("inf"),
    ) -> None:
        self._clock, self._limits, self._metrics, self._events = clock, limits, metrics, events
        self._beat_in = beat_in
        self.bans = Bans(limits)
        self.knocks = Knocks(limits)
        self._places: OrderedDict[Visitor, _Place] = OrderedDict()
        self._queue: OrderedDict[Visitor, Step] = OrderedDict()
        self._bucket = Bucket(limits.logins_a_second, limits.logins_burst, clock.seconds())
        self._turns = Timer(clock, self._turn)
        self._put_off: Visitor | None = None

    def __len__(self) -> int:
        return len(self._places)

    def admit(self, visitor: Visitor, *, known: bool = True) -> None:
        """A new connection, rejected at once if it is the `_least_welcome`. ``known``: it has said whose it is."""
        now = self._clock.seconds()
        self._metrics.connections_total.value += 1
        timer = Timer(self._clock, lambda: self._reject(visitor, Rejected.NO_LOGIN_IN_TIME))
        timer.start(self._limits.login_seconds)
        self._places[visitor] = _Place(now, timer)
        if known:
            self.known(visitor)
        if len(self._places) > self._limits.before_login:
            self._reject(self._least_welcome(visitor, now), Rejected.TOO_MANY)

    def known(self, visitor: Visitor) -> None:
        """The address is the visitor's own, and no proxy's: from now on it counts."""
        now = self._clock.seconds()
        self.knocks.count(visitor.address, now)
        same = [other for other in self._may_go(now) if other.address == visitor.address and other is not visitor]
        if len(same) >= self._limits.before_login_each:
            self._reject(min(same, key=self._order(now)), Rejected.TOO_MANY_OF_ONE_ADDRESS)

    def _may_go(self, now: float) -> list[Visitor]:
        return [other for other, place in self._places.items() if place.progress(other, now) < Progress.NEAR]

    def _order(self, now: float) -> Callable[[Visitor], tuple[Progress, float]]:
        """Who goes first among equals."""
        return lambda other: (self._places[other].progress(other, now), self._places[other].since)

    def _least_welcome(self, visitor: Visitor, now: float) -> Visitor:
        """Who goes when one came too many: the first of those before whom most knocks went, the new one last."""
        ranks = {other: self.knocks.rank(other.address, now) for other in self._may_go(now)}
        worst = max(ranks.values())
        equals = [other for other, rank in ranks.items() if rank == worst and other is not visitor]
        return min(equals, key=self._order(now), default=visitor)

    def banned(self, visitor: Visitor) -> float:
        """The seconds for which the visitor's address may not log in, 0 if it may; asked when one wants to."""
        seconds = self.bans.remaining(visitor.address, self._clock.seconds())
        if seconds:
            self._metrics.logins_total[Login.BANNED].value += 1
            self._events.note(Event.BANNED, visitor.address, self._clock.seconds())
        return seconds

    def failed(self, visitor: Visitor) -> bool:
        """A wrong password from a visitor; if that bans the address, whoever else of it is guessing goes, too."""
        address = visitor.address
        if not self.bans.failed(address, self._clock.seconds()):
            return False
        for other in [other for other in self._places if other.address == address and other is not visitor]:
            if other.guesses:
                self._reject(other, Rejected.BANNED)
        return True

    def entered(self, visitor: Visitor) -> None:
        """It has logged in: its address is known from now on."""
        self.knocks.known(visitor.address, self._clock.seconds())
        self._forget(visitor)

    def disconnected(self, visitor: Visitor) -> None:
        """It has closed, or was closed."""
        place = self._forget(visitor)
        if place is not None and place.step is None and place.answered is Step.ANSWER:
            now = self._clock.seconds()
            self.knocks.count(visitor.address, now, LEFT_KNOCKS)
            self._metrics.logins_total[Login.LEFT].value += 1
            self._events.note(Event.UNFINISHED, visitor.address, now)

    def _forget(self, visitor: Visitor) -> _Place | None:
        place = self._places.pop(visitor, None)
        if place is not None:
            place.timer.stop()
        self._queue.pop(visitor, None)
        if self._put_off is visitor:
            self._put_off = None
        return place

    def queue(self, visitor: Visitor, step: Step) -> None:
        """The visitor asks for a step: its turn comes."""
        place = self._places.get(visitor)
        if place is None:
            return
        place.step = step
        self._queue[visitor] = step
        if not self._turns.runs:
            self._turns.start(0.0)

    def empty(self, why: Rejected) -> None:
        """Reject everybody: the server stops, or another password counts."""
        self._turns.stop()
        for visitor in list(self._places):
            self._reject(visitor, why)

    def _reject(self, visitor: Visitor, why: Rejected) -> None:
        self.disconnected(visitor)
        self._metrics.refused_total[why].value += 1
        self._events.note(Event.REJECTED, visitor.address, self._clock.seconds(), REJECTED[why])
        visitor.reject(REJECTED[why])

    def _turn(self) -> None:
        """One step of the visitor whose turn it is."""
        if not self._queue:
            return
        now = self._clock.seconds()
        visitor = self._next(now)
        wait = BREATH if visitor is None else self._wait(visitor, now)
        step = None if visitor is None or wait else self._queue.pop(visitor)
        if self._queue:
            self._turns.start(wait or BREATH)
        if visitor is not None and step is not None:  # last, for it may queue the next step
            self._take(visitor, step, now)

    def _wait(self, visitor: Visitor, now: float) -> float:
        """Seconds until its step may be taken."""
        step = self._queue[visitor]
        wait = self._bucket.wait(now, step.value)
        return wait if wait or step is Step.TICKET else self._until_after_beat(visitor)

    def _next(self, now: float) -> Visitor | None:
        """Who is next: before whom the fewest knocks went, proofs first among equals; None while nobody may be."""
        near = sum(place.progress(other, now) is Progress.NEAR for other, place in self._places.items())
        full = near >= max(1, int(ANSWERED_SHARE * self._limits.before_login))
        able = [other for other, step in self._queue.items() if step is Step.PROOF or not full]
        return min(able, key=lambda other: self._turn_of(other, now), default=None)

    def _turn_of(self, visitor: Visitor, now: float) -> tuple[int, bool]:
        return self.knocks.rank(visitor.address, now), self._queue[visitor] is not Step.PROOF

    def _take(self, visitor: Visitor, step: Step, now: float) -> None:
        self._bucket.take(now, step.value)
        place = self._places[visitor]
        place.step, place.answered, place.since = None, step, now
        visitor.prove()

    def _until_after_beat(self, visitor: Visitor) -> float:
        """Seconds that a step is put off because a beat is near; once each, for beats may leave no room at all."""
        beat = self._beat_in()
        near = beat < LOGIN and self._put_off is not visitor
        self._put_off = visitor if near else None
        return max(0.0, beat) + BEHIND if near else 0.0
