"""UDP ports on real sockets: how much they read at a time, what they let in, and where answers leave from."""

import errno
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import udp as twisted_udp
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.selectreactor import SelectReactor

from tests.memory import VoiceReactor
from voicechat.carriage import filter as kernel
from voicechat.carriage import udp
from voicechat.carriage.channel import Address
from voicechat.carriage.udp import MOST_A_TURN, answer_from, dropped, listen, sender
from voicechat.wire.datagrams import MAX_DATAGRAM

GOOD = b"\x10" + bytes(23)
"""It has the shape of one of ours."""

MANY = 3 * MOST_A_TURN
"""More than are read in a turn, and few enough for the kernel's queue."""


class Reader(DatagramProtocol):
    """Notes what comes."""

    noisy = False

    def __init__(self) -> None:
        self.came: list[tuple[bytes, Address]] = []
        self.each: Callable[[], object] = lambda: None

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:
        """One more."""
        self.came.append((datagram, addr))
        self.each()

    @property
    def datagrams(self) -> list[bytes]:
        """What came, without where from."""
        return [datagram for datagram, _ in self.came]


class Ends:
    """A port of ours in a reactor that a test turns by hand, and sockets that send to it."""

    def __init__(self, interface: str, *, replies: bool = True) -> None:
        self._held = ExitStack()
        self.reactor = SelectReactor()
        self.reader = Reader()
        self.port = listen(self.reactor, 0, self.reader, interface, replies=replies)
        self.number = self.port.getHost().port

    def socket_to(self, host: str) -> socket.socket:
        """Somebody who asks ``host``, which is one of ours, and takes answers from nowhere else."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = self._held.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        sock.connect((host, self.number))
        sock.setblocking(False)
        return sock

    def close(self) -> None:
        """Let go of all."""
        self.port.stopListening()
        self.reactor.iterate()
        self.reactor.removeAll()
        for selectable in list(getattr(self.reactor, "_internalReaders", ())):
            selectable.connectionLost(None)
        self._held.close()


@pytest.fixture
def made() -> Iterator[Callable[..., Ends]]:
    """Makes ends that are closed when the test is over."""
    with ExitStack() as held:

        def make(interface: str = "127.0.0.1", **rest: Any) -> Ends:
            ends = Ends(interface, **rest)
            held.callback(ends.close)
            return ends

        yield make


@pytest.fixture
def unfiltered(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the kernel has no filter."""
    monkeypatch.setattr(kernel, "attach", lambda *_: False)


