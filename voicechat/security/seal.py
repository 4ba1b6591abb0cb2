"""Sealing and opening: what makes a string or a datagram unreadable and unforgeable.

May import ``cryptography``, ``voicechat.wire.datagrams``, ``voicechat.errors`` and
the replay window. It may never log, keep or show a key, and an opener raises
``WireError`` and nothing else, whatever bytes it is given.

Each direction of each carriage has a key of its own (``voicechat.security.keys``)
and counts what it seals from 0. The counter is the nonce, so no nonce is ever
used twice with a key, and nothing random is needed.

**Strings (TCP)**: ChaCha20-Poly1305 (RFC 8439), nonce = four zero bytes and the
counter as u64. The counter is not sent: TCP keeps the order, so both sides count
alike. A string that was changed, repeated, left out or moved no longer opens,
nor does any after it; the connection is then to be ended. The 16-byte tag is the
whole overhead. Counter 0 is inside AUTH, WELCOME or RESUMED.

**Datagrams (UDP)**: AES-128-CCM with an 8-byte tag (RFC 3610), the header of
``voicechat.wire.datagrams`` authenticated, nonce = eight zero bytes and the
counter as u32. The counter is sent, because datagrams are lost and reordered,
and a ``ReplayWindow`` opens each one once at most. The short tag saves 3.2 kbit/s
each way at 50 packets a second; a forgery passes once in 2^64 tries and would
then be 20 ms of noise, which is why control strings do not use it.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, ChaCha20Poly1305

from voicechat.errors import WireError
from voicechat.security.replay import ReplayWindow
from voicechat.wire.datagrams import (
    CONNECTION_LIMIT,
    COUNTER_LIMIT,
    HEADER_BYTES,
    MAX_PACKET,
    TAG_BYTES,
    VERSION,
    DatagramHeader,
    DatagramType,
)
from voicechat.wire.handshake import MAX_WELCOME

MAX_STRING: Final = MAX_WELCOME
"""Longest sealed string in bytes, tag included."""

STRING_TAG_BYTES: Final = 16
"""Poly1305's tag, what sealing adds to a string."""

STRING_KEY_BYTES: Final = 32
DATAGRAM_KEY_BYTES: Final = 16

RENEW_AT: Final = COUNTER_LIMIT - (1 << 16)
"""Datagram counter from which the session asks to be renewed: ten minutes before the end at 100 a second."""

_NONCE_BYTES: Final = 12


class StringSeal:
    """Seals the strings of one direction, in the order in which they are sent."""

    __slots__ = ("_cipher", "_counter")

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._counter = 0

    @property
    def counter(self) -> int:
        """Strings sealed so far; the next one's nonce."""
        return self._counter

    def seal(self, plain: bytes) -> bytes:
        """``plain`` (at most 4 080 bytes, else ValueError) made unreadable, 16 bytes longer."""
        if len(plain) > MAX_STRING - STRING_TAG_BYTES:
            raise ValueError(f"string of {len(plain)} bytes is too long to be sealed")
        nonce = self._counter.to_bytes(_NONCE_BYTES, "big")
        self._counter += 1
        return self._cipher.encrypt(nonce, plain, None)


class StringOpener:
    """Opens the strings of one direction, in the order in which they came."""

    __slots__ = ("_cipher", "_counter")

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._counter = 0

    @property
    def counter(self) -> int:
        """Strings opened so far; the next one's nonce."""
        return self._counter

    def open(self, sealed: bytes) -> bytes:
        """What was sealed. WireError when it is not the very next string that the other side sealed."""
        if not STRING_TAG_BYTES <= len(sealed) <= MAX_STRING:
            raise WireError(f"sealed string of {len(sealed)} bytes")
        try:
            plain = self._cipher.decrypt(self._counter.to_bytes(_NONCE_BYTES, "big"), sealed, None)
        except InvalidTag:
            raise WireError("a string was forged, changed, repeated or left out") from None
        self._counter += 1
        return plain


class DatagramSeal:
    """Makes the datagrams of one direction of one session."""

    __slots__ = ("_cipher", "_counter", "_first_words")

    def __init__(self, key: bytes, connection: int) -> None:
        """``key``: 16 bytes that no other DatagramSeal ever uses. ``connection``: 0 to 2^24 - 1, else ValueError."""
        if not 0 <= connection < CONNECTION_LIMIT:
            raise ValueError(f"connection {connection} out of range")
        self._cipher = AESCCM(key, tag_length=TAG_BYTES)
        self._counter = 0
        self._first_words = [((VERSION << 4 | kind) << 24 | connection) << 32 for kind in sorted(DatagramType)]

    @property
    def counter(self) -> int:
        """Datagrams made so far; the next one's counter."""
        return self._counter

    @property
    def exhausted(self) -> bool:
        """Whether the session is to be renewed by a RESUME now; 65 536 more datagrams can still be made."""
        return self._counter >= RENEW_AT

    def seal(self, kind: DatagramType, packet: bytes) -> bytes:
        """The whole datagram around ``packet`` (at most 1 184 bytes, else ValueError).

        WireError when the counter has reached its end at 2^31: the session was
        not renewed in time and is over.
        """
        counter = self._counter
        if counter >= COUNTER_LIMIT:
            raise WireError("the datagram counter has reached its end")
        if len(packet) > MAX_PACKET:
            raise ValueError(f"packet of {len(packet)} bytes is too long for a datagram")
        self._counter = counter + 1
        header = (self._first_words[kind] | counter).to_bytes(HEADER_BYTES, "big")
        return header + self._cipher.encrypt(counter.to_bytes(_NONCE_BYTES, "big"), packet, header)


class DatagramOpener:
    """Opens the datagrams of one direction of one session, each once at most, in any order."""

    __slots__ = ("_cipher", "_window")

    def __init__(self, key: bytes) -> None:
        self._cipher = AESCCM(key, tag_length=TAG_BYTES)
        self._window = ReplayWindow()

    def open(self, header: DatagramHeader, datagram: bytes) -> bytes:
        """The packet. ``header`` is what ``parse_header`` read from this very ``datagram``.

        WireError when it was opened before, is older than the window, or was
        not made by the other side; the window is then as it was.
        """
        counter = header.counter
        if not self._window.is_fresh(counter):
            raise WireError("datagram repeated or too old")
        try:
            packet = self._cipher.decrypt(
                counter.to_bytes(_NONCE_BYTES, "big"), datagram[HEADER_BYTES:], datagram[:HEADER_BYTES]
            )
        except InvalidTag:
            raise WireError("datagram forged or changed") from None
        self._window.mark(counter)
        return packet
