"""Binding requests: read, and answered if they are signed; anything else is an error."""

import hmac
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.carriage.webrtc.browser import attribute, binding
from voicechat.carriage.webrtc import stun
from voicechat.errors import WireError

PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"

RFC5769 = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff"
    "80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249"
    "c1b571a280280004e57a3bcf"
)
"""The sample request of RFC 5769, section 2.1."""


def test_the_sample_of_the_rfc_is_read_and_its_signature_is_right() -> None:
    request = stun.read(RFC5769)
    assert request.ufrag == "evtj"
    assert request.transaction.hex() == "b7e7a701bc34d686fa87dfae"
    assert not request.nominated
    assert request.is_signed_by(PASSWORD)
    assert not request.is_signed_by(PASSWORD[:-1])


@given(st.binary(min_size=12, max_size=12), st.booleans())
def test_a_browsers_request_is_read(transaction: bytes, nominated: bool) -> None:
    request = stun.read(binding("mine", "secret", nominated=nominated, transaction=transaction))
    assert (request.ufrag, request.transaction, request.nominated) == ("mine", transaction, nominated)
    assert request.is_signed_by("secret")


@given(st.integers(0, len(RFC5769) * 8 - 1))
def test_no_bit_can_be_changed(bit: int) -> None:
    """But in what stands behind the signature, and says nothing."""
    changed = bytearray(RFC5769)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        request = stun.read(bytes(changed))
    except WireError:
        return
    assert not request.is_signed_by(PASSWORD) or bit // 8 >= len(RFC5769) - 8


@given(st.binary(max_size=600), st.sampled_from([b"", RFC5769[:20], RFC5769[:60]]))
def test_any_bytes_are_a_request_or_an_error(data: bytes, head: bytes) -> None:
    try:
        request = stun.read(head + data)
    except WireError:
        return
    assert not request.is_signed_by(PASSWORD)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        RFC5769[:19],
        RFC5769 + bytes(4),
        b"\x01\x01" + RFC5769[2:],
        RFC5769[:4] + bytes(4) + RFC5769[8:],
        struct.pack("!HHI", 1, 0, 0x2112A442) + bytes(12),
        struct.pack("!HHI", 1, 8, 0x2112A442) + bytes(12) + struct.pack("!HH", 6, 400) + bytes(4),
        struct.pack("!HHI", 1, 24, 0x2112A442) + bytes(12) + attribute(8, bytes(20)),
        binding("x" * 600, PASSWORD),
    ],
    ids=lambda datagram: f"{len(datagram)} bytes",  # the last has random ones, thus another name in each process
)
def test_what_is_none_is_an_error(datagram: bytes) -> None:
    with pytest.raises(WireError):
        stun.read(datagram)


@pytest.mark.parametrize(
    ("host", "mapped"),
    [
        ("192.0.2.1", "0001a147e112a643"),
        ("::ffff:192.0.2.1", "0001a147e112a643"),
        ("2001:db8:1234:5678:11:2233:4455:6677", "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"),
        ("fe80::1%eth0", None),
    ],
)
def test_the_answer_is_that_of_the_rfcs_samples(host: str, mapped: str | None) -> None:
    request = stun.read(RFC5769)
    answer = stun.success(request, PASSWORD, host, 32853)
    kind, length, cookie = struct.unpack_from("!HHI", answer)
    assert (kind, cookie, answer[8:20]) == (0x0101, 0x2112A442, request.transaction)
    assert length == len(answer) - 20
    end = 24 + struct.unpack_from("!H", answer, 22)[0]
    if mapped is not None:
        assert answer[24:end].hex() == mapped
    head = struct.pack("!HHI", 0x0101, end + 4, 0x2112A442) + answer[8:20]
    assert answer[end + 4 : end + 24] == hmac.digest(PASSWORD.encode(), head + answer[20:end], "sha1")
    assert answer[-4:] == (zlib.crc32(answer[:-8]) ^ 0x5354554E).to_bytes(4, "big")


def test_the_answer_is_shorter_than_what_asked_for_it() -> None:
    asked = binding("abcdefgh", "x" * 32)
    assert len(stun.success(stun.read(asked), "x" * 32, "2001:db8::1", 1)) <= len(asked)
