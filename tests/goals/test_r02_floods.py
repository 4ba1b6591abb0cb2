"""R2, R14, R17: strangers at a real server's port while friends talk.

The flood is a program of its own (``flood``). What it costs in lateness is a figure of
``bench.storm``; here it costs no frame, keeps nobody out, and is over when it is over.
"""

import contextlib
import json
import resource
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from testkit.children import SOON, Program, Server
from testkit.flood import address
from testkit.relay import HOME
from testkit.stage import LOW, Guest, Stage, stage
from tests.conftest import SOAK
from tests.docs.pages import ROOT
from voicechat.carriage.udp import MOST_A_TURN
from voicechat.security.secret import Secret
from voicechat.server.factory import LET_IN
from voicechat.server.hub import Hub
from voicechat.server.listening import on_port
from voicechat.server.metrics import Dropped
from voicechat.server.service import VoiceService
from voicechat.testing import MemoryCodec
from voicechat.wire.datagrams import MAX_DATAGRAM, VERSION

MIB = 1 << 20

SECONDS = 60.0 if SOAK else 1.0
DATAGRAMS = 1_000_000 if SOAK else 10_000
CONNECTS = 500
LOST = 1 / 500
"""Of the frames; what the kernel drops of datagrams while the server waits for a CPU is not ours to keep."""

LONGEST = 600.0
"""Seconds that a million datagrams may take."""


def flood(held: Stage, server: Server, kind: str, seconds: float, *options: object) -> Program:
    """Strangers who have begun."""
    words = [sys.executable, "-m", "testkit.flood", kind, str(server.port), str(seconds)]
    program = Program([*words, *(str(option) for option in options)], folder=ROOT)
    held.children.running.append(program)
    return program


def over(held: Stage, program: Program, seconds: float = 90.0) -> dict[str, Any]:
    """What they say that they did."""
    held.line(program, '"seconds"', seconds)
    told: dict[str, Any] = json.loads(program.out)
    return told


def talking(held: Stage, server: Server, room: str) -> tuple[Guest, Guest]:
    """Ann sings, and Ben hears it."""
    ann, ben = (held.guest(name, server.port, room=room) for name in ("Ann", "Ben"))
    held.all_in()
    held.until(lambda: ann.call.path == ben.call.path == "udp", "their ways over UDP are proved")
    ann.tone = LOW
    held.until(lambda: ben.hears(LOW, 0.0), "Ben hears Ann")
    return ann, ben


def assert_every_frame_came(held: Stage, ann: Guest, ben: Guest) -> None:
    """Ann falls silent; Ben got all that they said."""
    ann.tone = None
    uplink = ann.call.uplink
    held.until(lambda: ben.came(ann) == uplink.sent, f"all {uplink.sent} frames come, not {ben.came(ann)}", 5.0)


def descriptors(program: Program) -> int:
    """Files and sockets that it has open."""
    return len(list(Path(f"/proc/{program.pid}/fd").iterdir()))


@pytest.mark.parametrize(("kind", "sources"), [("connect", 1), ("hello", 64), ("resume", 64)])
def test_r2_a_flood_of_connections_costs_no_frame_and_keeps_no_friend_out(
    tmp_path: Path, server: Server, kind: str, sources: int
) -> None:
    with stage(tmp_path) as held:
        ann, ben = talking(held, server, kind)
        told = len(server.program.out)
        memory, open_before = server.program.memory(), descriptors(server.program)
        strangers = flood(held, server, kind, SECONDS, "--sources", sources, "--rate", 1500)
        held.until(lambda: descriptors(server.program) > open_before + 4, "the flood has come")
        cid = held.guest("Cid", server.port, room=kind)
        held.until(lambda: cid.in_room, "a friend gets in", 5.0)
        assert over(held, strangers)["sent"] > 500 * SECONDS
        assert_every_frame_came(held, ann, ben)
        held.until(lambda: descriptors(server.program) <= open_before + 1, "descriptors are back", 10.0)
        assert server.program.memory() - memory < 20 * MIB
        assert [guest.call.reconnects for guest in held.guests] == [0, 0, 0]
        assert len(server.program.out) - told < 10_000, "nor does it fill the log"
        assert "Traceback" not in server.program.out


@pytest.mark.parametrize(("kind", "rate", "sources"), [("hello", 100, 0), ("mixed", 100, 0), ("mixed", 700, 250)])
def test_r2_nine_of_ten_friends_are_in_within_two_seconds_of_a_flood_of_all_kinds(
    tmp_path: Path, kind: str, rate: int, sources: int
) -> None:
    """From the friends' own address, as behind one router, too."""
    with stage(tmp_path) as held:
        server = held.server("--max-clients", "40")
        options = ("--rate", rate, "--sources", sources, "--most", 20 * rate, "--lag", 2)
        flood(held, server, kind, 60.0, *options)
        held.run(2.0)
        in_time = 0
        for number in range(20 if SOAK else 10):
            friend = held.guest(f"friend {number}", server.port)
            began = time.monotonic()
            while not friend.in_room and time.monotonic() < began + 2.0:
                held.run(0.02)
            in_time += friend.in_room
        assert in_time >= (18 if SOAK else 9)
        assert "was begun and not finished" in server.program.out
        assert "Traceback" not in server.program.out


