"""What the server tells its host, in sentences, so that no stranger can flood the log.

A few lines of each kind and address in ten seconds; of those beyond, each is counted, and
told with the next line of the kind, or at the end. A million bad packets are under 100 KB
of log. In each line that a stranger can cause, the address stands behind the word "from".

What is counted besides is `metrics`' affair; where lines go, `log`'s.
"""

import enum
from collections import Counter, OrderedDict
from typing import Final

from twisted.logger import Logger
from twisted.python.failure import Failure

from voicechat.server.metrics import Metrics, Rejected
from voicechat.wire.messages import LOCKED_OUT, SHUTTING_DOWN

EVERY: Final = 10.0
"""Seconds between two log lines of one kind from one address."""

MOST_KEYS: Final = 1000
"""Kinds and addresses remembered at once; the oldest is forgotten."""

MOST_LINES: Final = 5
"""Lines of one kind in EVERY seconds from all addresses together."""

MOST_OF_PEOPLE: Final = 50
"""Lines about people in EVERY seconds: a full room that leaves and comes back is told whole."""


class Event(enum.Enum):
    """What is told of strangers and participants: a sentence with the address, and what more there is to say of it."""

    WRONG_PASSWORD = "a login from {address} failed: wrong password"  # noqa: S105
    BAN = "logins from {address} are banned for {what} s: too many wrong passwords"
    BANNED = "a login from {address} was refused: banned for guessing"
    TURNED_AWAY = "a login from {address} was refused: {what}"
    REJECTED = "a connection from {address} was closed: {what}"
    UNFINISHED = "a login from {address} was begun and not finished"
    BAD_INPUT = "bad input came from {address}: {what}"
    TOO_MANY = "too many messages came from {address} and were dropped"


REJECTED: Final = {
    Rejected.NO_LOGIN_IN_TIME: "no login in time",
    Rejected.TOO_MANY_OF_ONE_ADDRESS: "too many connections of one address",
    Rejected.TOO_MANY: "too many connections before login",
    Rejected.BANNED: "banned for guessing",
    Rejected.PASSWORD_CHANGED: LOCKED_OUT,
    Rejected.SHUTTING_DOWN: SHUTTING_DOWN,
}
"""Why a connection was closed before its login, in words."""


class _Own(enum.Enum):
    """Kinds of lines whose sentences are made elsewhere."""

    PEOPLE = "people who came or went"
    FAULT = "faults"


_Kind = Event | _Own


class EventLog:
    """A rate-limited log; ``metrics`` has faults, and lines kept back. ``now`` is in monotonic seconds."""

    def __init__(self, metrics: Metrics, log: Logger | None = None) -> None:
        self._faults = metrics.faults_total
        self._all_kept_back = metrics.log_lines_kept_back_total
        self._log = log or Logger("voicechat")
        self._next: OrderedDict[tuple[_Kind, str], tuple[float, int]] = OrderedDict()
        self._kept_back: Counter[_Kind] = Counter()
        """Lines of each kind since the last one that was told."""

    def note(self, event: Event, address: str, now: float, what: str = "") -> None:
        """Somebody at an address did something that is worth a line, unless there were many."""
        # an address first: its many lines are not to use up what all have together
        if self._allows(event, address, now, 1) and (not address or self._allows(event, "", now, MOST_LINES)):
            self._log.info(event.value + "{more}", address=address, what=what, more=self._more(event))
        else:
            self._keep_back(event)

    def server(self, text: str) -> None:
        """A line about the server itself; rare by nature."""
        self._log.info("{text}", text=text)

    def people(self, text: str, now: float) -> None:
        """A line about a participant who came or went, unless somebody does so without end."""
        if self._allows(_Own.PEOPLE, "", now, MOST_OF_PEOPLE):
            self._log.info("{text}{more}", text=text, more=self._more(_Own.PEOPLE))
        else:
            self._keep_back(_Own.PEOPLE)

    def failure(self, text: str, now: float, failure: Failure | None = None) -> None:
        """An exception that should not have been, the one at hand unless given: with its traceback, if there are few.

        A fault that a stranger found how to cause must not fill a disk either.
        """
        self._faults.value += 1
        if self._allows(_Own.FAULT, "", now, MOST_LINES):
            self._log.failure("{text}{more}", failure, text=text, more=self._more(_Own.FAULT))
        else:
            self._keep_back(_Own.FAULT)

    def close(self) -> None:
        """The end: no next line will tell what was kept back."""
        for kind, count in self._kept_back.items():
            like = kind.value.format(address="...", what="...")
            self._log.info("{count} more lines were kept back like: {like}", count=count, like=like)
        self._kept_back.clear()

    def _keep_back(self, kind: _Kind) -> None:
        self._kept_back[kind] += 1
        self._all_kept_back.value += 1

    def _more(self, kind: _Kind) -> str:
        """How many lines of a kind were kept back before this one."""
        count = self._kept_back.pop(kind, 0)
        return f" ({count} more like it)" if count else ""

    def _allows(self, kind: _Kind, address: str, now: float, most: int) -> bool:
        """Whether a line is one of the first ``most`` of its kind and address in EVERY seconds."""
        key = (kind, address)
        until, count = self._next.pop(key, (0.0, 0))
        if now >= until:
            until, count = now + EVERY, 0
        self._next[key] = (until, count + 1)
        while len(self._next) > MOST_KEYS:
            self._next.popitem(last=False)
        return count < most
