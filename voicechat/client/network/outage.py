"""When nobody hears us: what a player is to know of it, and the lines that say so, now and again.

Pure but for its notices: times are seconds, given as arguments.
"""

from typing import Final, Protocol

import msgspec

from voicechat.client.notices import INotices

TOLD_FROM: Final = 2.0
TOLD_EVERY: Final = 30.0
"""Seconds of a lost connection from which it is told that nobody hears us, and until it is told again."""


class Outage(msgspec.Struct, frozen=True):
    """The connection was lost, or the server does not answer."""

    why: str
    """For a person."""
    seconds: float
    """For so long."""
    tries: int = 0
    """Which try the next one is; 0: the connection stands, and its server is silent."""
    next_s: float | None = None
    """Seconds until it; None: it is under way."""


class IRecovery(Protocol):
    """Who brings a lost connection back."""

    def outage(self) -> Outage | None:
        """Why nobody hears us, once somebody has; None: they do."""

    def try_now(self) -> None:
        """Try again at once. ControlError if there is nothing to try."""


class News:
    """Lines about a connection. ``where`` is the server, as the user named it."""

    def __init__(self, notices: INotices, where: str) -> None:
        self._notices = notices
        self._where = where
        self._told_at = float("-inf")
        """When it was told that nobody hears us."""
        self._silent = False
        """It was told that the server does not answer."""

    def disconnected(self, why: str) -> None:
        """The connection was lost."""
        self._silent = False
        self._notices.trouble(f"the line to {self._where} broke ({why}); trying again")

    def waits(self, outage: Outage, now: float) -> None:
        """The next try is to come: told once it takes longer than a moment, and then now and again."""
        if outage.seconds >= TOLD_FROM and self._may_tell(now) and outage.next_s is not None:
            self._notices.trouble(f"nobody hears you; trying again in {outage.next_s:.0f} s (try {outage.tries})")

    def silent(self, seconds: float, now: float) -> None:
        """The server has fallen silent; 0 seconds: it is heard again."""
        if seconds and self._may_tell(now):
            self._silent = True
            self._notices.trouble(f"{self._where} has not answered for {seconds:.0f} s: perhaps nobody hears you")
        elif not seconds and self._silent:
            self._silent = False
            self._notices.trouble(f"{self._where} answers again")

    def _may_tell(self, now: float) -> bool:
        if now - self._told_at < TOLD_EVERY:
            return False
        self._told_at = now
        return True
