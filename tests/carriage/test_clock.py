"""Time for the reactor and for ticks."""

import subprocess
import sys

from twisted.internet.task import Clock

from voicechat.carriage.clock import ticks
from voicechat.format import TICKS_PER_SECOND

STEPPED_BACK = """
import time
from voicechat.carriage.clock import monotonic_reactor
reactor = monotonic_reactor()
called = []
reactor.callLater(0.05, called.append, 1)
wall = time.time
time.time = lambda: wall() - 3600
reactor.callLater(0.1, reactor.stop)
reactor.callLater(30, lambda: (called.clear(), reactor.stop()))
reactor.run()
print(called)
"""


def test_seconds_become_ticks() -> None:
    clock = Clock()
    clock.advance(1.5)
    assert ticks(clock) == 1.5 * TICKS_PER_SECOND


def test_the_reactor_does_not_care_for_the_wall_clock() -> None:
    child = subprocess.run([sys.executable, "-c", STEPPED_BACK], capture_output=True, text=True, timeout=60, check=True)
    assert child.stdout == "[1]\n"
