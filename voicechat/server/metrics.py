"""What the server counts, and the log lines that a stranger cannot flood.

One counter a kind of event; one log line a kind and address in ten seconds, with
the number of those kept back. A million bad packets are under 100 KB of log.
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

    def count(self, name: str, amount: int = 1) -> None:
        """Something happened that is not worth a line."""
        self.counts[name] += amount

    def note(self, name: str, address: str, now: float, text: str = "") -> None:
        """Something happened that is worth a line, unless there were many."""
        self.counts[name] += 1
        kept = self._allowed(name, address, now)
        if kept is None or (address and self._allowed(name, "", now, MOST_LINES) is None):
            return
        more = f" ({kept} more like it)" if kept else ""
        self._log.info("{name} from {address}: {text}{more}", name=name, address=address, text=text, more=more)

    def say(self, text: str) -> None:
        """A line about the server itself; rare by nature."""
        self._log.info("{text}", text=text)

    def people(self, text: str, now: float) -> None:
        """A line about a participant who came or went, unless somebody does so without end."""
        if self._allowed("people", "", now, MOST_OF_PEOPLE) is not None:
            self._log.info("{text}", text=text)

    def failure(self, text: str, now: float, failure: Failure | None = None) -> None:
        """An exception that should not have been, the one at hand unless given: with its traceback, if there are few.

        A fault that a stranger found how to cause must not fill a disk either.
        """
        self.counts["faults"] += 1
        if self._allowed("faults", "", now, MOST_LINES) is not None:
            self._log.failure("{text}", failure, text=text)

    def _allowed(self, name: str, address: str, now: float, most: int = 1) -> int | None:
        """How many were kept back since the last line, or None if this one is to be, too."""
        key = (name, address)
        until, count = self._next.pop(key, (0.0, 0))
        if now >= until:
            until, kept, count = now + EVERY, max(0, count - most), 0
        else:
            kept = 0
        count += 1
        self._next[key] = (until, count)
        while len(self._next) > MOST_KEYS:
            self._next.popitem(last=False)
        return kept if count <= most else None
