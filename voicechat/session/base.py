"""What both ends of a connection share: the state, the table, sealed packets in and out."""

from collections.abc import Callable
from typing import ClassVar

from voicechat.errors import WireError
from voicechat.media.packet import MediaPacket
from voicechat.security.keys import SessionKeys
from voicechat.session.states import SessionState, Table
from voicechat.wire import control, handshake, media
from voicechat.wire.messages import Message

Packet = MediaPacket | Message


class Session:
    """State and keys of one connection; subclasses add their side's handshake."""

    LONGEST_CLEAR: ClassVar[int] = handshake.MAX_CLEAR
    """Bytes of the longest string of the handshake that this side takes."""

    def __init__(self, table: Table, checked: Callable[[MediaPacket], MediaPacket]) -> None:
        self._table = table
        self._checked = checked
        """What the other side's media must be; WireError."""
        self._state = SessionState.NEW
        self._keys: SessionKeys | None = None

    @property
    def state(self) -> SessionState:
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
        self._state = SessionState.CLOSED

    def seal(self, packet: bytes) -> bytes:
        """One plaintext packet as the string to be sent next; strings must be sent in this order."""
        return self.keys.seal.seal(packet)

    def _advance(self, value: object) -> None:
        """Move on by the table, or WireError and CLOSED."""
        following = self._table[self._state].get(type(value))
        if following is None:
            state, self._state = self._state, SessionState.CLOSED
            raise WireError(f"{handshake.called(type(value))} may not come in state {state.value}")
        self._state = following

    def _parsed(self, string: bytes) -> handshake.Handshake:
        """A string of the handshake that may come now. WireError for any other."""
        if self._state is SessionState.CLOSED:
            raise WireError("the connection is closed")
        parsed = handshake.decode(string)
        self._advance(parsed)
        return parsed

    def opened(self, string: bytes) -> bytes:
        """The plaintext packet in a sealed string of somebody who is in the room. WireError closes the session."""
        try:
            return self.keys.opener.open(string)
        except WireError:
            self._state = SessionState.CLOSED
            raise

    def read(self, packet: bytes) -> Packet | None:
        """What a plaintext packet says; None for a kind of message this version does not know. WireError closes."""
        if media.is_media(packet):
            return self.read_media(packet)
        try:
            value = control.decode(packet)
            if value is not None:
                self._advance(value)
        except WireError:
            self._state = SessionState.CLOSED
            raise
        return value

    def read_media(self, packet: bytes) -> MediaPacket:
        """A plaintext packet that can only be media, as that of a datagram. WireError closes the session."""
        try:
            value = media.decode(packet)
            self._advance(value)
            return self._checked(value)
        except WireError:
            self._state = SessionState.CLOSED
            raise
