"""A server that knows the password and means harm: the client survives it, or ends with one line.

The server here is ``ServerSession`` on a blocking socket, with whatever it likes to
send behind it.
"""

import contextlib
import os
import random
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.children import PASSWORD, SOON, Children, Program, children
from testkit.sessions import received
from voicechat.media.packet import MediaPacket
from voicechat.security.secret import Secret
from voicechat.session.server import ServerSession
from voicechat.wire import control, media, messages

MIB = 1 << 20

BATCHES = 100 if os.environ.get("VOICECHAT_SOAK") else 20
"""Thousands of packets."""

ONE_FRAME = bytes([0x48]) + bytes(29)
"""A payload that says of itself that it is 20 ms of wideband, mono."""


class Rogue:
    """A server for one client at a time."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(SOON)
        self.port: int = self._listening.getsockname()[1]
        self.session = ServerSession(Secret(PASSWORD))
        self._peer: socket.socket | None = None

    def __enter__(self) -> "Rogue":
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self._listening.close()

    @property
    def peer(self) -> socket.socket:
        """The connection."""
        assert self._peer is not None
        return self._peer

    def accept(self) -> None:
        """Take the next client's connection."""
        self.hang_up()
        self._peer, _ = self._listening.accept()
        self._peer.settimeout(SOON)
        self.session = ServerSession(Secret(PASSWORD))

    def let_in(self, welcome: messages.Welcome | None = None) -> None:
        """The login, honestly; and a welcome."""
        self.accept()
        received(self.session, self.receive())
        self.send(self.session.answer())
        received(self.session, self.receive())
        self.send(self.session.enter(welcome or messages.Welcome(1, "Ann", "", 7, [messages.Participant(2, "Ben")])))

    def receive(self) -> bytes:
        """One string."""
        length = int.from_bytes(self._exactly(4), "big")
        return self._exactly(length)

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self.peer.recv(length - len(data))
            assert more, "the client hung up"
            data += more
        return data

    def send(self, string: bytes) -> None:
        """One string."""
        self.peer.sendall(len(string).to_bytes(4, "big") + string)

    def tell(self, packet: bytes) -> None:
        """One packet, sealed."""
        self.send(self.session.seal(packet))

    def pinged(self, number: int = 99) -> None:
        """Wait for the answer to a ping: the client is alive, and has read all that came before."""
        self.tell(control.encode(messages.Ping(number)))
        while True:
            value = received(self.session, self.receive())
            if value == messages.Pong(number):
                return
            if isinstance(value, messages.Ping):
                self.tell(control.encode(messages.Pong(value.id)))

    def hung_up(self) -> None:
        """Wait until the client has closed the connection."""
        with contextlib.suppress(ConnectionResetError):
            while self.peer.recv(65_536):
                pass

    def hang_up(self) -> None:
        """Close it ourselves."""
        if self._peer is not None:
            self._peer.close()
            self._peer = None


@pytest.fixture(scope="module")
def ann(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rogue, Program]]:
    """One client that meets one rogue server again and again."""
    with children(tmp_path_factory.mktemp("rogue")) as home, Rogue() as rogue:
        yield rogue, home.client(rogue.port, "Ann")


def assert_unharmed(program: Program) -> None:
    """Still running, without a traceback, and nothing on its outputs that could move a terminal."""
    assert "Traceback" not in program.out + program.err
    assert "Unhandled" not in program.out + program.err
    assert all(letter.isprintable() or letter == "\n" for letter in program.out + program.err)


def test_a_length_bomb_ends_the_connection_before_its_first_byte(ann: tuple[Rogue, Program]) -> None:
    rogue, program = ann
    memory = 0
    for length in (4097, 1 << 31, 0xFFFFFFFF):
        rogue.let_in()
        rogue.pinged()
        memory = memory or program.memory()
        rogue.peer.sendall(length.to_bytes(4, "big"))
        rogue.hung_up()
    assert program.memory() - memory < 4 * MIB
    program.line("broke (a string too long); trying again")
    assert_unharmed(program)


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"\x81" + b"[" * 4000, id="a deep message"),
        pytest.param(b'\x81{"participant": {"source": 3, "name": "\\u001b]0;owned\\u0007"}}', id="a name with escapes"),
        pytest.param(b"\x40\x01\x00\x01" + ONE_FRAME, id="our own voice"),
        pytest.param(b"\x40\x02\x00\x01" + b"\xff" * 60, id="no payload of ours"),
    ],
)
def test_what_the_protocol_does_not_allow_ends_the_connection(ann: tuple[Rogue, Program], packet: bytes) -> None:
    rogue, program = ann
    before = program.out.count("trying again")
    rogue.let_in()
    rogue.tell(packet)
    rogue.hung_up()
    program.until(lambda: program.out.count("trying again") > before, "come back")
    assert_unharmed(program)


def test_names_in_a_welcome_cannot_move_a_terminal(ann: tuple[Rogue, Program]) -> None:
    rogue, program = ann
    rogue.accept()
    received(rogue.session, rogue.receive())
    rogue.send(rogue.session.answer())
    received(rogue.session, rogue.receive())
    plain = b'\x80{"source":1,"name":"Ann","room":"","connection":7,"roster":[{"source":2,"name":"\\u001b[2J"}]}'
    assert rogue.session._login is not None
    rogue.send(rogue.session._login.welcome(plain))
    rogue.hung_up()
    assert_unharmed(program)


def test_floods_of_junk_are_lived_through(ann: tuple[Rogue, Program]) -> None:
    """Each passes as a packet of sound: any source, any tick, payloads that libopus may or may not like."""
    rogue, program = ann
    chance = random.Random(7)
    rogue.let_in()
    rogue.pinged()
    memory = program.memory()
    for batch in range(BATCHES):
        data = bytearray()
        for _ in range(1000):
            packet = MediaPacket(
                chance.choice((0, *range(2, 251))),
                chance.randrange(1 << 16),
                bytes([0x48]) + chance.randbytes(chance.randrange(1, 60)),
                marker=chance.random() < 0.1,
                end=chance.random() < 0.1,
            )
            string = rogue.session.seal(media.encode(packet))
            data += len(string).to_bytes(4, "big") + string
        rogue.peer.sendall(data)
        if batch % 10 == 0:
            rogue.pinged(batch)
    rogue.pinged()
    assert program.memory() - memory < 32 * MIB
    assert_unharmed(program)


def test_it_says_goodbye_to_the_last(ann: tuple[Rogue, Program]) -> None:
    rogue, program = ann
    rogue.let_in()
    rogue.pinged()
    program.signal(signal.SIGTERM)
    while not isinstance(received(rogue.session, rogue.receive()), messages.Bye):
        pass
    assert program.end() == 0
    assert program.err == ""
    assert_unharmed(program)


def test_a_server_without_the_password_learns_nothing_and_is_told_apart(house: Children, tmp_path: Path) -> None:
    with Rogue() as rogue:
        program = house.client(rogue.port, "Ann")
        rogue.accept()
        rogue.session = ServerSession(Secret("a guess"))
        received(rogue.session, rogue.receive())
        rogue.send(rogue.session.answer())
        proof = rogue.receive()
        rogue.send(b"VC\x01\x04" + proof[4:36] + bytes(16))
        assert program.end() == 77
    assert program.err.count("\n") == 1
    assert "does not know the password" in program.err
