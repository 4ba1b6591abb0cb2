"""When logins are computed: as soon as their rate allows, and not before a beat."""

import itertools
import math
from typing import Final

from twisted.internet.task import Clock
from twisted.logger import Logger

from voicechat.format import TICK_SECONDS
from voicechat.server.admission import BREATH, LOGIN, RESUME_PRICE, Admission, Step
from voicechat.server.eventlog import EventLog
from voicechat.server.limits import Limits
from voicechat.server.metrics import Metrics

STEP: Final = 0.0005


class Visitor:
    """Notes when its login was computed; as soon as it is answered it shows its proof."""

    def __init__(self, clock: Clock, admission: Admission, address: str) -> None:
        self.address = address
        self._clock, self._admission = clock, admission
        self.proved_at: float | None = None
        self.taken: list[float] = []
        """When each step was."""
        self.guesses = self.stands = True
        self._step = Step.ANSWER

    def ask(self, step: Step) -> None:
        """Come to the door, and ask for a step."""
        self.guesses = step is not Step.TICKET
        self._step = step
        self._admission.admit(self)
        self._admission.queue(self, step)

    def prove(self) -> None:
        self.taken.append(self._clock.seconds())
        if self._step is Step.ANSWER:
            self._step = Step.PROOF
            self._admission.queue(self, Step.PROOF)
        else:
            self.proved_at = self._clock.seconds()
            self._admission.entered(self)

    def reject(self, why: str) -> None:
        raise AssertionError(why)


def logins(number: int, seconds: float, beat: float = math.inf, *, tickets: bool = False) -> list[float]:
    """When each of so many that came at one moment was computed, with a beat each so many seconds."""
    clock, metrics = Clock(), Metrics()
    admission = Admission(
        clock,
        Limits(before_login=5000, login_seconds=60.0),
        metrics,
        EventLog(metrics, Logger("test")),
        lambda: math.inf if beat == math.inf else beat - clock.seconds() % beat,
    )
    visitors = [Visitor(clock, admission, f"192.0.{n // 250}.{n % 250}") for n in range(number)]
    for visitor in visitors:
        visitor.ask(Step.TICKET if tickets else Step.ANSWER)
    for _ in range(round(seconds / STEP)):
        clock.advance(STEP)
    assert all(len(visitor.taken) == 2 - tickets for visitor in visitors if visitor.proved_at is not None)
    return sorted(visitor.proved_at for visitor in visitors if visitor.proved_at is not None)


def test_a_hundred_who_come_at_once_are_in_as_soon_as_the_rate_allows() -> None:
    limits, times = Limits(), logins(100, 4.0)
    assert len(times) == 100
    assert times[-1] <= (100 - limits.logins_burst) / limits.logins_a_second + 0.1


def test_coming_back_is_cheaper_and_paced_all_the_same() -> None:
    limits, times = Limits(), logins(2000, 2.0, tickets=True)
    assert len(times) <= limits.logins_burst / RESUME_PRICE + 2.0 * limits.logins_a_second / RESUME_PRICE + 1
    assert all(later - sooner > BREATH - STEP for sooner, later in itertools.pairwise(times))
    assert len(times) > 300
    assert logins(100, 4.0, tickets=True)[-1] < 0.6, "a room full of friends is back at once"


def test_a_login_is_computed_after_a_beat_and_not_before_one() -> None:
    times = logins(50, 3.0, TICK_SECONDS)
    assert len(times) == 50
    assert all(TICK_SECONDS - at % TICK_SECONDS >= LOGIN - STEP for at in times)


def test_beats_that_leave_no_room_do_not_keep_a_friend_out() -> None:
    times = logins(25, 25 * (BREATH + LOGIN + 0.01), LOGIN - 0.001)
    assert len(times) == 25
