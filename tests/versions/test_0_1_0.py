"""0.1.0 and today's programs hold a call, whichever of them is the server: docs/wire-protocol.md, 6.1.

Zoë's side, and their server's, are played from what 0.1.0 sent (`recorded`). So that their strings open, the program of
today is given the chance of the recording: SPAKE2's random numbers, the ticket and the nonces.
"""

import secrets
from typing import Any

import msgspec
import pytest
from twisted.internet.address import IPv4Address

from tests.client.player import Player, Wire
from tests.server.house import House, TcpFriend
from tests.versions import recorded
from voicechat.codecs.opus import OpusCodec
from voicechat.security.login import ClientLogin, ServerLogin
from voicechat.wire import control, messages
from voicechat.wire.handshake import Reason, Refuse

LOGIN, RESUME = recorded.connections()
SHRUG = "🤷\u200d♂\ufe0f"
LONG = f"Žofie-Anežka Šťastná-Řeháčková {SHRUG}"  # 32 letters
SHORT = "Žofie-Anežka Šťastná-Řehá"  # 32 bytes


@pytest.fixture(autouse=True)
def same_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClientLogin.__init__, "__defaults__", (recorded.client_chance,))
    monkeypatch.setattr(ServerLogin.__init__, "__defaults__", (recorded.server_chance,))


def given(monkeypatch: pytest.MonkeyPatch, *values: bytes) -> None:
    """The next random bytes, by their length; then chance again."""
    left, chance = list(values), secrets.token_bytes

    def token_bytes(length: int) -> bytes:
        for value in left:
            if len(value) == length:
                left.remove(value)
                return value
        return chance(length)

    monkeypatch.setattr(secrets, "token_bytes", token_bytes)


def ticket_in(response: bytes) -> tuple[bytes, bytes]:
    """Id and secret of the ticket that a recorded response brings."""
    ticket = recorded.obey(response).ticket
    return bytes.fromhex(ticket.id), bytes.fromhex(ticket.secret)


def recorded_welcome() -> bytes:
    return recorded.login_keys(LOGIN.server[0], LOGIN.client[1], LOGIN.server[1])[2]


