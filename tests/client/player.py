"""A client without a reactor, a sound card or a network: what the tests of the client share.

What lives here: ``Player``, the real service, call, bridge and console on a Clock,
with a sound card that the test drives block by block; ``Wire``, one connection of
theirs, whose other end a test plays; and ``connect``, which joins a wire to a real
server in memory.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.python.failure import Failure

from testkit.sessions import received
from tests.memory import VoiceReactor
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.audio.processing import Tap
from voicechat.client.call.call import Call
from voicechat.client.call.controls import Controls
from voicechat.client.call.transmit import TransmitMode
from voicechat.client.call.voice import Voice
from voicechat.client.call.volumes import Volumes
from voicechat.client.network.protocol import RemoteServer
from voicechat.client.network.reconnecting import Service
from voicechat.client.network.target import Target
from voicechat.client.ui.line import Console
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS
from voicechat.interfaces import IDescribedCodec
from voicechat.media.gate import TalkGate
from voicechat.media.quality import Quality
from voicechat.security.secret import Secret
from voicechat.session.server import ServerSession
from voicechat.testing import MemoryCodec, VoiceTransport
from voicechat.wire import control, messages

PASSWORD = "correct horse battery"
SERVER = "192.0.2.10"


class Wire:
    """One connection that a player has made. The other end is the test's, or a server's."""

    def __init__(self, protocol: Any, host: str) -> None:
        self.transport = VoiceTransport(host)
        self.protocol = protocol
        self._buffer = b""
        self.over = False
        protocol.makeConnection(self.transport)

    def strings(self) -> list[bytes]:
        """What the player has sent since the last call."""
        self._buffer += self.transport.take()
        found = []
        while len(self._buffer) >= 4:
            end = 4 + int.from_bytes(self._buffer[:4], "big")
            if len(self._buffer) < end:
                break
            found.append(self._buffer[4:end])
            self._buffer = self._buffer[end:]
        return found

    def send(self, string: bytes) -> None:
        """A string to the player."""
        self.send_bytes(len(string).to_bytes(4, "big") + string)

    def send_bytes(self, data: bytes) -> None:
        """Anything to the player."""
        self.protocol.dataReceived(data)

    def lose(self, reason: Exception | None = None) -> None:
        """The connection has ended, and the player is told."""
        if not self.over:
            self.over = True
            self.transport.disconnecting = True
            self.protocol.connectionLost(Failure(reason or error.ConnectionDone()))


class Host(Wire):
    """The server's end, played by the test: an honest login, and then whatever it likes."""

    def __init__(self, protocol: Any, host: str, password: str = PASSWORD) -> None:
        super().__init__(protocol, host)
        self.session = ServerSession(Secret(password))
        self.request: messages.Request | None = None

    def let_in(self, welcome: messages.Welcome | None = None) -> None:
        """Log the player in."""
        self.answer()
        self.welcome(welcome or messages.Welcome(1, "Ann", "", 7, [messages.Participant(2, "Ben")]))

    def answer(self) -> None:
        """Up to the player's proof."""
        (hello,) = self.strings()
        received(self.session, hello)
        self.send(self.session.answer())
        (auth,) = self.strings()
        request = received(self.session, auth)
        assert isinstance(request, messages.Request)
        self.request = request

    def welcome(self, welcome: messages.Welcome) -> None:
        """Seat the player."""
        self.send(self.session.enter(welcome))

    def tell(self, message: messages.Message) -> None:
        """A message of the room."""
        self.tell_bytes(control.encode(message))

    def tell_bytes(self, packet: bytes) -> None:
        """A plaintext packet, sealed."""
        self.send(self.session.seal(packet))

    def received(self) -> list[Any]:
        """What the player has said since the last call, opened."""
        return [received(self.session, string) for string in self.strings()]


