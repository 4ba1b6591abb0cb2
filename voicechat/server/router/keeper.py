"""A port that stays open at one router, from `start` to `stop`.

| state | means | goes on with |
|---|---|---|
| RESTS | nothing was asked yet, or the last that was asked came to nothing | AGAIN seconds, or a hint |
| ASKS | a router is being asked, in one way after the other | its answer |
| OPEN | the port is open | half of the lease, LOOK seconds at most, or a hint |
| OVER | it is taken back | nothing |

A router that was started anew has forgotten the port. It tells so, mostly (`hint`); as for those that do not, each
renewal is a request as the first was, and comes each five minutes.
"""

import enum
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, inlineCallbacks

from voicechat.carriage.clock import Timer
from voicechat.server.router import memory
from voicechat.server.router.memory import Remembered
from voicechat.server.router.talk import Outcome, PortOpened, PortWish
from voicechat.server.router.ways import IWay
from voicechat.server.router.wire import NONCE_BYTES, Address, Refusal, Result

LOOK: Final = 300.0
"""Seconds between two requests at most: two datagrams, and friends wait no longer after the router's restart."""

AGAIN: Final = (30.0, 60.0, 120.0, 300.0)
"""Seconds until a router that did not do it is asked again; the last is the rule from then on."""

HINTS: Final = 10.0
"""Seconds between two requests at least, however often a router says that it begins anew."""

LAST_WORD: Final = 1.5
"""Seconds at the end to take the port back: the server promises to end within two."""


class Keeping(enum.Enum):
    """See the module."""

    RESTS = enum.auto()
    ASKS = enum.auto()
    OPEN = enum.auto()
    OVER = enum.auto()


