"""Sealed strings and datagrams: opened once, in their place, unchanged, or refused by WireError."""

import contextlib
import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.security.seal import RENEW_AT, DatagramOpener, DatagramSeal, StringOpener, StringSeal
from voicechat.wire.datagrams import DatagramHeader, DatagramType, parse_header

STRING_KEY = bytes(range(32))
DATAGRAM_KEY = bytes(range(16))
PACKET = b"\x40\xff\x01\x02" + bytes(range(34))


def opened(opener: DatagramOpener, datagram: bytes) -> bytes:
    return opener.open(parse_header(datagram), datagram)


def flips(data: bytes) -> list[bytes]:
    """Every copy of ``data`` with one bit changed."""
    number = int.from_bytes(data, "big")
    return [(number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(8 * len(data))]


# Strings


@given(st.lists(st.binary(max_size=600), max_size=20))
def test_strings_are_opened_in_the_order_of_sealing(strings: list[bytes]) -> None:
    seal, opener = StringSeal(STRING_KEY), StringOpener(STRING_KEY)
    sealed = [seal.seal(string) for string in strings]
    assert [opener.open(string) for string in sealed] == strings
    assert seal.counter == opener.counter == len(strings)


def test_a_string_is_sealed_as_documented() -> None:
    seal = StringSeal(STRING_KEY)
    assert seal.seal(b"one") == ChaCha20Poly1305(STRING_KEY).encrypt(bytes(12), b"one", None)
    assert seal.seal(b"two") == ChaCha20Poly1305(STRING_KEY).encrypt(bytes(11) + b"\x01", b"two", None)


def test_no_counter_of_a_string_repeats() -> None:
    seal = StringSeal(STRING_KEY)
    assert len({seal.seal(b"the same") for _ in range(1000)}) == 1000


@given(st.binary(max_size=5000))
def test_no_garbage_is_opened_as_a_string(garbage: bytes) -> None:
    with pytest.raises(WireError):
        StringOpener(STRING_KEY).open(garbage)


def test_a_string_with_any_bit_changed_or_any_byte_missing_is_refused() -> None:
    sealed = StringSeal(STRING_KEY).seal(PACKET)
    opener = StringOpener(STRING_KEY)
    for forged in flips(sealed) + [sealed[:length] for length in range(len(sealed))] + [sealed + b"\0"]:
        with pytest.raises(WireError):
            opener.open(forged)
    assert opener.counter == 0


def test_a_string_repeated_left_out_or_moved_is_refused() -> None:
    seal = StringSeal(STRING_KEY)
    first, second, third = (seal.seal(b"%d" % n) for n in range(3))
    opener = StringOpener(STRING_KEY)
    opener.open(first)
    for wrong in (first, third):
        with pytest.raises(WireError):
            opener.open(wrong)
    assert opener.open(second) == b"1"


def test_the_longest_string_fits_and_one_byte_more_does_not() -> None:
    seal, opener = StringSeal(STRING_KEY), StringOpener(STRING_KEY)
    sealed = seal.seal(bytes(4080))
    assert len(sealed) == 4096
    assert opener.open(sealed) == bytes(4080)
    with pytest.raises(ValueError, match="4081 bytes"):
        seal.seal(bytes(4081))
    assert seal.counter == 1
    with pytest.raises(WireError):
        opener.open(bytes(4097))


# Datagrams


@given(
    st.lists(st.tuples(st.sampled_from(DatagramType), st.binary(max_size=1184)), max_size=20),
    st.integers(0, (1 << 24) - 1),
)
def test_datagrams_are_opened_as_sealed(packets: list[tuple[DatagramType, bytes]], connection: int) -> None:
    seal, opener = DatagramSeal(DATAGRAM_KEY, connection), DatagramOpener(DATAGRAM_KEY)
    for counter, (kind, packet) in enumerate(packets):
        datagram = seal.seal(kind, packet)
        assert len(datagram) == len(packet) + 16
        assert parse_header(datagram) == DatagramHeader(kind, connection, counter)
        assert opened(opener, datagram) == packet


def test_a_datagram_is_sealed_as_documented() -> None:
    seal = DatagramSeal(DATAGRAM_KEY, 0xABCDEF)
    seal.seal(DatagramType.PROBE, b"")
    header = bytes.fromhex("10 abcdef 00000001")
    nonce = bytes(8) + bytes.fromhex("00000001")
    body = AESCCM(DATAGRAM_KEY, tag_length=8).encrypt(nonce, PACKET, header)
    assert seal.seal(DatagramType.MEDIA, PACKET) == header + body


@given(st.permutations(range(40)))
def test_datagrams_are_opened_in_any_order_and_once_each(order: list[int]) -> None:
    seal, opener = DatagramSeal(DATAGRAM_KEY, 7), DatagramOpener(DATAGRAM_KEY)
    datagrams = [seal.seal(DatagramType.MEDIA, bytes([n])) for n in range(40)]
    assert [opened(opener, datagrams[n]) for n in order] == [bytes([n]) for n in order]
    for datagram in datagrams:
        with pytest.raises(WireError):
            opened(opener, datagram)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_of_a_bad_path_each_datagram_is_heard_once(seed: int) -> None:
    """10 % duplicates, 20 % reordered by up to 100 places, 5 % lost, and a forgery for each of them."""
    chance = random.Random(seed)
    seal, opener = DatagramSeal(DATAGRAM_KEY, 7), DatagramOpener(DATAGRAM_KEY)
    sent = [(n, seal.seal(DatagramType.MEDIA, n.to_bytes(2, "big"))) for n in range(2000)]
    copies = [one for one in sent for _ in range(chance.choices([0, 1, 2], [5, 85, 10])[0])]
    copies.sort(key=lambda one: one[0] + (chance.uniform(0, 100) if chance.random() < 0.2 else 0))
    heard = []
    for _, datagram in copies:
        forged = bytearray(datagram)
        forged[chance.randrange(4, len(forged))] ^= 1 << chance.randrange(8)
        with contextlib.suppress(WireError):
            opened(opener, bytes(forged))
            heard.append(-1)
        with contextlib.suppress(WireError):
            heard.append(int.from_bytes(opened(opener, datagram), "big"))
    assert sorted(heard) == sorted({n for n, _ in copies})


def test_a_forged_high_counter_does_not_move_the_window() -> None:
    seal, opener = DatagramSeal(DATAGRAM_KEY, 7), DatagramOpener(DATAGRAM_KEY)
    first = seal.seal(DatagramType.MEDIA, PACKET)
    with pytest.raises(WireError):
        opened(opener, first[:4] + (1 << 30).to_bytes(4, "big") + first[8:])
    assert opened(opener, first) == PACKET


def test_a_datagram_with_any_bit_changed_or_any_byte_missing_is_refused() -> None:
    datagram = DatagramSeal(DATAGRAM_KEY, 7).seal(DatagramType.MEDIA, PACKET)
    opener = DatagramOpener(DATAGRAM_KEY)
    for forged in flips(datagram) + [datagram[:length] for length in range(len(datagram))] + [datagram + b"\0"]:
        with pytest.raises(WireError):
            opened(opener, forged)
    assert opened(opener, datagram) == PACKET


@given(st.binary(max_size=1300))
def test_no_garbage_is_opened_as_a_datagram(garbage: bytes) -> None:
    with pytest.raises(WireError):
        opened(DatagramOpener(DATAGRAM_KEY), garbage)


@given(st.integers(0, (1 << 31) - 1), st.binary(min_size=8, max_size=100))
def test_no_garbage_behind_a_right_header_is_opened_as_a_datagram(counter: int, body: bytes) -> None:
    with pytest.raises(WireError):
        opened(DatagramOpener(DATAGRAM_KEY), DatagramHeader(DatagramType.MEDIA, 7, counter).build() + body)


def test_another_key_opens_nothing() -> None:
    datagram = DatagramSeal(DATAGRAM_KEY, 7).seal(DatagramType.MEDIA, PACKET)
    with pytest.raises(WireError):
        opened(DatagramOpener(bytes(16)), datagram)


def test_no_counter_of_a_datagram_repeats() -> None:
    seal = DatagramSeal(DATAGRAM_KEY, 7)
    counters = [parse_header(seal.seal(DatagramType(n % 4), PACKET)).counter for n in range(5000)]
    assert counters == list(range(5000))


def test_an_old_datagram_seal_asks_for_renewal_and_then_ends_without_repeating() -> None:
    seal = DatagramSeal(DATAGRAM_KEY, 7)
    seal._counter = RENEW_AT - 1
    assert not seal.exhausted
    seal.seal(DatagramType.MEDIA, PACKET)
    assert seal.exhausted
    assert seal.counter == RENEW_AT == 2**31 - 65_536
    seal._counter = 2**31 - 1
    assert parse_header(seal.seal(DatagramType.MEDIA, PACKET)).counter == 2**31 - 1
    for _ in range(2):
        with pytest.raises(WireError):
            seal.seal(DatagramType.MEDIA, PACKET)


def test_too_long_a_packet_and_too_high_a_connection_are_our_own_fault() -> None:
    seal = DatagramSeal(DATAGRAM_KEY, 7)
    with pytest.raises(ValueError, match="1185 bytes"):
        seal.seal(DatagramType.MEDIA, bytes(1185))
    assert seal.counter == 0
    for connection in (-1, 1 << 24):
        with pytest.raises(ValueError, match="out of range"):
            DatagramSeal(DATAGRAM_KEY, connection)


@pytest.mark.parametrize("thing", [StringSeal(STRING_KEY), StringOpener(STRING_KEY)])
def test_no_key_shows_in_a_string_seal(thing: object) -> None:
    assert STRING_KEY.hex() not in repr(thing)
    assert repr(STRING_KEY)[2:-1] not in repr(thing)
