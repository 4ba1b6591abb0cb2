"""Whether the server still answers, told within two seconds and some.

A connection that is cut looks like one on which nobody talks, until TCP gives it up ten seconds
later. So while sound flows, either way, something has to come: sound, or the answers to
probes. When nothing does, the server is asked, and when no answer comes either, it is
silent. In a silent room only the heartbeats are watched: nothing is sent for this.

    RESTING --sound flows--> WATCHING --nothing for ASK_AFTER--> DOUBTING --nothing for SILENT_AFTER--> SILENT
    RESTING --a heartbeat's ping--> DOUBTING
    whatever comes in DOUBTING or SILENT leads to WATCHING if sound flowed meanwhile, else to RESTING
"""

import enum
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IReactorTime

from voicechat.carriage.clock import Timer

SILENT_AFTER: Final = 2.0
"""Seconds without an answer from which it is said: longer than the pauses of a connection that only loses packets,
in which ten probes and a segment that TCP sends again get through; as long as a
person waits for a friend's answer."""

ASK_AFTER: Final = 1.5
"""Seconds without anything after which the server is asked: half a second is left for an answer over TCP, and probes
while sound flows (`session.reachability.PROBE_FLOWING`) have had theirs."""

LOOK_EVERY: Final = 0.5
"""Seconds between two looks while sound flows or an answer is due."""


class Watch(enum.Enum):
    """What is expected of the server."""

    RESTING = "resting"
    """Nothing."""
    WATCHING = "watching"
    """Sound flows: something comes all the time."""
    DOUBTING = "doubting"
    """It was asked."""
    SILENT = "silent"
    """It has not answered."""


class Answers:
    """One connection's watch.

    ``arrivals`` gives a number that changes with whatever comes. ``ask`` puts a question to the server.
    ``changed`` is called when it falls silent, and when it is heard again.
    """

    def __init__(
        self, clock: IReactorTime, arrivals: Callable[[], int], ask: Callable[[], None], changed: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._arrivals = arrivals
        self._ask = ask
        self._changed = changed
        self._state = Watch.RESTING
        self._count = 0
        self._since = 0.0
        """When something came last, or was asked after a rest."""
        self._flowed = False
        """Sound flowed since the server was asked."""
        self._timer = Timer(clock, self._look)

    @property
    def resting(self) -> bool:
        """Nothing is expected."""
        return self._state is Watch.RESTING

    @property
    def watching(self) -> bool:
        """It is known that sound flows."""
        return self._state is Watch.WATCHING

    @property
    def silent(self) -> bool:
        """The server does not answer."""
        return self._state is Watch.SILENT

    @property
    def unanswered(self) -> float:
        """Seconds for which a silent server has been silent; else 0."""
        return self._clock.seconds() - self._since if self.silent else 0.0

    def flows(self) -> None:
        """Sound was sent, or came."""
        if self.resting:
            self._begin(Watch.WATCHING)
        else:
            self._flowed = True

    def asked(self) -> None:
        """A question was put to the server."""
        if self.resting:
            self._begin(Watch.DOUBTING)

    def stop(self) -> None:
        """Nothing is expected any more, and nothing scheduled."""
        self._state = Watch.RESTING
        self._timer.stop()

    def _begin(self, state: Watch) -> None:
        self._state, self._flowed = state, False
        self._count, self._since = self._arrivals(), self._clock.seconds()
        self._timer.start(LOOK_EVERY)

    def _look(self) -> None:
        count, quiet = self._arrivals(), self._clock.seconds() - self._since
        if count != self._count:
            self._answered(count)
        elif self._state is Watch.WATCHING and quiet >= ASK_AFTER:
            self._state, self._flowed = Watch.DOUBTING, False
            self._ask()
        elif self._state is Watch.DOUBTING and quiet >= SILENT_AFTER:
            self._state = Watch.SILENT
            self._changed()
        if not self.resting:
            self._timer.start(LOOK_EVERY)

    def _answered(self, count: int) -> None:
        before = self._state
        self._count, self._since = count, self._clock.seconds()
        if before is not Watch.WATCHING:
            self._state = Watch.WATCHING if self._flowed else Watch.RESTING
        if before is Watch.SILENT:
            self._changed()
