"""What systemd is told: ready, alive, how many are here, stopping (sd_notify(3)).

One datagram to $NOTIFY_SOCKET for each piece of news, and none without it. The watchdog
is fed by a call of the reactor's, and only while no beat of the mix is overdue: a server
that hangs, or that mixes no more, is started anew.

May import the hub. Nothing here may raise, or wait: who listens there is not our affair.
"""

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from twisted.internet.interfaces import IReactorTime

from voicechat.carriage.clock import Timer
from voicechat.server.hub import Hub
from voicechat.server.metrics import Presence

FEEDS: Final = 3
"""Times that the watchdog is fed in its time: sd_watchdog_enabled(3) asks for two, and one may come late."""

LEAST: Final = 0.05
"""Seconds between two feeds at least: a watchdog of a microsecond is a slip, and must not be all that is done."""

OVERDUE: Final = 1.0
"""Seconds that a beat may be late before the watchdog is fed no more: fifty times the distance of two."""


def alive(hub: Hub) -> bool:
    """The beat is not so late that the server is to be started anew."""
    return hub.ticker.due_in() > -OVERDUE


Notify = Callable[[str], None]


def notifier(environ: Mapping[str, str]) -> Notify | None:
    """How to tell systemd something; None if it does not listen."""
    name = environ.get("NOTIFY_SOCKET", "")
    if name[:1] not in ("/", "@") or not hasattr(socket, "AF_UNIX"):
        return None
    address = "\0" + name[1:] if name[0] == "@" else name

    def notify(state: str) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(state.encode(), address)

    return notify


def fed_each(environ: Mapping[str, str]) -> float | None:
    """Seconds between two feeds of the watchdog; None if there is none, or it is another process'."""
    span, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not (span.isascii() and span.isdigit() and len(span) < 20) or pid not in ("", str(os.getpid())):
        return None
    return max(LEAST, int(span) / 1e6 / FEEDS) if int(span) else None


class Supervision:
    """Tells how one hub is. ``every``: seconds between two feeds of the watchdog, None without one."""

    def __init__(self, clock: IReactorTime, hub: Hub, notify: Notify, every: float | None) -> None:
        self._hub = hub
        self._notify = notify
        self._every = every
        self._timer = Timer(clock, self._feed)

    def ready(self) -> None:
        """The port is open."""
        self._notify(f"READY=1\n{self._status()}")
        self._again()

    def stopping(self) -> None:
        """The goodbyes are on their way."""
        self._timer.stop()
        self._notify("STOPPING=1")

    def _again(self) -> None:
        if self._every is not None:
            self._timer.start(self._every)

    def _feed(self) -> None:
        fed = "WATCHDOG=1\n" if alive(self._hub) else ""
        self._notify(fed + self._status())
        self._again()

    def _status(self) -> str:
        hub = self._hub
        metrics = hub.metrics
        taken = sum(metrics.participants[presence].value for presence in Presence)
        return f"STATUS={taken} of {hub.limits.max_clients} seats taken, rooms: {metrics.rooms.value}"
