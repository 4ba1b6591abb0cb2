"""Doctor's visit to the server: a real login, into a room of our own, and which ways lead there and back.

UDP is said to work both ways only when both were proved: ours by an answered probe, the
server's by sound that it really sent there. So something is said, and the echo listened to.
"""

import io
import random
import signal
from typing import Any, Final

import numpy as np

from voicechat import standard
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.call.call import Call
from voicechat.client.call.ways import UDP_WITHIN
from voicechat.client.exits import Exit
from voicechat.client.finding import Finding, Verdict
from voicechat.client.network.reconnecting import Service
from voicechat.client.network.target import Target
from voicechat.client.ui.line import Console
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS
from voicechat.interfaces import IDescribedCodec
from voicechat.media.gate import GateMode, TalkGate

ECHO_WITHIN: Final = 3.0
"""Seconds in which something that was said comes back: the server waits for one, and both lines take their time."""

SAID_BLOCKS: Final = 50
"""Blocks that are said for it: half a second, of which something comes back on a line that loses much."""

SAID_RMS: Final = 0.01
"""Of full scale: nobody hears it."""

FAR: Final = 0.15
"""Seconds of round trip from which talk becomes slow: with our own delay ITU-T G.114's 150 ms one way are passed."""


def _both_ways(back: str | None) -> Finding:
    """UDP takes our sound to the server; judge how the server's comes."""
    if back == "udp":
        return Finding(Verdict.OK, "server: UDP gets through, both ways")
    comes = "sound for you comes over TCP" if back else "nothing came back of what was sent there"
    advice = "a call works, with more delay; the host should let the server listen on the address that you use"
    return Finding(Verdict.WARNING, f"server: UDP gets through to it, but {comes}; {advice}")


class Visit:
    """One login, as short as it can be."""

    def __init__(self, reactor: Any, target: Target, codec: IDescribedCodec) -> None:
        self._reactor = reactor
        self._target = target
        gate = TalkGate()
        gate.mode = GateMode.OPEN
        self._bridge = bridge = AudioBridge(reactor.callFromThread, gate)
        unheard = Console(io.StringIO(), io.StringIO())
        self._call = Call(reactor, codec, bridge, unheard)
        self._service = Service(reactor, self._call, target, unheard, self._ended, random.SystemRandom().uniform)
        self._service.on_entered = self._entered
        self._left = 0.0
        self._said = False
        self._over = False
        self.found: list[Finding] = []

    def run(self) -> list[Finding]:
        """Run the reactor until everything is known."""
        interrupted: list[int] = []

        def interrupt(number: int, _: object) -> None:
            interrupted.append(number)
            self._reactor.callFromThread(self._leave)

        standard.obey(signal.SIGINT, interrupt)
        self._reactor.callWhenRunning(self._service.start)
        self._reactor.run(installSignalHandlers=False)
        if interrupted:
            raise KeyboardInterrupt
        return self.found

    def _ended(self, code: int, line: str) -> None:
        """The server was not reached, or does not want us."""
        self.found.append(Finding(Verdict.FAIL, line, Exit(code)))
        self._leave()

    def _entered(self) -> None:
        self.found.append(Finding(Verdict.OK, f"server: {self._service.where} lets you in over TCP"))
        self._left = self._reactor.seconds() + UDP_WITHIN
        self._look()

    def _look(self) -> None:
        if self._over:
            return
        connection, ways = self._call.connection, self._call.ways
        round_trip = None if connection is None else connection.round_trip
        if ways.out == "udp" and self._call.friends.listening and not self._said:
            self._say()
        known = round_trip is not None and (not self._target.udp or ways.out == self._back() == "udp")
        if not known and self._reactor.seconds() < self._left:
            self._reactor.callLater(0.1, self._look)
            return
        if ways.out == "udp":
            self.found.append(_both_ways(self._back()))
        elif self._target.udp:
            advice = (
                f"the host should forward UDP port {self._target.port}, too; a call works over TCP, with more delay"
            )
            self.found.append(Finding(Verdict.WARNING, f"server: UDP does not get through; {advice}"))
        if round_trip is not None:
            told = f"round trip: {round_trip * 1000:.0f} ms"
            far = Finding(Verdict.WARNING, f"{told}: far away, or a slow line; a cable is better than Wi-Fi")
            self.found.append(far if round_trip > FAR else Finding(Verdict.OK, told))
        self._leave()

    def _say(self) -> None:
        """Have something to hear: an echo test says it again, by the way that the server's sound takes."""
        self._said = True
        self._left = self._reactor.seconds() + ECHO_WITHIN
        noise = np.random.default_rng(1).normal(0, SAID_RMS, (SAID_BLOCKS, BLOCK_SAMPLES)).astype(np.float32)
        for number, block in enumerate(noise):
            self._reactor.callLater(number * BLOCK_SECONDS, self._bridge.exchange, block.tobytes())

    def _back(self) -> str | None:
        """The way of the server's sound or, where it has nothing to say, of its datagrams; None: not known yet."""
        connection = self._call.connection
        came = connection is not None and connection.received_by_udp
        return self._call.ways.back or ("udp" if came and not self._said else None)

    def _leave(self) -> None:
        if self._over:
            return
        self._over = True
        self._service.stop()
        self._reactor.callLater(0.05, self._reactor.stop)
