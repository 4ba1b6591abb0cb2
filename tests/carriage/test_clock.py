"""Time for the reactor and for ticks."""

import subprocess
import sys

import pytest
from twisted.internet.task import Clock

from voicechat.carriage.clock import ticks
from voicechat.format import TICKS_PER_SECOND

STEPPED = """
import os, sys, threading, time
wall, step = time.time, [0.0]
time.time = lambda: wall() + step[0]  # before anybody has looked at it
from voicechat.carriage.clock import monotonic_reactor
reactor = monotonic_reactor()
called = []
reactor.callLater(0.05, called.append, 1)
reactor.callLater(0.1, reactor.stop)
reactor.callLater(30, lambda: (called.clear(), reactor.stop()))
end = threading.Timer(10.0, os._exit, (3,))
end.daemon = True
end.start()
step[0] = float(sys.argv[1])
reactor.run()
print(called)
"""


def test_seconds_become_ticks() -> None:
    clock = Clock()
    clock.advance(1.5)
    assert ticks(clock) == 1.5 * TICKS_PER_SECOND


@pytest.mark.parametrize("step", [-3600, 3600])
def test_the_reactor_does_not_care_for_the_wall_clock(step: int) -> None:
    words = [sys.executable, "-c", STEPPED, str(step)]
    child = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert child.stdout == "[1]\n"
