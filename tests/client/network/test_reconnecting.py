"""Connecting, coming back, and ending with a reason."""

import errno
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet import error
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.client.player import Host, Player
from voicechat.client.exits import Exit
from voicechat.client.network.retry import FIRST_TRIES
from voicechat.security.secret import Secret
from voicechat.security.tickets import TicketBook
from voicechat.wire import handshake, messages
from voicechat.wire.handshake import Reason, Refuse


@pytest.fixture
def ann() -> Player:
    player = Player()
    player.service.start()
    return player


def ended(player: Player) -> tuple[int, str]:
    assert player.ended is not None, player.lines
    return player.ended


@pytest.mark.parametrize(
    ("refuse", "code", "words"),
    [
        (Refuse(Reason.PASSWORD), Exit.PASSWORD, "the password was refused by 192.0.2.10 port 1234; ask your host"),
        (Refuse(Reason.VERSION, 0, 3, 3), Exit.PROTOCOL, "speaks another version of voicechat (3); update"),
        (Refuse(Reason.TRY_LATER, 200), Exit.TRY_LATER, "too many tries); try again in 200 s"),
        (Refuse(Reason.TRY_LATER), Exit.TRY_LATER, "try again later"),
        (Refuse(Reason.MALFORMED), Exit.PROTOCOL, "did not understand us"),
    ],
)
def test_a_refusal_ends_it_with_its_code_and_line(ann: Player, refuse: Refuse, code: Exit, words: str) -> None:
    host: Host = ann.accepted()
    host.strings()
    host.send(refuse.build())
    assert ended(ann)[0] == code
    assert words in ended(ann)[1]
    assert "\n" not in ended(ann)[1]
    host.lose()
    ann.reactor.advance(100)
    assert not ann.attempts(), "trying again would not help"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (messages.FULL, "is full"),
        (messages.ROOM_FULL, "this room on"),
        (messages.TRY_LATER, "sent us away: try later"),
        ("", "no reason given"),
    ],
)
def test_one_who_knows_the_password_is_told_why_he_cannot_enter(ann: Player, reason: str, words: str) -> None:
    host: Host = ann.accepted()
    host.answer()
    host.send(host.session.turn_away(reason, 5.0))
    assert ended(ann)[0] == Exit.TRY_LATER
    assert words in ended(ann)[1]
    assert ann.entered == 0


def test_nobody_there_is_tried_three_times_within_five_seconds(ann: Player) -> None:
    start = ann.reactor.seconds()
    for n in range(FIRST_TRIES):
        assert ann.ended is None
        ann.refused()
        if n < FIRST_TRIES - 1:
            ann.reactor.advance(1.0)
    assert ended(ann)[0] == Exit.UNREACHABLE
    assert "cannot reach 192.0.2.10 port 1234: nobody listens there; is the server on" in ended(ann)[1]
    assert ann.reactor.seconds() - start <= 5


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (error.DNSLookupError("x"), "the name is not known"),
        (error.TimeoutError(), "it does not answer"),
        (error.getConnectError((errno.ETIMEDOUT, "x")), "it does not answer"),
        (error.getConnectError((errno.ENETUNREACH, "x")), "there is no way to it from this network"),
        (error.getConnectError((errno.EHOSTUNREACH, "x")), "there is no such machine in this network"),
        (error.getConnectError((errno.EPERM, "x")), "this machine's firewall forbids it"),
        (error.getConnectError((errno.ENOBUFS, "x")), "no buffer space available"),
        (error.ConnectError(string="odd."), "An error occurred while connecting: odd"),
    ],
)
def test_why_it_cannot_be_reached_is_told_in_words(ann: Player, why: Exception, told: str) -> None:
    for _ in range(FIRST_TRIES):
        ann.refused(why)
        ann.reactor.advance(1.0)
    assert f"cannot reach 192.0.2.10 port 1234: {told}; is the server on" in ended(ann)[1]


def test_an_address_that_does_not_answer_is_given_up_after_its_time(ann: Player) -> None:
    ann.attempts()
    ann.reactor.advance(4.9)
    assert ann.ended is None
    factory = ann.reactor.tcpClients[-1][2]
    from twisted.internet.error import TimeoutError as ConnectTimeout
    from twisted.python.failure import Failure

    ann.reactor.advance(0.2)
    factory.clientConnectionFailed(None, Failure(ConnectTimeout()))  # type: ignore[arg-type]
    assert ended(ann)[0] == Exit.UNREACHABLE


def test_a_line_that_breaks_before_the_login_is_tried_again_a_few_times(ann: Player) -> None:
    for _ in range(FIRST_TRIES - 1):
        host: Host = ann.accepted()
        host.lose()
        ann.reactor.advance(1.0)
    host = ann.accepted()
    host.lose()
    assert ended(ann)[0] == Exit.UNREACHABLE
    assert ann.lines == [], "one line, at the end"
    ann.service.stop()
    assert not ann.reactor.getDelayedCalls()


def welcome_with_ticket(book: TicketBook[str]) -> messages.Welcome:
    ticket = book.issue("Ann")
    return messages.Welcome(1, "Ann", "", 7, [], ticket=messages.TicketText(*ticket.to_hex()))


