"""A server without a reactor, and friends who come to it: what the tests of the server share.

What lives here: ``House``, a hub on a Clock with a codec of single values, and
``Friend``, a client made of ``ClientSession`` alone, whose way to the server a
subclass supplies. A friend never runs code of ``voicechat.client``: what both
sides got wrong in the same way would not be seen.

Time passes in `House.pass_ticks` only, and everything that was sent arrives at once.
"""

import enum
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, Logger, eventAsText
from zope.interface import implementer

from testkit.sessions import received
from voicechat.carriage.tcp import StringProtocol
from voicechat.errors import VoiceChatError
from voicechat.format import FRAME_SAMPLES, TICK_SECONDS, silent_frame
from voicechat.interfaces import ICodec
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.packing import Packing, split_pair
from voicechat.media.quality import Quality
from voicechat.media.sending import SendStream
from voicechat.security.secret import Secret
from voicechat.security.tickets import Ticket
from voicechat.server.factory import VoiceServerFactory
from voicechat.server.hub import Hub
from voicechat.server.limits import MOST_SEATS, Limits
from voicechat.server.metrics import Labelled
from voicechat.server.oneport import carried
from voicechat.server.protocol import RemoteClient
from voicechat.server.proxies import Proxies, network
from voicechat.server.web import Web
from voicechat.session.client import ClientSession
from voicechat.session.states import SessionState
from voicechat.testing import MemoryCodec, VoiceTransport
from voicechat.wire import media, messages
from voicechat.wire.handshake import Refuse

PASSWORD = "correct horse battery"
PAGE = Path(__file__).with_name("page.html")


@implementer(ILogObserver)
class Log:
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        """An event."""
        self.events.append(event)

    @property
    def lines(self) -> list[str]:
        """Each event as a log file has it, with its traceback."""
        return [eventAsText(event) for event in self.events]

    @property
    def failures(self) -> list[str]:
        """Those that tell of an exception."""
        return [eventAsText(event) for event in self.events if "log_failure" in event]


class House:
    """One server, its log, and everybody who is connected to it."""

    def __init__(
        self,
        codec: ICodec | None = None,
        *,
        always_mix: bool = False,
        page: Path | None = PAGE,
        proxies: Sequence[str] = (),
        takes_offers: bool = False,
        **limits: Any,
    ) -> None:
        self.clock = Clock()
        self.clock.advance(1000.0)  # no clock begins at zero
        self.log = Log()
        self.hub = Hub(
            self.clock,
            codec or MemoryCodec(),
            Secret(PASSWORD),
            limits=Limits(**{"seats_each": MOST_SEATS} | limits),  # friends all come from one address here
            always_mix=always_mix,
            log=Logger("test", observer=self.log),
        )
        self.hub.takes_offers = takes_offers
        web = None if page is None else Web(self.hub, page)
        self.factory = VoiceServerFactory(self.hub, carried(web, Proxies([network(text) for text in proxies])))
        self.friends: list[Friend] = []
        self.each_tick: list[Callable[[], object]] = []
        """Called at every tick, before the server's beat."""

    @property
    def tick(self) -> int:
        """The tick that it is now."""
        return round(self.clock.seconds() / TICK_SECONDS)

    def settle(self) -> None:
        """Deliver until nothing is on its way any more."""
        for _ in range(1000):
            self.clock.advance(0)
            if sum(friend.deliver() for friend in self.friends) == 0:
                return
        raise AssertionError("the two sides never cease to talk")

    def login(self) -> None:
        """Let the logins that are waiting happen: each is computed in a turn of its own."""
        for _ in range(2 * len(self.friends) + 2):
            self.clock.advance(TICK_SECONDS / 2)
            self.settle()

    def pass_ticks(self, number: int) -> None:
        """Let so many ticks go by; whoever speaks says one frame in each."""
        for _ in range(number):
            for call in self.each_tick:
                call()
            for friend in self.friends:
                friend.speak()
            self.settle()
            self.clock.advance(TICK_SECONDS)
            self.settle()

    def pass_seconds(self, seconds: float) -> None:
        """As `pass_ticks`, for about so long."""
        self.pass_ticks(round(seconds / TICK_SECONDS))

    def counted(self, name: str, label: enum.Enum | None = None) -> float:
        """What a metric of the server's is; of one with labels, of all of them unless one is given."""
        metric = self.hub.metrics.families()[name]
        if not isinstance(metric, Labelled):
            return metric.value
        return sum(float(one.value) for which, one in metric.by.items() if label in (None, which))


