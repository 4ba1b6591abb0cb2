"""What the service of `reconnecting` is given: where to connect, as whom, and the call that it keeps connected."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from voicechat.client.network.outage import IRecovery
from voicechat.client.network.protocol import RemoteServer
from voicechat.media.packet import MediaPacket
from voicechat.security.secret import Secret
from voicechat.wire import messages


class Target(msgspec.Struct, frozen=True):
    """Where to, as whom."""

    host: str
    port: int
    password: Secret
    request: messages.Request
    udp: bool = True
    """Media may go over UDP."""


class ICall(Protocol):
    """The call that is kept connected, which is told what its connections bring."""

    password_logins: int
    """Logins by password."""
    reconnects: int
    recovery: IRecovery | None
    on_change: Callable[[], None]

    @property
    def connection(self) -> RemoteServer | None:
        """The present one."""

    def entered(self, connection: RemoteServer, welcome: messages.Welcome) -> None:
        """In the room; ``connection`` carries the media from now on."""

    def disconnected(self, connection: RemoteServer) -> None:
        """A connection is over; it may have been the present one, or one that never got in."""

    def media_received(self, packet: MediaPacket) -> None:
        """A media packet. WireError if it cannot be played."""

    def message_received(self, message: messages.Message) -> None:
        """The room changed."""

    def sent_over(self, udp: bool) -> None:
        """What we say goes over UDP, or over TCP again."""

    def received_over(self, udp: bool) -> None:
        """The same for what we hear."""

    def stop(self) -> None:
        """The call is over."""
