"""The strings of the login, before anything is sealed: bytes <-> frozen values.

May import only ``voicechat.errors``. It knows layouts and lengths and nothing
else: no key, no password, no state, no order. ``decode`` returns one of the
values below or raises ``WireError``, never anything else, whatever it is given.

A string is what follows the ``u32`` length on TCP. All begin alike, numbers
are big-endian, and nothing may follow the last field::

    "V" "C" | u8 version = 1 | u8 type | ...

    type            who   after the four bytes
    1    HELLO      C->S  session id 16 | SPAKE2 message 33
    2    REPLY      S->C  SPAKE2 message 33
    3    AUTH       C->S  proof 32 | sealed request, 16 to 220 bytes
    4    WELCOME    S->C  proof 32 | sealed response, 16 to 4 060 bytes
    5    RESUME     C->S  ticket id 16 | nonce 16 | proof 32
    6    RESUMED    S->C  nonce 16 | proof 32 | sealed response, 16 to 4 044 bytes
    0x7F REFUSE     S->C  u8 reason | u8 retry seconds | u8 highest version | 0

The conversations are HELLO, REPLY, AUTH, WELCOME for a login with the password
(``voicechat.security.login``) and RESUME, RESUMED for coming back with a ticket
(``voicechat.security.resume``). The server may answer REFUSE in place of any of
its own strings, and then closes. RESUMED is a type of its own and not a WELCOME
because it must bring what REPLY brings in a login, the server's share of the
new keys; so no length and no context decides how a string is to be read.

Versions: the first three bytes and the whole of REFUSE are the same in every
version for ever. ``decode`` therefore reads a REFUSE whatever its version, and
for any other string of another version raises ``VersionError``, which carries
the version seen so that the server can answer REFUSE with reason 1.

A REFUSE is neither sealed nor signed: an attacker on the line can forge one. It
may end the attempt to log in; it may never be taken for news about an account.

More than 300 lines, since the layouts of all seven strings stand side by side.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, TypeAlias

from voicechat.errors import WireError

MAGIC: Final = b"VC"
"""First two bytes of each string in the clear; keeps port scanners and lost HTTP clients out of the parsers."""

VERSION: Final = 1
"""The version of the protocol that this package speaks."""

MAX_CLEAR: Final = 256
"""Longest string in bytes that a server takes before the login is done; the longest legal one is an AUTH."""

MAX_WELCOME: Final = 4096
"""Longest WELCOME or RESUMED in bytes (they carry the roster); the limit of every string after login too."""

SESSION_ID_BYTES: Final = 16
"""A HELLO's random session id: makes each transcript new even if a client's random numbers were to repeat."""

PAKE_BYTES: Final = 33
"""One SPAKE2 message: a side byte and an encoded Ed25519 point of 32 bytes."""

PROOF_BYTES: Final = 32
"""HMAC-SHA256."""

NONCE_BYTES: Final = 16
"""Either side's random share of a resumed session's keys."""

TICKET_ID_BYTES: Final = 16
"""Names a ticket without giving anything of its secret away."""

TAG_BYTES: Final = 16
"""Poly1305; no sealed part is shorter."""

MAX_SEALED_REQUEST: Final = MAX_CLEAR - 4 - PROOF_BYTES
"""Longest sealed part of an AUTH in bytes: 220, of which 204 are the request itself."""

MAX_REQUEST: Final = MAX_SEALED_REQUEST - TAG_BYTES
"""Longest request (plaintext) of an AUTH in bytes."""

MAX_RESPONSE: Final = MAX_WELCOME - 4 - NONCE_BYTES - PROOF_BYTES - TAG_BYTES
"""Longest response (plaintext) in bytes that fits into a WELCOME and into a RESUMED alike."""

_HEAD: Final = 4


class VersionError(WireError):
    """The other side speaks another version.

    ``seen`` is the version byte of its string, 0 to 255 and never ``VERSION``.
    """

    def __init__(self, seen: int) -> None:
        super().__init__(f"protocol version {seen} is not spoken here, version {VERSION} is")
        self.seen = seen


class Reason(IntEnum):
    """Why the server refuses. 3 is free: "full" is told only sealed, after the password was proved."""

    VERSION = 1
    PASSWORD = 2
    TRY_LATER = 4
    """Banned for a while, or overloaded."""
    SHUTTING_DOWN = 5
    MALFORMED = 6
    TICKET_UNKNOWN = 7
    """Used, too old, from before a restart, or the proof was wrong: log in with the password."""


def _head(kind: int) -> bytes:
    return MAGIC + bytes((VERSION, kind))


def _exactly(name: str, value: bytes, length: int) -> None:
    if len(value) != length:
        raise ValueError(f"{name} has {len(value)} bytes, not {length}")


def _sealed(value: bytes, most: int) -> None:
    if not TAG_BYTES <= len(value) <= most:
        raise ValueError(f"sealed part of {len(value)} bytes, not {TAG_BYTES} to {most}")


@dataclass(frozen=True, slots=True)
class Hello:
    """A client opens a login. ValueError when built with fields of a wrong length, here and below."""

    TYPE: ClassVar[int] = 1
    session_id: bytes
    message: bytes
    """The client's SPAKE2 message."""

    def __post_init__(self) -> None:
        _exactly("session id", self.session_id, SESSION_ID_BYTES)
        _exactly("SPAKE2 message", self.message, PAKE_BYTES)

    def build(self) -> bytes:
        """The string, 53 bytes."""
        return _head(self.TYPE) + self.session_id + self.message


