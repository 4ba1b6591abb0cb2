"""Coming back with a ticket: new keys when both know it and nobody touched a bit, else WireError."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicechat.errors import PasswordRefused, WireError
from voicechat.security.login import ClientLogin, ServerLogin
from voicechat.security.resume import ClientResume, ServerResume
from voicechat.security.secret import Secret
from voicechat.security.tickets import Ticket, TicketBook, TicketUnknown, resume_with
from voicechat.wire.datagrams import DatagramType, parse_header
from voicechat.wire.handshake import Reason, Refuse, Resume, Resumed, SealedWelcome, decode

RESPONSE = b'{"source":1,"connection":78}'


def redeemed(book: TicketBook[str], string: bytes) -> ServerResume:
    """What the server does with a RESUME."""
    resume = decode(string)
    if not isinstance(resume, Resume):
        raise WireError("out of turn")
    _, ticket = book.redeem(resume, 0.0)
    return ServerResume(ticket, resume)


def resumed() -> tuple[ClientResume, ServerResume, bytes]:
    """Both sides when RESUMED is on its way."""
    book = TicketBook[str]()
    client = ClientResume(book.issue("ann"))
    server = redeemed(book, client.resume())
    return client, server, server.resumed(RESPONSE)


@settings(deadline=None)
@given(st.binary(max_size=4028))
def test_who_knows_the_ticket_comes_back(response: bytes) -> None:
    book = TicketBook[str]()
    client = ClientResume(book.issue("ann"))
    server = redeemed(book, client.resume())
    assert client.resumed(server.resumed(response)) == response


def test_strings_go_on_in_both_directions() -> None:
    client, server, string = resumed()
    client.resumed(string)
    assert server.keys.seal.counter == client.keys.opener.counter == 1
    assert client.keys.seal.counter == server.keys.opener.counter == 0
    for sender, receiver in ((client.keys, server.keys), (server.keys, client.keys)):
        for n in range(3):
            assert receiver.opener.open(sender.seal.seal(b"%d" % n)) == b"%d" % n


def test_datagrams_go_both_ways_under_new_keys() -> None:
    client, server, string = resumed()
    client.resumed(string)
    other_client, other_server, other_string = resumed()
    other_client.resumed(other_string)
    datagram = client.keys.datagram_seal(77).seal(DatagramType.MEDIA, b"packet")
    assert server.keys.datagram_opener().open(parse_header(datagram), datagram) == b"packet"
    with pytest.raises(WireError):
        other_server.keys.datagram_opener().open(parse_header(datagram), datagram)


def test_a_ticket_from_a_sealed_welcome_brings_one_back() -> None:
    book, password = TicketBook[str](), Secret("a password")
    client, server = ClientLogin(password), ServerLogin(password)
    server.auth(client.auth(server.reply(client.hello()), b"{}"))
    told = client.welcome(server.welcome(" ".join(book.issue("ann").to_hex()).encode()))
    back = ClientResume(Ticket.from_hex(*told.decode().split()))
    assert back.resumed(redeemed(book, back.resume()).resumed(RESPONSE)) == RESPONSE


def test_two_sessions_of_one_ticket_would_still_have_different_keys() -> None:
    """Both nonces make them: the client's, the server's, each alone."""
    ticket = Ticket(bytes(16), bytes(32))
    one, other = resume_with(ticket), resume_with(ticket)
    sealed = {ServerResume(ticket, resume).keys.seal.seal(b"the same") for resume in (one, one, other, other)}
    assert len(sealed) == 4


def test_no_damaged_resumed_is_believed() -> None:
    client, _, string = resumed()
    number = int.from_bytes(string, "big")
    damaged = [(number ^ 1 << bit).to_bytes(len(string), "big") for bit in range(8 * len(string))]
    damaged += [string[:length] for length in range(len(string))] + [string + b"\0"]
    for wrong in damaged:
        with pytest.raises(WireError):
            copy.copy(client).resumed(wrong)
    assert client.resumed(string) == RESPONSE


def test_no_damaged_resume_is_taken() -> None:
    book = TicketBook[str]()
    string = ClientResume(book.issue("ann")).resume()
    number = int.from_bytes(string, "big")
    for bit in range(8 * len(string)):
        with pytest.raises(WireError):
            redeemed(book, (number ^ 1 << bit).to_bytes(len(string), "big"))
    redeemed(book, string)


def test_a_server_that_does_not_know_the_ticket_is_not_believed() -> None:
    client = ClientResume(Ticket(bytes(16), bytes(32)))
    resume = decode(client.resume())
    assert isinstance(resume, Resume)
    impostor = ServerResume(Ticket(bytes(16), b"\1" * 32), resume)
    with pytest.raises(WireError) as caught:
        client.resumed(impostor.resumed(RESPONSE))
    assert not isinstance(caught.value, PasswordRefused)
    with pytest.raises(RuntimeError):
        _ = client.keys


@given(st.binary(max_size=300), st.booleans())
def test_garbage_for_a_resumed_is_a_wire_error(garbage: bytes, magic: bool) -> None:
    with pytest.raises(WireError):
        ClientResume(Ticket(bytes(16), bytes(32))).resumed((b"VC\x01\x06" if magic else b"") + garbage)


def test_other_strings_and_second_ones_are_wire_errors() -> None:
    for string in (Refuse(Reason.TICKET_UNKNOWN).build(), SealedWelcome(bytes(32), bytes(16)).build()):
        client, _, right = resumed()
        with pytest.raises(WireError):
            client.resumed(string)
        with pytest.raises(WireError):
            client.resumed(right)


def test_a_recorded_resume_is_of_no_use_to_who_recorded_it() -> None:
    """Until the owner has said something it is answered again, under other keys; then it is unknown."""
    book = TicketBook[str]()
    ticket = book.issue("ann")
    client = ClientResume(ticket)
    mine, theirs = (redeemed(book, client.resume()) for _ in range(2))
    client.resumed(mine.resumed(RESPONSE))
    with pytest.raises(WireError):
        theirs.keys.opener.open(client.keys.seal.seal(b"what the owner says"))
    book.used(ticket)
    with pytest.raises(TicketUnknown):
        redeemed(book, client.resume())


def test_our_own_wrong_order_is_a_runtime_error() -> None:
    client, server, _ = resumed()
    with pytest.raises(RuntimeError):
        _ = client.keys
    with pytest.raises(RuntimeError):
        server.resumed(RESPONSE)
    with pytest.raises(ValueError, match="4029 bytes"):
        server.resumed(bytes(4029))


def test_no_secret_shows_and_none_is_sent() -> None:
    book = TicketBook[str]()
    ticket = book.issue("ann")
    client = ClientResume(ticket)
    server = redeemed(book, client.resume())
    string = server.resumed(RESPONSE)
    for shown in (repr(client), repr(server), repr(decode(client.resume()))):
        assert ticket.secret.hex() not in shown
        assert repr(ticket.secret)[2:-1] not in shown
    assert ticket.secret not in client.resume() + string
    assert isinstance(decode(string), Resumed)
    assert RESPONSE not in string