class Friend:
    """A client of the protocol's own words. ``value``: what each frame of their voice holds; None while silent."""

    def __init__(
        self,
        house: House,
        name: str,
        *,
        room: str = "",
        echo: bool = False,
        password: str = PASSWORD,
        ticket: Ticket | None = None,
        quality: Quality = Quality.NORMAL,
        capabilities: tuple[str, ...] = messages.CAPABILITIES,
    ) -> None:
        self.house = house
        self.name = name
        self.session = ClientSession(
            Secret(password), messages.Request(name, room, echo, quality, capabilities), ticket
        )
        self.welcome: messages.Welcome | None = None
        self.refused: Refuse | messages.Bye | None = None
        self.told: list[messages.Message] = []
        """Control messages of the room, in order."""
        self.heard: list[MediaPacket] = []
        """Media packets, in order; a pair of frames as two."""
        self.packets = 0
        """Media packets as they came."""
        self.wrong: Exception | None = None
        """What the server did that a client must not believe."""
        self.value: float | None = None
        self.answers = True
        """Pings are answered."""
        self._voice = SendStream(MemoryCodec().encoder(0))
        self._packing = Packing(pairs=quality.pairs)
        house.friends.append(self)

    # -- the way to the server: a carriage supplies these -------------------------

    def send_string(self, string: bytes) -> None:
        """Send a string of the handshake or a sealed one."""
        raise NotImplementedError

    def send_media(self, packet: bytes) -> None:
        """Send a plaintext media packet, by whatever way this carriage has."""
        raise NotImplementedError

    def deliver(self) -> bool:
        """Take in what the server sent; whether there was anything."""
        raise NotImplementedError

    def break_line(self) -> None:
        """Be gone without a word."""
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        """The server has not closed the connection."""
        raise NotImplementedError

    # -- what a friend does -------------------------------------------------------

    @property
    def source(self) -> int:
        """Their number in the room."""
        return self.entered.source

    @property
    def entered(self) -> messages.Welcome:
        """What the server welcomed them with."""
        assert self.welcome is not None, f"{self.name} was not let in: {self.refused} {self.wrong}"
        return self.welcome

    @property
    def ticket(self) -> Ticket:
        """What brings them back to their seat."""
        given = self.entered.ticket
        assert given is not None
        return Ticket.from_hex(given.id, given.secret)

    def send(self, message: messages.Message) -> None:
        """Send a control message, sealed."""
        from voicechat.wire import control

        self.send_string(self.session.seal(control.encode(message)))

    def talk(self, value: float) -> None:
        """Say ``value`` from now on, a frame a tick."""
        self.value = value

    def hush(self) -> None:
        """End the talk spurt."""
        self.value = None
        end = self._voice.finish(self.house.tick)
        if end is not None:
            self._send(end)

    def _send(self, packet: MediaPacket) -> None:
        for packed in self._packing.pack(packet, 0):
            self.send_media(media.encode(packed))

    def speak(self) -> None:
        """The frame of this tick."""
        if self.value is not None and self.session.state is SessionState.IN_ROOM:
            frame = np.full(FRAME_SAMPLES, self.value, np.float32)
            self._send(self._voice.push(self.house.tick, frame))

    # -- what they heard ------------------------------------------------------------

    def forget(self) -> None:
        """Forget what was heard and told so far."""
        self.heard.clear()
        self.packets = 0
        self.told.clear()

    def values(self, source: int | None = None) -> list[float]:
        """The values of the frames heard, of one source or of all, in order."""
        out, values = silent_frame(), []
        for packet in self.heard:
            if packet.payload and source in (None, packet.source):
                MemoryCodec().decoder().decode(packet.payload, out)
                values.append(round(float(out[0]), 4))
        return values

    @property
    def mixed(self) -> list[float]:
        """The values of the mix."""
        return self.values(MIX)

    def told_of(self, kind: type[messages.Message]) -> list[Any]:
        """The messages of one kind."""
        return [message for message in self.told if isinstance(message, kind)]

    def _take(self, string: bytes) -> None:
        """Understand one string of the server."""
        try:
            value = received(self.session, string)
        except VoiceChatError as error:
            self.wrong = error
            return
        self._understand(value)

    def _understand(self, value: object) -> None:
        if isinstance(value, bytes):
            self.send_string(value)
        elif isinstance(value, messages.Welcome):
            self.welcome = value
        elif isinstance(value, Refuse | messages.Bye):
            self.refused = value
        elif isinstance(value, MediaPacket):
            self.packets += 1
            self.heard.extend(split_pair(value))
        elif isinstance(value, messages.Ping):
            if self.answers:
                self.send(messages.Pong(value.id))
        elif isinstance(value, messages.Message):
            self.told.append(value)


