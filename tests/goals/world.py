"""A server and its players in virtual time: all that is ours between a microphone and another's loudspeaker.

What lives here: ``World``, which joins the real client (service, protocol, call, bridge,
playback) to the real server (hub, protocols, datagrams) over lines of any quality, and
``Caller``, a player with a sound card. Server and players have a clock each, so that
one of them can stand still while the others go on. Frames are single values
(MemoryCodec), and a caller's voice is a value that tells the time at which it was said:
so each block that a friend hears tells how old it is.
"""

import itertools
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.logger import ILogObserver, LogEvent, Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.client.player import PASSWORD, SERVER, Player
from tests.goals.lines import Quality, Stream, Way
from tests.memory import MemoryPort, VoiceReactor
from tests.server.house import Log
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, BLOCKS_PER_FRAME
from voicechat.media.gate import GateMode
from voicechat.security.secret import Secret
from voicechat.server.factory import VoiceServerFactory
from voicechat.server.hub import Hub
from voicechat.server.limits import Limits
from voicechat.testing import MemoryCodec

RING: Final = 32.0
"""Seconds after which the values of a voice repeat."""

LOUDEST: Final = 0.85
SOFTEST: Final = 0.45

EXACT: Final = 1e-6
"""How exactly a value comes through; half of the loudest, as concealment makes it, is below the softest."""

PORT: Final = 1234


def voice_at(time: float) -> float:
    """What is said at a time."""
    return SOFTEST + (time % RING) / RING * (LOUDEST - SOFTEST)


def age_of(value: float, now: float) -> float:
    """Seconds since a value was said."""
    said = (value - SOFTEST) / (LOUDEST - SOFTEST) * RING
    return (now - said) % RING


@implementer(ILogObserver)
class TimedLog(Log):
    """A log with the world's time beside each line."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world
        self.times: list[float] = []

    def __call__(self, event: LogEvent) -> None:
        super().__call__(event)
        self.times.append(self._world.now)


class Node:
    """Somebody with a clock of their own."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.frozen_until = 0.0
        self.reactor = WorldReactor(self)

    def at(self, time: float, what: Callable[..., object], *arguments: object) -> None:
        """Have something called at ``time``, or when the node goes on."""
        self.reactor.callLater(max(0.0, time - self.reactor.seconds()), what, *arguments)

    def next_at(self) -> float:
        """When something happens here next."""
        calls = self.reactor.getDelayedCalls()
        return max(self.frozen_until, min((call.getTime() for call in calls), default=float("inf")))

    def go(self, now: float) -> None:
        """Do what is due."""
        self.reactor.rightNow = now
        self.reactor.advance(0)


class WorldReactor(VoiceReactor):
    """A node's reactor: its connections and datagrams go over the world's lines."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node
        self.rightNow = node.world.now

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> Any:
        """Connect to the server, if it is there."""
        connector = super().connectTCP(host, port, factory, timeout, bindAddress)
        caller = self.node
        assert isinstance(caller, Caller)
        caller.connect(factory, connector, timeout)
        return connector

    def listenUDP(self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> MemoryPort:
        """A socket that sends to the server."""
        caller = self.node
        assert isinstance(caller, Caller)
        caller.socket = protocol
        bound = WorldPort(PORT, caller.send_datagram)
        protocol.makeConnection(bound)
        return bound


class WorldPort(MemoryPort):
    """A UDP port whose datagrams go over the world's lines."""

    def __init__(self, number: int, send: Callable[[bytes, Any], None]) -> None:
        super().__init__("udp", number, SERVER)
        self._send = send

    def write(self, datagram: bytes, address: Any = None) -> None:
        """Send a datagram."""
        self._send(datagram, address)


