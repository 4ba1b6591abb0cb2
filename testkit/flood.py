"""A flood against a server, as a program of its own: ``python -m testkit.flood KIND PORT SECONDS [options]``.

What lives here: what strangers can throw at a port. Kinds: ``connect`` opens connections
as fast as it can and says nothing; ``hello`` sends the first string of a login on each, ``resume`` a ticket,
``pages`` asks for the page, ``pings`` sends frames without a message on WebSockets,
``mixed`` does all of these and sends rubbish, in turn;
``datagrams`` sends forged datagrams, and those of ``--replay FILE`` again, ``bindings`` what
browsers send by UDP. It keeps few
connections at a time, closing its oldest, and comes from ``--sources`` addresses of
loopback in turn. At the end it prints a line of JSON: what it sent, and how many bytes
were sent back to it.
"""

import argparse
import contextlib
import json
import os
import random
import selectors
import socket
import struct
import sys
import time
from collections import deque
from pathlib import Path
from typing import Final

from voicechat.security.secret import Secret
from voicechat.security.tickets import Ticket
from voicechat.session.client import ClientSession
from voicechat.wire import messages
from voicechat.wire.datagrams import DatagramHeader, DatagramType

TARGET: Final = "127.0.0.1"

HELLO: Final = ClientSession(Secret("a guess"), messages.Request("Eve")).begin()
"""The same each time: a stranger need not compute anything."""

RESUME: Final = ClientSession(Secret("a guess"), messages.Request("Eve"), Ticket(bytes(16), bytes(32))).begin()
"""A ticket that nobody gave them."""

PAGE: Final = b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"

PINGS: Final = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
) + 100 * b"\x89\x80\0\0\0\0"
"""A WebSocket with nothing but pings on it."""


def string(said: bytes) -> bytes:
    """What a client says, with its length before it."""
    return len(said).to_bytes(4, "big") + said


SAID: Final = {
    "connect": (b"",),
    "hello": (string(HELLO),),
    "resume": (string(RESUME),),
    "pages": (PAGE,),
    "pings": (PINGS,),
    "mixed": (b"", string(HELLO), string(RESUME), PAGE, PAGE[:20], PINGS, string(HELLO)[:20]),
}
"""What connections say, one after the other."""


def address(number: int) -> str:
    """The n-th source."""
    return f"127.0.{10 + number // 250}.{1 + number % 250}"


def connections(
    port: int, end: float, most: int, rate: float, sources: int, keep: int, lag: int, say: tuple[bytes, ...]
) -> dict[str, int]:
    """Connect until ``end`` or until there were ``most``; ``keep`` of them stand at a time. No sources: as friends."""
    held: deque[socket.socket] = deque()
    made = refused = answered = 0
    start = time.monotonic()
    with selectors.DefaultSelector() as selector:
        while made < most and (now := time.monotonic()) < end:
            if made >= rate * (now - start):
                selector.select(0.001)
                continue
            peer = socket.socket()
            peer.setblocking(False)
            with contextlib.suppress(BlockingIOError, OSError):
                peer.bind((address(made % sources) if sources else TARGET, 0))
                peer.connect((TARGET, port))
            made += 1
            held.append(peer)
            said = say[made % len(say)]
            if said and made >= lag:
                with contextlib.suppress(OSError):
                    held[-lag].send(said)
            if len(held) > keep:
                oldest = held.popleft()
                try:
                    answered += len(oldest.recv(1000))
                except BlockingIOError:
                    pass
                except OSError:
                    refused += 1
                oldest.close()
    for peer in held:
        peer.close()
    return {"sent": made, "reset": refused, "answered": answered}


def datagrams(port: int, end: float, most: int, rate: float, replayed: list[bytes]) -> dict[str, int]:
    """Send forged and replayed datagrams until ``end`` or until there were ``most``."""
    chance = random.Random(1)
    junk = os.urandom(1 << 16)
    sent = answered = 0
    start = time.monotonic()
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.bind((address(0), 0))
        sender.connect((TARGET, port))
        sender.setblocking(False)
        numbers = [datagram[1:4] for datagram in replayed] or [b"\0\0\0"]
        while sent < most and (now := time.monotonic()) < end:
            if sent >= rate * (now - start):
                continue
            if replayed and sent % 2:
                datagram = chance.choice(replayed)
            else:
                size, at = chance.randrange(60), chance.randrange(len(junk) - 60)
                header = DatagramHeader(DatagramType.MEDIA, 0, chance.randrange(1 << 20)).build()
                datagram = header[:1] + chance.choice(numbers) + header[4:] + junk[at : at + size]
            with contextlib.suppress(OSError):
                sender.send(datagram)
                sent += 1
            with contextlib.suppress(OSError):
                answered += len(sender.recv(2000))
    return {"sent": sent, "answered": answered}


def bindings(port: int, end: float, most: int, rate: float) -> dict[str, int]:
    """Send what browsers send, signed by nobody: binding requests, handshakes of DTLS and SRTP, in turn."""
    request = struct.pack("!HHI12s", 1, 40, 0x2112A442, os.urandom(12)) + struct.pack("!HH12s", 6, 12, b"abcdefgh:abc")
    said = (
        request + struct.pack("!HH20s", 8, 20, os.urandom(20)),
        b"\x16\xfe\xfd" + bytes(8) + b"\x00\xc8" + os.urandom(200),
        b"\x80\x6f" + os.urandom(60),
    )
    sent = answered = 0
    start = time.monotonic()
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.bind((address(0), 0))
        sender.connect((TARGET, port))
        sender.setblocking(False)
        while sent < most and (now := time.monotonic()) < end:
            if sent >= rate * (now - start):
                continue
            with contextlib.suppress(OSError):
                sender.send(said[sent % len(said)])
                sent += 1
            with contextlib.suppress(OSError):
                answered += len(sender.recv(2000))
    return {"sent": sent, "answered": answered}


def main() -> None:
    """Flood, and tell."""
    parser = argparse.ArgumentParser(prog="python -m testkit.flood")
    parser.add_argument("kind", choices=[*SAID, "datagrams", "bindings"])
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--sources", type=int, default=1)
    parser.add_argument("--keep", type=int, default=200, help="connections at a time")
    parser.add_argument("--lag", type=int, default=20, help="how many later a connection says something")
    parser.add_argument("--rate", type=float, default=1e9, help="a second")
    parser.add_argument("--most", type=int, default=1 << 60)
    parser.add_argument("--replay", type=Path, help="datagrams, one a line, in hexadecimal")
    chosen = parser.parse_args()
    start = time.monotonic()
    end = start + chosen.seconds
    if chosen.kind == "datagrams":
        replayed = [bytes.fromhex(line) for line in chosen.replay.read_text().split()] if chosen.replay else []
        told = datagrams(chosen.port, end, chosen.most, chosen.rate, replayed)
    elif chosen.kind == "bindings":
        told = bindings(chosen.port, end, chosen.most, chosen.rate)
    else:
        say = SAID[chosen.kind]
        told = connections(chosen.port, end, chosen.most, chosen.rate, chosen.sources, chosen.keep, chosen.lag, say)
    sys.stdout.write(json.dumps(told | {"seconds": round(time.monotonic() - start, 2)}) + "\n")


if __name__ == "__main__":
    main()
