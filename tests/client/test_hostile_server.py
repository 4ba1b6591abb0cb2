"""A server that knows the password and makes things up without end: no table of the client grows with it."""

import gc
import string
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from tests.client.call.test_call import figures
from tests.client.player import Host, Player, pass_time
from voicechat.client.call.friends import MOST_NAMES, Friends
from voicechat.client.exits import Exit
from voicechat.client.network.allowance import FLOOD, MESSAGES_AT_ONCE, PACKETS_AT_ONCE, ServerAllowance
from voicechat.client.network.protocol import PAUSE
from voicechat.errors import WireError
from voicechat.format import TICKS_PER_SECOND
from voicechat.media.hearing import MADE_ANEW, Hearing
from voicechat.media.packet import LAST_SOURCE, MIX, MediaPacket
from voicechat.server.limits import MOST_SEATS, Limits
from voicechat.testing import MemoryCodec
from voicechat.wire import media, messages
from voicechat.wire import messages as m
from voicechat.wire.datagrams import DatagramType, parse_header

FRAME = b"HC\0\0\0\x3f"
"""A payload of MemoryCodec."""

WARM, MORE = 500, 2500
"""Rounds of a flood after which memory is measured, and that follow then."""

GROWTH = 100_000
"""Bytes that a client may grow by then: one of 50 bytes for each round would be more."""


@pytest.fixture
def ann() -> Player:
    player = Player()
    pass_time([player], 0.05)
    player.service.start()
    return player


def inside(player: Player) -> Host:
    host: Host = player.accepted()
    host.let_in()
    assert player.entered == 1
    return host


Round = Callable[[Host, int], None]


def names(host: Host, number: int) -> None:
    """Always another name, who talks, and is heard in the mix."""
    host.tell(m.Joined(m.Participant(2, f"name {number}")))
    host.tell(m.Talk(2, talking=True))
    host.tell_bytes(media.encode(MediaPacket(MIX, number & 0xFFFF, FRAME, marker=True)))


def guests(host: Host, number: int) -> None:
    """People who come, say something as they are, and go."""
    source = 2 + number % (LAST_SOURCE - 1)
    host.tell(m.Joined(m.Participant(source, f"name {number}")))
    host.tell_bytes(media.encode(MediaPacket(source, number & 0xFFFF, FRAME, marker=True)))
    host.tell(m.Left(source, f"because of {number}"))


def news_of_nobody(host: Host, number: int) -> None:
    """About people who were never announced."""
    source = 3 + number % (LAST_SOURCE - 2)
    for news in (m.Talk(source, True, 1, 1), m.State(True, True, source), m.Away(source), m.Back(source)):
        host.tell(news)


def texts(host: Host, number: int) -> None:
    """Lines, each another one."""
    host.tell(m.Text(f"{number} ".ljust(300, "x"), 2 + number % 200))


def voices(host: Host, number: int) -> None:
    """Sound of everybody who could be, announced or not."""
    for step in range(4):
        source = (5 * number + step) % LAST_SOURCE + 2
        host.tell_bytes(media.encode(MediaPacket(min(source, LAST_SOURCE), 37 * number & 0xFFFF, FRAME)))


def heartbeats(host: Host, number: int) -> None:
    """Questions, and answers that nobody asked for."""
    for message in (m.Ping(number), m.Pong(number), m.Path(f"{number:016x}"), m.Report(50, number % 50, 1)):
        host.tell(message)


def unknown_kinds(host: Host, number: int) -> None:
    """Of a newer version."""
    host.tell_bytes(b"\xfe" + f'{{"new": {number}}}'.encode())


@pytest.mark.parametrize("flood", [names, guests, news_of_nobody, texts, voices, heartbeats, unknown_kinds])
def test_nothing_grows_with_what_a_server_makes_up(ann: Player, flood: Round) -> None:
    host = inside(ann)
    numbers = count()

    def rounds(many: int) -> None:
        for _ in range(many):
            flood(host, next(numbers))
            ann.reactor.advance(0.02)
            ann.call.turn()
            for message in host.received():
                if isinstance(message, m.Ping):
                    host.tell(m.Pong(message.id))
            for output in (ann.out, ann.err):
                output.seek(0)
                output.truncate()

    tracemalloc.start()
    try:
        rounds(WARM)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        rounds(MORE)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < GROWTH
    finally:
        tracemalloc.stop()
    assert not host.transport.aborted, "the flood was lived through to its end"


