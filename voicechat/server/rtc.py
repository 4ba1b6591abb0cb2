"""The paths of browsers on a UDP port: finds whose each datagram is, and never answers a stranger.

A binding request names its path; whoever does not know that path's password gets no answer,
and nothing is kept of it. What else comes is of the path whose good request came last from
the same address. It is imported when the first browser makes an offer.
"""

from collections.abc import Callable
from typing import NamedTuple

from voicechat.carriage import udp
from voicechat.carriage.channel import Address
from voicechat.carriage.connection import Connection
from voicechat.carriage.webrtc import stun
from voicechat.carriage.webrtc.channel import RtcChannel
from voicechat.errors import WireError
from voicechat.security.dtls import identity
from voicechat.wire.messages import Accept, Offer


class RtcPath(NamedTuple):
    """A browser's connection, and its path."""

    connection: Connection
    channel: RtcChannel


class RtcPaths:
    """All browsers' paths on one port, which sends by ``send``."""

    def __init__(self, send: Callable[[bytes, Address], None]) -> None:
        self._send = send
        self._by_name: dict[str, RtcPath] = {}
        self._by_connection: dict[Connection, RtcPath] = {}
        self._by_address: dict[Address, RtcPath] = {}

    def __len__(self) -> int:
        return len(self._by_name) + len(self._by_address)

    def open(self, connection: Connection, offer: Offer) -> Accept:
        """A path for a connection, in place of the one it had."""
        self.close(connection)
        channel = RtcChannel(offer, identity().fingerprint, float(connection.clock.seconds()))
        path = RtcPath(connection, channel)
        self._by_name[channel.accept.ufrag] = self._by_connection[connection] = path
        connection.use(channel, self._send)
        return channel.accept

    def close(self, connection: Connection) -> None:
        """The connection has no path any more."""
        path = self._by_connection.pop(connection, None)
        if path is not None:
            del self._by_name[path.channel.accept.ufrag]
            for address in [address for address, one in self._by_address.items() if one is path]:
                del self._by_address[address]

    def received(self, datagram: bytes, address: Address) -> None:
        """A datagram that is none of ours. WireError if it is no path's either."""
        if not datagram:
            raise WireError("an empty datagram")
        if datagram[0] < 4:
            self._asked(datagram, address)
            return
        path = self._by_address.get(address)
        if path is None:
            raise WireError("a datagram from an address that nobody is known at")
        channel = path.channel
        path.connection.channel_takes(lambda now: channel.received(datagram, address, now), len(datagram))

    def _asked(self, datagram: bytes, address: Address) -> None:
        request = stun.read(datagram)
        path = self._by_name.get(request.ufrag)
        if path is None:
            raise WireError("a binding request for nobody")
        holder = self._by_address.get(address)
        now = float(path.connection.clock.seconds())
        if holder is not None and holder is not path and holder.channel.is_at(address, now):
            raise WireError("a binding request from where another browser is")
        host, port = udp.peer_of(address)
        channel = path.channel

        def take(now: float) -> None:
            channel.bound(request, address, host, port, now)

        path.connection.channel_takes(take, len(datagram))
        if self._by_address.get(address) is not path:
            self._by_address[address] = path
            known = channel.addresses
            for other in [other for other, one in self._by_address.items() if one is path and other not in known]:
                del self._by_address[other]
