"""The login: both sides prove that they know the password, and nobody else learns a thing.

May import ``spake2`` (with ``comb``, the only modules that do), the keys and ``wire.handshake``.
No socket, no clock, no log: strings in, strings out. It may never let the
password, or anything computed from it alone, into a string, a repr or an
exception. What is in the request and the response (JSON) is the caller's affair.

::

    client                                              server
    hello()            HELLO    session id, message A ->   reply(hello)
    auth(reply, ...)   <- REPLY           message B
                       AUTH     Tc, sealed request  ->     auth(string) -> request
    welcome(string)    <- WELCOME  Ts, sealed response     welcome(response)
      -> response

1. *Messages A and B* are SPAKE2 (Abdalla and Pointcheval, 2005; as magic-wormhole
   uses it, on Ed25519). Each is a random point hidden behind the password: to
   one who does not know it, every message goes with every password. Both sides
   compute a shared key, and it is the same only if the passwords are.
2. *T* = HELLO | REPLY, the strings byte for byte; the keys come from the shared
   key and T (``voicechat.security.keys``).
3. *Tc*, the client's proof, comes first. So a stranger with a wrong guess learns
   one thing, that it was wrong, and the server can count it. A recording, or
   both halves seen by a man in the middle, leave nothing to try guesses on
   offline: without the discrete logarithms each guess needs a fresh login.
   The server computes the shared key when the proof is there, and not before: most of a login's work is done for those
   only whose wrong guesses it can count.
4. *Ts*, the server's proof, is checked before a byte of the response is believed.
   A server that does not know the password ends in ``PasswordRefused`` too, and
   it has had one guess.
5. *The sealed parts* are what counter 0 of each direction seals; the first string
   after the login is counter 1.

The identities below are fixed, and SPAKE2's sides are not symmetric: a message
sent back to its maker is refused. Whatever ``spake2`` raises (a point off the
curve, of low order, of the wrong side) becomes ``WireError``, without a chain:
its frames hold the password. Its arithmetic is Python's and not constant in
time; an attacker gets one noisy sample a guess, and few guesses.

A login is used once and in order. After a failure, or for a string that comes
out of turn, it raises ``WireError`` for ever: several guesses in one TCP segment
are one guess. The password is let go as soon as the shared key exists.

What this does not do: it does not keep the server's owner from listening, and
not one who has the password from coming in. There is no slow hash, because with
a PAKE nothing is gained by one, and to a stranger it would be a gift.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from spake2 import SPAKE2_A, SPAKE2_B

from voicechat.errors import PasswordRefused, WireError
from voicechat.security.comb import quick_params
from voicechat.security.keys import SessionKeys, Side, login_keys
from voicechat.security.secret import Secret
from voicechat.wire.handshake import (
    MAX_REQUEST,
    MAX_RESPONSE,
    SESSION_ID_BYTES,
    Auth,
    Hello,
    Reply,
    SealedWelcome,
    decode,
)

IDENTITY_A: Final = b"voicechat/1 client"
IDENTITY_B: Final = b"voicechat/1 server"
"""SPAKE2's names for the two sides; fixed, because a game's friends have no others before the login."""

FIELD: Final = 2**255 - 19
"""Order of Ed25519's field: a point is sent as its y coordinate, and no point of an honest message has 0, 1 or -1."""

_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_LOW_ORDER: Final = frozenset((0, 1, FIELD - 1, _ORDER_8, FIELD - _ORDER_8))
"""The y coordinates of all points of order 1, 2, 4 and 8 (RFC 7748, section 7, has them for the twin curve)."""

_SIDE_A: Final = b"A"
_SIDE_B: Final = b"B"
"""How the two sides' SPAKE2 messages begin."""

Entropy = Callable[[int], bytes]
"""Gives so many unpredictable bytes. Anything but ``os.urandom`` is for test vectors."""

_OUT_OF_TURN: Final = "a handshake string out of turn"
_NO_MESSAGE: Final = "not a SPAKE2 message of the other side"


class ClientLogin:
    """The client's half: ``hello``, ``auth``, ``welcome``, each once, then ``keys``."""

    __slots__ = ("_entropy", "_hello", "_keys", "_pake", "_password", "_proved", "_transcript")

    def __init__(self, password: Secret, entropy: Entropy = os.urandom) -> None:
        self._entropy = entropy
        self._password: Secret | None = password
        self._hello = b""
        self._transcript = b""
        self._pake: SPAKE2_A | None = None
        self._keys: SessionKeys | None = None
        self._proved = False

    def hello(self) -> bytes:
        """The HELLO to send (about 5 ms of CPU)."""
        if self._password is None:
            raise RuntimeError("hello() twice")
        session_id = self._entropy(SESSION_ID_BYTES)
        self._pake = SPAKE2_A(self._password.to_bytes(), IDENTITY_A, IDENTITY_B, entropy_f=self._entropy)
        self._password = None
        self._hello = Hello(session_id, self._pake.start()).build()
        return self._hello

    def auth(self, reply: bytes, request: bytes) -> bytes:
        """The AUTH to send for the server's REPLY (about 7 ms of CPU).

        ``request``: at most 204 bytes, else ValueError. WireError when
        ``reply`` is not a REPLY or its SPAKE2 message is none.
        """
        if len(request) > MAX_REQUEST:
            raise ValueError(f"request of {len(request)} bytes, at most {MAX_REQUEST} fit")
        pake, self._pake = self._pake, None
        parsed = decode(reply)
        if pake is None or not isinstance(parsed, Reply):
            raise WireError(_OUT_OF_TURN)
        _check(parsed.message, _SIDE_B)
        self._transcript = self._hello + reply
        self._keys = _keys(Side.CLIENT, pake, parsed.message, self._transcript)
        if self._keys is None:  # told here and not there: an error's chain would show the password
            raise WireError(_NO_MESSAGE)
        proof = self._keys.proof(Side.CLIENT, self._transcript)
        return Auth(proof, self._keys.seal.seal(request)).build()

    def welcome(self, string: bytes) -> bytes:
        """The response in the server's WELCOME.

        PasswordRefused when the server did not prove that it knows the
        password, WireError when the string is anything else than its WELCOME.
        """
        keys, self._keys = self._keys, None
        parsed = decode(string)
        if keys is None or self._proved or not isinstance(parsed, SealedWelcome):
            raise WireError(_OUT_OF_TURN)
        if not keys.proves(Side.SERVER, self._transcript, parsed.proof):
            raise PasswordRefused("the server did not prove that it knows the password")
        response = keys.opener.open(parsed.sealed)
        self._keys, self._proved = keys, True
        return response

    @property
    def keys(self) -> SessionKeys:
        """The session's keys; RuntimeError before ``welcome`` has returned."""
        return _settled(self._keys, self._proved)