class Player:
    """The client's parts, as ``voicechat.client.run`` joins them."""

    def __init__(
        self,
        name: str = "Ann",
        *,
        reactor: VoiceReactor | None = None,
        password: str = PASSWORD,
        codec: IDescribedCodec | None = None,
        host: str = SERVER,
        mode: TransmitMode = TransmitMode.VOICE,
        voice: Voice | None = None,
        taps: Sequence[Tap] = (),
        echo: bool = False,
        quality: Quality = Quality.NORMAL,
        seconds: Callable[[], float] | None = None,
    ) -> None:
        self.reactor = reactor or VoiceReactor()
        self.out, self.err = io.StringIO(), io.StringIO()
        gate = TalkGate()
        self.bridge = AudioBridge(self.reactor.callFromThread, gate, seconds or self.reactor.seconds, taps=taps)
        console = Console(self.out, self.err)
        self.call = Call(self.reactor, codec or MemoryCodec(), self.bridge, console, lambda: "21:04", voice)
        self.controls = Controls(self.reactor, self.call, gate, Volumes(), lambda: self._finish(0, ""), mode)
        self.ended: tuple[int, str] | None = None
        self.entered = 0
        target = Target(host, 1234, Secret(password), messages.Request(name, "", echo, quality))
        self.service = Service(
            self.reactor, self.call, target, console, self._finish, lambda low, high: (low + high) / 2
        )
        self.service.on_entered = self._entered
        self.says = 0.0
        """What each sample of the microphone is."""
        self.played: list[float] = []
        """The mean of each block that the loudspeaker got."""
        self._taken = 0

    def _finish(self, code: int, line: str) -> None:
        assert self.ended is None, "it ends once"
        self.ended = (code, line)

    def _entered(self) -> None:
        self.entered += 1

    @property
    def lines(self) -> list[str]:
        """What the terminal shows."""
        return self.out.getvalue().splitlines()

    # -- the network ----------------------------------------------------------------

    def attempts(self) -> list[tuple[Any, ...]]:
        """Connections asked for since the last call."""
        new = self.reactor.tcpClients[self._taken :]
        self._taken += len(new)
        return list(new)

    def accepted(self, kind: type[Wire] = Host, **rest: Any) -> Any:
        """The one connection asked for, made."""
        ((host, port, factory, _, _),) = self.attempts()
        protocol = factory.buildProtocol(IPv4Address("TCP", host, port))
        return kind(protocol, host, **rest)

    def refused(self, why: Exception | None = None) -> None:
        """The one connection asked for cannot be made."""
        ((_, _, factory, _, _),) = self.attempts()
        factory.clientConnectionFailed(None, Failure(why or error.ConnectionRefusedError()))
        self.reactor.advance(0.3)  # HostnameEndpoint looks for another address meanwhile

    # -- the sound card -------------------------------------------------------------

    def block(self) -> None:
        """One exchange with the sound card."""
        out = self.bridge.exchange(np.full(BLOCK_SAMPLES, self.says, np.float32).tobytes())
        self.played.append(round(float(np.frombuffer(out, np.float32).mean()), 4))


def pass_time(players: list[Player], seconds: float, between: Callable[[], object] = lambda: None) -> None:
    """Let time go by in milliseconds; the sound cards have a block each ten of them, each at its own moment."""
    reactor = players[0].reactor
    step = BLOCK_SECONDS / 10
    for _ in range(round(seconds / step)):
        reactor.advance(step)
        between()
        moment = round(reactor.seconds() / step) % 10
        for n, player in enumerate(players):
            if moment == (3 * n) % 10:
                player.block()
        between()


class Network:
    """Players and one real server, in one memory."""

    def __init__(self, reactor: VoiceReactor, factory: Any) -> None:
        self.reactor = reactor
        self._factory = factory
        self.pairs: list[tuple[Wire, Wire]] = []
        self._hosts = 0

    def join(self, player: Player) -> RemoteServer:
        """Make the connection that the player asks for."""
        near: Wire = player.accepted(Wire)
        self._hosts += 1
        host = f"198.51.100.{self._hosts}"
        far = Wire(self._factory.buildProtocol(IPv4Address("TCP", host, 40_000)), host)
        self.pairs.append((near, far))
        return near.protocol._wrappedProtocol.connection._listener  # type: ignore[no-any-return]

    def settle(self) -> None:
        """Deliver until nothing is on its way."""
        while sum(self._deliver(*pair) + self._deliver(*reversed(pair)) for pair in self.pairs):
            pass

    @staticmethod
    def _deliver(sender: Wire, receiver: Wire) -> int:
        data = sender.transport.take()
        if data and not receiver.over:
            receiver.send_bytes(data)
        if sender.transport.over and not sender.over:
            sender.lose()
            receiver.lose()
            return 1
        return len(data)

    def cut(self, number: int) -> None:
        """A line breaks."""
        for wire in self.pairs[number]:
            wire.lose()
