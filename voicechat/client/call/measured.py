"""Measured: what a call's connections found out about the way to the server, kept over all of them.

A new connection knows nothing at first; until it knows as much as the last one did, what that one knew is used.
"""

from collections import Counter

from voicechat.client.network.protocol import RemoteServer
from voicechat.session.round_trips import KNOWN


class Measured:
    """Round trip, loss, lateness and traffic of one call. ``connection`` is the present one, if there is one."""

    def __init__(self) -> None:
        self.connection: RemoteServer | None = None
        self._traffic: Counter[str] = Counter()
        self._round_trip: float | None = None
        self._late_before: list[float] = []

    def ended(self, connection: RemoteServer) -> None:
        """A connection is over, the present one or one that never became it; what it counted is kept."""
        self._traffic.update(connection.traffic())
        if connection is self.connection:
            self._round_trip = connection.round_trip
            self._late_before = self.lateness()
            self.connection = None

    @property
    def round_trip(self) -> float | None:
        """Seconds to the server and back, over TCP."""
        return self._round_trip if self.connection is None else self.connection.round_trip

    @property
    def loss(self) -> float:
        """Share of the datagrams to us that were lost lately; 0 without datagrams."""
        return 0.0 if self.connection is None else self.connection.loss

    def lateness(self) -> list[float]:
        """By how many ticks probes to the server and back were late; a friend's voice passes two links, too."""
        known = [] if self.connection is None else self.connection.lateness()
        return self._late_before if len(known) < min(KNOWN, len(self._late_before)) else known

    def traffic(self) -> Counter[str]:
        """Packets and bytes of all connections, by direction, and what was passed over."""
        traffic = Counter(self._traffic)
        if self.connection is not None:
            traffic.update(self.connection.traffic())
        return traffic