@pytest.mark.usefixtures("unfiltered")
@pytest.mark.parametrize("datagram", [b"", b"\0", bytes(16), bytes(1200), bytes(1201), bytes(60_000), GOOD])
def test_a_turn_reads_so_many_whatever_they_are(made: Callable[..., Ends], datagram: bytes) -> None:
    """Empty ones cost as much as all others; Twisted counts bytes, and never came to an end."""
    ends = made()
    it = ends.socket_to("127.0.0.1")
    number = MANY if len(datagram) < 10_000 else MOST_A_TURN + 1
    ends.port.getHandle().setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_RCVBUFFORCE", 33), 16 << 20)
    for _ in range(number):
        it.send(datagram)
    read: list[int] = []
    while sum(read) < number:
        before = len(ends.reader.came)
        ends.port.doRead()
        read.append(len(ends.reader.came) - before)
    assert read == [MOST_A_TURN] * (number // MOST_A_TURN) + [number % MOST_A_TURN] * (number % MOST_A_TURN > 0)
    assert {len(datagram) for datagram in ends.reader.datagrams} == {min(len(datagram), MAX_DATAGRAM + 1)}


@pytest.mark.usefixtures("unfiltered")
def test_what_else_is_due_comes_between_two_portions(made: Callable[..., Ends]) -> None:
    """A beat that falls into a flood waits for one portion, and not until nothing is left."""
    ends = made()
    it = ends.socket_to("127.0.0.1")
    seen: list[int] = []

    def beat() -> None:
        seen.append(len(ends.reader.came))
        ends.reactor.callLater(0, beat)

    for _ in range(MANY):
        it.send(b"")
    beat()
    while len(ends.reader.came) < MANY:
        ends.reactor.iterate()
    beat()
    assert max(later - sooner for sooner, later in pairwise(seen)) == MOST_A_TURN


@pytest.mark.parametrize("interface", ["127.0.0.1", "::1", "", "::"])
def test_what_is_none_of_ours_wakes_nobody_and_is_counted(made: Callable[..., Ends], interface: str) -> None:
    ends = made(interface)
    it = ends.socket_to("::1" if ":" in interface else "127.0.0.1")
    strange = [b"", b"\0", bytes(16), bytes(1200), b"\x0f" + GOOD, b"\x14" + GOOD, b"\x10" * 15, b"\x10" * 1201]
    for datagram in [*strange, GOOD, *strange]:
        it.send(datagram)
    for _ in range(5):
        ends.reactor.iterate()
    assert ends.reader.datagrams == [GOOD]
    assert dropped(ends.port) == 2 * len(strange)


@pytest.mark.parametrize("filtered", [True, False])
def test_it_works_with_and_without_a_filter(
    made: Callable[..., Ends], monkeypatch: pytest.MonkeyPatch, filtered: bool
) -> None:
    if not filtered:
        monkeypatch.setattr(kernel, "attach", lambda *_: False)
    ends = made()
    it = ends.socket_to("127.0.0.1")
    it.send(GOOD)
    ends.reactor.iterate()
    ((datagram, address),) = ends.reader.came
    sender(ends.port)(datagram, address)
    assert it.recv(100) == GOOD


@pytest.mark.parametrize("replies", [True, False])
@pytest.mark.parametrize(
    ("interface", "asked"),
    [("", "127.0.0.1"), ("", "127.0.0.2"), ("::", "127.0.0.2"), ("::", "127.9.9.9"), ("::", "::1"), ("::1", "::1")],
)
def test_an_answer_leaves_from_where_was_asked(
    made: Callable[..., Ends], interface: str, asked: str, replies: bool
) -> None:
    """The kernel alone would answer from the way's first address, here 127.0.0.1, and be heard by nobody."""
    ends = made(interface, replies=replies)
    it = ends.socket_to(asked)
    it.send(GOOD)
    ends.reactor.iterate()
    ((_, address),) = ends.reader.came
    sender(ends.port)(b"an answer", address)
    if replies or asked in ("127.0.0.1", "::1"):
        assert it.recv(100) == b"an answer"
    else:
        with pytest.raises(BlockingIOError):
            it.recv(100)


def test_addresses_are_equal_where_both_ends_are(made: Callable[..., Ends]) -> None:
    ends = made("::")
    first, second = ends.socket_to("127.0.0.1"), ends.socket_to("127.0.0.2")
    second.close()
    same = ends.socket_to("127.0.0.2")
    for it in (first, same, first, same, same):
        it.send(GOOD)
    ends.reactor.iterate()
    addresses = [address for _, address in ends.reader.came]
    assert [addresses.index(address) for address in addresses] == [0, 1, 0, 1, 1]


def test_one_who_asks_another_address_of_ours_is_at_another_address(made: Callable[..., Ends]) -> None:
    """So that it is proved anew: what reaches us at one may not be reached from the other."""
    ends = made("")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        for host in ("127.0.0.1", "127.0.0.2"):
            it.sendto(GOOD, (host, ends.number))
        ends.reactor.iterate()
    (_, one), (_, other) = ends.reader.came
    assert one[0] == other[0]
    assert one != other


@pytest.mark.parametrize("missing", ["recvmsg", "setsockopt"])
def test_where_the_kernel_does_not_tell_it_answers_all_the_same(
    made: Callable[..., Ends], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """As on Windows, whose sockets have no recvmsg in Python."""

    class Plain:
        family = socket.AF_INET6

        def setsockopt(self, *_: int) -> None:
            raise OSError(errno.ENOPROTOOPT, "Protocol not available")

        if missing != "recvmsg":
            recvmsg = None

    tells = udp._reports_address
    monkeypatch.setattr(udp, "_reports_address", lambda _sock: tells(Plain()))
    ends = made("::")
    it = ends.socket_to("127.0.0.1")
    it.send(GOOD)
    ends.reactor.iterate()
    ((datagram, address),) = ends.reader.came
    sender(ends.port)(datagram, address)
    assert it.recv(100) == GOOD


@pytest.mark.parametrize(("interface", "asked"), [("", "127.0.0.1"), ("::", "127.0.0.1"), ("::", "::1")])
def test_an_address_of_ours_that_is_gone_leaves_the_kernels_choice(
    made: Callable[..., Ends], interface: str, asked: str
) -> None:
    ends = made(interface)
    it = ends.socket_to(asked)
    it.send(GOOD)
    ends.reactor.iterate()
    ((_, (peer, ((level, kind, data),))),) = ends.reader.came
    ours = socket.inet_aton(asked) if ":" not in asked else socket.inet_pton(socket.AF_INET6, asked)
    gone = socket.inet_aton("203.0.113.9") if ":" not in asked else socket.inet_pton(socket.AF_INET6, "2001:db8::9")
    assert ours in data
    sender(ends.port)(b"an answer", (peer, ((level, kind, data.replace(ours, gone)),)))
    assert it.recv(100) == b"an answer"


def test_what_cannot_be_sent_is_told(made: Callable[..., Ends]) -> None:
    ends = made("::")
    it = ends.socket_to("127.0.0.1")
    it.send(GOOD)
    ends.reactor.iterate()
    ((_, address),) = ends.reader.came
    with pytest.raises(OSError, match="Message too long"):
        sender(ends.port)(bytes(70_000), address)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1))
