"""What is said to a router to have a port opened or closed, one request after the other; without a socket.

`opening` and `closing` yield requests and are sent what each is answered, None if the router stays silent. A
`RouterTalk` runs one of them: it sends a request again as long as nothing comes, and looks at what comes.
"""

from collections.abc import Callable, Generator
from enum import Enum
from typing import Final, NamedTuple

from voicechat.carriage.clock import NEVER
from voicechat.errors import WireError
from voicechat.server.router.wire import (
    Address,
    Answer,
    AskAddress,
    AskMap,
    AskPort,
    Carried,
    Given,
    Outer,
    Refusal,
    Request,
    Result,
)

LEASE: Final = 3600
"""Seconds that are asked for: a port that nobody took back is closed an hour after a crash."""

WAITS: Final = (0.25, 0.5, 1.0)
"""Seconds for an answer to each sending: the first of RFC 6886 section 3.1, which goes on to 64 s. A router that
answers does so in milliseconds; two losses in a row are forgiven."""

MOST_PORTS: Final = 4
"""Numbers that are tried until TCP and UDP have the same: a router that never gives it is not asked for ever."""

MOST_WRONG: Final = 32
"""Datagrams in one talk that are no answer; whoever sends more is not listened to."""


class Way(Enum):
    """How a router is spoken to."""

    PCP = "PCP"
    NAT_PMP = "NAT-PMP"
    UPNP = "UPnP"


class PortWish(NamedTuple):
    """Which port of ours is to be open, by which number, 1 to 65 535, if that can be."""

    inner: int
    outer: int
    nonce: bytes
    """Of `wire.NONCE_BYTES`; the same as long as the port is to stay."""
    ours: Address | None = None
    """Our address towards the router, which PCP tells it."""


class PortOpened(NamedTuple):
    """A port is open, TCP and UDP."""

    way: Way
    port: int
    seconds: int
    """For how long."""
    address: Address | None
    """By which it is reached; None if the router does not know."""


class PortClosed(NamedTuple):
    """A port is open no more, or never was."""


Outcome = PortOpened | Refusal | PortClosed | None
"""None: nobody answers in this way."""

Steps = Generator[Request, Answer | None, Outcome]


def _request(way: Way, wish: PortWish, carried: Carried, port: int, seconds: int) -> Request:
    if way is Way.NAT_PMP:
        return AskPort(carried, wish.inner, port, seconds)
    assert wish.ours is not None
    return AskMap(carried, wish.inner, port, seconds, wish.ours, wish.nonce)


def opening(way: Way, wish: PortWish) -> Steps:
    """Have both opened by one number; if they cannot be, neither is left open."""
    address: Address | None = None
    if way is Way.NAT_PMP:
        told = yield AskAddress()
        if not isinstance(told, Outer):
            return told if isinstance(told, Refusal) else None
        address = told.address
    wished = wish.outer
    for _ in range(MOST_PORTS):
        udp = yield _request(way, wish, Carried.UDP, wished, LEASE)
        if not isinstance(udp, Given):
            return udp if isinstance(udp, Refusal) else None
        tcp = yield _request(way, wish, Carried.TCP, udp.port, LEASE)
        if isinstance(tcp, Given) and tcp.port == udp.port:
            return PortOpened(way, udp.port, min(udp.seconds, tcp.seconds), udp.address or address)
        yield from closing(way, wish)
        if not isinstance(tcp, Given):
            return tcp if isinstance(tcp, Refusal) else None
        wished = tcp.port
    return Refusal(Result.TAKEN)


def closing(way: Way, wish: PortWish) -> Steps:
    """Have both closed, also if one is not open."""
    for carried in Carried:
        if (yield _request(way, wish, carried, 0, 0)) is None:
            return None
    return PortClosed()  # a no to this says that nothing of ours is open


class RouterTalk:
    """One talk. ``send`` takes what is to leave; ``ended`` is called once, with what came of it.

    `due` is to be called at ``at``, in seconds of the clock that ``now`` is of.
    """

    def __init__(
        self, steps: Steps, now: float, send: Callable[[bytes], object], ended: Callable[[Outcome], object]
    ) -> None:
        self._steps = steps
        self._send = send
        self._ended = ended
        self._request: Request
        self._sent = 0
        self._wrong = 0
        self.at = NEVER
        self._go_on(lambda: next(steps), now)

    def received(self, data: bytes, now: float) -> None:
        """Something came from the router's address."""
        if self.at == NEVER:
            return
        try:
            answer = self._request.answered(data)
        except WireError:
            self._wrong += 1
            if self._wrong >= MOST_WRONG:
                self._end(None)
            return
        self._go_on(lambda: self._steps.send(answer), now)

    def due(self, now: float) -> None:
        """Nothing came for so long: say it again, or give up."""
        if now < self.at:
            return
        if self._sent < len(WAITS):
            self._say(now)
        else:
            self._go_on(lambda: self._steps.send(None), now)

    def nobody(self, now: float) -> None:
        """The router's system says that nothing listens there."""
        if self.at != NEVER:
            self._go_on(lambda: self._steps.send(None), now)

    def _go_on(self, step: Callable[[], Request], now: float) -> None:
        try:
            self._request = step()
        except StopIteration as end:
            self._end(end.value)
        else:
            self._sent = 0
            self._say(now)

    def _say(self, now: float) -> None:
        self.at = now + WAITS[self._sent]
        self._sent += 1
        self._send(self._request.build())

    def _end(self, outcome: Outcome) -> None:
        self.at = NEVER
        self._ended(outcome)
