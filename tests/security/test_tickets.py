"""Tickets: good once, for their holder, for as long as promised, and for nobody who does not know the secret."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from voicechat.errors import WireError
from voicechat.security.tickets import (
    AWAY_SECONDS,
    MOST_TICKETS,
    Ticket,
    TicketBook,
    TicketUnknown,
    resume_with,
)
from voicechat.wire.handshake import Resume

TICKETS = st.builds(Ticket, st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))


def test_a_ticket_brings_its_holder_back() -> None:
    book = TicketBook[str]()
    ann, bob = book.issue("ann"), book.issue("bob")
    assert book.redeem(resume_with(bob), 0.0) == ("bob", bob)
    assert book.redeem(resume_with(ann), 0.0) == ("ann", ann)
    for ticket in (ann, bob):
        book.used(ticket)
    assert len(book) == 0


def test_a_ticket_is_good_once() -> None:
    book = TicketBook[str]()
    ticket = book.issue("ann")
    first, second = resume_with(ticket), resume_with(ticket)
    book.redeem(first, 0.0)
    book.used(ticket)
    for again in (first, second):
        with pytest.raises(TicketUnknown):
            book.redeem(again, 0.0)


def test_a_ticket_whose_answer_was_lost_is_good_again_and_brings_the_same_next_one() -> None:
    book = TicketBook[str]()
    ticket = book.issue("ann")
    following = []
    for _ in range(100):
        assert book.redeem(resume_with(ticket), 0.0) == ("ann", ticket)
        following.append(book.next(ticket))
    assert set(following) == {following[0]}
    assert following[0] != ticket
    assert len(book) == 2, "a seat has two at most"


def test_whoever_shows_the_next_ticket_has_read_the_answer_and_ends_the_one_before() -> None:
    book = TicketBook[str]()
    ticket = book.issue("ann")
    book.redeem(resume_with(ticket), 0.0)
    following = book.next(ticket)
    assert book.redeem(resume_with(following), 0.0) == ("ann", following)
    with pytest.raises(TicketUnknown):
        book.redeem(resume_with(ticket), 0.0)


def test_the_next_ticket_ends_with_its_seat_until_it_is_used() -> None:
    for heard in (False, True):
        book = TicketBook[str]()
        ticket = book.issue("ann")
        book.disconnected(ticket.id, 0.0)
        book.redeem(resume_with(ticket), 30.0)
        following = book.next(ticket)
        if heard:
            book.used(ticket)
            assert book.redeem(resume_with(following), 1e6) == ("ann", following)
        else:
            with pytest.raises(TicketUnknown):
                book.redeem(resume_with(following), 60.0)
            book.revoke(ticket.id)
            assert len(book) == 0, "both"


def test_a_ticket_lives_while_the_line_stands_and_sixty_seconds_more() -> None:
    for after, good in ((0.0, True), (59.999, True), (60.0, False), (1e9, False)):
        book = TicketBook[str]()
        ticket = book.issue("ann")
        book.disconnected(ticket.id, 1e6)
        if good:
            assert book.redeem(resume_with(ticket), 1e6 + after) == ("ann", ticket)
        else:
            with pytest.raises(TicketUnknown):
                book.redeem(resume_with(ticket), 1e6 + after)
    book = TicketBook[str]()
    ticket = book.issue("ann")
    assert book.redeem(resume_with(ticket), 1e9) == ("ann", ticket)


def test_a_line_that_breaks_twice_gives_no_more_time() -> None:
    book = TicketBook[str]()
    ticket = book.issue("ann")
    book.disconnected(ticket.id, 0.0)
    book.disconnected(ticket.id, 50.0)
    with pytest.raises(TicketUnknown):
        book.redeem(resume_with(ticket), 60.0)


def test_expired_tickets_are_forgotten() -> None:
    book = TicketBook[str]()
    ann, bob, _ = (book.issue(name) for name in ("ann", "bob", "cat"))
    book.disconnected(bob.id, 0.0)
    book.disconnected(ann.id, 1.0)
    for now, left in ((59.0, 3), (60.0, 2), (100.0, 1)):
        book.expire(now)
        assert len(book) == left


def test_a_revoked_ticket_is_gone() -> None:
    book = TicketBook[str]()
    ticket = book.issue("ann")
    book.revoke(ticket.id)
    book.revoke(ticket.id)
    book.disconnected(ticket.id, 0.0)
    with pytest.raises(TicketUnknown):
        book.redeem(resume_with(ticket), 0.0)


def test_the_book_is_bounded_and_the_oldest_makes_room() -> None:
    book = TicketBook[int]()
    tickets = [book.issue(n) for n in range(MOST_TICKETS + 5)]
    assert len(book) == MOST_TICKETS
    for n in range(5):
        with pytest.raises(TicketUnknown):
            book.redeem(resume_with(tickets[n]), 0.0)
    assert book.redeem(resume_with(tickets[5]), 0.0) == (5, tickets[5])
    assert book.redeem(resume_with(tickets[-1]), 0.0) == (MOST_TICKETS + 4, tickets[-1])


@given(st.integers(0, 8 * 64 - 1))
def test_a_resume_with_one_bit_changed_is_refused_and_uses_nothing_up(bit: int) -> None:
    """Id, nonce or proof: whichever holds the bit."""
    book = TicketBook[str]()
    ticket = book.issue("ann")
    resume = resume_with(ticket)
    fields = resume.ticket_id + resume.nonce + resume.proof
    changed = (int.from_bytes(fields, "big") ^ 1 << bit).to_bytes(64, "big")
    with pytest.raises(TicketUnknown):
        book.redeem(Resume(changed[:16], changed[16:32], changed[32:]), 0.0)
    assert book.redeem(resume, 0.0) == ("ann", ticket)


@given(TICKETS)
def test_a_ticket_of_ones_own_making_is_refused(ticket: Ticket) -> None:
    book = TicketBook[str]()
    real = book.issue("ann")
    for forged in (ticket, Ticket(real.id, ticket.secret), Ticket(ticket.id, real.secret)):
        with pytest.raises(TicketUnknown):
            book.redeem(resume_with(forged), 0.0)


def test_an_unknown_ticket_is_one_kind_of_wire_error() -> None:
    with pytest.raises(WireError):
        TicketBook[str]().redeem(resume_with(Ticket(bytes(16), bytes(32))), 0.0)


def test_each_resume_has_a_nonce_of_its_own() -> None:
    ticket = Ticket(bytes(16), bytes(32))
    assert len({resume_with(ticket).nonce for _ in range(100)}) == 100


@given(TICKETS)
def test_a_ticket_travels_as_hexadecimal(ticket: Ticket) -> None:
    assert Ticket.from_hex(*ticket.to_hex()) == ticket


@given(st.text(max_size=70), st.text(max_size=70))
def test_other_text_is_no_ticket(id_digits: str, secret_digits: str) -> None:
    with pytest.raises(WireError):
        Ticket.from_hex(id_digits, secret_digits)


@pytest.mark.parametrize(
    "digits",
    ["", "00" * 15, "00" * 17, "00 " * 16, "00 " * 32, " 0" * 16, "0" * 33, "0x" * 16, "é0" * 16, "\udcff" * 32],
)
def test_an_id_is_sixteen_bytes_in_plain_digits(digits: str) -> None:
    with pytest.raises(WireError):
        Ticket.from_hex(digits, "00" * 32)
    with pytest.raises(WireError):
        Ticket.from_hex("00" * 16, digits)


def test_tickets_are_random_and_do_not_show_their_secret() -> None:
    book = TicketBook[str]()
    tickets = [book.issue("ann") for _ in range(100)]
    assert len({ticket.id for ticket in tickets}) == len({ticket.secret for ticket in tickets}) == 100
    for ticket in tickets:
        for shown in (repr(ticket), str(ticket), f"{ticket}", repr(book)):
            assert ticket.secret.hex() not in shown
            assert repr(ticket.secret)[2:-1] not in shown


class BookAgainstModel(RuleBasedStateMachine):
    """Any order of issuing, breaking, coming back, being heard and time going by, against plain dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.book = TicketBook[int]()
        self.now = 0.0
        self.issued: list[Ticket] = []
        self.holder: list[int] = []
        self.good: dict[int, float] = {}
        """Number of the ticket -> when it ends."""
        self.before: dict[int, int] = {}
        self.after: dict[int, int] = {}

    def note(self, ticket: Ticket, holder: int, ends: float) -> int:
        self.issued.append(ticket)
        self.holder.append(holder)
        self.good[len(self.issued) - 1] = ends
        return len(self.issued) - 1

    @rule()
    def issue(self) -> None:
        self.note(self.book.issue(len(self.issued)), len(self.issued), float("inf"))

    @rule(seconds=st.sampled_from([0.5, 29.0, 30.0, 60.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.now += seconds

    @rule(data=st.data())
    def line_breaks(self, data: st.DataObject) -> None:
        if self.issued:
            number = data.draw(st.integers(0, len(self.issued) - 1))
            self.book.disconnected(self.issued[number].id, self.now)
            both = (number, self.after.get(number, -1)) if number in self.good else ()
            for one in both:
                if self.good.get(one) == float("inf"):
                    self.good[one] = self.now + AWAY_SECONDS

    @rule(data=st.data(), honest=st.booleans(), heard=st.booleans())
    def comes_back(self, data: st.DataObject, *, honest: bool, heard: bool) -> None:
        if not self.issued:
            return
        number = data.draw(st.integers(0, len(self.issued) - 1))
        ticket = self.issued[number]
        resume = resume_with(ticket)
        if not honest or self.now >= self.good.get(number, 0.0):
            if not honest:
                resume = dataclasses.replace(resume, nonce=bytes(16))
            with pytest.raises(TicketUnknown):
                self.book.redeem(resume, self.now)
            return
        assert self.book.redeem(resume, self.now) == (self.holder[number], ticket)
        self.good.pop(self.before.pop(number, -1), None)
        following = self.book.next(ticket)
        if number not in self.after:
            self.after[number] = self.note(following, self.holder[number], self.good[number])
            self.before[self.after[number]] = number
        assert following == self.issued[self.after[number]]
        if heard:
            self.book.used(ticket)
            del self.good[number]
            self.before.pop(self.after[number], None)
            if self.after[number] in self.good:
                self.good[self.after[number]] = float("inf")

    @rule()
    def expire(self) -> None:
        over = [number for number, end in self.good.items() if self.now >= end]
        self.book.expire(self.now)
        for number in over:
            del self.good[number]

    @invariant()
    def the_book_holds_what_is_good(self) -> None:
        assert len(self.book) == len(self.good)


TestBookAgainstModel = BookAgainstModel.TestCase
