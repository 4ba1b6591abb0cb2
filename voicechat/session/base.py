"""What both ends of a connection share: the state, the table, sealed packets in and out."""

from collections.abc import Callable

from voicechat.errors import WireError
from voicechat.media.packet import MediaPacket
from voicechat.security.keys import SessionKeys
from voicechat.session.states import State, Table
from voicechat.wire import control, media
from voicechat.wire.messages import Message

Packet = MediaPacket | Message


class Session:
    """State and keys of one connection; subclasses add their side's handshake."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._state = State.NEW
        self._keys: SessionKeys | None = None
        self.admit: Callable[[bytes, int], bool] = lambda _packet, _size: True
        """Asked with each packet of a string that opened, and the string's length, before anything in it is looked at:
        whether it is, or passed over. WireError ends it all."""

    @property
    def state(self) -> State:
        """Where this connection is."""
        return self._state

    @property
    def keys(self) -> SessionKeys:
        """The session's keys; RuntimeError before they exist."""
        if self._keys is None:
            raise RuntimeError("no keys before the handshake is done")
        return self._keys

    def close(self) -> None:
        """Whatever comes from now on is refused."""
        self._state = State.CLOSED

    def seal(self, packet: bytes) -> bytes:
        """One plaintext packet as the string to be sent next; strings must be sent in this order."""
        return self.keys.seal.seal(packet)

    def _advance(self, value: object) -> None:
        """Move on by the table, or WireError and CLOSED."""
        following = self._table[self._state].get(type(value))
        if following is None:
            state, self._state = self._state, State.CLOSED
            raise WireError(f"{type(value).__name__} may not come in state {state.value}")
        self._state = following

    def _open(self, string: bytes) -> Packet | None:
        """The packet in a sealed string; None if it is passed over, as a kind of message this version does not know."""
        packet = self.keys.opener.open(string)
        return self._parse(packet) if self.admit(packet, len(string)) else None

    def datagram(self, packet: bytes) -> MediaPacket:
        """The plaintext packet of a datagram, which can only be media. WireError closes the session."""
        try:
            value = media.decode(packet)
            self._advance(value)
        except WireError:
            self._state = State.CLOSED
            raise
        return value

    def _parse(self, packet: bytes) -> Packet | None:
        value: Packet | None
        if media.is_media(packet):
            value = media.decode(packet)
        else:
            value = control.decode(packet)
        if value is not None:
            self._advance(value)
        return value