def test_a_broken_line_is_mended_with_the_ticket_and_without_the_password(ann: Player) -> None:
    book: TicketBook[str] = TicketBook()
    host: Host = ann.accepted()
    host.let_in(welcome_with_ticket(book))
    host.lose()
    ann.reactor.advance(1.5)
    host = ann.accepted()
    (string,) = host.strings()
    resume = handshake.decode(string)
    assert isinstance(resume, handshake.Resume)
    _, ticket = book.redeem(resume, 0.0)
    host.session.receive(string)
    host.session.resume(ticket, resume)
    host.welcome(welcome_with_ticket(book))
    assert ann.entered == 2
    assert ann.call.password_logins == 1
    assert ann.call.reconnects == 1


def test_a_ticket_that_is_not_known_any_more_is_replaced_by_the_password(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in(welcome_with_ticket(TicketBook()))
    host.lose()
    ann.reactor.advance(1.5)
    host = ann.accepted()
    host.strings()
    host.send(Refuse(Reason.TICKET_UNKNOWN).build())
    host.lose()
    ann.reactor.advance(1.5)
    host = ann.accepted()
    host.let_in()
    assert ann.entered == 2
    assert ann.call.password_logins == 2
    assert ann.ended is None


def test_after_a_login_it_never_gives_up(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    host.lose()
    for _ in range(50):
        ann.reactor.advance(30.0)
        ann.refused()
    assert ann.ended is None
    ann.reactor.advance(30.0)
    host = ann.accepted()
    host.let_in()
    assert ann.entered == 2
    assert sum("broke" in line for line in ann.lines) == 1, "told once, not at each try"


@pytest.mark.parametrize("sealed", [False, True])
def test_one_who_was_in_waits_while_the_server_does_not_let_him_in(ann: Player, sealed: bool) -> None:
    """Their address is banned for somebody else's guesses, and their ticket is too old."""
    host: Host = ann.accepted()
    host.let_in()
    host.lose()
    ann.reactor.advance(1.5)
    host = ann.accepted()
    host.strings()
    host.send(Refuse(Reason.TICKET_UNKNOWN).build())
    host.lose()
    ann.reactor.advance(1.5)
    host = ann.accepted()
    if sealed:
        host.answer()
        host.send(host.session.turn_away(messages.TRY_LATER, 200.0))
    else:
        host.strings()
        host.send(Refuse(Reason.TRY_LATER, 200).build())
    host.lose()
    assert ann.ended is None
    assert ann.lines[-1] == "192.0.2.10 port 1234 does not let us in now; trying again in 210 s"
    ann.reactor.advance(205)
    assert not ann.attempts()
    ann.reactor.advance(10)
    ann.accepted().let_in()
    assert ann.call.connected


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (messages.FULL, "192.0.2.10 port 1234 is full; trying again in 6 s"),
        (messages.ROOM_FULL, "this room on 192.0.2.10 port 1234 is full; trying again in 6 s"),
    ],
)
@pytest.mark.parametrize("seat_gone", [False, True])
def test_one_who_was_in_waits_for_a_seat_and_takes_it(ann: Player, reason: str, told: str, *, seat_gone: bool) -> None:
    """Perhaps it is their own broken line that still holds it; perhaps it was given away."""
    host: Host = ann.accepted()
    host.let_in(welcome_with_ticket(TicketBook()) if seat_gone else None)
    host.lose()
    ann.reactor.advance(1.5)
    if seat_gone:
        host = ann.accepted()
        host.send(Refuse(Reason.TICKET_UNKNOWN).build())
        host.lose()
        ann.reactor.advance(1.5)
    for _ in range(20):
        host = ann.accepted()
        host.answer()
        host.send(host.session.turn_away(reason, 5.0))
        host.lose()
        assert ann.ended is None
        ann.reactor.advance(4.9)
        assert not ann.attempts(), "not sooner than the server says"
        ann.reactor.advance(40.0)
    lost = "your seat was given away while your line was broken, and " if seat_gone else ""
    assert [line for line in ann.lines if "full" in line] == [lost + told], "once, not at each try"
    ann.accepted().let_in()
    assert ann.call.connected
    assert ann.call.password_logins == 22