class Caller(Node):
    """A player: the whole client, a sound card, and two ways to the server."""

    def __init__(self, world: "World", number: int, name: str, up: Quality, down: Quality, ppm: float) -> None:
        super().__init__(world)
        self.name = name
        self.host = f"198.51.100.{number}"
        self.udp_port = 50_000
        """As the server sees it."""
        self.player = Player(name, reactor=self.reactor, seconds=lambda: world.now)
        self.cut_until = self.udp_cut_until = 0.0
        self.socket: Any = None
        self.streams: list[Stream] = []
        self.talks: Callable[[float], bool] = lambda _now: False
        """Whether they say something at a time."""
        self.heard: list[tuple[float, float]] = []
        """Blocks that were played as they were said: when, and their value."""
        self.concealed: list[float] = []
        """When a block was played that nobody said: concealed, faded or merged."""
        self._seed = 2 * number
        self.line_is(up, down)
        self._period = BLOCK_SECONDS * (1 + ppm * 1e-6)
        self._due = world.now + number * 0.0037
        self.card_until = float("inf")
        """When the sound card goes."""
        self.card: Callable[[bytes], bytes | None] = self.player.bridge.exchange
        """Takes a block of the microphone, gives one to the loudspeaker; None without one."""
        self._blocks = 0
        self._says = 0.0
        self.at(self._due, self._block)

    def _cut(self) -> float:
        return self.cut_until

    def _udp_cut(self) -> float:
        return max(self.cut_until, self.udp_cut_until)

    # -- their line -------------------------------------------------------------------

    def line_is(self, up: Quality, down: Quality) -> None:
        """What is sent from now on, and new connections, go over such a line."""
        world, seed = self.world, self._seed
        self.up, self.udp_up = (
            Way(up, seed, world.server, lambda: world.now, cut) for cut in (self._cut, self._udp_cut)
        )
        self.down, self.udp_down = (
            Way(down, seed + 1, self, lambda: world.now, cut) for cut in (self._cut, self._udp_cut)
        )

    def connect(self, factory: Any, connector: Any, timeout: float) -> None:
        """A connection to the server: made, refused, or never answered."""
        world = self.world
        if world.now < self.cut_until:
            self.at(world.now + timeout, self._not_connected, factory, connector, error.TimeoutError())
        elif world.hub is None:
            again = world.now + 2 * self.up.delay
            self.at(again, self._not_connected, factory, connector, error.ConnectionRefusedError())
        else:
            stream = Stream(lambda: world.now, self, world.server, self.up, self.down, self.host)
            self.streams.append(stream)
            world.server.at(world.now + self.up.delay, world.accept, stream, self.host)
            self.at(world.now + self.up.delay + self.down.delay, self._connected, factory, connector, stream)

    def _connected(self, factory: Any, connector: Any, stream: Stream) -> None:
        if not connector.stoppedConnecting:
            stream.near.protocol = factory.buildProtocol(IPv4Address("TCP", SERVER, PORT))
            stream.near.protocol.makeConnection(stream.near)

    @staticmethod
    def _not_connected(factory: Any, connector: Any, reason: Exception) -> None:
        if not connector.stoppedConnecting:
            factory.clientConnectionFailed(connector, Failure(reason))

    def send_datagram(self, datagram: bytes, _: Any) -> None:
        """To the server."""
        address = (self.host, self.udp_port)
        self.world.datagrams_up += 1
        self.udp_up.datagram(len(datagram), lambda: self.world.datagram_came(datagram, address))

    def hear_datagram(self, datagram: bytes) -> None:
        """From the server."""
        self.udp_down.datagram(
            len(datagram), lambda: self.socket and self.socket.datagramReceived(datagram, (SERVER, PORT))
        )

    def cut(self, seconds: float) -> None:
        """Nothing passes, either way."""
        self.cut_until = self.world.now + seconds

    def cut_udp(self, seconds: float) -> None:
        """No datagram passes."""
        self.udp_cut_until = self.world.now + seconds

    def freeze(self, seconds: float) -> None:
        """The program stands still, and its sound card with it."""
        self.frozen_until = self.world.now + seconds

    # -- their sound card -------------------------------------------------------------

    def _block(self) -> None:
        """One exchange; after a standstill the card goes on from now."""
        now = self.world.now
        if now >= self.card_until:
            return
        self._due = max(self._due + self._period, now + self._period / 2)
        self.at(self._due, self._block)
        if self._blocks % BLOCKS_PER_FRAME == 0:
            talks = self.talks(now)
            self._says = voice_at(now) if talks else 0.0
            # a voice without pauses would be learnt as noise
            self.player.bridge.gate.mode = GateMode.OPEN if talks else GateMode.VOICE
        self._blocks += 1
        said = self._says
        block = self.card(np.full(BLOCK_SAMPLES, said, np.float32).tobytes())
        if block is None:
            return
        value = float(np.frombuffer(block, np.float32, 1)[0])
        if SOFTEST - EXACT <= value <= LOUDEST + EXACT:
            self.heard.append((now, value))
        elif value:
            self.concealed.append(now)

    def replug(self) -> None:
        """The card is back."""
        self.card_until = float("inf")
        self._due = self.world.now
        self.at(self._due, self._block)

    # -- what came of it ------------------------------------------------------------

    def ages(self, start: float, end: float = float("inf")) -> list[float]:
        """How old what they heard was, block by block."""
        return [age_of(value, at) for at, value in self.heard if start <= at < end]

    def heard_since(self, start: float) -> bool:
        """They have heard somebody."""
        return bool(self.heard) and self.heard[-1][0] > start

    def longest_gap(self, start: float, end: float) -> float:
        """Seconds of the longest silence between two times."""
        times = [start, *(at for at, _ in self.heard if start <= at < end), end]
        return max(later - sooner for sooner, later in itertools.pairwise(times))

    @property
    def in_room(self) -> bool:
        """The client believes that it is connected."""
        return self.player.call.connection is not None