def test_frames_of_names_beyond_the_first_are_counted_together(ann: Player) -> None:
    host = inside(ann)
    for number in range(MOST_NAMES + 50):
        names(host, number)
    counted = figures(ann)
    assert len(counted["sources"]) == MOST_NAMES
    assert sum(counted["sources"].values()) + counted["sources_left_out"] == MOST_NAMES + 50


def test_more_people_than_a_server_may_seat_end_the_connection(ann: Player) -> None:
    host = inside(ann)
    for source in range(2, MOST_NAMES + 2):
        host.tell(m.Joined(m.Participant(source, f"name {source}")))
    assert len(ann.call.friends.people) == MOST_NAMES
    assert not host.transport.aborted
    host.tell(m.Joined(m.Participant(MOST_NAMES + 2, "one too many")))
    assert host.transport.aborted
    host.lose()
    assert "more people than a server may seat" in ann.lines[-1]


def test_one_who_is_announced_as_ourselves_ends_the_connection(ann: Player) -> None:
    host = inside(ann)
    host.tell(m.Joined(m.Participant(1, "Ann's double")))
    assert host.transport.aborted


@pytest.mark.parametrize(
    "roster",
    [
        [m.Participant(source, f"name {source}") for source in range(2, 3 + messages.MOST_IN_WELCOME)],
        [m.Participant(1, "Ann's double")],
    ],
    ids=["too many", "ourselves"],
)
def test_a_welcome_that_breaks_a_limit_is_no_voicechat(ann: Player, roster: list[m.Participant]) -> None:
    host: Host = ann.accepted()
    host.answer()
    host.welcome(m.Welcome(1, "Ann", "", 7, roster))
    assert ann.entered == 0
    assert ann.ended is not None
    assert ann.ended[0] == Exit.PROTOCOL
    assert host.transport.aborted


@pytest.mark.parametrize(
    "packet",
    [
        b'\x81{"participant":{"source":3,"name":"%s"}}' % (b"x" * 129),
        b'\x82{"source":2,"reason":"%s"}' % (b"x" * 501),
        b'\x88{"text":"%s","source":2}' % (b"x" * 501),
        b'\x8d{"reason":"%s"}' % (b"x" * 501),
    ],
    ids=["name", "reason", "text", "goodbye"],
)
def test_words_that_are_too_long_end_the_connection(ann: Player, packet: bytes) -> None:
    host = inside(ann)
    host.tell_bytes(packet)
    assert host.transport.aborted
    host.lose()
    assert all(len(line) < 200 for line in ann.lines)
    assert ann.ended is None


def sources() -> st.SearchStrategy[int]:
    return st.integers(1, LAST_SOURCE)


NEWS = st.one_of(
    st.builds(
        m.Joined,
        st.builds(m.Participant, sources(), st.text(string.ascii_letters, min_size=1, max_size=8)),
    ),
    st.builds(m.Left, sources()),
    st.builds(m.Away, sources()),
    st.builds(m.Back, sources()),
    st.builds(m.Talk, sources(), st.booleans(), st.integers(0, 60_000), st.integers(0, 60_000)),
    st.builds(m.State, st.booleans(), st.booleans(), sources()),
)


def everybody() -> Iterator[m.Message]:
    """As many as there may be."""
    for source in range(2, MOST_NAMES + 2):
        yield m.Joined(m.Participant(source, f"name {source}"))


@given(full=st.booleans(), news=st.lists(NEWS, max_size=60))
def test_whatever_is_told_of_people_stays_within_the_limits(*, full: bool, news: list[m.Message]) -> None:
    friends = Friends()
    friends.welcome(m.Welcome(1, "Ann", "", 7, []))
    for message in [*everybody(), *news] if full else news:
        try:
            friends.learn(message)
        except WireError:
            assert isinstance(message, m.Joined)
        people = {person.source for person in friends.people}
        assert len(people) <= len(friends._names) <= MOST_NAMES
        assert people <= friends._names.keys(), "who is here has a name"
        assert friends._talking | friends._late.keys() <= friends._names.keys()
        assert 1 not in people