def test_a_password_changed_meanwhile_ends_it(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    host.lose()
    ann.reactor.advance(1.5)
    host = ann.accepted()
    host.strings()
    host.send(Refuse(Reason.PASSWORD).build())
    assert ended(ann)[0] == Exit.PASSWORD


def test_one_who_came_by_the_old_password_is_told_that_there_is_a_new_one(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    host.tell(messages.Bye(messages.LOCKED_OUT))
    line = "the password of 192.0.2.10 port 1234 was changed; ask your host for the new one"
    assert ended(ann) == (Exit.PASSWORD, line)


def test_of_two_clients_with_one_seat_the_loser_stops(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    host.tell(messages.Bye(messages.REPLACED))
    assert ended(ann) == (Exit.TRY_LATER, "another client took over your seat; this one stops")
    host.lose()
    ann.reactor.advance(100)
    assert not ann.attempts()


def test_a_restart_of_the_server_is_waited_for(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    host.tell(messages.Bye(messages.SHUTTING_DOWN, 0.5))
    host.lose()
    assert ann.ended is None
    ann.reactor.advance(1.5)
    assert len(ann.attempts()) == 1


def test_it_can_be_stopped_while_it_connects_waits_or_talks() -> None:
    connecting = Player()
    connecting.service.start()
    connecting.service.stop()
    waiting = Player()
    waiting.service.start()
    waiting.refused()
    waiting.service.stop()
    talking = Player()
    talking.service.start()
    host: Host = talking.accepted()
    host.let_in()
    host.strings()
    talking.service.stop()
    assert host.received() == [messages.Bye(messages.LEAVING)]
    host.lose()
    for player in (connecting, waiting, talking):
        player.reactor.advance(100)
        assert player.ended is None
        assert not player.reactor.getDelayedCalls()


def test_a_name_that_is_not_known_is_told() -> None:
    player = Player(host="no.such.name.invalid")

    class Nobody:
        """A resolver that knows nobody."""

        def resolveHostName(self, receiver: object, *_: object, **__: object) -> None:
            """No address."""
            receiver.resolutionBegan(self)  # type: ignore[attr-defined]
            receiver.resolutionComplete()  # type: ignore[attr-defined]

    player.reactor.nameResolver = Nobody()  # type: ignore[assignment]
    player.service.start()
    for _ in range(FIRST_TRIES):
        player.reactor.advance(1.0)
    assert ended(player)[0] == Exit.UNREACHABLE
    assert "the name is not known" in ended(player)[1]


def test_a_host_that_cannot_be_a_name_is_told() -> None:
    player = Player(host="not a host" * 30)
    player.reactor.installNameResolver(Names())
    player.service.start()
    for _ in range(FIRST_TRIES):
        player.reactor.advance(1.0)
    assert ended(player)[0] == Exit.UNREACHABLE


@implementer(IHostnameResolver)
class Names:
    """A resolver that knows one name, and what it was asked for."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        """All addresses, at once."""
        self.asked.append(hostName)
        resolutionReceiver.resolutionBegan(None)
        for address in self.addresses:
            kind = IPv6Address if ":" in address else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
        resolutionReceiver.resolutionComplete()


@pytest.mark.parametrize(
    "name",
    [
        "gaming_pc", "_x", "my_host.example.org", "Gaming-PC", "play.example.org.", "b\u00fccher.example", "127.1",
        "0x7f.1", "xn--bcher-kva.example", "-", "a..b", "x" * 64, "192.0.2.1.", "\u2603.example", "fe80::1%eth0",
        "::1", "FE80::1%2", "not a host" * 30,
    ],
)  # fmt: skip
def test_the_resolver_is_asked_for_what_was_typed(name: str) -> None:
    player, names = Player(host=name), Names("192.0.2.7")
    player.reactor.installNameResolver(names)
    player.service.start()
    assert names.asked == [name]
    ((host, port, *_),) = player.attempts()
    assert (host, port) == ("192.0.2.7", 1234)


def test_the_first_of_several_addresses_may_be_dead() -> None:
    player = Player(host="play.example.org")
    player.reactor.installNameResolver(Names("2001:db8::1", "fe80::1%2", "192.0.2.7"))
    player.service.start()
    for wanted in ("2001:db8::1", "fe80::1%2"):
        ((host, _, factory, _, _),) = player.attempts()
        assert host == wanted
        factory.clientConnectionFailed(None, Failure(error.ConnectionRefusedError()))
        player.reactor.advance(0.3)
    assert isinstance(player.accepted(), Host)


def test_a_mistyped_password_is_asked_for_again_and_the_next_one_is_tried(ann: Player) -> None:
    asked: list[Callable[[Secret], None]] = []
    ann.service.ask_password = asked.append
    host: Host = ann.accepted(password="the right one")
    host.strings()
    host.send(Refuse(Reason.PASSWORD).build())
    assert asked == [], "not before the connection is gone"
    host.lose()
    assert ann.ended is None
    ann.reactor.advance(60.0)
    assert ann.attempts() == [], "a person takes their time"
    asked[0](Secret("the right one"))
    host = ann.accepted(password="the right one")
    host.let_in()
    assert ann.entered == 1
    host.lose()
    ann.reactor.advance(1.5)
    host = ann.accepted(password="the right one")
    host.strings()
    host.send(Refuse(Reason.PASSWORD).build())
    assert ended(ann)[0] == Exit.PASSWORD, "not in the middle of an evening"


def test_whoever_leaves_while_they_are_asked_is_gone(ann: Player) -> None:
    asked: list[Callable[[Secret], None]] = []
    ann.service.ask_password = asked.append
    host: Host = ann.accepted()
    host.strings()
    host.send(Refuse(Reason.PASSWORD).build())
    host.lose()
    ann.service.stop()
    asked[0](Secret("the right one"))
    assert ann.attempts() == []