def test_r2_in_a_turn_of_the_reactor_few_are_let_in(tmp_path: Path) -> None:
    with stage(tmp_path) as held, contextlib.ExitStack() as strangers:
        hub = Hub(held.reactor, MemoryCodec(), Secret("some password"))
        service = VoiceService(held.reactor, hub, [on_port(0, HOME)], None)
        service.privilegedStartService()
        for number in range(60):  # the kernel takes them, and they wait for us
            line = socket.create_connection((HOME, service.port), source_address=(address(number), 0))
            strangers.enter_context(line)
        let_in = []
        while len(hub.admission) < 60:
            before = len(hub.admission)
            held.turn()
            let_in.append(len(hub.admission) - before)
        assert max(let_in) == LET_IN
        over: list[None] = []
        service.stopService().addCallback(over.append)
        held.until(lambda: bool(over), "it ends")


@pytest.mark.parametrize("size", [0, 1, 16, MAX_DATAGRAM])
def test_r17_in_a_turn_of_the_reactor_few_datagrams_are_read_and_each_is_counted(tmp_path: Path, size: int) -> None:
    """Whatever a stranger sends: here what looks like ours as far as it goes, so that no filter refuses the larger."""
    with stage(tmp_path) as held, socket.socket(type=socket.SOCK_DGRAM) as stranger:
        hub = Hub(held.reactor, MemoryCodec(), Secret("some password"))
        service = VoiceService(held.reactor, hub, [on_port(0, HOME)], None)
        service.privilegedStartService()
        stranger.connect((HOME, service.port))
        datagram = (bytes([VERSION << 4]) + bytes(MAX_DATAGRAM))[:size]
        for _ in range(200):  # the kernel's queue holds them all
            stranger.send(datagram)
        read: list[int] = []
        dropped, end = hub.metrics.datagrams_dropped_total, held.now + SOON
        while sum(read) + dropped[Dropped.KERNEL].value < 200:
            assert held.now < end, (sum(read), dropped[Dropped.KERNEL].value)
            before = dropped[Dropped.NOT_OPENED].value
            held.turn(0.1)
            read.append(int(dropped[Dropped.NOT_OPENED].value - before))
            service.listeners[0].factory.datagrams.count_dropped()
        assert max(read) <= MOST_A_TURN
        assert sum(read) in (0, 200), "a filter refuses all of a kind, or none"
        over: list[None] = []
        service.stopService().addCallback(over.append)
        held.until(lambda: bool(over), "it ends")


def test_r14_without_descriptors_new_ones_are_refused_and_the_old_stay(tmp_path: Path) -> None:
    with stage(tmp_path) as held:
        server = held.server("--limit", "before_login=1000", "--limit", "before_login_each=1000")
        ann, ben = talking(held, server, "")
        resource.prlimit(server.program.pid, resource.RLIMIT_NOFILE, (64, 64))
        strangers = flood(held, server, "connect", 30.0, "--most", CONNECTS, "--keep", CONNECTS, "--rate", 1000)
        held.until(lambda: descriptors(server.program) >= 60, "they are used up")
        held.run(0.5)
        assert over(held, strangers)["sent"] == CONNECTS
        assert_every_frame_came(held, ann, ben)
        held.until(lambda: descriptors(server.program) < 20, "they are back", 15.0)
        cid = held.guest("Cid", server.port)
        held.until(lambda: cid.in_room, "a friend gets in again")
        assert [guest.call.reconnects for guest in held.guests] == [0, 0, 0]


def test_r14_a_flood_needs_no_more_memory_than_a_mebibyte(tmp_path: Path, server: Server) -> None:
    with stage(tmp_path) as held:
        ann, ben = talking(held, server, "memory")
        used = int(server.program.proc("statm").split()[0]) * resource.getpagesize()
        resource.prlimit(server.program.pid, resource.RLIMIT_AS, (used + MIB, resource.RLIM_INFINITY))
        strangers = flood(held, server, "hello", SECONDS, "--sources", 64, "--rate", 500)
        over(held, strangers)
        assert_every_frame_came(held, ann, ben)
        assert [guest.call.reconnects for guest in held.guests] == [0, 0]
        resource.prlimit(server.program.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_r17_forged_and_replayed_datagrams_get_not_a_byte_and_disturb_nobody(tmp_path: Path, server: Server) -> None:
    with stage(tmp_path) as held:
        relay = held.relay(server.port)
        ann, ben = (held.guest(name, server.port, relay.host, room="replayed") for name in ("Ann", "Ben"))
        held.all_in()
        held.until(lambda: ann.call.path == "udp", "Ann's way over UDP is proved")
        ann.tone = LOW
        held.until(lambda: ben.hears(LOW, 0.0), "Ben hears Ann")
        held.run(0.5)
        recorded = tmp_path / "recorded.txt"
        recorded.write_text("\n".join(datagram.hex() for datagram in relay.recorded))
        options = ("--most", DATAGRAMS, "--rate", 10_000, "--replay", recorded)
        told = over(held, flood(held, server, "datagrams", LONGEST, *options), LONGEST)
        assert told["sent"] == DATAGRAMS
        assert told["answered"] == 0
        ann.tone = None
        held.run(0.5)
        sent = ann.call.uplink.sent
        assert sent - ben.came(ann) <= sent * LOST, "as little as redundancy makes up for"
        assert ann.call.path == ben.call.path == "udp"
        assert [guest.call.reconnects for guest in held.guests] == [0, 0]
