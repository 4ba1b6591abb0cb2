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
its own strings, and then closes.

Versions: the first three bytes and the whole of REFUSE are the same in every
version for ever. ``decode`` therefore reads a REFUSE whatever its version, and
for any other string of another version raises ``VersionError``, which carries
the version seen so that the server can answer REFUSE with reason 1.

A REFUSE is neither sealed nor signed: an attacker can forge one. So it may end
the attempt to log in, and is never news about an account.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, NamedTuple, TypeAlias

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


class _String:
    """A string whose fields, in order, stand in `LAYOUTS`. ValueError when built with fields of a wrong length."""

    __slots__ = ()

    TYPE: ClassVar[int]

    def __post_init__(self) -> None:
        for name, least, most in LAYOUTS[self.TYPE].fields:
            length = len(getattr(self, name))
            if not least <= length <= most:
                raise ValueError(f"{name.replace('_', ' ')} has {length} bytes, not {least} to {most}")

    def build(self) -> bytes:
        """The string."""
        return _head(self.TYPE) + b"".join(getattr(self, field.name) for field in LAYOUTS[self.TYPE].fields)


def _head(kind: int) -> bytes:
    return MAGIC + bytes((VERSION, kind))


@dataclass(frozen=True, slots=True)
class Hello(_String):
    """A client opens a login."""

    TYPE: ClassVar[int] = 1
    session_id: bytes
    message: bytes
    """The client's SPAKE2 message."""


@dataclass(frozen=True, slots=True)
class Reply(_String):
    """The server's half of the key exchange; says nothing about the password."""

    TYPE: ClassVar[int] = 2
    message: bytes
    """The server's SPAKE2 message."""


@dataclass(frozen=True, slots=True)
class Auth(_String):
    """The client proves that it knows the password, and asks for a seat."""

    TYPE: ClassVar[int] = 3
    proof: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class SealedWelcome(_String):
    """The server proves that it knows the password, and says what the client got."""

    TYPE: ClassVar[int] = 4
    proof: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Resume(_String):
    """A client comes back with a ticket."""

    TYPE: ClassVar[int] = 5
    ticket_id: bytes
    nonce: bytes
    proof: bytes
    """HMAC under the ticket's secret over all that comes before it."""

    def proved(self) -> bytes:
        """What ``proof`` speaks for: the string without its last field, 36 bytes."""
        return _head(self.TYPE) + self.ticket_id + self.nonce


@dataclass(frozen=True, slots=True)
class Resumed(_String):
    """The server takes the ticket: its share of the new keys, its proof, and what a WELCOME says."""

    TYPE: ClassVar[int] = 6
    nonce: bytes
    proof: bytes
    sealed: bytes


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


Handshake: TypeAlias = Hello | Reply | Auth | SealedWelcome | Resume | Resumed | Refuse
"""Whatever may stand in the clear."""


def called(kind: type) -> str:
    """What a string is called on the wire: the name of its class, but WELCOME for a `SealedWelcome`."""
    return kind.__name__.removeprefix("Sealed")


class Field(NamedTuple):
    """Bytes of a string. Only the last field of a layout may have more than ``least``."""

    name: str
    least: int
    most: int


class Layout(NamedTuple):
    """What follows the four bytes with which each string begins."""

    make: Callable[..., Handshake]
    """Takes the fields, in order."""
    fields: tuple[Field, ...]

    def cut(self, string: bytes) -> Handshake:
        """The value in a string of this type. WireError if it is shorter or longer than its fields are."""
        *fixed, last = self.fields
        start, parts = _HEAD, []
        for field in fixed:
            parts.append(string[start : start + field.least])
            start += field.least
        if not last.least <= len(string) - start <= last.most:
            raise WireError(f"handshake of type {string[3]} with {len(string)} bytes")
        return self.make(*parts, string[start:])


def _sealed(longest: int) -> Field:
    return Field("sealed", TAG_BYTES, longest)


_SESSION_ID: Final = Field("session_id", SESSION_ID_BYTES, SESSION_ID_BYTES)
_MESSAGE: Final = Field("message", PAKE_BYTES, PAKE_BYTES)
_PROOF: Final = Field("proof", PROOF_BYTES, PROOF_BYTES)
_TICKET_ID: Final = Field("ticket_id", TICKET_ID_BYTES, TICKET_ID_BYTES)
_NONCE: Final = Field("nonce", NONCE_BYTES, NONCE_BYTES)

LAYOUTS: Final[dict[int, Layout]] = {
    Hello.TYPE: Layout(Hello, (_SESSION_ID, _MESSAGE)),
    Reply.TYPE: Layout(Reply, (_MESSAGE,)),
    Auth.TYPE: Layout(Auth, (_PROOF, _sealed(MAX_SEALED_REQUEST))),
    SealedWelcome.TYPE: Layout(SealedWelcome, (_PROOF, _sealed(MAX_WELCOME - _HEAD - PROOF_BYTES))),
    Resume.TYPE: Layout(Resume, (_TICKET_ID, _NONCE, _PROOF)),
    Resumed.TYPE: Layout(Resumed, (_NONCE, _PROOF, _sealed(MAX_WELCOME - _HEAD - NONCE_BYTES - PROOF_BYTES))),
}
"""Every string but REFUSE, which looks the same in every version for ever."""


def decode(string: bytes) -> Handshake:
    """Read one string; the inverse of every ``build``.

    VersionError for a string of another version (except a REFUSE, which is read in any), WireError for whatever
    else is not as laid out above: magic, type, length, a reason nobody knows, a reserved byte in use.
    """
    if len(string) < _HEAD or string[:2] != MAGIC:
        raise WireError("not a voicechat handshake")
    version, kind = string[2], string[3]
    if kind == Refuse.TYPE:
        return _refuse(string)
    if version != VERSION:
        raise VersionError(version)
    layout = LAYOUTS.get(kind)
    if layout is None:
        raise WireError(f"handshake of unknown type {kind}")
    return layout.cut(string)


def _refuse(string: bytes) -> Refuse:
    if len(string) != 8:
        raise WireError(f"handshake of type {Refuse.TYPE} with {len(string)} bytes")
    if string[7]:
        raise WireError("the reserved byte of a refusal is in use")
    try:
        reason = Reason(string[4])
    except ValueError:
        raise WireError(f"refused for an unknown reason {string[4]}") from None
    return Refuse(reason, string[5], string[6], string[2])
