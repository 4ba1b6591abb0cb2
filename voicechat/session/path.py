"""Path: may media go over UDP in this direction? Decided in a rolling window, for ever.

Each end judges the way on which it sends. A probe that came back (over UDP, or told
over TCP when the way back is broken), or a report that datagrams arrive, shows that
the way is alive. Mumble asks once, at the start, and never notices that UDP died later;
here silence of DEAD_AFTER seconds is enough to leave, and PROOFS answers to come back.

Pure: times are seconds of a monotonic clock, tokens come from the caller.
"""

from collections import deque
from typing import Final

PROBE_FLOWING: Final = 1.0
"""Seconds between probes while media flows: DEAD_AFTER holds two of them."""

PROBE_SILENT: Final = 5.0
"""Seconds between probes in silence, and while the way is taken to be dead; keeps a NAT's mapping (RFC 4787: 120 s)."""

PROBE_FIRST: Final = 0.25
"""Seconds between the first probes of a session, until one is answered."""

FIRST_PROBES: Final = 8
"""How many of them: two seconds, then the way is as good as blocked."""

DEAD_AFTER: Final = 1.6
"""Seconds without a sign of life, with a probe under way, after which media goes over TCP: all is left within 2 s."""

PROOFS: Final = 3
"""Answers in a row that bring a way back which had died, so that a flapping one is not trusted."""

FLOWS_FOR: Final = 2.0
"""Seconds after a media packet during which media is said to flow."""

_TOKENS: Final = 16


class Path:
    """One direction's judgement. ``up``: media goes over UDP."""

    def __init__(self, now: float) -> None:
        self.up = False
        self._proofs_needed = 1
        self._proofs = 0
        self._alive_at = now
        self._flowed_at = now - FLOWS_FOR
        self._waiting_since: float | None = None
        self._tokens: deque[bytes] = deque(maxlen=_TOKENS)
        self._sent = 0
        self._probe_at = now

    def flows(self, now: float) -> None:
        """A media packet went or came."""
        if now - self._flowed_at >= FLOWS_FOR:
            self.probe_now(now)
        self._flowed_at = now

    def probe_now(self, now: float) -> None:
        """There is a new reason to ask."""
        self._probe_at = min(self._probe_at, now)

    def next_at(self, now: float) -> float:
        """When `turn` has to be called next."""
        if self.up and self._waiting_since is not None:
            return max(now, min(self._probe_at, self._deadline()))
        return max(now, self._probe_at)

    def turn(self, token: bytes, now: float) -> bytes | None:
        """Judge; and the token to send in a probe now, or None if none is due. ``token`` is 8 fresh random bytes."""
        if self.up and self._waiting_since is not None and now >= self._deadline():
            self.up = False
            self._proofs, self._proofs_needed = 0, PROOFS
        if now < self._probe_at:
            return None
        self._sent += 1
        flowing = now - self._flowed_at < FLOWS_FOR
        if self._proofs_needed == 1 and not self.up and self._sent <= FIRST_PROBES:
            pause = PROBE_FIRST
        else:
            pause = PROBE_FLOWING if self.up and flowing else PROBE_SILENT
        self._probe_at = now + pause
        if self._waiting_since is None:
            self._waiting_since = now
        self._tokens.append(token)
        return token

    def answered(self, token: bytes, now: float) -> bool:
        """A token came back; False if it is none of ours, or came twice."""
        if token not in self._tokens:
            return False
        self._tokens.remove(token)
        self._proofs += 1
        if self._proofs >= self._proofs_needed:
            self.up = True
        self.alive(now)
        return True

    def alive(self, now: float) -> None:
        """Something showed that what we send arrives."""
        self._alive_at = now
        self._waiting_since = None

    def _deadline(self) -> float:
        """When a way that gives no sign of life is dead: not before a probe had its time."""
        since = self._waiting_since if self._waiting_since is not None else self._alive_at
        return max(self._alive_at + DEAD_AFTER, since + DEAD_AFTER / 3)
