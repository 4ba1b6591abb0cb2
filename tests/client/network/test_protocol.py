"""The client's end of a connection: an honest server, a broken one, and one that means harm."""

import random
from typing import Any

import pytest
from twisted.internet.testing import StringTransport

from tests.client.player import SERVER, Host, Player, pass_time
from voicechat.carriage.heartbeat import ANSWER_WITHIN, PING_EVERY
from voicechat.client.exits import Exit
from voicechat.client.network.protocol import DOUBT_SECONDS, LOGIN_SECONDS
from voicechat.media.packet import MIX, MediaPacket
from voicechat.wire import handshake, media, messages
from voicechat.wire.datagrams import DatagramType, parse_header

FRAME = b"HC\0\0\0\x3f"
"""A payload of MemoryCodec: 0.5."""


@pytest.fixture
def ann() -> Player:
    """A player who has asked for a connection, and whose sound card runs."""
    player = Player()
    pass_time([player], 0.05)
    player.service.start()
    return player


def inside(player: Player) -> Host:
    """Let a player in."""
    host: Host = player.accepted()
    host.let_in()
    assert player.entered == 1
    return host


def test_a_login_asks_for_the_seat_it_wants(ann: Player) -> None:
    host = inside(ann)
    assert host.request is not None
    assert (host.request.name, host.request.room) == ("Ann", "")
    assert ann.lines == ["you are in as Ann, with Ben"]
    assert ann.call.password_logins == 1


def test_after_the_login_it_pings_at_once_and_answers(ann: Player) -> None:
    host = inside(ann)
    ann.reactor.advance(0)
    (ping,) = host.received()
    assert isinstance(ping, messages.Ping)
    ann.reactor.advance(0.03)
    host.tell(messages.Pong(ping.id))
    assert ann.call.connection is not None
    assert ann.call.connection.round_trip == pytest.approx(0.03)
    host.tell(messages.Ping(41))
    assert host.received() == [messages.Pong(41)]


def test_a_server_that_does_not_answer_is_left_and_called_again(ann: Player) -> None:
    host = inside(ann)
    for _ in range(int(PING_EVERY + ANSWER_WITHIN) + 1):
        ann.reactor.advance(1.0)
    assert host.transport.aborted
    host.lose()
    assert ann.lines[-1] == "the line to 192.0.2.10 port 1234 broke (the server does not answer); trying again"
    ann.reactor.advance(1.5)
    assert len(ann.attempts()) == 1


def test_a_server_that_never_finishes_a_login_is_given_up(ann: Player) -> None:
    host: Host = ann.accepted()
    host.strings()
    ann.reactor.advance(LOGIN_SECONDS)
    assert host.transport.aborted
    host.lose()
    assert ann.ended is not None
    assert ann.ended[0] == Exit.UNREACHABLE
    assert "did not finish the login" in ann.ended[1]
    assert not ann.reactor.getDelayedCalls()


def test_a_server_that_does_not_know_the_password_is_told_apart(ann: Player) -> None:
    host: Host = ann.accepted(password="another")
    (hello,) = host.strings()
    host.session.receive(hello)
    host.send(host.session.answer())
    host.strings()
    host.send(handshake.SealedWelcome(bytes(32), bytes(40)).build())
    assert ann.ended is not None
    assert ann.ended[0] == Exit.PASSWORD
    assert "does not know the password" in ann.ended[1]
    assert host.transport.aborted


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"\xff" * 8,
        b"\0\0\0\0",
        b"\0\0\0\x04what",
        b"\0\0\0\x08VC\x01\x7f\x63\0\0\0",
        b"\0\0\0\x25VC\x01\x02" + bytes(33),
        b"\0\0\0\x48VC\x01\x04" + bytes(68),
    ],
)
def test_what_does_not_speak_voicechat_is_told(ann: Player, data: bytes) -> None:
    host: Host = ann.accepted()
    host.strings()
    host.send_bytes(data)
    assert ann.ended is not None
    assert ann.ended[0] == Exit.PROTOCOL
    assert ann.ended[1].startswith("what answers on 192.0.2.10 port 1234 does not speak voicechat (")


