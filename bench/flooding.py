"""Somebody who sends as much as one core can: ``python -m bench.flooding KIND --port 1234 --seconds 10``.

A stranger sends datagrams of one size (``0``, ``1``, ``16``, ``1200``). A member, with
``--password-file FILE``, logs in, proves an address and sends datagrams of one type that
open (``media``, ``keepalive``, ``probe``, ``answer``, ``unknown``), or messages of a kind that
nobody knows (``messages``); whoever is cut sends on under keys that are none any more, and
logs in again within a second. ``idle`` sends as a stranger does, to a socket that nobody reads:
what the flood's own share of the machine costs.

When the time is over, a line of JSON says how many were sent, in how many seconds, and how
often the server cut the connection. It runs at a lower priority, for a flood comes from
another machine: it gets what server and friends leave of this one.
"""

import argparse
import contextlib
import json
import os
import secrets
import select
import socket
import sys
import time
from collections.abc import Callable
from typing import Final

from testkit.sessions import received
from voicechat import passwords
from voicechat.errors import VoiceChatError
from voicechat.media.packet import ME, MediaPacket
from voicechat.security.secret import Secret
from voicechat.session.client import ClientSession
from voicechat.wire import control, media, messages
from voicechat.wire.datagrams import CONNECTION_LIMIT, VERSION, DatagramType, parse_header

HOME: Final = "127.0.0.1"
SIZES: Final = ("0", "1", "16", "1200")
IDLE: Final = "idle"
MESSAGES: Final = "messages"
UNKNOWN: Final = "unknown"
TYPES: Final = {kind.name.lower(): kind for kind in DatagramType} | {UNKNOWN: DatagramType.KEEPALIVE}

NO_TYPE: Final = 9
"""A type that datagrams do not have."""

NO_KIND: Final = b"\xf0{}"
"""A message of a kind that nobody knows."""

AT_ONCE: Final = 100
"""Datagrams or messages between two looks at the connection and the clock."""

LOGIN_WITHIN: Final = 5.0
"""Seconds; a server that lets nobody in for so long is waited for no more."""

AGAIN: Final = 1.0
"""Seconds between two logins of a member who is cut at once: what more of them do is another flood."""

LOWER: Final = 10
"""Of priority, as nice(1) has it."""


class Cut(Exception):
    """The server has ended the connection."""


class Member:
    """One who has the password: a blocking connection, and datagrams from a proved address."""

    def __init__(self, port: int, password: Secret) -> None:
        self._session = ClientSession(password, messages.Request("Eve", "flood"))
        self._line = socket.create_connection((HOME, port), timeout=LOGIN_WITHIN)
        self._buffer = b""
        self._string(self._session.begin())
        while not isinstance(value := self._next(), messages.Welcome):
            if not isinstance(value, bytes):
                raise Cut
            self._string(value)
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.connect((HOME, value.udp_port))
        self.seal = self._session.keys.datagram_seal(value.connection)
        self._opener = self._session.keys.datagram_opener()
        self._prove()

    def _prove(self) -> None:
        """Have the server send to our address, as it does for everybody."""
        self.udp.settimeout(LOGIN_WITHIN)
        self.udp.send(self.seal.seal(DatagramType.PROBE, secrets.token_bytes(8) + bytes(8)))
        datagram = self.udp.recv(2000)
        token = self._opener.open(parse_header(datagram), datagram)[8:]
        self.udp.send(self.seal.seal(DatagramType.ANSWER, token + bytes(8)))
        self.udp.setblocking(True)

    def forget_types(self) -> None:
        """Seal what follows under a type that is none; it opens all the same, for whoever tries."""
        words = self.seal._first_words  # noqa: SLF001  no honest seal can do it
        words[:] = [(VERSION << 4 | NO_TYPE) << 56 | (word >> 32) % CONNECTION_LIMIT << 32 for word in words]

    def say(self, packets: list[bytes]) -> None:
        """Sealed strings, all at once."""
        sealed = map(self._session.seal, packets)
        self._send(b"".join(len(string).to_bytes(4, "big") + string for string in sealed))

    def look(self) -> None:
        """Answer pings, and take what came in datagrams; Cut if the connection is over."""
        while select.select([self._line], [], [], 0)[0]:
            value = self._next()
            if isinstance(value, messages.Ping):
                self.say([control.encode(messages.Pong(value.id))])
        with contextlib.suppress(OSError):
            while True:
                self.udp.recv(2000, socket.MSG_DONTWAIT)

    def close(self) -> None:
        self._line.close()
        self.udp.close()

    def _string(self, string: bytes) -> None:
        self._send(len(string).to_bytes(4, "big") + string)

    def _send(self, data: bytes) -> None:
        try:
            self._line.sendall(data)
        except OSError:
            raise Cut from None

    def _next(self) -> object:
        """What the next string of the server means."""
        while len(self._buffer) < 4 or len(self._buffer) < 4 + int.from_bytes(self._buffer[:4], "big"):
            try:
                data = self._line.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                raise Cut
            self._buffer += data
        end = 4 + int.from_bytes(self._buffer[:4], "big")
        string, self._buffer = self._buffer[4:end], self._buffer[end:]
        return received(self._session, string)


