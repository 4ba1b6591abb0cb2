"""ServerSession: nobody gets in without the password, and nothing is heard out of turn."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from testkit.sessions import received
from tests.session.parties import PASSWORD, REQUEST, WELCOME, login, resumed, ticketed
from voicechat.errors import PasswordRefused, VoiceChatError, WireError
from voicechat.media.packet import ME, MediaPacket
from voicechat.security.login import ClientLogin
from voicechat.security.secret import Secret
from voicechat.security.tickets import TicketUnknown
from voicechat.session.client import ClientSession
from voicechat.session.server import ServerSession, refusal
from voicechat.session.states import SessionState
from voicechat.wire import control, handshake, media, messages
from voicechat.wire.handshake import Auth, Hello, Reason, Refuse, Reply, Resume, Resumed, SealedWelcome, decode

FRAME = MediaPacket(ME, 5, b"sound", marker=True)
HELLO = Hello(bytes(16), b"A" + bytes(32))
CLEAR = {
    "hello": HELLO.build(),
    "reply": Reply(b"B" + bytes(32)).build(),
    "auth": Auth(bytes(32), bytes(16)).build(),
    "welcome": SealedWelcome(bytes(32), bytes(16)).build(),
    "resume": Resume(bytes(16), bytes(16), bytes(32)).build(),
    "resumed": Resumed(bytes(16), bytes(32), bytes(16)).build(),
    "refuse": Refuse(Reason.PASSWORD).build(),
    "nothing": b"",
    "garbage": b"\x00" * 40,
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "media": media.encode(FRAME),
    "control": control.encode(messages.Ping(1)),
    "another version": b"VC\x02\x01" + bytes(49),
    "too long": HELLO.build() + bytes(300),
}
"""Strings in the clear; none of them is the right AUTH."""


def asked() -> tuple[ClientSession, ServerSession, bytes]:
    """A login up to the REPLY, which is still to be given to the client."""
    client, server = ClientSession(PASSWORD, REQUEST), ServerSession(PASSWORD)
    received(server, client.begin())
    return client, server, server.answer()


def test_a_login_leads_into_the_room_and_packets_go_both_ways() -> None:
    client, server = login()
    assert client.state is server.state is SessionState.IN_ROOM
    assert received(server, client.seal(media.encode(FRAME))) == FRAME
    assert received(server, client.seal(control.encode(messages.Ping(7)))) == messages.Ping(7)
    assert received(client, server.seal(control.encode(messages.Pong(7)))) == messages.Pong(7)


def test_a_wrong_password_is_refused_and_ends_the_session() -> None:
    client, server = ClientSession(Secret("guess"), REQUEST), ServerSession(PASSWORD)
    received(server, client.begin())
    auth = received(client, server.answer())
    assert isinstance(auth, bytes)
    with pytest.raises(PasswordRefused):
        received(server, auth)
    assert server.state is SessionState.CLOSED
    with pytest.raises(WireError):
        received(server, auth)


@given(st.lists(st.sampled_from(sorted(CLEAR)), max_size=6))
@example(["hello", "auth"])
@example(["resume", "hello"])
@example(["hello", "hello"])
def test_no_order_of_strings_without_the_password_leads_into_the_room(names: list[str]) -> None:
    server, state = ServerSession(PASSWORD), SessionState.NEW
    allowed = {(SessionState.NEW, "hello"): SessionState.HELLO, (SessionState.NEW, "resume"): SessionState.ENTERING}
    for name in names:
        following = allowed.get((state, name), SessionState.CLOSED)
        if following is SessionState.CLOSED:
            with pytest.raises((WireError, PasswordRefused)):
                received(server, CLEAR[name])
        else:
            assert isinstance(received(server, CLEAR[name]), Hello | Resume)
        state = following
        assert server.state is state
        with pytest.raises(RuntimeError):
            server.keys  # noqa: B018


def test_strings_that_were_buffered_behind_the_end_are_refused() -> None:
    client, server = resumed()
    bye, behind = (client.seal(control.encode(message)) for message in (messages.Bye(), messages.Text("psst")))
    assert received(server, bye) == messages.Bye()
    assert server.state is SessionState.CLOSED
    with pytest.raises(WireError):
        received(server, behind)


def test_after_close_nothing_is_heard() -> None:
    client, server = resumed()
    server.close()
    with pytest.raises(WireError):
        received(server, client.seal(control.encode(messages.Ping(1))))


@pytest.mark.parametrize(
    "kind", sorted(set(range(0x80, 0x92)) - {0x8F, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x8D})
)
def test_a_client_that_speaks_like_a_server_is_refused(kind: int) -> None:
    said: dict[int, messages.Message] = {
        0x80: WELCOME,
        0x81: messages.Joined(messages.Participant(2, "Ben")),
        0x82: messages.Left(2),
        0x83: messages.Away(2),
        0x84: messages.Back(2),
        0x85: messages.Talk(2, talking=True),
        0x8E: REQUEST,
        0x90: messages.Accept("abcd", "x" * 24, ":".join(["AB"] * 32), 1),
    }
    client, server = resumed()
    if kind not in said:  # a kind of a newer version
        assert received(server, client.seal(bytes([kind]) + b"{}")) is None
        assert server.state is SessionState.IN_ROOM
        return
    with pytest.raises(WireError):
        received(server, client.seal(control.encode(said[kind])))
    assert server.state is SessionState.CLOSED


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda rest: b"\x88" + rest))
def test_sealed_garbage_of_a_friend_costs_him_and_nobody_else(plain: bytes) -> None:
    client, server = resumed()
    try:
        received(server, client.seal(plain))
    except WireError:
        assert server.state is SessionState.CLOSED
    else:
        assert server.state in {SessionState.IN_ROOM, SessionState.CLOSED}  # closed by a bye


@pytest.mark.parametrize("source", [0, 1, 2, 250])
def test_nobody_can_send_anothers_voice(source: int) -> None:
    client, server = resumed()
    with pytest.raises(WireError):
        received(server, client.seal(media.encode(MediaPacket(source, 1, b"x"))))
    assert server.state is SessionState.CLOSED


def test_a_datagram_is_media_and_only_in_the_room() -> None:
    _, server = resumed()
    assert server.read_media(media.encode(FRAME)) == FRAME
    for wrong in (control.encode(messages.Bye()), b"", b"\x20"):
        _, server = resumed()
        with pytest.raises(WireError):
            server.read_media(wrong)
        assert server.state is SessionState.CLOSED
    with pytest.raises(WireError):
        ServerSession(PASSWORD).read_media(media.encode(FRAME))


def test_one_who_knows_the_password_is_told_why_he_cannot_enter() -> None:
    client, server, reply = asked()
    auth = received(client, reply)
    assert isinstance(auth, bytes)
    received(server, auth)
    full = server.turn_away(messages.FULL, 30.0)
    assert server.state is SessionState.CLOSED
    assert received(client, full) == messages.Bye(messages.FULL, 30.0)
    assert client.state is SessionState.CLOSED
    assert b"full" not in full


def test_a_name_of_blanks_or_of_a_mile_is_refused_at_the_door() -> None:
    for name in ("", "   ", "x" * 33):
        client, server = ClientSession(PASSWORD, messages.Request(name)), ServerSession(PASSWORD)
        received(server, client.begin())
        auth = received(client, server.answer())
        assert isinstance(auth, bytes)
        with pytest.raises(WireError):
            received(server, auth)
        assert server.state is SessionState.CLOSED


def test_the_request_comes_tidied() -> None:
    client = ClientSession(PASSWORD, messages.Request("  Zoe\u0308 ", " den "))
    server = ServerSession(PASSWORD)
    received(server, client.begin())
    auth = received(client, server.answer())
    assert isinstance(auth, bytes)
    assert received(server, auth) == messages.Request("Zoë", "den")


def test_an_auth_with_something_else_inside_is_refused() -> None:
    server, stranger = ServerSession(PASSWORD), ClientLogin(PASSWORD)
    received(server, stranger.hello())
    auth = stranger.auth(server.answer(), control.encode(messages.Ping(1)))
    with pytest.raises(WireError):
        received(server, auth)
    assert server.state is SessionState.CLOSED


def test_an_auth_before_the_reply_is_refused() -> None:
    server = ServerSession(PASSWORD)
    received(server, CLEAR["hello"])
    with pytest.raises(WireError):
        received(server, CLEAR["auth"])


def test_a_hello_that_is_no_point_of_the_curve_is_malformed() -> None:
    server = ServerSession(PASSWORD)
    received(server, Hello(bytes(16), b"A" + b"\xff" * 32).build())
    with pytest.raises(WireError):
        server.answer()
    assert server.state is SessionState.CLOSED


def test_out_of_turn_the_server_itself_is_stopped() -> None:
    server = ServerSession(PASSWORD)
    with pytest.raises(WireError):
        server.answer()
    with pytest.raises(RuntimeError):
        server.enter(WELCOME)
    with pytest.raises(RuntimeError):
        server.turn_away(messages.FULL, 0.0)
    _, server = resumed()
    with pytest.raises(RuntimeError):
        server.enter(WELCOME)


def test_a_resume_without_a_ticket_cannot_be_concluded_with_keys_of_a_login() -> None:
    client, server, _, _ = ticketed()
    assert isinstance(received(server, client.begin()), Resume)
    with pytest.raises((RuntimeError, VoiceChatError)):
        server.enter(WELCOME)
    with pytest.raises(RuntimeError):
        server.keys  # noqa: B018


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (handshake.VersionError(9), Reason.VERSION),
        (PasswordRefused("no"), Reason.PASSWORD),
        (TicketUnknown("no"), Reason.TICKET_UNKNOWN),
        (WireError("no"), Reason.MALFORMED),
    ],
)
def test_each_error_has_its_refusal(error: Exception, reason: Reason) -> None:
    refuse = decode(refusal(error))
    assert isinstance(refuse, Refuse)
    assert refuse.reason is reason