@dataclass(frozen=True, slots=True)
class Reply:
    """The server's half of the key exchange; says nothing about the password."""

    TYPE: ClassVar[int] = 2
    message: bytes
    """The server's SPAKE2 message."""

    def __post_init__(self) -> None:
        _exactly("SPAKE2 message", self.message, PAKE_BYTES)

    def build(self) -> bytes:
        """The string, 37 bytes."""
        return _head(self.TYPE) + self.message


@dataclass(frozen=True, slots=True)
class Auth:
    """The client proves that it knows the password, and asks for a seat."""

    TYPE: ClassVar[int] = 3
    proof: bytes
    sealed: bytes

    def __post_init__(self) -> None:
        _exactly("proof", self.proof, PROOF_BYTES)
        _sealed(self.sealed, MAX_SEALED_REQUEST)

    def build(self) -> bytes:
        """The string, 52 to 256 bytes."""
        return _head(self.TYPE) + self.proof + self.sealed


@dataclass(frozen=True, slots=True)
class Welcome:
    """The server proves that it knows the password, and says what the client got."""

    TYPE: ClassVar[int] = 4
    proof: bytes
    sealed: bytes

    def __post_init__(self) -> None:
        _exactly("proof", self.proof, PROOF_BYTES)
        _sealed(self.sealed, MAX_WELCOME - _HEAD - PROOF_BYTES)

    def build(self) -> bytes:
        """The string, 52 to 4 096 bytes."""
        return _head(self.TYPE) + self.proof + self.sealed


@dataclass(frozen=True, slots=True)
class Resume:
    """A client comes back with a ticket."""

    TYPE: ClassVar[int] = 5
    ticket_id: bytes
    nonce: bytes
    proof: bytes
    """HMAC under the ticket's secret over all that comes before it."""

    def __post_init__(self) -> None:
        _exactly("ticket id", self.ticket_id, TICKET_ID_BYTES)
        _exactly("nonce", self.nonce, NONCE_BYTES)
        _exactly("proof", self.proof, PROOF_BYTES)

    def proved(self) -> bytes:
        """What ``proof`` speaks for: the string without its last field, 36 bytes."""
        return _head(self.TYPE) + self.ticket_id + self.nonce

    def build(self) -> bytes:
        """The string, 68 bytes."""
        return self.proved() + self.proof