def like_ours(size: int) -> bytes:
    """A datagram whose first byte, if it has one, is one of ours."""
    return (bytes([VERSION << 4]) + bytes(size))[:size]


def stranger(data: bytes, port: int) -> Callable[[], None]:
    """Sends the same datagram again and again."""
    sender = socket.socket(type=socket.SOCK_DGRAM)
    sender.connect((HOME, port))

    def some() -> None:
        for _ in range(AT_ONCE):
            with contextlib.suppress(OSError):
                sender.send(data)

    return some


def of_member(kind: str, member: Member) -> Callable[[], None]:
    """Sends what a member can."""
    if kind == MESSAGES:
        return lambda: member.say([NO_KIND] * AT_ONCE)
    packets = {"media": media.encode(MediaPacket(ME, 1, bytes((0xF8, 1, 2)), marker=True)), "keepalive": b""}
    packet, seal, send = packets.get(kind, secrets.token_bytes(8) + bytes(8)), member.seal.seal, member.udp.send
    if kind == UNKNOWN:
        member.forget_types()

    def some() -> None:
        for _ in range(AT_ONCE):
            with contextlib.suppress(OSError):
                send(seal(TYPES[kind], packet))

    return some


class Flood:
    """Goes on until its time is over."""

    def __init__(self) -> None:
        self.sent = self.cuts = 0

    def strange(self, some: Callable[[], None], end: float) -> None:
        while time.monotonic() < end:
            some()
            self.sent += AT_ONCE

    def members(self, kind: str, port: int, password: Secret, end: float) -> None:
        while (now := time.monotonic()) < end:
            again = min(end, now + AGAIN)
            with contextlib.suppress(OSError, VoiceChatError):
                self._member(kind, Member(port, password), again, end)
            time.sleep(max(0.0, again - time.monotonic()))

    def _member(self, kind: str, member: Member, again: float, end: float) -> None:
        """As long as the connection stands; and then what comes under its keys, until the next login."""
        some, until, stands = of_member(kind, member), end, True
        with contextlib.closing(member):
            while time.monotonic() < until:
                try:
                    some()
                    self.sent += AT_ONCE
                    if stands:
                        member.look()
                except Cut:
                    self.cuts += 1
                    stands, until = False, again if kind != MESSAGES else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.flooding", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=[*SIZES, IDLE, *TYPES, MESSAGES])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--password-file", help="for a member")
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    os.nice(LOWER)
    flood, start = Flood(), time.monotonic()
    end = start + chosen.seconds
    if chosen.kind in SIZES:
        flood.strange(stranger(like_ours(int(chosen.kind)), chosen.port), end)
    elif chosen.kind == IDLE:
        with socket.socket(type=socket.SOCK_DGRAM) as nobody:
            nobody.bind((HOME, 0))
            flood.strange(stranger(bytes(16), nobody.getsockname()[1]), end)
    elif chosen.password_file is None:
        parser.error(f"{chosen.kind} needs --password-file")
    else:
        flood.members(chosen.kind, chosen.port, passwords.from_file(chosen.password_file), end)
    told = {"sent": flood.sent, "cuts": flood.cuts, "seconds": round(time.monotonic() - start, 2)}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
