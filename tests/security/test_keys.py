"""The keys of a session, recomputed by hand, and that each seal is handed out once."""

import hmac
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.security.keys import SessionKeys, Side, login_keys, resume_keys
from voicechat.wire.datagrams import DatagramType, parse_header

SECRET = bytes(range(100, 132))
TRANSCRIPT = b"HELLO and REPLY"


def hkdf_by_hand(secret: bytes, salt: bytes, info: bytes) -> list[bytes]:
    """RFC 5869, five blocks of SHA-256: one for each key."""
    extracted = hmac.digest(salt, secret, "sha256")
    blocks = [b""]
    for n in range(1, 6):
        blocks.append(hmac.digest(extracted, blocks[-1] + info + bytes([n]), "sha256"))
    return blocks[1:]


def check_against(client: SessionKeys, server: SessionKeys, expected: list[bytes]) -> None:
    confirm, c2s, s2c, udp_c2s, udp_s2c = expected
    for keys in (client, server):
        assert keys.proof(Side.CLIENT, b"T") == hmac.digest(confirm, b"clientT", "sha256")
        assert keys.proof(Side.SERVER, b"T") == hmac.digest(confirm, b"serverT", "sha256")
    assert client.seal.seal(b"up") == ChaCha20Poly1305(c2s).encrypt(bytes(12), b"up", None)
    assert server.seal.seal(b"down") == ChaCha20Poly1305(s2c).encrypt(bytes(12), b"down", None)
    for keys, key in ((client, udp_c2s), (server, udp_s2c)):
        datagram = keys.datagram_seal(5).seal(DatagramType.MEDIA, b"packet")
        body = AESCCM(key[:16], tag_length=8).encrypt(bytes(12), b"packet", datagram[:8])
        assert datagram[8:] == body


def test_login_keys_are_derived_as_documented() -> None:
    client, server = (login_keys(side, SECRET, TRANSCRIPT) for side in Side)
    check_against(client, server, hkdf_by_hand(SECRET, sha256(TRANSCRIPT).digest(), b"voicechat/1 keys"))


def test_resume_keys_are_derived_as_documented() -> None:
    client, server = (resume_keys(side, SECRET, TRANSCRIPT) for side in Side)
    check_against(client, server, hkdf_by_hand(SECRET, sha256(TRANSCRIPT).digest(), b"voicechat/1 resumed"))


def test_what_one_side_seals_the_other_opens_and_it_itself_does_not() -> None:
    client, server = (login_keys(side, SECRET, TRANSCRIPT) for side in Side)
    up, down = client.seal.seal(b"up"), server.seal.seal(b"down")
    for keys, own in ((client, up), (server, down)):
        with pytest.raises(WireError):
            keys.opener.open(own)
    assert server.opener.open(up) == b"up"
    assert client.opener.open(down) == b"down"

    up, down = (keys.datagram_seal(5).seal(DatagramType.MEDIA, b"packet") for keys in (client, server))
    client_opener, server_opener = client.datagram_opener(), server.datagram_opener()
    for opener, own in ((client_opener, up), (server_opener, down)):
        with pytest.raises(WireError):
            opener.open(parse_header(own), own)
    assert server_opener.open(parse_header(up), up) == b"packet"
    assert client_opener.open(parse_header(down), down) == b"packet"


def test_datagram_ends_are_handed_out_once_because_each_counts() -> None:
    keys = login_keys(Side.CLIENT, SECRET, TRANSCRIPT)
    with pytest.raises(ValueError, match="out of range"):
        keys.datagram_seal(1 << 24)
    keys.datagram_seal(1)
    keys.datagram_opener()
    with pytest.raises(RuntimeError):
        keys.datagram_seal(1)
    with pytest.raises(RuntimeError):
        keys.datagram_opener()


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_a_proof_holds_for_one_side_and_one_transcript_only(transcript: bytes, other: bytes) -> None:
    keys = login_keys(Side.CLIENT, SECRET, TRANSCRIPT)
    proof = keys.proof(Side.CLIENT, transcript)
    assert keys.proves(Side.CLIENT, transcript, proof)
    assert not keys.proves(Side.SERVER, transcript, proof)
    assert keys.proves(Side.CLIENT, other, proof) == (transcript == other)


def test_another_secret_or_transcript_or_way_in_gives_unrelated_proofs() -> None:
    proofs = {
        keys.proof(Side.CLIENT, TRANSCRIPT)
        for keys in (
            login_keys(Side.CLIENT, SECRET, TRANSCRIPT),
            login_keys(Side.CLIENT, SECRET[::-1], TRANSCRIPT),
            login_keys(Side.CLIENT, SECRET, TRANSCRIPT + b"."),
            resume_keys(Side.CLIENT, SECRET, TRANSCRIPT),
        )
    }
    assert len(proofs) == 4


@given(st.integers(0, 8 * len(TRANSCRIPT) - 1))
def test_each_bit_of_the_transcript_gives_other_keys(bit: int) -> None:
    """The version in it, too, which is its third byte: nobody can make two sides believe in different ones."""
    other = bytearray(TRANSCRIPT)
    other[bit // 8] ^= 1 << bit % 8
    client, server = login_keys(Side.CLIENT, SECRET, TRANSCRIPT), login_keys(Side.SERVER, SECRET, bytes(other))
    assert not server.proves(Side.CLIENT, TRANSCRIPT, client.proof(Side.CLIENT, TRANSCRIPT))
    with pytest.raises(WireError):
        server.opener.open(client.seal.seal(b"up"))


def test_no_key_shows() -> None:
    keys = login_keys(Side.CLIENT, SECRET, TRANSCRIPT)
    for key in hkdf_by_hand(SECRET, sha256(TRANSCRIPT).digest(), b"voicechat/1 keys"):
        assert repr(key)[2:-1] not in repr(keys)
        assert key.hex() not in repr(keys)
