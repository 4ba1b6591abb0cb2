"""One who holds the line in their hands: cuts, flips, repeats and reorders strings, and gets nowhere.

A session is recorded string by string; then each string is hurt in every way that
there is, on its way to the very end that would have taken it unhurt.
"""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testkit.sessions import received
from tests.session.parties import PASSWORD, REQUEST, WELCOME, Parties, resumed
from voicechat.errors import PasswordRefused, WireError
from voicechat.media.packet import ME, MediaPacket
from voicechat.session.base import Session
from voicechat.session.client import ClientSession
from voicechat.session.server import ServerSession
from voicechat.session.states import SessionState
from voicechat.wire import control, media, messages

UPWARD = [
    media.encode(MediaPacket(ME, 5, b"sound", marker=True)),
    control.encode(messages.Text("psst")),
    media.encode(MediaPacket(ME, 6, b"", end=True)),
    control.encode(messages.Ping(1)),
    control.encode(messages.Bye()),
]
DOWNWARD = [
    control.encode(messages.Talk(2, talking=True)),
    media.encode(MediaPacket(2, 5, b"sound", marker=True)),
    control.encode(messages.Pong(1)),
    media.encode(MediaPacket(2, 6, b"", end=True)),
    control.encode(messages.Bye()),
]


def recorded(downward: bool) -> tuple[Session, list[bytes]]:
    """A fresh session's receiving end, and the strings on their way to it."""
    parties = resumed()
    sender: Session = parties.server if downward else parties.client
    receiver: Session = parties.client if downward else parties.server
    return receiver, [sender.seal(plain) for plain in (DOWNWARD if downward else UPWARD)]


def receive(session: Session, string: bytes) -> object:
    assert isinstance(session, ServerSession | ClientSession)
    return received(session, string)


def is_refused(session: Session, string: bytes) -> None:
    with pytest.raises(WireError):
        receive(session, string)
    assert session.state is SessionState.CLOSED


BOTH = pytest.mark.parametrize("downward", [False, True], ids=["upward", "downward"])


@BOTH
def test_unhurt_the_recording_is_understood(downward: bool) -> None:
    session, strings = recorded(downward)
    assert all(receive(session, string) is not None for string in strings)
    assert session.state is SessionState.CLOSED


@BOTH
@pytest.mark.parametrize("at", range(len(UPWARD)))
def test_every_truncation_is_refused(downward: bool, at: int) -> None:
    length = len(recorded(downward)[1][at])
    for cut in range(length):
        session, strings = recorded(downward)
        for string in strings[:at]:
            receive(session, string)
        is_refused(session, strings[at][:cut])


@BOTH
@pytest.mark.parametrize("at", range(len(UPWARD)))
def test_every_flipped_bit_is_refused(downward: bool, at: int) -> None:
    for bit in range(8 * len(recorded(downward)[1][at])):
        session, strings = recorded(downward)
        for string in strings[:at]:
            receive(session, string)
        hurt = bytearray(strings[at])
        hurt[bit // 8] ^= 1 << bit % 8
        is_refused(session, bytes(hurt))


@BOTH
def test_every_repetition_omission_and_change_of_order_is_refused(downward: bool) -> None:
    for at, wrong in itertools.product(range(len(UPWARD)), repeat=2):
        if at == wrong:
            continue
        session, strings = recorded(downward)
        for string in strings[:at]:
            receive(session, string)
        is_refused(session, strings[wrong])


@BOTH
def test_what_one_side_said_is_refused_when_it_is_sent_back(downward: bool) -> None:
    parties = resumed()
    session: Session = parties.client if downward else parties.server
    is_refused(session, session.seal((UPWARD if downward else DOWNWARD)[0]))


@BOTH
def test_anything_added_is_refused(downward: bool) -> None:
    for more in (b"\0", b"\xff" * 16, bytes(4096)):
        session, strings = recorded(downward)
        is_refused(session, strings[0] + more)
    session, _ = recorded(downward)
    is_refused(session, bytes(32))


HANDSHAKE = ("hello", "reply", "auth", "welcome")


def hurt_login(which: int, hurt: bytes | None, bit: int | None) -> Parties:
    """A login whose string number ``which`` is replaced, or has one bit flipped; raises where it is noticed."""

    def way(number: int, string: bytes) -> bytes:
        if number != which:
            return string
        if bit is None:
            assert hurt is not None
            return hurt
        changed = bytearray(string)
        changed[bit // 8 % len(string)] ^= 1 << bit % 8
        return bytes(changed)

    client, server = ClientSession(PASSWORD, REQUEST), ServerSession(PASSWORD)
    received(server, way(0, client.begin()))
    auth = received(client, way(1, server.answer()))
    assert isinstance(auth, bytes)
    received(server, way(2, auth))
    assert received(client, way(3, server.enter(WELCOME))) == WELCOME
    return Parties(client, server)


@settings(max_examples=60)
@given(st.integers(0, 3), st.integers(0, 8 * 300))
def test_a_flipped_bit_in_the_login_is_noticed_before_anybody_is_in(which: int, bit: int) -> None:
    with pytest.raises((WireError, PasswordRefused)):
        hurt_login(which, None, bit)


@pytest.mark.parametrize("which", range(4), ids=HANDSHAKE)
def test_a_string_of_another_login_is_noticed(which: int) -> None:
    client, server = ClientSession(PASSWORD, REQUEST), ServerSession(PASSWORD)
    strings = [client.begin()]
    received(server, strings[0])
    strings.append(server.answer())
    auth = received(client, strings[1])
    assert isinstance(auth, bytes)
    strings.append(auth)
    received(server, auth)
    strings.append(server.enter(WELCOME))
    with pytest.raises((WireError, PasswordRefused)):
        hurt_login(which, strings[which], None)


def test_the_password_and_the_talk_are_nowhere_on_the_line() -> None:
    client, server = ClientSession(PASSWORD, REQUEST), ServerSession(PASSWORD)
    line = [client.begin()]
    received(server, line[0])
    line.append(server.answer())
    auth = received(client, line[1])
    assert isinstance(auth, bytes)
    line.append(auth)
    received(server, auth)
    line.append(server.enter(WELCOME))
    received(client, line[3])
    line += [client.seal(plain) for plain in UPWARD]
    line += [server.seal(plain) for plain in DOWNWARD]
    tapped = b"".join(line)
    for secret in (PASSWORD.to_bytes(), b"Ann", b"den", b"psst", b"sound"):
        assert secret not in tapped
