"""ClientSession: a server is trusted with nothing before it has proved itself, and not with much after it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from testkit.sessions import received
from tests.session.parties import PASSWORD, REQUEST, WELCOME, login, resumed, ticketed
from tests.session.test_server import CLEAR
from voicechat.errors import ConfigError, PasswordRefused, WireError
from voicechat.media.packet import ME, MIX, MediaPacket
from voicechat.media.quality import Quality
from voicechat.security.login import ServerLogin
from voicechat.security.secret import Secret
from voicechat.session.client import ClientSession
from voicechat.session.states import SessionState
from voicechat.wire import control, media, messages
from voicechat.wire import text as texts
from voicechat.wire.handshake import Reason, Refuse, Resume


def test_a_login_begins_with_hello_and_a_ticket_with_resume() -> None:
    assert ClientSession(PASSWORD, REQUEST).begin()[3] == 1
    client, _, _, ticket = ticketed()
    assert client.begin() == client.begin()
    assert client.begin()[4:20] == ticket.id


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    client, impostor = ClientSession(PASSWORD, REQUEST), ServerLogin(Secret("guess"))
    auth = received(client, impostor.reply(client.begin()))
    assert isinstance(auth, bytes)
    with pytest.raises(PasswordRefused):
        received(client, CLEAR["welcome"])
    assert client.state is SessionState.CLOSED
    with pytest.raises(RuntimeError):
        client.keys  # noqa: B018


@pytest.mark.parametrize("with_ticket", [False, True])
@given(names=st.lists(st.sampled_from(sorted(CLEAR)), min_size=1, max_size=4))
@example(names=["reply", "welcome"])
@example(names=["resumed"])
@example(names=["refuse", "reply"])
def test_no_order_of_strings_without_the_password_leads_into_the_room(with_ticket: bool, names: list[str]) -> None:
    client = ticketed()[0] if with_ticket else ClientSession(PASSWORD, REQUEST)
    client.begin()
    for name in names:
        closed = client.state is SessionState.CLOSED
        try:
            answer = received(client, CLEAR[name])
        except (WireError, PasswordRefused):
            assert client.state is SessionState.CLOSED
        else:
            assert not closed
            assert isinstance(answer, Refuse)
            assert client.state is SessionState.CLOSED
        with pytest.raises(RuntimeError):
            client.keys  # noqa: B018


def test_a_reply_to_a_resume_is_refused() -> None:
    client, server, _, _ = ticketed()
    client.begin()
    stranger = ClientSession(PASSWORD, REQUEST)
    received(server, stranger.begin())
    with pytest.raises(WireError):
        received(client, server.answer())
    assert client.state is SessionState.CLOSED


def test_a_refusal_is_read_and_ends_it() -> None:
    for begun in (ClientSession(PASSWORD, REQUEST), ticketed()[0]):
        begun.begin()
        assert received(begun, CLEAR["refuse"]) == Refuse(Reason.PASSWORD)
        with pytest.raises(WireError):
            received(begun, CLEAR["refuse"])


def test_strings_that_were_buffered_behind_the_end_are_refused() -> None:
    client, server = resumed()
    bye, behind = (server.seal(control.encode(message)) for message in (messages.Bye(), messages.Left(2)))
    assert received(client, bye) == messages.Bye()
    with pytest.raises(WireError):
        received(client, behind)


def test_a_server_without_a_seat_says_goodbye_instead_of_welcome() -> None:
    client, server, book, _ = ticketed()
    resume = received(server, client.begin())
    assert isinstance(resume, Resume)
    _, ticket = book.redeem(resume, 0.0)
    server.resume(ticket, resume)
    assert received(client, server.turn_away(messages.FULL, 0.0)) == messages.Bye(messages.FULL)
    assert client.state is SessionState.CLOSED


@pytest.mark.parametrize("inside", [control.encode(messages.Ping(1)), b"\x80{}", b"", b"\xf0{}"])
def test_a_welcome_with_something_else_inside_is_refused(inside: bytes) -> None:
    client, server = ClientSession(PASSWORD, REQUEST), ServerLogin(PASSWORD)
    auth = received(client, server.reply(client.begin()))
    assert isinstance(auth, bytes)
    server.auth(auth)
    with pytest.raises(WireError):
        received(client, server.welcome(inside))
    assert client.state is SessionState.CLOSED


@pytest.mark.parametrize("said", [messages.Gain(2, 1.0), REQUEST, WELCOME], ids=["gain", "request", "welcome"])
def test_a_server_that_speaks_like_a_client_is_refused(said: messages.Message) -> None:
    client, server = resumed()
    with pytest.raises(WireError):
        received(client, server.seal(control.encode(said)))
    assert client.state is SessionState.CLOSED


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda rest: b"\x81" + rest))
def test_sealed_garbage_is_a_value_or_a_wire_error(plain: bytes) -> None:
    client, server = resumed()
    try:
        received(client, server.seal(plain))
    except WireError:
        assert client.state is SessionState.CLOSED


@pytest.mark.parametrize("source", [MIX, 1, 250])
def test_friends_and_the_mix_are_heard(source: int) -> None:
    client, server = resumed()
    packet = MediaPacket(source, 9, b"sound")
    assert received(client, server.seal(media.encode(packet))) == packet
    assert client.read_media(media.encode(packet)) == packet


def test_a_server_cannot_speak_as_me() -> None:
    client, server = resumed()
    with pytest.raises(WireError):
        received(client, server.seal(media.encode(MediaPacket(ME, 9, b"sound"))))


def test_every_login_makes_other_keys() -> None:
    first, second = login(), login()
    string = first.client.seal(control.encode(messages.Ping(1)))
    with pytest.raises(WireError):
        received(second.server, string)


@pytest.mark.parametrize(("name", "room"), [("x" * 32, "é" * 32), ("\\" * 32, "\\" * 32)])
def test_the_longest_names_fit_into_the_request(name: str, room: str) -> None:
    ClientSession(PASSWORD, messages.Request(name, room))


@pytest.mark.parametrize("name", ["é" * 32, "李" * 32, "a" + "🦆" * 31, "म" * 32])
def test_a_name_of_as_many_letters_as_it_may_have_fits_into_the_request(name: str) -> None:
    request = messages.Request(name, "", True, Quality.SAVER, messages.CAPABILITIES)
    assert texts.chosen_name(name) == name
    ClientSession(PASSWORD, request)


def test_names_that_grow_too_long_on_the_way_are_refused_at_the_start() -> None:
    with pytest.raises(ConfigError):
        ClientSession(PASSWORD, messages.Request('"' * 32, "\\" * 64))
