"""Real servers, real sockets, and players in this process: what the tests with real time share.

What lives here: ``Stage``, a reactor of its own that a test drives until something has
happened, with the programs that it starts; ``Guest``, a player (the whole client but the
sound card, whose place a call each 10 ms takes) who sings a tone and knows which tones
they hear. Nothing sleeps: the reactor waits for sockets and for the next call.
"""

import contextlib
import io
import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from twisted.internet.epollreactor import EPollReactor
from twisted.logger import ILogObserver, LogEvent, eventAsText, globalLogPublisher

from testkit.children import PASSWORD, SOON, Children, Program, Server
from testkit.relay import HOME, Relay
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.call.call import Call
from voicechat.client.network.reconnecting import Service
from voicechat.client.network.target import Target
from voicechat.client.ui.line import Console
from voicechat.codecs.opus import OpusCodec
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, SAMPLE_RATE
from voicechat.media.gate import GateMode, TalkGate
from voicechat.media.packet import MediaPacket
from voicechat.security.secret import Secret
from voicechat.wire import messages

LOW: Final = 500.0
HIGH: Final = 1500.0
"""Hertz of the tones that guests sing; both have whole periods in a block."""

LOUD: Final = 0.25
PLAIN: Final = LOUD / 4
"""Amplitude from which a tone is heard."""


LOOK_EVERY: Final = 0.05
"""Seconds between two looks at what programs have written."""


def _turn(hertz: float) -> Any:
    return np.exp(-2j * np.pi * hertz / SAMPLE_RATE * np.arange(BLOCK_SAMPLES)) * 2 / BLOCK_SAMPLES


_TURNS: Final = {hertz: _turn(hertz) for hertz in (LOW, HIGH)}
_SUNG: Final = {
    hertz: (LOUD * np.sin(2 * np.pi * hertz / SAMPLE_RATE * np.arange(BLOCK_SAMPLES))).astype(np.float32).tobytes()
    for hertz in (LOW, HIGH)
}
_QUIET: Final = bytes(BLOCK_SAMPLES * 4)


class CountingService(Service):
    """A client's service that knows which frames came."""

    came: set[tuple[int, int]]

    def media_received(self, packet: MediaPacket) -> None:
        """A media packet."""
        if packet.payload:
            self.came.add((packet.source, packet.tick))
        super().media_received(packet)


class Guest:
    """A player at ``host``. Sings ``tone``, or is silent; ``heard`` has when which tones were plainly there."""

    def __init__(
        self, reactor: Any, name: str, port: int, host: str = HOME, *, udp: bool = True, room: str = ""
    ) -> None:
        self._reactor = reactor
        self.name = name
        self.out = io.StringIO()
        console = Console(self.out, self.out)
        self.bridge = AudioBridge(lambda turn: reactor.callLater(0, turn), TalkGate())
        self.bridge.gate.mode = GateMode.SHUT
        self.call = Call(reactor, OpusCodec(0), self.bridge, console)
        self.ended: tuple[int, str] | None = None
        target = Target(host, port, Secret(PASSWORD), messages.Request(name, room), udp)
        self.service = CountingService(reactor, self.call, target, console, self._finish, random.Random(name).uniform)
        self.service.came = set()
        self.tone: float | None = None
        self.heard: dict[float, deque[float]] = {hertz: deque(maxlen=100_000) for hertz in _TURNS}
        self._due = time.monotonic()
        self._call = reactor.callLater(0, self._block)
        self.service.start()

    def _finish(self, code: int, line: str) -> None:
        self.ended = (code, line)

    def _block(self) -> None:
        """The sound card's beat; up to five blocks late it catches up, as real ones do."""
        now = time.monotonic()
        self._due = max(self._due + BLOCK_SECONDS, now - 5 * BLOCK_SECONDS)
        self._call = self._reactor.callLater(max(0.0, self._due - now), self._block)
        self.bridge.gate.mode = GateMode.SHUT if self.tone is None else GateMode.OPEN
        played = self.bridge.exchange(_QUIET if self.tone is None else _SUNG[self.tone])
        if played != _QUIET:
            samples = np.frombuffer(played, np.float32)
            for hertz, turn in _TURNS.items():
                if abs(samples @ turn) > PLAIN:
                    self.heard[hertz].append(now)

    @property
    def in_room(self) -> bool:
        """They are connected, as far as they know."""
        return self.call.connection is not None

    def hears(self, hertz: float, since: float) -> bool:
        """The tone was there at some time after ``since``."""
        return bool(self.heard[hertz]) and self.heard[hertz][-1] > since

    def longest_gap(self, hertz: float, since: float) -> float:
        """Seconds of the longest time until now without a tone."""
        times = [since, *(at for at in self.heard[hertz] if at > since), time.monotonic()]
        return max(later - sooner for sooner, later in itertools.pairwise(times))

    def came(self, talker: "Guest") -> int:
        """How many frames of a friend came; 1 310 s of talk can be told apart."""
        return sum(source == talker.call.source for source, _ in self.service.came)

    def close(self) -> None:
        """Goodbye, and no more blocks."""
        if self._call.active():
            self._call.cancel()
            self.service.stop()