class Keeper:
    """Keeps port ``inner`` open by the first of ``ways`` that does it; ``tell`` hears of each change.

    ``router``: its address, '' if it is not known. ``ours``: our address towards it.
    ``folder``: where what is open is remembered; None for nowhere.
    """

    def __init__(
        self,
        clock: Any,
        ways: Sequence[IWay],
        inner: int,
        tell: Callable[[Outcome], object],
        *,
        router: str = "",
        ours: Address | None = None,
        folder: Path | None = None,
    ) -> None:
        self.state = Keeping.RESTS
        self._clock = clock
        self._ways = list(ways)
        self._tell = tell
        self._router = router
        self._folder = folder
        self._ours = ours
        self._wish = PortWish(inner, inner, secrets.token_bytes(NONCE_BYTES), ours)
        self._opener: IWay | None = None
        """Who opened it."""
        self._timer = Timer(clock, self.ask)
        self._asked_at = -HINTS
        self._failures = 0
        self._last: Outcome = None
        self._told = False
        self._hinted = False
        self._ending: Deferred[None] | None = None

    def start(self) -> None:
        """Begin. What a start before this one left open is kept if it is the same port, else taken back."""
        left = self._left()
        if left is not None and left.inner == self._wish.inner:
            self._wish = self._wish._replace(nonce=bytes.fromhex(left.nonce), outer=left.outer or left.inner)
            left = None
        self.state = Keeping.ASKS
        self._began(left).addErrback(lambda _: None)

    @inlineCallbacks
    def _began(self, left: Remembered | None) -> Any:
        if left is not None:
            yield self._closed_by_all(left)
        self.state = Keeping.RESTS
        if self._ending is None:
            self.ask()
        else:
            self._ending.callback(None)

    def take_back(self) -> "Deferred[None]":
        """Take back what a start before this one left open, and open nothing."""
        left = self._left()
        self.state = Keeping.OVER
        done: Deferred[None] = Deferred()
        if left is None:
            done.callback(None)
        else:
            self._closed_by_all(left).addBoth(lambda _: done.callback(None))
        return done

    def _left(self) -> Remembered | None:
        """What is remembered, if it is of this router: another one is not asked for what it never opened."""
        left = None if self._folder is None else memory.remembered(self._folder)
        if left is not None and left.router != self._router:
            self._forget()
            return None
        return left

    @inlineCallbacks
    def _closed_by_all(self, left: Remembered) -> Any:
        """Take back what is remembered, in the way that opened it, or if that is not known in every way."""
        wish = PortWish(left.inner, left.outer or left.inner, bytes.fromhex(left.nonce), self._ours)
        for way in self._ways:
            if left.way in ("", way.way.value):
                answer = yield way.close(wish)
                if answer is not None and left.way:
                    self._forget()
        if not left.way:
            self._forget()

    def hint(self) -> None:
        """The router says that it begins anew: ask it soon."""
        if self.state is Keeping.ASKS:
            self._hinted = True
        elif self.state is not Keeping.OVER:
            at = self._asked_at + HINTS
            if at < self._timer.at:
                self._timer.start_at(at)

    def ask(self) -> None:
        """Have the port opened, or kept open."""
        if self.state in (Keeping.ASKS, Keeping.OVER):
            return
        self.state = Keeping.ASKS
        self._timer.stop()
        self._asked_at = self._clock.seconds()
        self._hinted = False
        if self._opener is None:
            self._remember(Remembered(self._router, self._wish.inner, self._wish.nonce.hex()))
        self._ask_all().addErrback(lambda _: self._came_to(None))

    @inlineCallbacks
    def _ask_all(self) -> Any:
        """The way that did it comes first."""
        refused: Outcome = None
        for way in sorted(self._ways, key=lambda way: way is not self._opener):
            outcome = yield way.open(self._wish)
            if isinstance(outcome, PortOpened):
                self._opener = way
                self._came_to(outcome)
                return
            if isinstance(outcome, Refusal) and outcome.result is not Result.OTHER_VERSION:
                refused = refused or outcome
            if self._ending is not None:
                break
        self._came_to(refused)

    def _came_to(self, outcome: Outcome) -> None:
        """All were asked."""
        if isinstance(outcome, PortOpened):
            self.state = Keeping.OPEN
            self._failures = 0
            self._wish = self._wish._replace(outer=outcome.port)
            self._remember(
                Remembered(
                    self._router,
                    self._wish.inner,
                    self._wish.nonce.hex(),
                    outcome.way.value,
                    outcome.port,
                    "" if outcome.address is None else str(outcome.address),
                )
            )
            self._timer.start(min(outcome.seconds / 2, LOOK))
            now: Outcome = outcome._replace(seconds=0)
        else:
            self.state = Keeping.RESTS
            if isinstance(outcome, Refusal) or self._opener is None:
                self._opener = None
                self._forget()
            self._timer.start(AGAIN[min(self._failures, len(AGAIN) - 1)])
            self._failures += 1
            now = outcome
        if self._ending is not None:
            self._timer.stop()
            self._ending.callback(None)
            return
        if not self._told or now != self._last:
            self._told, self._last = True, now
            self._tell(outcome)
        if self._hinted:
            self.hint()

    @property
    def outcome(self) -> Outcome:
        """What was told last; None if nothing was."""
        return self._last

    def stop(self) -> "Deferred[None]":
        """Take the port back; done after LAST_WORD seconds at the latest. What is then not sure stays remembered."""
        done: Deferred[None] = Deferred()
        self._timer.stop()
        limit = Timer(self._clock, lambda: done.callback(None))
        limit.start(LAST_WORD)

        def over(_: object) -> None:
            if limit.runs:
                limit.stop()
                done.callback(None)

        self._ended().addBoth(over)
        return done

    @inlineCallbacks
    def _ended(self) -> Any:
        if self.state is Keeping.ASKS:
            self._ending = Deferred()
            yield self._ending
        self.state = Keeping.OVER
        if self._opener is not None:
            closed = yield self._opener.close(self._wish)
            if closed is not None:
                self._forget()

    def _remember(self, it: Remembered) -> None:
        if self._folder is not None:
            with suppress(OSError):  # a disk that is full: the lease ends by itself
                memory.remember(self._folder, it)

    def _forget(self) -> None:
        if self._folder is not None:
            memory.forget(self._folder)
