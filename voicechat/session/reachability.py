"""Reachability: may media go over UDP in this direction? It is asked again and again, for ever.

Each end judges the direction in which it sends. The answer to a probe is a sign of life. It
comes over UDP, or over TCP when datagrams are lost on the way back. For a while after an
answer a report that datagrams arrive is a sign of life, too. LOST_PROBES probes in a row
without a sign of life end UDP, which takes two seconds while media flows; PROOFS answers
bring it back. (Mumble asks once, at the start, and never notices that UDP died later.)

Pure: times are seconds of a monotonic clock, tokens come from the caller.
"""

from collections import deque
from typing import Final

from voicechat.session.round_trips import KEPT, RoundTrips, Usual

PROBE_FLOWING: Final = 1.0
"""Seconds between probes while media flows."""

PROBE_SILENT: Final = 5.0
"""Seconds between probes in silence, and while the way is taken to be dead; keeps a NAT's mapping (RFC 4787: 120 s)."""

PROBE_RESTING: Final = 25.0
"""Seconds between a server's probes in silence: the client's keep the NAT's mapping, and the first packet of media asks
anew. It saves 20 bytes a second in each silent room of two (measured)."""

PROBE_AGAIN: Final = 0.2
"""Seconds after which an unanswered probe is followed by another, and between the first ones of a session."""

PROBE_HOPING: Final = 0.5
"""Seconds between probes when UDP has just died: most connections that break are back within seconds, and TCP, which
waits twice as long after each loss, takes up to three seconds more (measured after a cut of 5 s)."""

HOPES_FOR: Final = 10.0
"""Seconds of such hope; a connection that is gone for longer is given up by TCP, too."""

LOST_PROBES: Final = 4
"""Probes in a row without a sign of life that end the way: with a loss of 10 % each way by chance once in 800.
The last one's time is up 1.8 s after the way died: a second until the first, and four times PROBE_AGAIN; where a round
trip takes longer than PROBE_AGAIN, by so much later. Nothing ends it in the two seconds of measuring."""

FIRST_PROBES: Final = 10
"""Probes in quick succession at the start of a session: two seconds, then the way is as good as blocked."""

PROOFS: Final = 3
"""Answers in a row that bring a way back which had died, so that a flapping one is not trusted. After the first, the
others are asked for PROBE_AGAIN apart."""

FORGETS: Final = 0.9
"""What is left of the longest round trip at each answer."""

MEASURED: Final = KEPT + 1
"""Probes of a client that measure its connection, once one is answered."""

MEASURE_EVERY: Final = 0.1
"""Seconds between those: the connection is known after two seconds, before much is said, for 1 KB each way."""

REPORTS_COUNT_FOR: Final = 10.0
"""Seconds after an answered probe in which a report is a sign of life, too. It comes over TCP and proves nothing: one
who lies could leave media flowing for ever to an address that they have left. Where half of the datagrams are lost
each way, the fifty probes of such a time all get no answer once in a million times."""

SLACK: Final = 0.01
"""Seconds by which a timer may be early."""

FLOWS_FOR: Final = 2.0
"""Seconds after a media packet during which media is said to flow."""


