"""R12, R13: a machine that has no time for the server, and no room or no place for its log."""

import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from testkit.children import Program
from testkit.processes import free_port
from testkit.relay import HOME
from testkit.stage import HIGH, LOW, stage
from tests.conftest import SOAK
from tests.docs.pages import ROOT
from tests.goals.world import World
from voicechat.server.options import ServerExit

SECONDS = 60.0 if SOAK else 1.5
BUSY = 4
"""Loops that want all the time there is."""

LOOP = "import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass"
IDLE = 19
"""The lowest priority: beside busy loops of the usual one, 1.5 % of what each of them gets."""


def test_r12_a_server_without_time_is_on_time_again_when_there_is_some(tmp_path: Path) -> None:
    with stage(tmp_path) as held:
        server = held.server("--mixing", "always")
        ann, ben = held.guest("Ann", server.port), held.guest("Ben", server.port)
        held.all_in()
        ann.tone = LOW
        held.until(lambda: ben.hears(LOW, 0.0), "Ben hears Ann, mixed")
        os.setpriority(os.PRIO_PROCESS, server.program.pid, IDLE)
        loops = [Program([sys.executable, "-c", LOOP.format(seconds=SECONDS)], folder=ROOT) for _ in range(BUSY)]
        held.children.running += loops
        held.until(lambda: not any(loop._writes() for loop in loops), "the loops end", 20 * SECONDS)
        held.run(1.0)
        ann.tone, changed = HIGH, held.now
        held.until(lambda: ben.hears(HIGH, changed), "the delay is what it was", 0.3)
        assert [guest.call.reconnects for guest in held.guests] == [0, 0]


@pytest.mark.parametrize("share", [0.2, 0.02])
def test_r12_ticks_that_could_not_run_are_skipped_and_counted(share: float) -> None:
    """The server gets 10 ms now and then; the others have all the time they want."""
    world = World(always_mix=True)
    ann, ben = world.call("Ann"), world.call("Ben")
    ann.talks = lambda _: True
    world.run(2)
    before = max(ben.ages(world.now - 1))
    end = world.now + (60.0 if SOAK else 5.0)
    while world.now < end:
        world.freeze_server(0.01 * (1 / share - 1))
        world.run(0.01 / share)
    assert (world.metrics.ticks_skipped_total.value > 0) == (share < 0.1), "three at a time are made up for"
    assert max(ben.ages(world.now - 2), default=0.0) < 1.0, "no delay that grows"
    skipped = world.metrics.ticks_skipped_total.value
    world.run(45)  # jitter is remembered until it is too small a part of what is remembered (media.playout)
    assert max(ben.ages(world.now - 1)) <= before + 0.011
    assert world.metrics.ticks_skipped_total.value == skipped, "on time again at once"
    assert [caller.player.call.reconnects for caller in (ann, ben)] == [0, 0]


def test_r13_a_full_disk_stops_the_log_and_nothing_else(tmp_path: Path) -> None:
    with stage(tmp_path) as held:
        port, log = free_port(), tmp_path / "voicechat.log"
        program = held.children.start(
            *("twistd", "-n", "--pidfile=", f"--logfile={log}", "voicechat", "--port", str(port)),
            *("--interface", HOME, "--password-file", str(held.children.password_file)),
        )
        held.until(lambda: log.exists() and "listening" in log.read_text(), "the server listens")
        ann, ben = held.guest("Ann", port), held.guest("Ben", port)
        held.all_in()
        ann.tone = LOW
        held.until(lambda: ben.hears(LOW, 0.0), "Ben hears Ann")

        size = log.stat().st_size
        resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        cid = held.guest("Cid", port)
        held.until(lambda: cid.in_room, "a friend gets in")
        cid.close()
        held.until(lambda: "Cid left" in ben.out.getvalue(), "a friend leaves")
        start = held.now
        held.run(0.5)
        assert ben.longest_gap(LOW, start) < 0.2
        ann.tone = None
        held.until(lambda: ben.came(ann) == ann.call.uplink.sent, "every frame came")
        assert log.stat().st_size == size

        resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        dan = held.guest("Dan", port)
        held.until(lambda: dan.in_room, "another friend gets in")
        held.until(lambda: "'Dan' entered" in log.read_text(), "there is a log again when there is room for it")


def test_r13_a_log_folder_that_nothing_can_be_done_in_stops_nothing(tmp_path: Path) -> None:
    """Not read-only, for that means nothing to root, but gone: the log can be neither rotated nor opened anew."""
    with stage(tmp_path) as held:
        port, folder = free_port(), tmp_path / "log"
        folder.mkdir()
        log = folder / "voicechat.log"
        program = held.children.start(
            *("twistd", "-n", "--pidfile=", f"--logfile={log}", "voicechat", "--port", str(port)),
            *("--interface", HOME, "--password-file", str(held.children.password_file)),
        )
        held.until(lambda: log.exists() and "listening" in log.read_text(), "the server listens")
        ann, ben = held.guest("Ann", port), held.guest("Ben", port)
        held.all_in()
        ann.tone = LOW
        held.until(lambda: ben.hears(LOW, 0.0), "Ben hears Ann")

        moved = folder.rename(tmp_path / "elsewhere") / log.name
        program.signal(signal.SIGUSR1)  # twistd's word for: rotate now
        cid = held.guest("Cid", port)
        held.until(lambda: cid.in_room, "a friend gets in")
        ann.tone = None
        held.until(lambda: ben.came(ann) == ann.call.uplink.sent, "every frame came")
        held.until(lambda: "'Cid' entered" in moved.read_text(), "what was open is written to")
        assert [guest.call.reconnects for guest in held.guests] == [0, 0, 0]


def test_r13_a_log_that_cannot_be_begun_is_told_in_one_line(tmp_path: Path) -> None:
    with stage(tmp_path) as held:
        program = held.children.start(
            *("twistd", "-n", "--pidfile=", f"--logfile={tmp_path}/nowhere/voicechat.log", "voicechat"),
            *("--port", "0", "--password-file", str(held.children.password_file)),
        )
        assert program.end() == ServerExit.CONFIG
        (line,) = program.err.splitlines()
        assert "nowhere/voicechat.log" in line
