"""A `UdpChannel` on a clock: what drives it where a test plays one end by itself."""

from collections.abc import Callable

from twisted.internet.task import Clock

from voicechat.carriage.channel import Address, UdpChannel
from voicechat.carriage.clock import Timer
from voicechat.security.keys import SessionKeys
from voicechat.wire.datagrams import DatagramHeader
from voicechat.wire.messages import Message, Path, Report


class DrivenChannel(UdpChannel):
    """Sends by ``write`` and says by ``say``; media goes to ``on_media``, changes of `up` to ``on_change``."""

    def __init__(
        self,
        clock: Clock,
        keys: SessionKeys,
        connection: int,
        write: Callable[[bytes, Address], None],
        say: Callable[[Message], None],
        *,
        resting: bool = False,
    ) -> None:
        super().__init__(keys, connection, clock.seconds(), resting=resting)
        self.clock, self.write, self.say = clock, write, say
        self.on_media: Callable[[bytes, int], None] = lambda _packet, _size: None
        self.on_change: Callable[[bool], None] = lambda _up: None
        self._was_up = False
        self._timer = Timer(clock, self._due)

    def start(self, address: Address | None = None) -> None:
        """Begin to probe."""
        self.address = address
        self.poll(self.clock.seconds())
        self._pump()

    def _due(self) -> None:
        self.poll(max(self.clock.seconds(), self.deadline))
        self._pump()

    def stop(self) -> None:
        """No more datagrams."""
        super().stop()
        self._timer.stop()

    def came(self, header: DatagramHeader, datagram: bytes, address: Address) -> None:
        """A datagram."""
        packet = self.opened(header, datagram)
        try:
            if self.received(header, packet, len(datagram), address, self.clock.seconds()):
                self.on_media(packet, len(datagram))
        finally:
            self._pump()

    def say_media(self, packet: bytes) -> None:
        """A plaintext media packet."""
        self.send_media(packet, self.clock.seconds())
        self._pump()

    def message_received(self, message: Path | Report) -> None:
        """What the other side says of our datagrams, over the connection."""
        if isinstance(message, Path):
            self.path_received(message, self.clock.seconds())
        else:
            self.reported(message, self.clock.seconds())
        self._pump()

    def _pump(self) -> None:
        while self.outgoing:
            self.write(*self.outgoing.popleft())
        while self.messages:
            self.say(self.messages.popleft())
        if self.up is not self._was_up:
            self._was_up = self.up
            self.on_change(self.up)
        if self.deadline != self._timer.at:
            self._timer.start_at(self.deadline)
