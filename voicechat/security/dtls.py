"""DTLS and SRTP with a browser (RFC 5764): datagrams in, datagrams and keys out. Sans-IO.

pyOpenSSL and pylibsrtp do the work. A datagram holds whole records, both ways: OpenSSL writes
and reads a stream of bytes here, so `records` cuts it, and nothing half reaches it.
"""

import datetime as dt
import hmac
from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import pylibsrtp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from voicechat.errors import WireError

MOST_DATAGRAM: Final = 1200
"""Bytes of a datagram of ours: passes every usual path without being cut up (RFC 9000, section 14)."""

MOST_HANDSHAKE: Final = 60
"""Datagrams of a browser until the keys are there; it needs four, and sends again what is lost."""

_RECORD_HEAD: Final = 13
"""Bytes before the fragment of a record (RFC 6347, section 4.1); the last two are its length."""

MOST_SOURCES: Final = 8
"""Sources (SSRC) of one browser, of sound and of RTCP; it has two at most. libsrtp keeps a stream for each."""

_PROFILE: Final = b"SRTP_AES128_CM_SHA1_80"
_EXPORTER: Final = b"EXTRACTOR-dtls_srtp"
_KEY, _SALT = 16, 14
_YEARS: Final = dt.timedelta(days=3653)
_BEGINS: Final = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
"""A browser knows the certificate by its fingerprint, and looks at no date; so no clock is read."""


class NotDtls(WireError):
    """What nobody meant: it may come from anywhere, and changes nothing."""


class Identity:
    """The certificate of this process, and what each handshake begins with."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "voicechat")])
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), 1, _BEGINS, _BEGINS + _YEARS)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("voicechat")]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        """SHA-256 of it, as SDP has it."""
        self.context = SSL.Context(SSL.DTLS_SERVER_METHOD)
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        # what it is signed by says nothing: the offer's fingerprint does
        self.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self.context.set_tlsext_use_srtp(_PROFILE)
        self.context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET)


@cache
def identity() -> Identity:
    """That of this process."""
    return Identity()


class Srtp:
    """Seals what goes out and opens what comes in. ``keys``: the client's and the server's, with their salts."""

    def __init__(self, keys: bytes) -> None:
        client_salt = 2 * _KEY
        client = keys[:_KEY] + keys[client_salt : client_salt + _SALT]
        server = keys[_KEY:client_salt] + keys[client_salt + _SALT :]
        policy = pylibsrtp.Policy
        self._in = pylibsrtp.Session(policy(key=client, ssrc_type=policy.SSRC_ANY_INBOUND))
        self._out = pylibsrtp.Session(policy(key=server, ssrc_type=policy.SSRC_ANY_OUTBOUND))
        self._sources: set[bytes] = set()
        """Those of what opened."""

    def seal(self, packet: bytes) -> bytes:
        """A packet of RTP as it travels."""
        return bytes(self._out.protect(packet))

    def open(self, packet: bytes) -> bytes:
        """A packet of RTP. WireError if it was not sealed for us, or came before, or has one source too many."""
        return self._opened(self._in.unprotect, packet, packet[8:12])

    def open_control(self, packet: bytes) -> bytes:
        """The same for a packet of RTCP."""
        return self._opened(self._in.unprotect_rtcp, packet, packet[4:8])

    def _opened(self, unprotect: Callable[[bytes], bytes], packet: bytes, source: bytes) -> bytes:
        if source not in self._sources and len(self._sources) >= MOST_SOURCES:
            raise WireError("more sources than a browser has")
        try:
            opened = bytes(unprotect(packet))
        except (pylibsrtp.Error, ValueError):  # the latter of one that is longer than pylibsrtp takes
            raise WireError("a packet of SRTP that does not open") from None
        self._sources.add(source)
        return opened


class DtlsServer:
    """One handshake. ``fingerprint``: of the certificate that the other side must have."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        self._ssl = SSL.Connection(identity().context)
        self._ssl.set_accept_state()
        self._ssl.set_ciphertext_mtu(MOST_DATAGRAM)
        self._came = 0
        self.outgoing: deque[bytes] = deque()
        """Datagrams to be sent."""
        self.srtp: Srtp | None = None
        """Set when the keys are there."""

    def received(self, datagram: bytes) -> None:
        """A datagram of the other side. `NotDtls` if it is none, or has nothing to say; WireError ends it all.

        Once the keys are there, none has anything to say but the end: OpenSSL drops what is forged without a word, so
        nobody can tell it from a last flight that comes again. That is answered, and counts for nobody.
        """
        if not datagram or b"".join(records(datagram)) != datagram:
            raise NotDtls("a datagram that is none of DTLS")
        sealed = self.srtp is not None
        self._came += not sealed
        if self._came > MOST_HANDSHAKE:
            raise WireError("a handshake without end")
        self._ssl.bio_write(datagram)
        self._go_on()
        if sealed:
            raise NotDtls("DTLS after the handshake")

    def _go_on(self) -> None:
        try:
            if self.srtp is None:
                self._ssl.do_handshake()
                self._done()
            self._ssl.recv(MOST_DATAGRAM)
        except SSL.WantReadError:
            pass
        except SSL.Error:
            raise WireError("a handshake that failed, or is over") from None
        finally:
            self._flush()

    def _done(self) -> None:
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        shown = "" if certificate is None else certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        if not hmac.compare_digest(shown, self._fingerprint) or self._ssl.get_selected_srtp_profile() != _PROFILE:
            raise WireError("another certificate than was offered")
        self.srtp = Srtp(self._ssl.export_keying_material(_EXPORTER, 2 * (_KEY + _SALT)))

    def _flush(self) -> None:
        """Whole records, as many as fit into a datagram."""
        data = bytearray()
        while True:
            try:
                data += self._ssl.bio_read(1 << 16)
            except SSL.WantReadError:
                break
        datagram = b""
        for record in records(bytes(data)):
            if datagram and len(datagram) + len(record) > MOST_DATAGRAM:
                self.outgoing.append(datagram)
                datagram = b""
            datagram += record
        if datagram:
            self.outgoing.append(datagram)

    def wait(self) -> float | None:
        """Seconds until `poll` has to be called, since a flight may have been lost; None while nothing waits."""
        return self._ssl.DTLSv1_get_timeout()

    def poll(self) -> None:
        """Send the last flight again if its time has come. WireError if that was too often."""
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error:
            raise WireError("a handshake without an answer") from None
        finally:
            self._flush()


def records(data: bytes) -> Iterator[bytes]:
    """The records in ``data``, one after the other, up to what is none."""
    at = 0
    while at + _RECORD_HEAD <= len(data) and 20 <= data[at] <= 63:
        end = at + _RECORD_HEAD + int.from_bytes(data[at + 11 : at + 13], "big")
        if end > len(data):
            return
        yield data[at:end]
        at = end