class UdpReachability:
    """One direction's judgement. ``up``: media goes over UDP.

    ``resting``: a server's, which asks seldom in silence, and measures nothing that it does not need.
    """

    def __init__(self, now: float, *, resting: bool = False) -> None:
        self.up = False
        self._silent = PROBE_RESTING if resting else PROBE_SILENT
        self._to_measure = 0 if resting else MEASURED
        self.round_trips = RoundTrips()
        """Of probes."""
        self._usual = Usual()
        self._died = False
        self._died_at = now
        self._proofs = 0
        self._unanswered: deque[float] = deque(maxlen=FIRST_PROBES + 1)
        """When each probe since the last sign of life was sent."""
        self._round_trip = 0.0
        self._flowed_at = now - FLOWS_FOR
        self._answered_at = now - REPORTS_COUNT_FOR
        self._tokens: deque[tuple[bytes, float, int]] = deque(maxlen=MEASURED)
        """Of each probe that is not answered: its token, when it was sent, and how many were before it."""
        self._sent = self._first_up = self._last_answered = 0
        """How many probes there were; which was the first since the way is up, and the last that was answered."""
        self._probe_at = now

    def flows(self, now: float) -> bool:
        """A media packet went or came; True if it is the first for long, and so a reason to ask."""
        begins = now - self._flowed_at >= FLOWS_FOR
        if begins:
            self.probe_now(now)
        self._flowed_at = now
        return begins

    def probe_now(self, now: float) -> None:
        """There is a new reason to ask."""
        self._probe_at = min(self._probe_at, now)

    def next_at(self, now: float) -> float:
        """When `poll` has to be called next."""
        return max(now, self._probe_at)

    def poll(self, token: bytes, now: float) -> bytes | None:
        """Judge; and the token to send in a probe now, or None if none is due. ``token`` is 8 fresh random bytes."""
        if now < self._probe_at:
            return None
        if self._given_up(now):
            self._proofs = 0
            if self.up:
                self.up, self._died, self._died_at = False, True, now
        self._unanswered.append(now)
        self._tokens.append((token, now, self._sent))
        self._sent += 1
        if self.up and self._to_measure:
            self._to_measure -= 1
        self._probe_at = now + self._patience(now)
        return token

    def _given_up(self, now: float) -> bool:
        """So many probes have got no answer in a row, and each has had the time for one.

        While the connection is measured they are too close to tell a hiccup from an end.
        """
        if self._to_measure or len(self._unanswered) < LOST_PROBES:
            return False
        if now - self._unanswered[0] < LOST_PROBES * PROBE_AGAIN - SLACK:
            return False
        return now - self._unanswered[LOST_PROBES - 1] > max(PROBE_AGAIN, self._round_trip) - SLACK

    def _patience(self, now: float) -> float:
        """Seconds until the next probe if this one is not answered."""
        if self.up and self._to_measure:
            return MEASURE_EVERY
        if self.up or self._proofs or (not self._died and len(self._unanswered) <= FIRST_PROBES):
            return PROBE_AGAIN  # it may be dying, coming back, or has not been tried yet
        return PROBE_HOPING if self._died and now - self._died_at < HOPES_FOR else PROBE_SILENT

    def answered(self, token: bytes, now: float) -> bool:
        """A token came back; False if it is none of ours, or came twice."""
        probe = next((probe for probe in self._tokens if probe[0] == token), None)
        if probe is None:
            return False
        self._tokens.remove(probe)
        self._last_answered = max(self._last_answered, probe[2])
        trip = now - probe[1]
        if self.round_trips.note(trip, now) and self._usual.believes(trip):
            self._round_trip = max(trip, self._round_trip * FORGETS)
        self._proofs += 1
        if not self.up and (not self._died or self._proofs >= PROOFS):
            self.up, self._died = True, False
            self._first_up = self._sent
        self._answered_at = now
        self._unanswered.clear()
        if self.up and self._to_measure:
            self._probe_at = min(self._probe_at, now + MEASURE_EVERY)
            return True
        resting = PROBE_FLOWING if now - self._flowed_at < FLOWS_FOR else self._silent
        self._probe_at = now + (resting if self.up else PROBE_AGAIN)
        return True

    def lost(self, now: float) -> int:
        """Of the last MEASURED probes, those that nobody answered in time, though a later one was answered.

        A way that has died does not lose, it is gone: 0.
        """
        if self._died:
            return 0
        of_interest = range(max(self._first_up, self._sent - MEASURED), self._last_answered)
        patience = max(PROBE_AGAIN, self._round_trip)
        return sum(number in of_interest and now - sent > patience for _, sent, number in self._tokens)

    def reported(self, now: float) -> None:
        """The other side tells that what we sent arrived, up to a second ago: the next probe is not put off by it."""
        if now - self._answered_at >= REPORTS_COUNT_FOR:
            return
        while self._unanswered and self._unanswered[0] < now:  # it knows nothing of a probe sent at this very moment
            self._unanswered.popleft()
