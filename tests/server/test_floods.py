"""Who gets in while strangers knock: floods of all kinds at the door, in virtual time, without a byte on a line.

A stranger is what a flood can be: silent, one that asks and stays, asks and hangs up,
sends rubbish, shows wrong proofs. A friend does what the client does: asks 10 ms after
the connection stands, shows the proof a round trip after the answer, and tries again
when rejected, three times at most. What is asserted is the goal: nine of ten friends
in within 2 s; and what the server did for it, in logins' worth of work.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger

from tests.conftest import SOAK
from voicechat.client.network.retry import FIRST_TRIES
from voicechat.server.admission import Admission, Step
from voicechat.server.eventlog import EventLog
from voicechat.server.limits import Limits, address_block
from voicechat.server.metrics import Login, Metrics

FRIENDS: Final = 100 if SOAK else 10
WITHIN: Final = 2.0
SECONDS: Final = 3.0
"""The flood alone, so that the friends find it in full swing."""
PACE: Final = 0.002
TRIP: Final = 0.1
"""Seconds to a friend and back."""
KINDS: Final = ("silent", "asks", "hangs up", "rubbish", "wrong proof")


class Somebody:
    """A connection; ``does`` is called when a step was taken, or it is rejected."""

    def __init__(self, door: "Door", address: str) -> None:
        self.door = door
        self.address = address_block(address)
        self.stands = self.guesses = True
        door.admission.admit(self)

    def later(self, seconds: float, what: Callable[[], object]) -> None:
        """Do this, if the connection stands then."""
        self.door.clock.callLater(seconds, lambda: self.stands and what())

    def close(self) -> None:
        self.stands = False
        self.door.admission.disconnected(self)

    def prove(self) -> None:
        raise NotImplementedError

    def reject(self, why: str) -> None:
        self.stands = False


class Stranger(Somebody):
    """One of a flood."""

    def __init__(self, door: "Door", address: str, kind: str) -> None:
        super().__init__(door, address)
        self._kind = kind
        self._answered = False
        if kind == "rubbish":
            self.later(0.01, self.close)
        elif kind != "silent":
            self.later(0.01, lambda: door.admission.queue(self, Step.ANSWER))
        if kind == "hangs up":
            self.later(0.08, self.close)

    def prove(self) -> None:
        if self._answered:
            self.door.looked_at += 1
            self.door.admission.failed(self)
            self.close()
            return
        self._answered = True
        self.door.answered += 1
        if self._kind == "wrong proof":
            self.later(0.05, lambda: self.door.admission.queue(self, Step.PROOF))


class Friend(Somebody):
    """One who knows the password."""

    def __init__(self, door: "Door", address: str, trip: float, tries: int = FIRST_TRIES) -> None:
        self.began = door.clock.seconds()
        self.trip, self.tries = trip, tries
        self.host = address
        self.again: Friend | None = None
        self.took: float | None = None
        self._answered = False
        super().__init__(door, address)
        self.later(0.01, lambda: door.admission.queue(self, Step.ANSWER))

    def prove(self) -> None:
        if self._answered:
            self.took = self.door.clock.seconds() - self.began
            self.door.admission.entered(self)
        else:
            self._answered = True
            self.later(self.trip, lambda: self.door.admission.queue(self, Step.PROOF))

    def reject(self, why: str) -> None:
        super().reject(why)
        if self.tries > 1:
            self.door.clock.callLater(0.75, self._try_again)

    def _try_again(self) -> None:
        self.again = Friend(self.door, self.host, self.trip, self.tries - 1)

    def was_in_after(self) -> float:
        """Seconds from the first try on; infinity if never."""
        if self.took is not None:
            return self.took
        return float("inf") if self.again is None else self.again.began - self.began + self.again.was_in_after()


class Door:
    """An admission with its clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.metrics = Metrics()
        events = EventLog(self.metrics, Logger("test"))
        self.admission = Admission(self.clock, Limits(), self.metrics, events)
        self.answered = self.looked_at = 0

    def flood(self, rate: float, sources: Iterator[str], kinds: tuple[str, ...]) -> None:
        """So many a second from now on."""
        kind = itertools.cycle(kinds)
        start, came = self.clock.seconds(), itertools.count(1)

        def come() -> None:
            Stranger(self, next(sources), next(kind))
            self.clock.callLater(max(0.0, start + next(came) / rate - self.clock.seconds()), come)

        come()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / PACE)):
            self.clock.advance(PACE)

    def friends(self, host: Callable[[int], str], trip: float) -> list[float]:
        """How long each friend took."""
        came = []
        for number in range(FRIENDS):
            came.append(Friend(self, host(number), trip))
            self.run(0.2)
        self.run(2.5)
        return [friend.was_in_after() for friend in came]


def one_48() -> Iterator[str]:
    """A network of 65 536 lines, each once."""
    return (f"2001:db8:1:{number & 0xFFFF:x}::1" for number in itertools.count())


