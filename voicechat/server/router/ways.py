"""The ways to a router, with their sockets and threads: each opens and closes a port, and says what came of it."""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol

from voicechat.carriage.clock import Timer
from voicechat.server.router.talk import Outcome, PortWish, RouterTalk, Steps, Way, closing, opening
from voicechat.server.router.wire import PORT


class IWay(Protocol):
    """One way to one router."""

    way: Way

    def open(self, wish: PortWish) -> "Deferred[Outcome]":
        """Open a port, or keep it open for longer. Never fails."""

    def close(self, wish: PortWish) -> "Deferred[Outcome]":
        """Take it back; None if nobody answered. Never fails."""


Dial = Callable[[DatagramProtocol, str], Any]
"""Gives a protocol a socket to a router, which has its ``transport`` from then on. OSError if there can be none."""


def dialler(reactor: Any) -> Dial:
    """The reactor's. The kernel lets through what comes from the router alone: the socket is connected."""

    def dial(protocol: DatagramProtocol, router: str) -> Any:
        port = reactor.listenUDP(0, protocol, "::" if ":" in router else "", 2048)
        try:
            port.connect(router, PORT)
        except OSError:
            port.stopListening()
            raise
        return port

    return dial


class ByDatagrams:
    """PCP, or NAT-PMP: a socket for each talk, closed with it."""

    def __init__(self, clock: Any, dial: Dial, router: str, way: Way) -> None:
        self.way = way
        self._clock = clock
        self._dial = dial
        self._router = router

    def open(self, wish: PortWish) -> "Deferred[Outcome]":
        """Open a port."""
        return self._talked(wish, opening)

    def close(self, wish: PortWish) -> "Deferred[Outcome]":
        """Take it back."""
        return self._talked(wish, closing)

    def _talked(self, wish: PortWish, steps: Callable[[Way, PortWish], Steps]) -> "Deferred[Outcome]":
        ended: Deferred[Outcome] = Deferred()
        if self.way is Way.PCP and wish.ours is None:
            ended.callback(None)
            return ended
        socket = _Socket(self._clock, steps(self.way, wish), ended)
        try:
            socket.port = self._dial(socket, self._router)
        except OSError:
            ended.callback(None)
        else:
            socket.begin()
        return ended


class _Socket(DatagramProtocol):
    """The socket of a talk."""

    port: Any

    def __init__(self, clock: Any, steps: Steps, ended: "Deferred[Outcome]") -> None:
        self._clock = clock
        self._steps = steps
        self._ended = ended
        self._talk: RouterTalk | None = None
        self._timer = Timer(clock, self._due)
        self._over = self._refused = self._gone = False

    def begin(self) -> None:
        """It has a port."""
        self._talk = RouterTalk(self._steps, self._clock.seconds(), self._send, self._end)
        self._wait()

    def _send(self, data: bytes) -> None:
        if self._gone:
            return
        try:
            self.port.write(data)
        except OSError:  # no way there just now: as a datagram that is lost
            return

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """From the router."""
        if self._talk is not None and not self._over:
            self._talk.received(datagram, self._clock.seconds())
            self._wait()

    def connectionRefused(self) -> None:
        """Nothing listens there. Twisted may tell so while we write: what follows is done after that."""
        if not self._over:
            self._refused = True
            self._timer.start(0)

    def stopProtocol(self) -> None:
        """The socket is gone: epoll's reactor closes one of which the system says that nothing listens there."""
        self._gone = True
        self.connectionRefused()

    def _due(self) -> None:
        assert self._talk is not None
        now = self._clock.seconds()
        if self._refused:
            self._refused = self._gone  # all that is still to be said is said to nobody
            self._talk.nobody(now)
            if self._gone and not self._over:
                self._timer.start(0)
        else:
            self._talk.due(now)
        self._wait()

    def _wait(self) -> None:
        if not self._over and not self._refused and self._talk is not None:
            self._timer.start_at(self._talk.at)

    def _end(self, outcome: Outcome) -> None:
        self._over = True
        self._timer.stop()
        self.port.stopListening()
        self._ended.callback(outcome)