class World:
    """One server and its callers."""

    def __init__(self, *, always_mix: bool = False, **limits: Any) -> None:
        self.now = 1000.0
        self.log = TimedLog(self)
        self.hub: Hub | None = None
        self._limits = Limits(**limits)
        self._always_mix = always_mix
        self.callers: list[Caller] = []
        self.datagrams_up = 0
        self.server = Node(self)
        self.start_server()

    def lines(self) -> list[tuple[float, str]]:
        """What the server logged, and when."""
        return list(zip(self.log.times, self.log.lines, strict=True))

    # -- the server -----------------------------------------------------------------

    def start_server(self) -> None:
        """A server that knows nobody."""
        self.server.reactor = WorldReactor(self.server)
        self.hub = Hub(
            self.server.reactor,
            MemoryCodec(),
            Secret(PASSWORD),
            limits=self._limits,
            always_mix=self._always_mix,
            log=Logger("test", observer=self.log),
        )
        self.metrics = self.hub.metrics
        port: Any = WorldPort(PORT, self._server_sends)
        self._factory = VoiceServerFactory(self.hub)
        self._factory.datagrams.makeConnection(port)

    def kill_server(self) -> None:
        """As SIGKILL does: the kernel ends the connections, nothing else happens there."""
        self.hub = None
        self.server.reactor = WorldReactor(self.server)
        for caller in self.callers:
            for stream in caller.streams:
                stream.reset()
            caller.streams.clear()

    def freeze_server(self, seconds: float) -> None:
        """The server stands still; what comes waits."""
        self.server.frozen_until = self.now + seconds

    def accept(self, stream: Stream, host: str) -> None:
        """A connection came."""
        stream.far.protocol = self._factory.buildProtocol(IPv4Address("TCP", host, 40_000))
        stream.far.protocol.makeConnection(stream.far)

    def datagram_came(self, datagram: bytes, address: tuple[str, int]) -> None:
        """At the server."""
        if self.hub is not None:
            self._factory.datagrams.datagramReceived(datagram, address)

    def _server_sends(self, datagram: bytes, address: tuple[str, int]) -> None:
        for caller in self.callers:
            if address == (caller.host, caller.udp_port):
                caller.hear_datagram(datagram)

    # -- the players ----------------------------------------------------------------

    def call(
        self, name: str, up: Quality | None = None, down: Quality | None = None, *, ppm: float = 0.0, wait: float = 1.0
    ) -> Caller:
        """One more player; ``wait`` seconds later they are in."""
        caller = Caller(self, len(self.callers) + 1, name, up or Quality(), down or up or Quality(), ppm)
        self.callers.append(caller)
        caller.player.service.start()
        self.run(wait)
        if wait:
            assert caller.player.entered == 1, (caller.player.ended, caller.player.out.getvalue())
        return caller

    # -- time -----------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time go by, from one event to the next."""
        until = self.now + seconds
        nodes = [self.server, *self.callers]
        while True:
            times = [node.next_at() for node in nodes]
            soonest = min(times)
            if soonest > until:
                break
            self.now = max(self.now, soonest)
            nodes[times.index(soonest)].go(self.now)
        self.now = until

    def until(self, enough: Callable[[], bool], seconds: float, step: float = 0.01) -> float:
        """Let time go by until ``enough()``; the seconds that it took. AssertionError if it took more than allowed."""
        start = self.now
        while not enough():
            assert self.now - start <= seconds, f"not within {seconds} s"
            self.run(step)
        return self.now - start