@pytest.mark.parametrize("length", [handshake.MAX_WELCOME + 1, 1 << 31, 0xFFFFFFFF])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_length_bomb_ends_the_connection_before_its_first_byte(ann: Player, length: int, when: str) -> None:
    host: Host = ann.accepted()
    if when == "after":
        host.let_in()
    host.send_bytes(length.to_bytes(4, "big"))
    assert host.transport.aborted


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x00",
        b"\x40\xff\x00\x01" + FRAME,
        b"\x40\xfd\x00\x01" + FRAME,
        b"\x40\x01\x00\x01" + FRAME,
        b"\x40\x02\x00\x01not a payload",
        b"\x40\x02\x00\x01" + bytes(3000),
        b"\x43\x02\x00\x01\xff" + FRAME,
        b"\x5c\x02\x00\x01" + FRAME,
        b"\x80{}",
        b'\x80{"source":1,"name":"Ann","room":"","connection":7,"roster":[]}',
        b"\x81" + b"[" * 4000,
        b'\x81{"participant": {"source": 3, "name": "\\u001b]0;owned\\u0007"}}',
        b'\x81{"participant": {"source": 0, "name": "Cid"}}',
        b'\x82{"source": 2, "reason": "\\r\\nroot@host# "}',
        b'\x85{"source": 1e400, "talking": true}',
        b'\x85{"source": 2, "talking": "yes"}',
        b'\x87{"source": 2, "gain": 1.0}',
        b'\x88{"text": "\\u202e\\u0000", "source": 2}',
        b'\x88{"text": "' + b"\xff" * 20 + b'", "source": 2}',
        b'\x88{"text": "\xc2\x9b2J", "source": 2}',
        b'\x8d{"reason": "\\u001b[31m"}',
        b'\x8e{"name": "x"}',
    ],
)
def test_what_the_protocol_does_not_allow_ends_the_connection_and_shows_nothing(ann: Player, packet: bytes) -> None:
    host = inside(ann)
    host.tell_bytes(packet)
    assert host.transport.aborted
    host.tell(messages.Text("and more", 2))
    host.lose()
    assert len(ann.lines) == 2, "the welcome, and the end"
    assert all(line.isprintable() for line in ann.lines)
    assert ann.ended is None
    ann.reactor.advance(1.5)
    assert len(ann.attempts()) == 1, "it comes back"


def test_replayed_and_unsealed_strings_end_the_connection(ann: Player) -> None:
    host = inside(ann)
    string = host.session.seal(b'\x81{"participant":{"source":3,"name":"Cid"}}')
    host.send(string)
    assert ann.lines[-1] == "Cid joined"
    host.send(string)
    assert host.transport.aborted
    assert ann.lines[-1] == "Cid joined"


def test_messages_of_a_newer_version_are_passed_over(ann: Player) -> None:
    host = inside(ann)
    host.tell_bytes(b'\xfe{"new":1}')
    host.tell_bytes(b'\x85{"source":2,"talking":true,"loudness":3}')
    assert ann.lines[-1] == "Ben talks"


@pytest.mark.parametrize(
    "welcome",
    [
        messages.Welcome(1, "Ann", "", 7, [], ticket=messages.TicketText("zz", "zz")),
        messages.Welcome(1, "Ann", "", 7, [], ticket=messages.TicketText("00" * 15, "00" * 32)),
        messages.Welcome(1, "Ann", "", 7, [], bitrate=500_000),
        messages.Welcome(1, "Ann", "", 7, [], bitrate=6_000),
    ],
)
def test_a_welcome_that_cannot_be_meant_ends_the_connection_without_a_traceback(welcome: messages.Welcome) -> None:
    from voicechat.codecs.opus import OpusCodec

    player = Player(codec=OpusCodec())
    player.service.start()
    host: Host = player.accepted()
    host.answer()
    host.welcome(welcome)
    assert host.transport.aborted or player.entered == 1


def test_random_packets_under_the_right_keys_end_it_or_are_lived_through() -> None:
    chance = random.Random(11)
    player = Player()
    player.service.start()
    kinds = [
        b"",
        b"\x40",
        b"\x81{",
        b"\x82{}",
        b"\x84{",
        b"\x85{}",
        b"\x88",
        b"\x89{}",
        b"\x8a{}",
        b"\x8b{}",
        b"\x8c{}",
    ]
    for _ in range(60):
        host: Host = player.accepted()
        host.let_in()
        for _ in range(50):
            if host.transport.over:
                break
            start = chance.choice([*kinds, bytes([chance.randrange(256)])])
            host.tell_bytes(start + chance.randbytes(chance.randrange(12)))
        host.lose()
        player.reactor.advance(1.5)
    assert player.ended is None
    assert all(line.isprintable() for line in player.lines)