class Stage:
    """One test's reactor and everything that runs on it. AssertionError if something does not happen in time."""

    def __init__(self, folder: Path) -> None:
        self.children = Children(folder)
        self.reactor: Any = EPollReactor()
        self.reactor.seconds = time.monotonic
        self.reactor.startRunning(installSignalHandlers=False)
        self.guests: list[Guest] = []
        self.relays: list[Relay] = []
        self.wrong: list[str] = []
        """Exceptions that the reactor caught."""
        self._look()
        globalLogPublisher.addObserver(cast(ILogObserver, self._note))

    def _look(self) -> None:
        """Have `until` ask now and then, for programs write lines without telling the reactor."""
        self._looking = self.reactor.callLater(LOOK_EVERY, self._look)

    def _note(self, event: LogEvent) -> None:
        if "log_failure" in event:
            self.wrong.append(eventAsText(event))

    # -- who is on it -----------------------------------------------------------------

    def server(self, *options: str, **variables: str) -> Server:
        """A server that listens at HOME."""
        secret = ("--password-file", str(self.children.password_file))
        return self.children.server("--interface", HOME, *secret, *options, variables=variables)

    def guest(self, name: str, port: int, host: str = HOME, **rest: Any) -> Guest:
        """A guest who is on their way in."""
        guest = Guest(self.reactor, name, port, host, **rest)
        self.guests.append(guest)
        return guest

    def relay(self, port: int, host: str = "127.0.0.2") -> Relay:
        """A line to the server."""
        relay = Relay(self.reactor, port, host)
        self.relays.append(relay)
        return relay

    # -- time -------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def until(self, enough: Callable[[], bool], what: str, seconds: float = SOON) -> float:
        """Go on until ``enough()``; the seconds that it took."""
        start = time.monotonic()
        while not enough():
            left = start + seconds - time.monotonic()
            assert left > 0, f"not within {seconds} s: {what}\n" + "\n".join(self._told())
            self.turn(left)
        return time.monotonic() - start

    def run(self, seconds: float) -> None:
        """Go on for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.turn(left)

    def turn(self, longest: float = SOON) -> None:
        """One turn of the reactor, which waits for so long at most for something to do."""
        self.reactor.runUntilCurrent()
        timeout = self.reactor.timeout()
        self.reactor.doIteration(longest if timeout is None else min(longest, timeout))

    def all_in(self) -> None:
        """Until every guest is in, and hears over UDP if they may."""
        self.until(lambda: all(guest.in_room for guest in self.guests), "everybody is in")

    def line(self, program: Program, text: str, seconds: float = SOON) -> None:
        """Until a program has written a line with ``text``."""
        self.until(lambda: text in program.out + program.err, f"{program.name} says {text!r}", seconds)

    def _told(self) -> list[str]:
        return [f"{guest.name}: {guest.ended or guest.out.getvalue()[-300:]}" for guest in self.guests]

    def close(self) -> None:
        """Everybody goes."""
        for guest in self.guests:
            guest.close()
        for relay in self.relays:
            relay.close()
        self._looking.cancel()
        self.run(0.1)
        self.reactor.stop()
        while self.reactor.running:
            self.turn(0.1)
        self.reactor.disconnectAll()
        self.reactor.removeAll()
        globalLogPublisher.removeObserver(cast(ILogObserver, self._note))
        self.children.close()


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """A stage for as long as the body runs; what the reactor caught there fails it."""
    held = Stage(folder)
    try:
        yield held
    finally:
        held.close()
    assert not held.wrong, held.wrong[0]
