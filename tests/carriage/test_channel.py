"""Two ends of one session's datagrams, and a way between them that a test spoils."""

from collections import deque
from collections.abc import Callable

import pytest
from twisted.internet.task import Clock

from tests.driven import DrivenChannel
from voicechat.carriage.channel import PROBE_BYTES, TOKEN_BYTES, Address
from voicechat.errors import WireError
from voicechat.format import TICK_SECONDS
from voicechat.media.redundancy import FIRST_REPORTS
from voicechat.security.keys import Side, resume_keys
from voicechat.session.reachability import MEASURED
from voicechat.session.round_trips import KNOWN
from voicechat.wire.datagrams import MAX_PACKET, DatagramType, parse_header
from voicechat.wire.messages import Message, Path, Report

CLIENT: Address = ("192.0.2.1", 50_000)
SERVER: Address = ("198.51.100.1", 1234)


class Pair:
    """A client's channel, a server's channel, and the two ways between them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(500.0)
        self.on_its_way: deque[tuple[DrivenChannel, bytes, Address]] = deque()
        self.lose: Callable[[Address, bytes], bool] = lambda _to, _datagram: False
        """Whether a datagram to an address gets lost."""
        self.home = CLIENT
        """Where the client sends from."""
        self.told: list[tuple[str, Message]] = []
        self.heard: list[tuple[str, bytes]] = []
        keys = {side: resume_keys(side, bytes(32), b"transcript") for side in Side}
        self.client = DrivenChannel(self.clock, keys[Side.CLIENT], 7, self._up, lambda m: self._tell("server", m))
        server, tell = keys[Side.SERVER], lambda m: self._tell("client", m)
        self.server = DrivenChannel(self.clock, server, 7, self._down, tell, resting=True)
        self.client.on_media = lambda packet, _: self.heard.append(("client", packet))
        self.server.on_media = lambda packet, _: self.heard.append(("server", packet))
        self.server.start()
        self.client.start(SERVER)
        self.settle()

    def _up(self, datagram: bytes, to: Address) -> None:
        if not self.lose(to, datagram):
            self.on_its_way.append((self.server, datagram, self.home))

    def _down(self, datagram: bytes, to: Address) -> None:
        if to == self.home and not self.lose(to, datagram):
            self.on_its_way.append((self.client, datagram, SERVER))

    def _tell(self, to: str, message: Message) -> None:
        """Over TCP, which loses nothing."""
        self.told.append((to, message))
        link = self.client if to == "client" else self.server
        assert isinstance(message, Path | Report)
        link.message_received(message)

    def settle(self) -> None:
        """Deliver all."""
        for _ in range(1000):
            self.clock.advance(0)
            if not self.on_its_way:
                return
            link, datagram, source = self.on_its_way.popleft()
            link.came(parse_header(datagram), datagram, source)
        raise AssertionError("they never cease to talk")

    def talk(self, seconds: float, client: bool = True, server: bool = True) -> None:
        """Media both ways, where it is up, for so long."""
        for _ in range(round(seconds / TICK_SECONDS)):
            for link, talks in ((self.client, client), (self.server, server)):
                if talks and link.up:
                    link.say_media(b"\x00\xff\0\0payload")
            self.settle()
            self.clock.advance(TICK_SECONDS)
            self.settle()

    def pass_seconds(self, seconds: float) -> None:
        """Let time go by in silence."""
        self.talk(seconds, client=False, server=False)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_a_good_way_is_found_soon_in_both_directions(pair: Pair) -> None:
    assert pair.client.up, "at once"
    pair.pass_seconds(0.3)
    assert pair.server.up
    assert pair.server.address == CLIENT


def test_a_client_knows_its_line_within_two_seconds_and_a_server_does_not_ask(pair: Pair) -> None:
    pair.pass_seconds(2)
    assert len(pair.client.reachability.round_trips.lateness()) == KNOWN
    assert len(pair.server.reachability.round_trips.lateness()) <= 1
    assert pair.client.bytes_out + pair.client.bytes_in < 2 * MEASURED * (8 + PROBE_BYTES + 8) + 400


def test_media_passes_as_it_is(pair: Pair) -> None:
    pair.client.say_media(b"up")
    pair.server.say_media(b"down")
    pair.settle()
    assert pair.heard == [("server", b"up"), ("client", b"down")]
    assert (pair.client.lost, pair.server.lost) == (0, 0)


def test_no_answer_is_larger_than_what_it_answers() -> None:
    pair = Pair()
    sizes: set[int] = set()

    def note(_: Address, datagram: bytes) -> bool:
        sizes.add(len(datagram))
        return False

    pair.lose = note
    pair.pass_seconds(20)
    assert sizes == {8 + PROBE_BYTES + 8}


@pytest.mark.parametrize("kind", [DatagramType.PROBE, DatagramType.ANSWER])
@pytest.mark.parametrize("size", [0, TOKEN_BYTES, PROBE_BYTES - 1, PROBE_BYTES + 1, MAX_PACKET])
def test_a_probe_or_an_answer_of_a_wrong_size_is_not_answered(pair: Pair, kind: DatagramType, size: int) -> None:
    pair.pass_seconds(1)
    sent, told = pair.server.packets_out, len(pair.told)
    datagram = pair.client._seal.seal(kind, b"\1" * size)
    with pytest.raises(WireError):
        pair.server.came(parse_header(datagram), datagram, CLIENT)
    assert (pair.server.packets_out, len(pair.told)) == (sent, told)


def test_where_no_datagram_passes_media_stays_on_tcp(pair: Pair) -> None:
    for link in (pair.client, pair.server):
        link.stop()
    pair.lose = lambda _to, _datagram: True
    pair.client.start(SERVER)
    pair.server.start()
    pair.talk(10)
    assert not pair.client.up
    assert not pair.server.up


def test_silence_costs_a_few_probes(pair: Pair) -> None:
    pair.pass_seconds(10)
    before = pair.client.bytes_out + pair.server.bytes_out
    pair.pass_seconds(60)
    assert (pair.client.bytes_out + pair.server.bytes_out - before) / 60 < 40


@pytest.mark.parametrize("direction", ["up", "down"])
def test_each_direction_is_judged_for_itself(pair: Pair, direction: str) -> None:
    """A firewall may let datagrams pass one way only; the answers then come over TCP."""
    pair.talk(1)
    pair.lose = lambda to, _: (to == SERVER) == (direction == "up")
    pair.talk(4)
    up, down = pair.client.up, pair.server.up
    assert (up, down) == ((False, True) if direction == "up" else (True, False))
    pair.heard.clear()
    pair.talk(1)
    assert len(pair.heard) == 50
    assert {who for who, _ in pair.heard} == {"client" if direction == "up" else "server"}


@pytest.mark.parametrize("after", [0.5, 1.0, 1.1, 1.3, 1.6, 1.9, 2.0, 2.4])
def test_a_way_that_dies_is_left_within_two_seconds_and_one_that_lives_again_is_taken(pair: Pair, after: float) -> None:
    changes: list[bool] = []
    pair.client.on_change = changes.append
    pair.talk(after)
    pair.lose = lambda _to, _datagram: True
    pair.talk(2.0)
    assert not pair.client.up
    assert not pair.server.up
    pair.lose = lambda _to, _datagram: False
    pair.pass_seconds(20)
    assert pair.client.up
    assert pair.server.up
    assert changes == [False, True]


def test_loss_is_counted_reported_and_answered_with_redundancy(pair: Pair) -> None:
    sent = iter(range(1_000_000))
    pair.talk(FIRST_REPORTS + 1)
    assert pair.client.policy.offset == 0
    pair.lose = lambda to, _: to == SERVER and next(sent) % 10 == 0
    pair.talk(5)
    assert pair.client.policy.offset > 0, "what the server reports lets the client send frames twice"
    assert pair.server.policy.offset == 0, "nothing is lost the other way"
    assert 20 < pair.server.lost < 35
    assert pair.client.up
    assert [message for to, message in pair.told if to == "client" and isinstance(message, Report)]


def test_on_a_clean_line_there_are_three_reports_each_way(pair: Pair) -> None:
    pair.talk(30)
    for side in ("client", "server"):
        assert sum(isinstance(message, Report) for to, message in pair.told if to == side) == FIRST_REPORTS


@pytest.mark.parametrize("lost_at", [10, 80, 1000])
@pytest.mark.parametrize("pause", [1.0, 15.0, 120.0])
def test_redundancy_ends_however_seldom_somebody_talks(pair: Pair, lost_at: int, pause: float) -> None:
    sent = iter(range(1_000_000))
    pair.lose = lambda to, _: to == SERVER and lost_at <= next(sent) < lost_at + 5
    for _ in range(60):
        pair.talk(1.2)
        pair.pass_seconds(pause)
    assert pair.server.lost >= 3
    assert pair.client.policy.offset == 0


@pytest.mark.parametrize("one_in", [10, 3])
def test_when_nothing_is_lost_any_more_redundancy_ends(pair: Pair, one_in: int) -> None:
    sent = iter(range(1_000_000))
    pair.talk(2)
    pair.lose = lambda to, _: to == SERVER and next(sent) % one_in == 0
    pair.talk(5)
    assert pair.client.policy.offset > 0
    pair.lose = lambda _to, _datagram: False
    pair.talk(60)
    assert pair.client.policy.offset == 0


def test_a_new_address_is_taken_when_it_has_answered(pair: Pair) -> None:
    pair.talk(1)
    pair.home = ("192.0.2.77", 7777)
    pair.talk(2)
    assert pair.server.address == pair.home
    pair.heard.clear()
    pair.talk(1)
    assert len(pair.heard) == 100


def test_an_address_that_does_not_answer_gets_next_to_nothing(pair: Pair) -> None:
    pair.talk(1)
    victim: Address = ("203.0.113.9", 9)
    sent: list[bytes] = []
    down = pair.server.write

    def write(datagram: bytes, to: Address) -> None:
        sent.extend([datagram] * (to == victim))
        down(datagram, to)

    pair.server.write = write
    for _ in range(250):
        pair.home = victim
        pair.client.say_media(b"\x00\xff\0\0payload")
        link, datagram, source = pair.on_its_way.pop()
        link.came(parse_header(datagram), datagram, source)
        pair.home = CLIENT
        pair.on_its_way.clear()
        pair.clock.advance(TICK_SECONDS)
    assert len(sent) <= 6, "one question a second"
    assert pair.server.address == CLIENT


def test_what_does_not_open_changes_nothing(pair: Pair) -> None:
    pair.client.say_media(b"hello")
    link, datagram, source = pair.on_its_way.popleft()
    for broken in (datagram[:-1] + bytes([datagram[-1] ^ 1]), datagram[:-3], datagram[:8] + bytes(20)):
        with pytest.raises(WireError):
            link.came(parse_header(broken), broken, ("203.0.113.9", 9))
    link.came(parse_header(datagram), datagram, source)
    with pytest.raises(WireError):
        link.came(parse_header(datagram), datagram, source)
    assert pair.heard == [("server", b"hello")]
    assert pair.server.address == CLIENT


@pytest.mark.parametrize("token", ["", "zz", "00" * 64])
def test_a_token_that_is_none_of_ours_proves_nothing(pair: Pair, token: str) -> None:
    pair.lose = lambda _to, _datagram: True
    pair.talk(4)
    try:
        pair.client.message_received(Path(token))
    except WireError:
        assert token == "zz"
    assert not pair.client.up


def test_after_the_end_nothing_is_sent_and_no_call_is_left(pair: Pair) -> None:
    pair.talk(1)
    pair.client.stop()
    pair.server.stop()
    assert not pair.clock.getDelayedCalls()
    assert not pair.client.up
    assert not pair.on_its_way