def test_a_flood_of_sources_keeps_a_bounded_number_of_streams(ann: Player) -> None:
    host = inside(ann)
    for n in range(5000):
        source = (MIX, *range(2, 251))[n % 250]
        host.tell_bytes(media.encode(MediaPacket(source, n * 7919 % 65536, FRAME, marker=True)))
    assert len(ann.call.hearing._streams) <= 16
    assert not host.transport.over
    pass_time([ann], 2.0)
    assert abs(ann.played[-1]) <= 1.0


def test_it_knows_which_way_the_servers_media_comes(ann: Player) -> None:
    """The answer may come over TCP though what we send goes over UDP: both are to be shown."""
    host: Host = ann.accepted()
    host.let_in(messages.Welcome(1, "Ann", "", 7, [messages.Participant(2, "Ben")], udp_port=1234))
    assert ann.call.connection is not None
    connection = ann.call.connection.connection
    channel = connection.channel
    assert channel is not None
    told: list[bool] = []
    ann.call.received_over = told.append  # type: ignore[assignment]
    packets = (media.encode(MediaPacket(2, tick, FRAME)) for tick in range(100))
    seal = host.session.keys.datagram_seal(7)
    (socket,) = ann.reactor.ports

    def by_datagram() -> None:
        datagram = seal.seal(DatagramType.MEDIA, next(packets))
        connection.datagram_received(parse_header(datagram), datagram, (SERVER, 1234))

    assert channel.received_up is None
    for udp in (False, False, True, True, False, True):
        if udp:
            by_datagram()
        else:
            host.tell_bytes(next(packets))
        assert channel.received_up is udp
    assert told == [False, True, False, True]
    assert socket.sent, "and it asks all the while whether its own way is good"


def test_a_goodbye_of_the_server_closes(ann: Player) -> None:
    host = inside(ann)
    host.tell(messages.Bye(messages.SHUTTING_DOWN, 0.5))
    assert host.transport.over
    assert "the server is shutting down" in ann.lines


def test_all_calls_end_with_the_connection(ann: Player) -> None:
    host = inside(ann)
    ann.service.stop()
    ann.reactor.advance(0)
    host.lose()
    assert not ann.reactor.getDelayedCalls()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "a web server"),
        (b"<html>", "a web server"),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "an SSH server"),
        (b"220 mail.example.org ESMTP\r\n", "a mail or FTP server"),
        (b"RFB 003.008\n", "VNC"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "TLS"),
        (b"\xfe\xfd game", "a string too long"),
    ],
)
def test_another_server_is_named(ann: Player, data: bytes, name: str) -> None:
    host: Host = ann.accepted()
    host.strings()
    host.send_bytes(data)
    assert ann.ended is not None
    assert ann.ended[0] == Exit.PROTOCOL
    assert name in ann.ended[1]


def question(ann: Player) -> Any:
    """The connection in which it is asked whether it is a web server, made."""
    ((host, port, factory, _, _),) = ann.attempts()
    assert (host, port) == ("127.0.0.1", 1234), "the address that was reached"
    protocol = factory.buildProtocol(None)
    protocol.makeConnection(StringTransport())
    return protocol


def test_a_web_server_that_waits_for_more_is_asked_in_its_own_words(ann: Player) -> None:
    host: Host = ann.accepted()
    host.strings()
    ann.reactor.advance(DOUBT_SECONDS)
    asked = question(ann)
    assert asked.transport.value() == b"GET / HTTP/1.0\r\n\r\n"
    asked.dataReceived(b"HTTP/1.0 200 OK\r\nServer: SimpleHTTP/0.6 Python/3.11.2\r\n")
    assert ann.ended is not None
    assert ann.ended[0] == Exit.PROTOCOL
    assert ann.ended[1] == "what answers on 192.0.2.10 port 1234 does not speak voicechat (a web server)"
    asked.dataReceived(b"HTTP/1.0 200 OK\r\n")


@pytest.mark.parametrize("answer", [b"", b"\0\0\0\x20voicechat?"])
def test_what_is_slow_and_no_web_server_is_waited_for(ann: Player, answer: bytes) -> None:
    host: Host = ann.accepted()
    ann.reactor.advance(DOUBT_SECONDS)
    asked = question(ann)
    if answer:
        asked.dataReceived(answer)
    assert ann.ended is None
    host.let_in()
    assert ann.entered == 1


def test_a_login_that_goes_on_is_not_doubted(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    ann.reactor.advance(DOUBT_SECONDS)
    assert ann.attempts() == []
