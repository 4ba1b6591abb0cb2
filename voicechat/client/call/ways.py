"""Which way sound takes, UDP or TCP: what we say, and what we hear, each for itself.

A router may let datagrams pass one way only; then our sound goes over UDP and the
others' comes over TCP, or the other way round, and who has it should know.
"""

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IReactorTime

from voicechat.carriage.clock import Timer

UDP_WITHIN: Final = 3.0
"""Seconds in which UDP has shown whether it works, at the first entering and after each change: its first probes take
two, and a way that has died is left after two."""


def _named(udp: bool) -> str:
    return "udp" if udp else "tcp"


class Ways:
    """Both ways of one call. ``notify`` takes lines for the player, ``changed`` is called when a way is another one."""

    def __init__(self, clock: IReactorTime, notify: Callable[[str], None], changed: Callable[[], None]) -> None:
        self._notify = notify
        self._changed = changed
        self.out = "tcp"
        """The carriage of what we send, 'udp' or 'tcp'."""
        self.back: str | None = None
        """The carriage of what came last; None before anything came over this connection."""
        self._may_udp = False
        self._first_notified = False
        self._unlike_notified = False
        self._judgement = Timer(clock, self._judge)

    def entered(self, *, udp: bool) -> None:
        """A new connection, on which everything begins over TCP; ``udp``: there are datagrams beside it."""
        self.out, self.back = "tcp", None
        self._may_udp = udp
        if udp and not self._first_notified:
            self._judge_soon()

    def disconnected(self) -> None:
        """The connection is over."""
        self._may_udp = False

    def sent_over(self, udp: bool) -> None:
        """Our sound takes the other carriage."""
        if _named(udp) != self.out:
            self.out = _named(udp)
            self._notify(f"your sound goes over {self.out.upper()} now")
            self._judge_soon()
            self._changed()

    def received_over(self, udp: bool) -> None:
        """What the others say comes by the other carriage, or the first of it by this one."""
        if _named(udp) != self.back:
            self.back = _named(udp)
            self._judge_soon()
            self._changed()

    def stop(self) -> None:
        """The call is over."""
        self._judgement.stop()

    def _judge_soon(self) -> None:
        if not self._judgement.runs:
            self._judgement.start(UDP_WITHIN)

    def _judge(self) -> None:
        """UDP had its time; whoever waits for it should know that it does not come, or one way only."""
        if not self._may_udp:
            return
        unlike = self.back is not None and self.back != self.out
        if unlike and not self._unlike_notified:
            self._notify(
                f"your sound goes over {self.out.upper()}, but what you hear comes over {str(self.back).upper()}"
            )
        elif self._unlike_notified and not unlike:
            self._notify(f"what you hear comes over {self.out.upper()}, too")
        elif self.out == "tcp" and not self._first_notified:
            self._notify("your sound goes over TCP: UDP does not get through (has the host forwarded it?)")
        self._unlike_notified, self._first_notified = unlike, True
