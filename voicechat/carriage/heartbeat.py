"""Heartbeats of one connection: pings, what they owe, and how long their answers took.

Pure: times are seconds of a monotonic clock.
"""

from typing import Final

from voicechat.session.reachability import MEASURE_EVERY
from voicechat.session.round_trips import KEPT, SUDDEN, RoundTrips, Usual

PING_EVERY: Final = 8.0
"""Seconds between two pings from each side: a silent room stays under 50 bytes a second (measured)."""

ANSWER_WITHIN: Final = 10.0
"""Seconds that a peer may owe an answer; then it is dead or frozen."""

ROUND_TRIP_WEIGHT: Final = 1 / 4
"""Of the last round trip in the smoothed one: a connection that has changed is known after four pings."""

_NEVER: Final = float("inf")


class Heartbeat:
    """Rests until `start`. Call `poll` at `deadline`."""

    def __init__(self) -> None:
        self.round_trip: float | None = None
        """Seconds, smoothed over the last pings."""
        self.round_trips = RoundTrips()
        self._usual = Usual()
        self._to_measure = 0
        self._pings = 0
        self._sent: tuple[int, float] | None = None
        """The last ping's number and time, until it is answered."""
        self._ping_at = self._owed_at = _NEVER

    @property
    def deadline(self) -> float:
        """When `poll` is to be called next; infinity for never."""
        return min(self._ping_at, self._owed_at)

    @property
    def overdue_at(self) -> float:
        """When an answer will have been owed for too long; infinity while none is owed."""
        return self._owed_at

    def start(self, now: float) -> None:
        """Ping from now on."""
        self._ping_at = now + PING_EVERY

    def stop(self) -> None:
        """No more pings, and nothing is owed."""
        self._ping_at = self._owed_at = _NEVER

    def ask(self, now: float) -> None:
        """Ping at once, once it has been started."""
        if self._ping_at < _NEVER:
            self._ping_at = now

    def measure(self, now: float) -> None:
        """Learn how uneven the connection is, while media goes over it: a ping as soon as the last one is answered."""
        self._to_measure = KEPT
        self.ask(now)

    def poll(self, now: float) -> int | None:
        """The number of the ping that is to be sent now, or None."""
        if now < self._ping_at:
            return None
        self._pings += 1
        self._sent = (self._pings, now)
        self._ping_at = now + PING_EVERY
        if self._owed_at == _NEVER:
            self._owed_at = now + ANSWER_WITHIN
        return self._pings

    def answered(self, number: int, now: float, *, measuring: bool) -> None:
        """An answer came; any but the last ping's is too old to measure by. ``measuring``: media goes this way."""
        if self._sent is None or number != self._sent[0]:
            return
        took = now - self._sent[1]
        self._sent = None
        self._owed_at = _NEVER
        if self.round_trips.note(took, now) and self._usual.believes(took):
            before = took if self.round_trip is None else self.round_trip
            self.round_trip = before + (took - before) * ROUND_TRIP_WEIGHT
        elif took > SUDDEN:
            self.ask(now)  # a standstill, which is forgotten, or a slow connection, which is believed then
        if self._to_measure and measuring:
            self._to_measure -= 1
            self._ping_at = min(self._ping_at, now + max(0.0, MEASURE_EVERY - took))