class Zoe:
    """A client of 0.1.0 at a server of today: says what was recorded, and obeys what it is told as 0.1.0 did."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._wire = Wire(house.factory.buildProtocol(IPv4Address("TCP", "192.0.2.9", 40_000)), "192.0.2.9")
        self._strings: list[bytes] = []
        self.keys: recorded.Keys | None = None
        self.told: list[Any] = []
        """Control messages, as 0.1.0 takes them."""
        self.heard = 0

    @property
    def connected(self) -> bool:
        return not self._wire.transport.over

    def say(self, string: bytes) -> None:
        assert self.connected
        self._wire.send(string)
        for _ in range(6):
            self._house.clock.advance(0.002)
            self._house.settle()
            self.listen()

    def listen(self) -> None:
        self._strings += self._wire.strings()
        while self.keys is not None and self._strings:
            packet = self.keys.client.opener.open(self._strings.pop(0))
            if packet[0] < 0x80:
                self.heard += 1
            else:
                self.told.append(recorded.obey(packet))

    def answer(self) -> bytes:
        """The next string of the server before the session."""
        return self._strings.pop(0)

    def told_of(self, kind: int) -> list[Any]:
        return [message for message in self.told if isinstance(message, recorded.FROM_A_SERVER[kind])]

    def lose(self) -> None:
        self._wire.lose()


def arrive(house: House, name: str, **rest: Any) -> TcpFriend:
    friend = TcpFriend(house, name, **rest).begin()
    house.login()
    assert friend.welcome is not None, friend.refused
    return friend


def test_a_client_of_0_1_0_holds_a_call_at_a_server_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(OpusCodec())
    ben = arrive(house, f"Ben {SHRUG}")
    zoe = Zoe(house)
    (ticket, secret), (nonce, resumed) = ticket_in(recorded_welcome()), (RESUME.server[0][4:20], RESUME.server[0])
    zoe.say(LOGIN.client[0])
    assert zoe.answer() == LOGIN.server[0]
    with monkeypatch.context() as patch:
        given(patch, ticket, secret)
        zoe.say(LOGIN.client[1])
    zoe.keys, request, response = recorded.login_keys(LOGIN.server[0], LOGIN.client[1], zoe.answer())
    assert b"capabilities" not in request
    welcome = recorded.obey(response)
    assert (welcome.name, [person.name for person in welcome.roster]) == ("Zoë", ["Ben 🤷♂\ufe0f"])

    ben.forget()
    for string in LOGIN.client[2:]:
        zoe.say(string)
    (state, _) = ben.told_of(messages.State)
    assert state == messages.State(muted=True, source=welcome.source)
    assert [line.text for line in ben.told_of(messages.Text)] == ["naïve – “quoted” ☎\ufe0e 葛\U000e0100"]
    assert [talk.talking for talk in ben.told_of(messages.Talk)] == [True, False]
    assert ben.packets > 10
    (live_room,) = house.hub.live_rooms
    assert live_room.conference.room.members[welcome.source].gains == {ben.source: pytest.approx(0.501, abs=0.001)}

    cid = arrive(house, LONG)
    cid.send(messages.Text(f"no idea {SHRUG}"))
    house.settle()
    zoe.listen()
    assert [joined.participant.name for joined in zoe.told_of(0x81)] == [SHORT]
    assert [line.text for line in zoe.told_of(0x88)] == ["no idea 🤷♂\ufe0f"]
    assert [message.text for message in ben.told_of(messages.Text)[1:]] == [f"no idea {SHRUG}"]

    zoe.lose()
    again = Zoe(house)
    next_ticket = ticket_in(recorded.resumed_keys(secret, RESUME.client[0], resumed)[1])
    with monkeypatch.context() as patch:
        given(patch, *next_ticket, nonce)
        again.say(RESUME.client[0])
    again.keys, response = recorded.resumed_keys(secret, RESUME.client[0], again.answer())
    assert {person.name for person in recorded.obey(response).roster} == {"Ben 🤷♂\ufe0f", SHORT}
    ben.forget()
    for string in RESUME.client[1:]:
        again.say(string)
    assert [line.text for line in ben.told_of(messages.Text)] == ["back again"]
    assert [left.source for left in ben.told_of(messages.Left)] == [welcome.source]
    assert not house.log.failures
    assert house.counted("protocol_errors_total") == 0


def test_a_client_of_today_holds_a_call_at_a_server_of_0_1_0(monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player("Zoë", codec=OpusCodec())
    player.service.start()
    wire: Wire = player.accepted(Wire)
    assert wire.strings() == LOGIN.client[:1]
    wire.send(LOGIN.server[0])
    (auth,) = wire.strings()
    keys, request, _ = recorded.login_keys(LOGIN.server[0], auth, LOGIN.server[1])
    asked = msgspec.json.decode(request[1:])
    recorded.check_name(asked["name"], 32)

    for string in LOGIN.server[1:]:
        wire.send(string)
        player.reactor.advance(0.001)
    assert player.ended is None
    assert player.lines == [
        "you are in as Zoë, with Běn",
        "Běn talks",
        "Běn stops",
        "[21:04] Běn: 👍🏽",
        "Běn is deafened",
        "Běn listens again",
        "Cid joined",
        "Cid left",
        "Běn is away (line broken)",
        "Běn is back",
    ]
    player.controls.send_text(f"no idea {SHRUG}")
    said = [control.decode(keys.server.opener.open(string)) for string in wire.strings()]
    assert [message.text for message in said if isinstance(message, messages.Text)] == ["no idea 🤷♂\ufe0f"]

    wire.lose()
    with monkeypatch.context() as patch:
        given(patch, RESUME.client[0][20:36])
        player.reactor.advance(2.0)
        wire = player.accepted(Wire)
        assert wire.strings() == RESUME.client[:1]
    for string in RESUME.server:
        wire.send(string)
        player.reactor.advance(0.001)
    assert player.lines[-2:] == ["you are in as Zoë, with Běn", "[21:04] Běn: good"]
    assert player.ended is None


@pytest.mark.parametrize("name", [f"Zoë {SHRUG}", "é" * 32, "می\u200cنا"])
def test_a_name_that_0_1_0_refuses_is_asked_for_as_it_takes_it(name: str) -> None:
    """Its server answers the first request with REFUSE 6, as to anything that is malformed."""
    player = Player(name)
    player.service.start()
    wire: Wire = player.accepted(Wire)
    wire.strings()
    wire.send(LOGIN.server[0])
    assert len(wire.strings()) == 1
    wire.send(Refuse(Reason.MALFORMED).build())
    wire.lose()
    player.reactor.advance(0.0)
    wire = player.accepted(Wire)
    wire.strings()
    wire.send(LOGIN.server[0])
    (auth,) = wire.strings()
    request = recorded.login_keys(LOGIN.server[0], auth, LOGIN.server[1])[1]
    recorded.check_name(msgspec.json.decode(request[1:])["name"], 32)
    wire.send(Refuse(Reason.MALFORMED).build())
    wire.lose()
    player.reactor.advance(60.0)
    assert player.ended is not None, "that is tried once"
    assert not player.attempts()
