"""The keys of one session, and what is made from them.

May import ``cryptography``, the seals and ``voicechat.errors``. No key leaves a
``SessionKeys`` except inside a seal or an opener; nothing here has a repr that
shows one.

Both ways into a session, login and resume, end with a shared secret that nobody
else knows and with a transcript T, the strings of the handshake in the order in
which they were sent. From them::

    okm = HKDF-SHA256(secret, salt = SHA-256(T), info = label, 160 bytes)
    okm = confirm 32 | c2s 32 | s2c 32 | udp c2s 32 | udp s2c 32

    label   "voicechat/1 keys" for a login, "voicechat/1 resumed" for a resume

``confirm`` is the key of the proofs, HMAC-SHA256(confirm, "client" | T) and
HMAC-SHA256(confirm, "server" | T): whoever can make one knows the secret and has
seen the same T. ``c2s`` and ``s2c`` seal strings from client to server and back.
Of each UDP key the first 16 bytes are used (AES-128). T goes into the salt, so
one changed bit of the handshake gives unrelated keys: an attacker can neither
strike out a version or a capability, nor let two strangers' halves meet.
"""

import hmac
from enum import Enum
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from voicechat.security.seal import (
    DATAGRAM_KEY_BYTES,
    STRING_KEY_BYTES,
    DatagramOpener,
    DatagramSeal,
    StringOpener,
    StringSeal,
)

LOGIN_LABEL: Final = b"voicechat/1 keys"
RESUME_LABEL: Final = b"voicechat/1 resumed"

KEY_BYTES: Final = STRING_KEY_BYTES
"""Each of the five derived keys, before a UDP key is shortened."""


class Side(Enum):
    """Who holds the keys; the value begins what their proof speaks for."""

    CLIENT = b"client"
    SERVER = b"server"


class SessionKeys:
    """One side's end of a session: its seals, its openers, and the proofs of the handshake.

    ``seal`` and ``opener`` are there once for the session, because each counts;
    the sealed part of the handshake has been through them when the session
    begins, so later strings simply go on.
    """

    __slots__ = ("_confirm", "_udp_in", "_udp_out", "opener", "seal")

    def __init__(self, side: Side, confirm: bytes, c2s: bytes, s2c: bytes, udp_c2s: bytes, udp_s2c: bytes) -> None:
        """Five keys of 32 bytes each; ``side`` says which of them are for sending."""
        outgoing, incoming = (c2s, s2c) if side is Side.CLIENT else (s2c, c2s)
        udp_out, udp_in = (udp_c2s, udp_s2c) if side is Side.CLIENT else (udp_s2c, udp_c2s)
        self._confirm = confirm
        self._udp_out: bytes | None = udp_out[:DATAGRAM_KEY_BYTES]
        self._udp_in: bytes | None = udp_in[:DATAGRAM_KEY_BYTES]
        self.seal: Final = StringSeal(outgoing)
        """For every string that this side sends."""
        self.opener: Final = StringOpener(incoming)
        """For every string that comes from the other side."""

    def proof(self, side: Side, transcript: bytes) -> bytes:
        """What ``side`` sends to show that it knows the secret, 32 bytes."""
        return hmac.digest(self._confirm, side.value + transcript, "sha256")

    def proves(self, side: Side, transcript: bytes, proof: bytes) -> bool:
        """Whether ``proof`` came from a ``side`` that knows the secret; in constant time."""
        return hmac.compare_digest(self.proof(side, transcript), proof)

    def datagram_seal(self, connection: int) -> DatagramSeal:
        """The seal for this side's datagrams.

        To be asked for once, RuntimeError after that: a second one would count
        from 0 with the same key.
        """
        if self._udp_out is None:
            raise RuntimeError("the session has its datagram seal already")
        seal = DatagramSeal(self._udp_out, connection)
        self._udp_out = None
        return seal

    def datagram_opener(self) -> DatagramOpener:
        """The opener for the other side's datagrams.

        To be asked for once, RuntimeError after that: a second one would open
        again what the first has opened.
        """
        if self._udp_in is None:
            raise RuntimeError("the session has its datagram opener already")
        opener = DatagramOpener(self._udp_in)
        self._udp_in = None
        return opener


def login_keys(side: Side, shared: bytes, transcript: bytes) -> SessionKeys:
    """Keys from SPAKE2's shared key (32 bytes) and T = HELLO | REPLY."""
    return _derive(side, shared, transcript, LOGIN_LABEL)


def resume_keys(side: Side, secret: bytes, transcript: bytes) -> SessionKeys:
    """Keys from a ticket's secret (32 bytes) and T = RESUME | the server's nonce; both nonces are in T."""
    return _derive(side, secret, transcript, RESUME_LABEL)


def _derive(side: Side, secret: bytes, transcript: bytes, label: bytes) -> SessionKeys:
    salt = sha256(transcript).digest()
    okm = HKDF(algorithm=SHA256(), length=5 * KEY_BYTES, salt=salt, info=label).derive(secret)
    return SessionKeys(side, *(okm[start : start + KEY_BYTES] for start in range(0, len(okm), KEY_BYTES)))
