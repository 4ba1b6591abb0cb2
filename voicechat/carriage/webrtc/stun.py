"""Binding requests of ICE and the answer to one: bytes <-> values (RFC 8489, RFC 8445).

We are ICE-lite: we never ask, and answer nothing but a binding request that is signed with
the password of a path of ours. Whatever else comes is a WireError, which gets no answer.
"""

import hmac
import zlib
from ipaddress import IPv6Address, ip_address
from struct import Struct
from typing import Final, NamedTuple

from voicechat.errors import WireError

MOST_STUN: Final = 548
"""Bytes of a request: what fits into one datagram of IPv4 whatever the way is (RFC 8489, section 6.1). A browser's
have 100 to 150."""

HEADER_BYTES: Final = 20

_HEADER: Final = Struct("!HHI12s")
_ATTRIBUTE: Final = Struct("!HH")
_COOKIE: Final = 0x2112A442
_REQUEST: Final = 0x0001
_SUCCESS: Final = 0x0101
_USERNAME: Final = 0x0006
_INTEGRITY: Final = 0x0008
_MAPPED: Final = 0x0020
_USE_CANDIDATE: Final = 0x0025
_FINGERPRINT: Final = 0x8028
_FINGERPRINT_XOR: Final = 0x5354554E
_SIGNED: Final = 20
"""Bytes of a signature: HMAC-SHA1."""


class BindingRequest(NamedTuple):
    """What a request says, before anybody has looked at its signature."""

    transaction: bytes
    ufrag: str
    """Whom it is for: the first part of its username."""
    nominated: bool
    """Of all ways this one shall be used."""
    signed: bytes
    signature: bytes

    def is_signed_by(self, password: str) -> bool:
        """Whether who sent it knows the password; in constant time."""
        return hmac.compare_digest(hmac.digest(password.encode(), self.signed, "sha1"), self.signature)


def read(datagram: bytes) -> BindingRequest:
    """The request. WireError if it is none, or is not signed, or names nobody."""
    size = len(datagram)
    if not HEADER_BYTES <= size <= MOST_STUN:
        raise WireError("no binding request")
    kind, length, cookie, transaction = _HEADER.unpack_from(datagram)
    if kind != _REQUEST or cookie != _COOKIE or length != size - HEADER_BYTES or length % 4:
        raise WireError("no binding request")
    ufrag, nominated, at = "", False, HEADER_BYTES
    while at < size:
        kind, length = _ATTRIBUTE.unpack_from(datagram, at)
        start, end = at + _ATTRIBUTE.size, at + _ATTRIBUTE.size + length
        if end > size:
            raise WireError("an attribute cut off")
        if kind == _USERNAME and not ufrag:
            ufrag = datagram[start:end].partition(b":")[0].decode("ascii", "replace")
        elif kind == _USE_CANDIDATE:
            nominated = True
        elif kind == _INTEGRITY:  # what stands behind it is not signed
            if length != _SIGNED or not ufrag:
                break
            head = _HEADER.pack(_REQUEST, end - HEADER_BYTES, _COOKIE, transaction)
            return BindingRequest(transaction, ufrag, nominated, head + datagram[HEADER_BYTES:at], datagram[start:end])
        at = end + -length % 4
    raise WireError("a binding request that nobody has signed")


def success(request: BindingRequest, password: str, host: str, port: int) -> bytes:
    """The answer to a good request, which came from ``host`` and ``port``."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    mask = _COOKIE.to_bytes(4, "big") + request.transaction
    hidden = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    family = 1 if address.version == 4 else 2
    value = bytes((0, family)) + (port ^ _COOKIE >> 16).to_bytes(2, "big") + hidden
    attributes = _ATTRIBUTE.pack(_MAPPED, len(value)) + value

    def head(more: int) -> bytes:
        return _HEADER.pack(_SUCCESS, len(attributes) + more, _COOKIE, request.transaction)

    signature = hmac.digest(password.encode(), head(4 + _SIGNED) + attributes, "sha1")
    attributes += _ATTRIBUTE.pack(_INTEGRITY, _SIGNED) + signature
    checksum = zlib.crc32(head(8) + attributes) ^ _FINGERPRINT_XOR
    return head(8) + attributes + _ATTRIBUTE.pack(_FINGERPRINT, 4) + checksum.to_bytes(4, "big")
