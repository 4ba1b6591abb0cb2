"""Who holds the key gets in and is heard; whoever does not learns nothing and is told nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import PasswordRefused
from voicechat.security.proof import KEY_BYTES, OVERHEAD, Caller, Host, new_key

KEYS = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
LINES = st.binary(max_size=300).filter(lambda line: b"\n" not in line)


@given(key=KEYS, line=LINES)
def test_with_one_key_the_request_arrives_as_it_was(key: bytes, line: bytes) -> None:
    caller, host = Caller(key), Host(key)
    request = caller.request(host.welcome(caller.hello), line)
    assert host.opened(request) == line
    assert len(request) == len(line) + OVERHEAD
    assert b"\n" not in request


@given(key=KEYS, other=KEYS, line=LINES)
def test_with_another_key_nothing_is_asked(key: bytes, other: bytes, line: bytes) -> None:
    if key == other:
        return
    caller = Caller(key)
    with pytest.raises(PasswordRefused):
        caller.request(Host(other).welcome(caller.hello), line)
    host = Host(key)
    stranger = Caller(other)
    forged = stranger.request(Host(other).welcome(stranger.hello), line)
    with pytest.raises(PasswordRefused):
        host.opened(forged)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_no_hello_no_welcome_and_no_request(data: bytes) -> None:
    key = new_key()
    with pytest.raises(PasswordRefused):
        Caller(key).request(data, b"mute")
    with pytest.raises(PasswordRefused):
        Host(key).opened(data)
    if len(data) != len(Caller(key).hello):
        with pytest.raises(PasswordRefused):
            Host(key).welcome(data)


@given(line=LINES.filter(bool), place=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_a_request_in_which_one_bit_is_another_is_refused(line: bytes, place: int, bit: int) -> None:
    key = new_key()
    caller, host = Caller(key), Host(key)
    request = bytearray(caller.request(host.welcome(caller.hello), line))
    place %= len(request)
    if place == OVERHEAD - 1:
        return  # the blank between the two
    request[place] ^= 1 << bit
    with pytest.raises(PasswordRefused):
        host.opened(bytes(request))


def test_nothing_is_good_twice() -> None:
    key = new_key()
    caller, host = Caller(key), Host(key)
    welcome = host.welcome(caller.hello)
    request = caller.request(welcome, b"mute")
    with pytest.raises(PasswordRefused):
        Host(key).opened(request)
    with pytest.raises(PasswordRefused):
        Caller(key).request(welcome, b"mute")
    assert len({Caller(key).hello for _ in range(50)}) == 50
    assert len({new_key() for _ in range(50)}) == 50


def test_a_hosts_proof_is_no_callers() -> None:
    """Whoever has the host prove a nonce of their choice cannot come in with what they get."""
    key = new_key()
    host = Host(key)
    nonce = host.welcome(Caller(key).hello).partition(b" ")[2]
    proof = Host(key).welcome(nonce).partition(b" ")[0]
    with pytest.raises(PasswordRefused):
        host.opened(proof + b" ")
