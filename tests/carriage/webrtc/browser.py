"""A browser's end of WebRTC, as far as the server sees it: STUN, DTLS and SRTP made by hand.

What lives here: ``Browser``, which answers an `Accept` as a browser does, on datagrams that a test
carries. Its STUN is its own; DTLS and SRTP are the libraries', as they are in the server.
"""

import hmac
import os
import struct
import zlib

import pylibsrtp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from voicechat.security import dtls
from voicechat.wire.messages import Accept, Offer

PAYLOAD_TYPE = 111


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute of STUN."""
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def binding(ufrag: str, password: str, *, nominated: bool = True, transaction: bytes = b"") -> bytes:
    """A binding request, as Chromium makes them."""
    transaction = transaction or os.urandom(12)
    body = attribute(0x0006, f"{ufrag}:mine".encode()) + attribute(0xC057, bytes(4)) + attribute(0x802A, bytes(8))
    body += (attribute(0x0025, b"") if nominated else b"") + attribute(0x0024, bytes(4))

    def head(more: int) -> bytes:
        return struct.pack("!HHI", 1, len(body) + more, 0x2112A442) + transaction

    body += attribute(0x0008, hmac.digest(password.encode(), head(24) + body, "sha1"))
    return head(8) + body + struct.pack("!HHI", 0x8028, 4, zlib.crc32(head(8) + body) ^ 0x5354554E)


class Browser:
    """One RTCPeerConnection."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WebRTC")])
        certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, dtls._BEGINS, dtls._BEGINS + dtls._YEARS)
        signed = certificate.sign(key, hashes.SHA256())
        self.offer = Offer(PAYLOAD_TYPE, signed.fingerprint(hashes.SHA256()).hex(":").upper())
        context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
        context.use_certificate(signed)
        context.use_privatekey(key)
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80")
        context.set_options(SSL.OP_NO_QUERY_MTU)
        self.ssl = SSL.Connection(context)
        self.ssl.set_connect_state()
        self.ssl.set_ciphertext_mtu(1200)
        self.sealed = False
        self.failed = False
        self.answers: list[bytes] = []
        """Answers to binding requests."""
        self.heard: list[bytes] = []
        """Packets of RTP, opened."""
        self.sequence = 1000

    def hello(self) -> list[bytes]:
        """The first flight; or the next one."""
        try:
            self.ssl.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error:
            self.failed = True
        else:
            if not self.sealed:
                self._seal()
        return self.flight()

    def flight(self) -> list[bytes]:
        """What DTLS wants sent, a datagram for each record."""
        try:
            return list(dtls.records(self.ssl.bio_read(1 << 16)))
        except SSL.WantReadError:
            return []

    def _seal(self) -> None:
        keys = self.ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 60)
        policy = pylibsrtp.Policy
        self._out = pylibsrtp.Session(policy(key=keys[:16] + keys[32:46], ssrc_type=policy.SSRC_ANY_OUTBOUND))
        self._in = pylibsrtp.Session(policy(key=keys[16:32] + keys[46:], ssrc_type=policy.SSRC_ANY_INBOUND))
        self.sealed = True

    def received(self, datagram: bytes) -> list[bytes]:
        """A datagram of the server; what is answered."""
        if datagram[0] < 4:
            self.answers.append(datagram)
        elif datagram[0] < 64:
            self.ssl.bio_write(datagram)
            return self.hello()
        else:
            self.heard.append(self._in.unprotect(datagram))
        return []

    def knows(self, accept: Accept) -> bool:
        """The server has the certificate that it said it has."""
        shown = self.ssl.get_peer_certificate(as_cryptography=True)
        return shown is not None and shown.fingerprint(hashes.SHA256()).hex(":").upper() == accept.fingerprint

    def report(self, source: int = 42) -> bytes:
        """A receiver report without blocks, sealed: the smallest packet of RTCP."""
        return self._out.protect_rtcp(struct.pack("!BBHI", 0x80, 201, 1, source))

    def say(
        self,
        tick: int,
        payload: bytes,
        *,
        payload_type: int = PAYLOAD_TYPE,
        extension: bool = True,
        source: int = 42,
    ) -> bytes:
        """A packet of RTP, sealed; with a header extension, as browsers have them."""
        self.sequence = (self.sequence + 1) % (1 << 16)
        head = struct.pack(
            "!BBHII", 0x90 if extension else 0x80, payload_type, self.sequence, (tick * 960 + 77) % (1 << 32), source
        )
        more = b"\xbe\xde\x00\x01\x10\xff\x00\x00" if extension else b""
        return self._out.protect(head + more + payload)