class ServerLogin:
    """The server's half: ``reply``, ``auth``, ``welcome``, each once, then ``keys``.

    Most of the work comes with ``auth``: whoever asks for it has to show a proof, which counts if it is wrong.
    """

    __slots__ = ("_entropy", "_keys", "_message", "_pake", "_password", "_proved", "_settled", "_transcript")

    def __init__(self, password: Secret, entropy: Entropy = os.urandom) -> None:
        self._entropy = entropy
        self._password: Secret | None = password
        self._transcript = b""
        self._message = b""
        self._pake: SPAKE2_B | None = None
        self._keys: SessionKeys | None = None
        self._proved = False
        self._settled = False

    def reply(self, hello: bytes) -> bytes:
        """The REPLY to send (about 1.5 ms of CPU).

        WireError when ``hello`` is not a HELLO or its SPAKE2 message plainly none; VersionError, which is one, when it
        is of another version. What is no HELLO costs next to nothing. Whether the message is a point at all is seen
        by ``auth``.
        """
        password, self._password = self._password, None
        parsed = decode(hello)
        if password is None or not isinstance(parsed, Hello):
            raise WireError(_OUT_OF_TURN)
        _check(parsed.message, _SIDE_A)
        self._message = parsed.message
        self._pake = SPAKE2_B(password.to_bytes(), IDENTITY_A, IDENTITY_B, quick_params(), self._entropy)
        reply = Reply(self._pake.start()).build()
        self._transcript = hello + reply
        return reply

    def auth(self, string: bytes) -> bytes:
        """The request in the client's AUTH (about 5.5 ms of CPU): let few of them into one turn of the reactor.

        PasswordRefused when the client's proof is wrong, as that of one whose SPAKE2 message is no point must be: a
        guess, to be counted. WireError when the string is no AUTH, comes out of turn or was changed on its way.
        """
        pake, self._pake, self._keys = self._pake, None, None
        parsed = decode(string)
        if pake is None or not isinstance(parsed, Auth):
            raise WireError(_OUT_OF_TURN)
        keys = _keys(Side.SERVER, pake, self._message, self._transcript)
        if keys is None:
            raise PasswordRefused("the client's SPAKE2 message is none")
        if not keys.proves(Side.CLIENT, self._transcript, parsed.proof):
            raise PasswordRefused("the client did not prove that it knows the password")
        request = keys.opener.open(parsed.sealed)
        self._keys, self._proved = keys, True
        return request

    def welcome(self, response: bytes) -> bytes:
        """The WELCOME to send around ``response`` (at most 4 028 bytes, else ValueError), after ``auth`` only."""
        if len(response) > MAX_RESPONSE:
            raise ValueError(f"response of {len(response)} bytes, at most {MAX_RESPONSE} fit")
        if self._settled:
            raise RuntimeError("welcome() twice")
        keys = _settled(self._keys, self._proved)
        string = SealedWelcome(keys.proof(Side.SERVER, self._transcript), keys.seal.seal(response)).build()
        self._settled = True
        return string

    @property
    def keys(self) -> SessionKeys:
        """The session's keys; RuntimeError before ``welcome`` has returned."""
        return _settled(self._keys, self._settled)


def _settled(keys: SessionKeys | None, settled: bool) -> SessionKeys:
    if keys is None or not settled:
        raise RuntimeError("the login is not done")
    return keys


def _check(message: bytes, side: bytes) -> None:
    """WireError for what is plainly no SPAKE2 message of ``side``; costs nothing."""
    height = int.from_bytes(message[1:], "little") % (1 << 255)
    # spake2 refuses the neutral point by comparing bytes, and takes it in three odd spellings
    if message[:1] != side or height >= FIELD or height in _LOW_ORDER:
        raise WireError(_NO_MESSAGE)


def _keys(side: Side, pake: SPAKE2_A | SPAKE2_B, message: bytes, transcript: bytes) -> SessionKeys | None:
    """The keys from SPAKE2's shared key; None where the other side's message was none."""
    shared = b""
    with suppress(Exception):  # spake2 has no common base for what bad points raise
        shared = bytes(pake.finish(message))
    return login_keys(side, shared, transcript) if shared else None
