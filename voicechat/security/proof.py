"""Both ends of one short connection prove that they hold the same key, and one of them asks a thing.

For two programs of one user on one machine, where the key lies in a file that nobody else can read
(`voicechat.client.remote.loopback`). Pure: lines in, lines out; no socket, no clock. Imports next to nothing:
voicechat-ctl is bound to a key.

::

    caller                                          host
    hello       nonce                        ->
                <-  HMAC(key, "host", nonce) nonce' welcome(hello)
    request     HMAC(key, "caller", nonce', line) line  ->  opened(request)

The caller says nothing of what it wants before the host has proved itself: whoever listens where the host
did, once that is gone, learns a random number. Either nonce is fresh, so no proof is good twice; the words
in them keep one end's proof from being the other's. HMAC-SHA256 (RFC 2104). Who merely listens is not kept
from reading: the two are on one machine, and the system lets nobody see their bytes.
"""

import os

from voicechat.errors import PasswordRefused

KEY_BYTES = 32
"""As long as the hash (RFC 2104, section 3)."""

NONCE_BYTES = 16
"""128 random bits: two are never the same."""

_HEX_OF_MAC = 64

OVERHEAD = _HEX_OF_MAC + 1
"""Bytes of a request beside what is asked."""


def new_key() -> bytes:
    """A key for one host's life."""
    return os.urandom(KEY_BYTES)


def _nonce() -> bytes:
    return os.urandom(NONCE_BYTES).hex().encode()


def _mac(key: bytes, *parts: bytes) -> bytes:
    """In hexadecimal. The parts but the last hold no zero byte, so no two lists of them are one text."""
    import hmac

    return hmac.digest(key, b"\0".join(parts), "sha256").hex().encode()


def _same(first: bytes, second: bytes) -> bool:
    """In a time that tells nothing of where they differ."""
    import hmac

    return hmac.compare_digest(first, second)


class Caller:
    """The end that asks: ``hello`` first, then what `request` makes of the host's answer."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.hello = _nonce()

    def request(self, welcome: bytes, line: bytes) -> bytes:
        """The line to send, for what is asked. PasswordRefused unless the host holds the key."""
        proof, _, nonce = welcome.partition(b" ")
        if not _same(proof, _mac(self._key, b"host", self.hello)):
            raise PasswordRefused("what listens there is another program")
        return _mac(self._key, b"caller", nonce, line) + b" " + line


class Host:
    """The end that is asked, for one connection: `welcome`, then `opened`."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._nonce = _nonce()

    def welcome(self, hello: bytes) -> bytes:
        """The answer to a hello. PasswordRefused if it is none: nothing else is ever proved to a stranger."""
        if len(hello) != 2 * NONCE_BYTES or not hello.isalnum():
            raise PasswordRefused("not a hello")
        return _mac(self._key, b"host", hello) + b" " + self._nonce

    def opened(self, request: bytes) -> bytes:
        """What is asked. PasswordRefused unless the caller holds the key."""
        proof, line = request[:_HEX_OF_MAC], request[OVERHEAD:]
        if not _same(proof, _mac(self._key, b"caller", self._nonce, line)):
            raise PasswordRefused("the caller does not hold the key")
        return line
