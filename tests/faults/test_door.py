"""Faults of the first voice chat at its door, each shown to be gone: F1, F2, F9, F10, F11."""

import pytest

from tests.client.player import PASSWORD, Host, Network, Player, pass_time
from tests.memory import VoiceReactor
from tests.server.house import House, TcpFriend
from voicechat.carriage.heartbeat import ANSWER_WITHIN, PING_EVERY
from voicechat.client.exits import Exit
from voicechat.security.secret import Secret
from voicechat.server.admission import ANSWER_PRICE
from voicechat.server.factory import VoiceServerFactory
from voicechat.server.hub import Hub
from voicechat.server.limits import Limits
from voicechat.server.metrics import Login
from voicechat.testing import MemoryCodec
from voicechat.wire import handshake
from voicechat.wire.handshake import Reason, Refuse


def test_f1_idle_connections_do_not_keep_a_friend_out() -> None:
    """There, four idle connections took all four seats, for good."""
    house = House()
    began = house.clock.seconds()
    idle = [TcpFriend(house, "idle", host=f"203.0.113.{n}") for n in range(64)]
    half = []
    for n in range(64):
        stranger = TcpFriend(house, "half", host=f"198.51.100.{n}", password="guess")
        stranger.send_string(stranger.session.begin())
        stranger.send_string = lambda string: None  # type: ignore[method-assign]  # and no more
        half.append(stranger)
    house.pass_seconds(3)
    assert len(house.hub.admission) <= Limits().before_login
    assert not house.hub.seats, "a seat is for one who has proved the password"

    friend = TcpFriend(house, "Ann").begin()
    house.pass_seconds(1)
    assert friend.welcome is not None

    house.pass_seconds(5.5 - (house.clock.seconds() - began))
    assert not any(stranger.connected for stranger in (*idle, *half))
    assert friend.connected
    assert len(house.hub.admission) == 0


@pytest.mark.parametrize("length", [4097, 1 << 31, 0xFFFFFFFF])
def test_f2_a_length_is_refused_before_a_byte_is_kept(length: int) -> None:
    """There, one packet of four bytes made either side ask for 4 GiB."""
    house = House()
    before, after = TcpFriend(house, "before"), TcpFriend(house, "after").begin()
    house.login()
    assert after.welcome is not None
    for stranger in (before, after):
        stranger.send_bytes(length.to_bytes(4, "big") + bytes(1 << 16))
        house.settle()
        assert not stranger.connected
        assert len(stranger.protocol.recvd) <= (1 << 16) + 4

    player = Player()
    player.service.start()
    host: Host = player.accepted()
    host.let_in()
    host.send_bytes(length.to_bytes(4, "big"))
    assert host.transport.aborted


def test_f2_before_the_login_256_bytes_are_the_limit() -> None:
    house = House()
    stranger = TcpFriend(house, "stranger")
    stranger.send_bytes((handshake.MAX_CLEAR + 1).to_bytes(4, "big"))
    house.settle()
    assert not stranger.connected


def test_f9_half_open_and_frozen_peers_are_cut() -> None:
    """There, no connection had a deadline or a heartbeat."""
    house = House()
    ann, frozen, silent = (TcpFriend(house, name).begin() for name in ("Ann", "frozen", "silent"))
    house.login()
    frozen.answers = False
    silent.deliver = lambda: False  # type: ignore[method-assign]  # their cable is cut, their kernel says nothing
    house.pass_seconds(PING_EVERY + ANSWER_WITHIN - 0.2)
    assert not frozen.transport.over
    house.pass_seconds(0.4)
    assert frozen.transport.aborted
    assert silent.transport.aborted
    assert ann.connected


def connect(hub: Hub, reactor: VoiceReactor, name: str, password: str = PASSWORD) -> Player:
    """A real client at a real server, for as long as a login takes."""
    somebody = Player(name, reactor=reactor, password=password)
    somebody._taken = len(reactor.tcpClients)
    somebody.service.start()
    network = Network(reactor, VoiceServerFactory(hub))
    network.join(somebody)
    pass_time([somebody], 0.1, network.settle)
    return somebody


def test_f10_a_client_is_told_why_it_cannot_enter() -> None:
    """There, a refusal could not be told from a success, nor one reason from another."""
    reactor = VoiceReactor()
    hub = Hub(reactor, MemoryCodec(), Secret(PASSWORD), limits=Limits(max_clients=1))
    ann = connect(hub, reactor, "Ann")
    wrong = connect(hub, reactor, "Ben", "guess")
    full = connect(hub, reactor, "Ben")
    older = Player()
    older.service.start()
    newer: Host = older.accepted()
    newer.send(Refuse(Reason.VERSION, 0, 2, 2).build())
    nobody = Player()
    nobody.service.start()
    for _ in range(3):
        nobody.refused()
        nobody.reactor.advance(1)

    assert ann.entered == 1
    ends = [player.ended for player in (wrong, full, older, nobody)]
    assert [end and end[0] for end in ends] == [Exit.PASSWORD, Exit.TRY_LATER, Exit.PROTOCOL, Exit.UNREACHABLE]
    assert len({end and end[1] for end in ends}) == 4
    assert all(end and "\n" not in end[1] for end in ends)


def test_f11_guesses_are_few() -> None:
    """There, 13 700 passwords a second could be tried."""
    house = House()
    evaluated = 0
    for _ in range(200):
        guesser = TcpFriend(house, "guesser", host="203.0.113.9", password="guess")
        if guesser.connected:
            guesser.begin()
        house.login()
        evaluated += guesser.refused == Refuse(Reason.PASSWORD)
        house.friends.remove(guesser)
    assert evaluated == Limits().failures
    friend = TcpFriend(house, "Ann").begin()
    house.login()
    assert friend.welcome is not None, "another address is not concerned"


def test_f11_logins_of_all_together_are_paced() -> None:
    """Both halves of a login are: who asks for an answer alone, and who shows a proof as well."""
    limits = Limits()
    for proves, dearest in ((True, 1.0), (False, ANSWER_PRICE)):
        house = House(before_login=1000, login_seconds=60.0)
        hello = TcpFriend(house, "one").session.begin()
        crowd = [TcpFriend(house, "many", host=f"203.0.{n // 250}.{n % 250}") for n in range(700)]
        for stranger in crowd:
            stranger.send_string(hello)
        asked: set[TcpFriend] = set()
        work = []
        for _ in range(4):
            for _ in range(100):
                house.clock.advance(0.01)
                answered = {stranger for stranger in crowd if stranger.transport.value()}
                for stranger in answered - asked if proves else ():
                    stranger.send_string(handshake.Auth(bytes(32), bytes(16)).build())
                asked |= answered
            work.append(house.counted("logins_total", Login.WRONG_PASSWORD) if proves else ANSWER_PRICE * len(asked))
        assert all(done <= limits.logins_burst + limits.logins_a_second * (n + 1) + 1 for n, done in enumerate(work)), (
            work
        )
        assert work[3] - work[1] <= 2 * limits.logins_a_second + 1
        assert work[3] > 100 * dearest