def test_streams_are_made_at_the_beat_of_frames_and_no_faster() -> None:
    made: list[int] = []

    class Counting(MemoryCodec):
        def decoder(self):  # type: ignore[no-untyped-def]
            made.append(1)
            return super().decoder()

    hearing = Hearing(Counting())
    for number in range(10_000):  # a thousand packets a second for ten seconds, each of another source
        hearing.put(MediaPacket(1 + number % LAST_SOURCE, number & 0xFFFF, FRAME), number / 20)
    assert len(made) <= MADE_ANEW + 10_000 / 20 + 1
    assert hearing.passed_over > 9000


def test_more_messages_than_any_room_makes_end_the_connection(ann: Player) -> None:
    """Known ones and unknown ones; all that a full house makes for ten seconds, and comes at once, is taken."""
    host = inside(ann)
    for number in range(int(MESSAGES_AT_ONCE)):
        (unknown_kinds if number % 2 else texts)(host, number)
    assert not host.transport.aborted
    unknown_kinds(host, 0)
    assert host.transport.aborted
    host.lose()
    assert "far more messages than a room makes" in ann.lines[-1]
    assert ann.ended is None


def test_more_sound_than_anybody_needs_is_left_out_and_counted(ann: Player) -> None:
    host = inside(ann)
    packet = media.encode(MediaPacket(MIX, 1, FRAME))
    for _ in range(int(PACKETS_AT_ONCE) + 700):
        host.tell_bytes(packet)
    assert figures(ann)["passed_over"] == 700
    assert not host.transport.aborted
    assert host.transport.producerState == "paused", "a flood waits at the server"
    ann.reactor.advance(PAUSE)
    assert host.transport.producerState == "producing"
    host.tell_bytes(packet)
    host.lose()
    assert not [call for call in ann.reactor.getDelayedCalls() if call.getTime() < ann.reactor.seconds() + PAUSE]


def test_a_flood_of_strings_is_told_of_whatever_datagrams_are_left_out_between_them() -> None:
    told: list[None] = []
    allowance = ServerAllowance(0.0, lambda: told.append(None))
    for _ in range(int(PACKETS_AT_ONCE)):
        allowance.string(0.0, bytes(1), 1)
        allowance.datagram(0.0)
    for _ in range(2 * FLOOD):
        assert not allowance.string(0.0, bytes(1), 1)
        assert not allowance.datagram(0.0)
    assert len(told) == 2
    assert allowance.passed_over == 4 * FLOOD


def test_what_a_full_house_may_make_is_never_too_much() -> None:
    """200 guests at their own limits, and sound beside."""
    clock = Clock()
    allowance = ServerAllowance(clock.seconds())
    for _ in range(60):
        clock.advance(1.0)
        assert all(
            allowance.string(clock.seconds(), b"", 0) for _ in range(int(MOST_SEATS * Limits().control_a_second))
        )
        assert all(allowance.datagram(clock.seconds()) for _ in range(3 * TICKS_PER_SECOND))
    assert allowance.passed_over == 0


def test_datagrams_beyond_all_need_are_not_looked_at_and_counted(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in(m.Welcome(1, "Ann", "", 7, [m.Participant(2, "Ben")], udp_port=1234))
    connection = ann.call.connection
    assert connection is not None
    seal = host.session.keys.datagram_seal(7)
    for number in range(int(PACKETS_AT_ONCE) + 500):
        packet = media.encode(MediaPacket(2, number & 0xFFFF, FRAME))
        datagram = seal.seal(DatagramType.MEDIA if number % 2 else DatagramType.PROBE, packet)
        with suppress(WireError):
            connection.connection.datagram_received(parse_header(datagram), datagram, ("192.0.2.10", 1234))
    assert figures(ann)["passed_over"] == 500
    assert not host.transport.aborted