def many_48() -> Iterator[str]:
    """Sixty such networks."""
    return (f"2001:db8:{number % 60 + 0x100:x}:{number // 60 * 257 & 0xFFFF:x}::1" for number in itertools.count())


def one_24() -> Iterator[str]:
    """A rented row of addresses."""
    return (f"198.51.100.{number % 250 + 1}" for number in itertools.count())


def everywhere() -> Iterator[str]:
    """Addresses that have nothing in common."""
    chance = random.Random(7)
    while True:
        yield f"{chance.randrange(11, 120)}.{chance.randrange(250)}.{chance.randrange(250)}.{chance.randrange(1, 250)}"


def one_address() -> Iterator[str]:
    """One router, which may be a friend's."""
    return itertools.repeat("203.0.113.9")


def at_home(number: int) -> str:
    """A friend whom nobody has seen before, from a network of their own."""
    return f"2001:db8:8{number:03d}:1::5"


def beside(number: int) -> str:
    """A friend behind the router of the flood."""
    return "203.0.113.9"


def in_its_row(number: int) -> str:
    """A friend whose provider also rents to the flood."""
    return f"198.51.100.{251 + number % 4}"


FLOODS: Final = [
    (700, one_48, (kind,), at_home) for kind in KINDS
] + [
    (700, one_48, KINDS, at_home),
    (700, one_24, KINDS, at_home),
    (700, one_24, ("asks",), in_its_row),
    (700, one_24, KINDS, in_its_row),
    (700, everywhere, ("silent",), at_home),
    (100, everywhere, KINDS, at_home),
    (100, many_48, ("asks",), at_home),
    (300, many_48, ("asks",), at_home),
    (300, many_48, ("hangs up",), at_home),
    (300, many_48, KINDS[:4], at_home),
    (100, one_address, ("silent",), beside),
    (100, one_address, ("asks",), beside),
    (100, one_address, ("hangs up",), beside),
    (100, one_address, ("rubbish",), beside),
    (100, one_address, KINDS[:4], beside),
    (700, one_address, KINDS[:4], at_home),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "sources", "kinds", "host"),
    FLOODS,
    ids=[f"{rate} of {sources.__name__}: {'+'.join(kinds)}; {host.__name__}" for rate, sources, kinds, host in FLOODS],
)
def test_nine_of_ten_friends_are_in_within_two_seconds(
    rate: float, sources: Callable[[], Iterator[str]], kinds: tuple[str, ...], host: Callable[[int], str]
) -> None:
    door, limits = Door(), Limits()
    door.flood(rate, sources(), kinds)
    door.run(SECONDS)
    took = door.friends(host, TRIP)
    assert sum(seconds <= WITHIN for seconds in took) >= 0.9 * FRIENDS, [round(seconds, 2) for seconds in took]
    seconds = door.clock.seconds() - 1000.0
    work = door.answered * Step.ANSWER.value + door.looked_at * Step.PROOF.value
    assert work <= limits.logins_burst + limits.logins_a_second * seconds + 1
    assert len(door.admission) <= limits.before_login


def test_a_friend_of_yesterday_is_in_even_if_more_come_from_everywhere_than_can_be_answered() -> None:
    door = Door()
    for number in range(FRIENDS):
        Friend(door, at_home(number), 0.02)
        door.run(0.1)
    door.clock.advance(Limits().known_seconds - 3600)
    door.flood(700, everywhere(), ("asks",))
    door.run(SECONDS)
    took = door.friends(at_home, 0.1)
    assert max(took) <= 1.0, took


def test_who_was_just_answered_is_not_shown_out_and_who_is_overdue_goes_first() -> None:
    door = Door()
    stays = Friend(door, "203.0.113.9", 10.0)
    door.run(0.05)
    assert stays._answered
    fresh = [Stranger(door, "203.0.113.9", "silent") for _ in range(20)]
    assert stays.stands, "eight others were there to go"
    assert sum(stranger.stands for stranger in fresh) == Limits().before_login_each
    door.run(0.6)
    Stranger(door, "203.0.113.9", "silent")
    assert not stays.stands, "owed its proof for longer than anybody else owes anything"


def test_one_who_asks_and_goes_again_and_again_comes_later_and_is_never_refused() -> None:
    door = Door()
    for _ in range(20):
        Stranger(door, "203.0.113.9", "hangs up")
        door.run(0.2)
    assert door.metrics.logins_total[Login.LEFT].value == 20
    assert door.admission.knocks.rank("203.0.113.9", door.clock.seconds()) > 0
    assert not door.admission.banned(Friend(door, "203.0.113.9", 0.02)), "a friend may share the address"
    order: list[str] = []
    for host in ("203.0.113.9", "198.51.100.7"):
        friend = Friend(door, host, 0.02)
        friend.prove = lambda host=host: order.append(host)  # type: ignore[method-assign, misc]
    door.run(0.1)
    assert order == ["198.51.100.7", "203.0.113.9"]
