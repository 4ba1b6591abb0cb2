"""What the server counts, and the log lines that a stranger cannot flood.

One counter a kind of event; one log line a kind and address in ten seconds, and with
the next line of a kind the number of those kept back since the last. A million bad
packets are under 100 KB of log.
"""

from collections import Counter, OrderedDict
from typing import Final

from twisted.logger import Logger
from twisted.python.failure import Failure

EVERY: Final = 10.0
"""Seconds between two log lines of one kind from one address."""

MOST_KEYS: Final = 1000
"""Kinds and addresses remembered at once; the oldest is forgotten."""

MOST_LINES: Final = 5
"""Lines of one kind in EVERY seconds from all addresses together."""

MOST_OF_PEOPLE: Final = 50
"""Lines about people in EVERY seconds: a full room that leaves and comes back is told whole."""


class Metrics:
    """Counters by name, and a rate-limited log. ``now`` is in monotonic seconds."""

    def __init__(self, log: Logger | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._log = log or Logger("voicechat")
        self._next: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._kept_back: Counter[str] = Counter()
        """Lines of each kind since the last one that was told."""

    def count(self, name: str, amount: int = 1) -> None:
        """Something happened that is not worth a line."""
        self.counts[name] += amount

    def note(self, name: str, address: str, now: float, text: str = "") -> None:
        """Something happened that is worth a line, unless there were many."""
        self.counts[name] += 1
        # an address first: its many lines are not to use up what all have together
        if self._allows(name, address, now, 1) and (not address or self._allows(name, "", now, MOST_LINES)):
            more = self._more(name)
            self._log.info("{name} from {address}: {text}{more}", name=name, address=address, text=text, more=more)
        else:
            self._kept_back[name] += 1

    def say(self, text: str) -> None:
        """A line about the server itself; rare by nature."""
        self._log.info("{text}", text=text)

    def people(self, text: str, now: float) -> None:
        """A line about a participant who came or went, unless somebody does so without end."""
        if self._allows("people", "", now, MOST_OF_PEOPLE):
            self._log.info("{text}{more}", text=text, more=self._more("people"))
        else:
            self._kept_back["people"] += 1

    def failure(self, text: str, now: float, failure: Failure | None = None) -> None:
        """An exception that should not have been, the one at hand unless given: with its traceback, if there are few.

        A fault that a stranger found how to cause must not fill a disk either.
        """
        self.counts["faults"] += 1
        if self._allows("faults", "", now, MOST_LINES):
            self._log.failure("{text}{more}", failure, text=text, more=self._more("faults"))
        else:
            self._kept_back["faults"] += 1

    def _more(self, name: str) -> str:
        """How many lines of a kind were kept back before this one."""
        count = self._kept_back.pop(name, 0)
        return f" ({count} more like it)" if count else ""

    def _allows(self, name: str, address: str, now: float, most: int) -> bool:
        """Whether a line is one of the first ``most`` of its kind and address in EVERY seconds."""
        key = (name, address)
        until, count = self._next.pop(key, (0.0, 0))
        if now >= until:
            until, count = now + EVERY, 0
        self._next[key] = (until, count + 1)
        while len(self._next) > MOST_KEYS:
            self._next.popitem(last=False)
        return count < most
