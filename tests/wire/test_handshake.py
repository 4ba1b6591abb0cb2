"""The strings in the clear: layouts, lengths, versions, and nothing but WireError for the rest."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.wire.handshake import (
    MAX_CLEAR,
    MAX_REQUEST,
    MAX_RESPONSE,
    MAX_WELCOME,
    Auth,
    Handshake,
    Hello,
    Reason,
    Refuse,
    Reply,
    Resume,
    Resumed,
    SealedWelcome,
    VersionError,
    decode,
)


def exactly(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length)


BYTE = st.integers(0, 255)
FIXED: st.SearchStrategy[Handshake] = st.one_of(
    st.builds(Hello, exactly(16), exactly(33)),
    st.builds(Reply, exactly(33)),
    st.builds(Resume, exactly(16), exactly(16), exactly(32)),
    st.builds(Refuse, st.sampled_from(Reason), BYTE, BYTE, BYTE),
)
OPEN_ENDED: st.SearchStrategy[Handshake] = st.one_of(
    st.builds(Auth, exactly(32), st.binary(min_size=16, max_size=220)),
    st.builds(SealedWelcome, exactly(32), st.binary(min_size=16, max_size=4060)),
    st.builds(Resumed, exactly(16), exactly(32), st.binary(min_size=16, max_size=4044)),
)
ANY = FIXED | OPEN_ENDED

ONE_OF_EACH: list[Handshake] = [
    Hello(bytes(16), bytes(33)),
    Reply(bytes(33)),
    Auth(bytes(32), bytes(16)),
    SealedWelcome(bytes(32), bytes(16)),
    Resume(bytes(16), bytes(16), bytes(32)),
    Resumed(bytes(16), bytes(32), bytes(16)),
    Refuse(Reason.PASSWORD),
]


@given(ANY)
def test_what_was_built_is_read_back(message: Handshake) -> None:
    assert decode(message.build()) == message


@given(st.binary(max_size=300))
def test_garbage_is_a_value_or_a_wire_error(string: bytes) -> None:
    with contextlib.suppress(WireError):
        assert decode(string).build() == string


@given(BYTE, st.sampled_from([1, 2, 3, 4, 5, 6, 0x7F]), st.sampled_from([4, 8, 33, 48, 49, 64, 100]), st.data())
def test_garbage_behind_the_magic_is_a_value_or_a_wire_error(
    version: int, kind: int, length: int, data: st.DataObject
) -> None:
    string = b"VC" + bytes((version, kind)) + data.draw(exactly(length))
    with contextlib.suppress(WireError):
        assert decode(string).build() == string


@pytest.mark.parametrize("message", ONE_OF_EACH)
def test_every_truncation_of_the_shortest_form_is_refused(message: Handshake) -> None:
    string = message.build()
    for length in range(len(string)):
        with pytest.raises(WireError):
            decode(string[:length])


@given(FIXED, st.binary(min_size=1, max_size=300))
def test_nothing_may_follow_a_string_of_fixed_length(message: Handshake, more: bytes) -> None:
    with pytest.raises(WireError):
        decode(message.build() + more)


@pytest.mark.parametrize(
    ("message", "layout"),
    [
        (Hello(b"s" * 16, b"A" * 33), b"VC\x01\x01" + b"s" * 16 + b"A" * 33),
        (Reply(b"B" * 33), b"VC\x01\x02" + b"B" * 33),
        (Auth(b"t" * 32, b"c" * 20), b"VC\x01\x03" + b"t" * 32 + b"c" * 20),
        (SealedWelcome(b"t" * 32, b"c" * 20), b"VC\x01\x04" + b"t" * 32 + b"c" * 20),
        (Resume(b"i" * 16, b"n" * 16, b"h" * 32), b"VC\x01\x05" + b"i" * 16 + b"n" * 16 + b"h" * 32),
        (Resumed(b"n" * 16, b"t" * 32, b"c" * 20), b"VC\x01\x06" + b"n" * 16 + b"t" * 32 + b"c" * 20),
        (Refuse(Reason.TRY_LATER, 30), b"VC\x01\x7f\x04\x1e\x01\x00"),
    ],
)
def test_the_layout_is_the_documented_one(message: Handshake, layout: bytes) -> None:
    assert message.build() == layout
    assert decode(layout) == message


@pytest.mark.parametrize("message", [one for one in ONE_OF_EACH if not isinstance(one, Refuse)])
@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_told_as_such(message: Handshake, version: int) -> None:
    string = message.build()
    with pytest.raises(VersionError) as caught:
        decode(string[:2] + bytes([version]) + string[3:])
    assert caught.value.seen == version


def test_a_newer_hello_may_look_different_and_its_version_is_still_told() -> None:
    with pytest.raises(VersionError) as caught:
        decode(b"VC\x02\x01" + bytes(90))
    assert caught.value.seen == 2


@given(BYTE, BYTE)
def test_a_refusal_is_read_in_any_version(version: int, highest: int) -> None:
    string = b"VC" + bytes((version, 0x7F, 1, 0, highest, 0))
    assert decode(string) == Refuse(Reason.VERSION, 0, highest, version)


def test_a_refusal_for_an_unknown_reason_is_a_wire_error() -> None:
    for reason in set(range(256)) - set(Reason):
        with pytest.raises(WireError):
            decode(b"VC\x01\x7f" + bytes((reason, 0, 1, 0)))


def test_the_reserved_byte_of_a_refusal_is_zero() -> None:
    with pytest.raises(WireError):
        decode(b"VC\x01\x7f\x02\x00\x01\x01")


def test_unknown_types_are_refused() -> None:
    for kind in set(range(256)) - {1, 2, 3, 4, 5, 6, 0x7F}:
        with pytest.raises(WireError):
            decode(b"VC\x01" + bytes([kind]) + bytes(49))


def test_the_longest_strings_fit_and_one_byte_more_does_not() -> None:
    for message, limit in (
        (Auth(bytes(32), bytes(220)), MAX_CLEAR),
        (SealedWelcome(bytes(32), bytes(4060)), MAX_WELCOME),
        (Resumed(bytes(16), bytes(32), bytes(4044)), MAX_WELCOME),
    ):
        string = message.build()
        assert len(string) == limit
        assert decode(string) == message
        with pytest.raises(WireError):
            decode(string + b"\0")


def test_the_longest_request_and_response_with_their_tags_fill_the_strings() -> None:
    assert len(Auth(bytes(32), bytes(MAX_REQUEST + 16)).build()) == MAX_CLEAR
    assert len(Resumed(bytes(16), bytes(32), bytes(MAX_RESPONSE + 16)).build()) == MAX_WELCOME


def test_all_that_a_client_sends_before_the_login_is_done_fits_into_the_clear_limit() -> None:
    assert all(len(one.build()) <= MAX_CLEAR for one in ONE_OF_EACH)


def test_values_of_wrong_lengths_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="session id has 15 bytes"):
        Hello(bytes(15), bytes(33))
    with pytest.raises(ValueError, match="message has 34 bytes"):
        Reply(bytes(34))
    with pytest.raises(ValueError, match="proof has 31 bytes"):
        Auth(bytes(31), bytes(16))
    with pytest.raises(ValueError, match="sealed has 221 bytes"):
        Auth(bytes(32), bytes(221))
    with pytest.raises(ValueError, match="sealed has 15 bytes"):
        SealedWelcome(bytes(32), bytes(15))
    with pytest.raises(ValueError, match="nonce has 0 bytes"):
        Resume(bytes(16), b"", bytes(32))
    with pytest.raises(ValueError, match="sealed has 4045 bytes"):
        Resumed(bytes(16), bytes(32), bytes(4045))
    with pytest.raises(ValueError, match="256 does not fit"):
        Refuse(Reason.TRY_LATER, 256)