def test_only_a_link_local_address_says_by_which_interface(ours: bytes, interface: int) -> None:
    """The way back may lead through another one."""
    told = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, struct.pack("@16sI", ours, interface))]
    ((level, kind, data),) = answer_from(told)
    kept = interface if ours[:2] == b"\xfe\x80" else 0
    assert (level, kind, data) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, struct.pack("@16sI", ours, kept))


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 60), st.binary(max_size=32)), max_size=3))
def test_what_else_is_told_changes_nothing(told: list[tuple[int, int, bytes]]) -> None:
    """A cut piece, or something that nobody asked for, is no address."""
    assert len(answer_from(told)) <= 1
    assert answer_from([one for one in told if one[1] not in (8, 50)]) == ()


def test_it_hears_both_families_whatever_the_systems_rule_is(
    made: Callable[..., Ends], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with net.ipv6.bindv6only=1, and on the BSDs."""
    create = twisted_udp.Port.createInternetSocket

    def as_ruled(port: twisted_udp.Port) -> socket.socket:
        sock = create(port)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        return sock

    monkeypatch.setattr(twisted_udp.Port, "createInternetSocket", as_ruled)
    ends = made("::")
    for host in ("127.0.0.1", "::1"):
        ends.socket_to(host).send(GOOD)
    ends.reactor.iterate()
    assert ends.reader.datagrams == [GOOD, GOOD]


def test_what_it_sends_is_marked_as_voice(made: Callable[..., Ends]) -> None:
    sock = made("::").port.getHandle()
    assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 46 << 2
    assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) == 46 << 2


def test_a_fault_in_a_datagram_costs_this_datagram(made: Callable[..., Ends]) -> None:
    ends = made()
    it = ends.socket_to("127.0.0.1")

    def fault() -> None:
        raise ZeroDivisionError

    ends.reader.each = fault
    for _ in range(3):
        it.send(GOOD)
        ends.reactor.iterate()
    assert ends.reader.datagrams == [GOOD] * 3


def test_news_of_what_did_not_get_there_are_no_end_and_have_one(made: Callable[..., Ends]) -> None:
    """Windows tells so in place of a datagram: what waits behind it is read, and a row of them is bounded."""
    ends = made()
    told = 0
    receive = ends.port._receive

    def refused() -> tuple[bytes, Address]:
        nonlocal told
        told += 1
        if told == 3:
            return receive()  # type: ignore[no-any-return]
        raise ConnectionResetError

    ends.socket_to("127.0.0.1").send(GOOD)
    ends.port._receive = refused
    ends.port.doRead()
    assert ends.reader.datagrams == [GOOD]
    assert told == MOST_A_TURN


def test_a_port_that_is_taken_is_told(made: Callable[..., Ends]) -> None:
    ends = made()
    with pytest.raises(CannotListenError) as told:
        listen(ends.reactor, ends.number, Reader(), "127.0.0.1")
    assert told.value.socketError.errno == errno.EADDRINUSE


def test_a_reactor_with_ports_of_its_own_is_asked_for_one() -> None:
    reactor, reader = VoiceReactor(), Reader()
    port = listen(reactor, 0, reader, "::")
    sender(port)(GOOD, ("2001:db8::1", 9))
    assert reactor.ports[0].sent == [(GOOD, ("2001:db8::1", 9))]
    assert dropped(port) == 0