class TcpFriend(Friend):
    """A friend whose every packet goes by TCP."""

    def __init__(self, house: House, name: str, *, host: str = "192.0.2.1", **rest: Any) -> None:
        super().__init__(house, name, **rest)
        self.transport = VoiceTransport(host)
        family = IPv6Address if ":" in host else IPv4Address
        protocol = house.factory.buildProtocol(family("TCP", host, 40_000))
        assert isinstance(protocol, StringProtocol)
        self.protocol = protocol
        self.connection = protocol.connection
        client = self.connection._listener
        assert isinstance(client, RemoteClient)
        self.client = client
        """Us, as the server has us."""
        self._buffer = b""
        self._gone = False
        self.received = 0
        """Bytes that the server sent."""
        self.strings: deque[bytes] = deque(maxlen=1000)
        """The last strings of the server, as they came."""
        protocol.makeConnection(self.transport)

    def begin(self) -> "TcpFriend":
        """Send the first string."""
        self.send_string(self.session.begin())
        return self

    @property
    def connected(self) -> bool:
        """The server has not closed the connection."""
        return not self.transport.over and not self._gone

    def send_string(self, string: bytes) -> None:
        """A string with its length before it."""
        self.send_bytes(len(string).to_bytes(4, "big") + string)

    def send_bytes(self, data: bytes) -> None:
        """Anything."""
        if not self._gone:
            self.protocol.dataReceived(data)

    def send_media(self, packet: bytes) -> None:
        """Sealed, as everything."""
        self.send_string(self.session.seal(packet))

    def deliver(self) -> bool:
        """Take in what the server wrote, and tell the protocol when the connection has ended."""
        data = self.transport.take()
        self.received += len(data)
        self._buffer += data
        while len(self._buffer) >= 4:
            end = 4 + int.from_bytes(self._buffer[:4], "big")
            if len(self._buffer) < end:
                break
            string, self._buffer = self._buffer[4:end], self._buffer[end:]
            self.strings.append(string)
            self._take(string)
        if self.transport.over and not self._gone:
            self.break_line()
            return True
        return bool(data)

    def break_line(self) -> None:
        """The connection is lost, and both kernels know it."""
        from twisted.internet.error import ConnectionLost
        from twisted.python.failure import Failure

        if not self._gone:
            self._gone = True
            self.transport.disconnecting = True
            self.protocol.connectionLost(Failure(ConnectionLost()))