@dataclass(frozen=True, slots=True)
class Resumed:
    """The server takes the ticket: its share of the new keys, its proof, and what a WELCOME says."""

    TYPE: ClassVar[int] = 6
    nonce: bytes
    proof: bytes
    sealed: bytes

    def __post_init__(self) -> None:
        _exactly("nonce", self.nonce, NONCE_BYTES)
        _exactly("proof", self.proof, PROOF_BYTES)
        _sealed(self.sealed, MAX_WELCOME - _HEAD - NONCE_BYTES - PROOF_BYTES)

    def build(self) -> bytes:
        """The string, 68 to 4 096 bytes."""
        return _head(self.TYPE) + self.nonce + self.proof + self.sealed


@dataclass(frozen=True, slots=True)
class Refuse:
    """The server says no, in the clear, and closes."""

    TYPE: ClassVar[int] = 0x7F
    reason: Reason
    retry_seconds: int = 0
    """Come back no sooner, 0 to 255 s; 0 = nothing is said about it."""
    highest_version: int = VERSION
    """The newest version that the server speaks."""
    version: int = VERSION
    """The version byte of the string itself; any, because REFUSE looks the same in every version."""

    def __post_init__(self) -> None:
        for value in (self.retry_seconds, self.highest_version, self.version):
            if not 0 <= value <= 255:
                raise ValueError(f"{value} does not fit into a byte")

    def build(self) -> bytes:
        """The string, 8 bytes."""
        return MAGIC + bytes((self.version, self.TYPE, self.reason, self.retry_seconds, self.highest_version, 0))


Handshake: TypeAlias = Hello | Reply | Auth | Welcome | Resume | Resumed | Refuse
"""Whatever may stand in the clear."""

_SHORTEST_AND_LONGEST: Final = {
    Hello.TYPE: (53, 53),
    Reply.TYPE: (37, 37),
    Auth.TYPE: (52, MAX_CLEAR),
    Welcome.TYPE: (52, MAX_WELCOME),
    Resume.TYPE: (68, 68),
    Resumed.TYPE: (68, MAX_WELCOME),
    Refuse.TYPE: (8, 8),
}


def decode(string: bytes) -> Handshake:
    """Read one string; the inverse of every ``build``.

    Raises VersionError for a string of another version (except a REFUSE, which
    is read in any) and WireError for everything else that is not as laid out
    above: magic, type, length, a reason nobody knows, a reserved byte in use.
    """
    if len(string) < _HEAD or string[:2] != MAGIC:
        raise WireError("not a voicechat handshake")
    version, kind = string[2], string[3]
    if version != VERSION and kind != Refuse.TYPE:
        raise VersionError(version)
    bounds = _SHORTEST_AND_LONGEST.get(kind)
    if bounds is None:
        raise WireError(f"handshake of unknown type {kind}")
    if not bounds[0] <= len(string) <= bounds[1]:
        raise WireError(f"handshake of type {kind} with {len(string)} bytes")
    return _fields(kind, string)


def _fields(kind: int, string: bytes) -> Handshake:
    """Cut a string whose type and length are known to be right."""
    if kind == Hello.TYPE:
        return Hello(string[4:20], string[20:])
    if kind == Reply.TYPE:
        return Reply(string[4:])
    if kind == Auth.TYPE:
        return Auth(string[4:36], string[36:])
    if kind == Welcome.TYPE:
        return Welcome(string[4:36], string[36:])
    if kind == Resume.TYPE:
        return Resume(string[4:20], string[20:36], string[36:])
    if kind == Resumed.TYPE:
        return Resumed(string[4:20], string[20:52], string[52:])
    if string[7]:
        raise WireError("the reserved byte of a refusal is in use")
    try:
        reason = Reason(string[4])
    except ValueError:
        raise WireError(f"refused for an unknown reason {string[4]}") from None
    return Refuse(reason, string[5], string[6], string[2])
