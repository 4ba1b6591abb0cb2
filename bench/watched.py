"""A server that notes when its ticks came, and counts what it coded.

    python -m bench.watched --port 1234 --password-file FILE --json PATH [--seconds 10]

It is the server of ``twistd voicechat``, hub, carriages and codec, with a stopwatch at
the beat. At SIGTERM it writes, for the ticks of the last ``--seconds``: how late each
began and how late its last packet was out (percentiles, ms), how many were skipped, and
encodes and decodes for each tick; the longest turn of the reactor; and what the hub has
counted. At SIGUSR1 it does so, too, and begins anew.

A tick's lateness is counted from where the earliest tick of all stood to its 20 ms:
LoopingCall begins its beat at any phase of them and keeps it.
"""

import argparse
import json
import signal
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any, Final

from zope.interface import implementer

from bench.figures import percentile
from voicechat import garbage, passwords
from voicechat.carriage.clock import monotonic_reactor
from voicechat.codecs.opus import OpusCodec, OpusDecoder, OpusEncoder
from voicechat.format import TICK_SECONDS, TICKS_PER_SECOND, Frame
from voicechat.interfaces import ICodec, IDecoder, IEncoder
from voicechat.media.quality import MIX_COMPLEXITY
from voicechat.server.hub import Hub
from voicechat.server.limits import Limits
from voicechat.server.listening import on_port
from voicechat.server.service import VoiceService

SEATS: Final = 200
PERCENTILES: Final = (50, 99, 99.9)


class Counted:
    """What was coded."""

    encodes = 0
    decodes = 0


@implementer(IEncoder)
class CountedEncoder:
    def __init__(self, encoder: OpusEncoder) -> None:
        self._encoder = encoder

    def encode(self, frame: Frame) -> bytes:
        Counted.encodes += 1
        return self._encoder.encode(frame)


@implementer(IDecoder)
class CountedDecoder:
    def __init__(self, decoder: OpusDecoder) -> None:
        self._decoder = decoder

    def conceal(self, out: Frame) -> None:
        self._decoder.conceal(out)

    def keep(self) -> None:
        self._decoder.keep()

    def restore(self) -> None:
        self._decoder.restore()

    def decode(self, payload: bytes, out: Frame) -> None:
        Counted.decodes += 1
        self._decoder.decode(payload, out)


@implementer(ICodec)
class CountedCodec:
    """Opus, and how often it was called."""

    def __init__(self) -> None:
        self._opus = OpusCodec(MIX_COMPLEXITY)

    def encoder(self, bitrate: int) -> CountedEncoder:
        return CountedEncoder(self._opus.encoder(bitrate))

    def decoder(self) -> CountedDecoder:
        return CountedDecoder(self._opus.decoder())

    def check(self, payload: bytes) -> None:
        self._opus.check(payload)


class Turns:
    """Stands before the reactor's epoll, and times what lies between two waits: a turn, and of it our own CPU time."""

    def __init__(self, poller: Any) -> None:
        self._poller = poller
        self._began = self._cpu = 0.0
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.longest = self.longest_cpu = 0.0

    def poll(self, *wait: Any) -> Any:
        """The turn is over; the next begins when there is something to do."""
        if self._began:
            self.longest = max(self.longest, time.perf_counter() - self._began)
            self.longest_cpu = max(self.longest_cpu, time.thread_time() - self._cpu)
        events = self._poller.poll(*wait)
        self._began, self._cpu = time.perf_counter(), time.thread_time()
        return events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)


class WatchedHub(Hub):
    """A hub with a stopwatch at its beat."""

    begun: deque[tuple[int, float, float, int, int]]

    def _beat(self, tick: int) -> bool:
        begin = self.clock.seconds()
        encodes, decodes = Counted.encodes, Counted.decodes
        needed = super()._beat(tick)
        end = self.clock.seconds()
        grid = tick * TICK_SECONDS
        self.begun.append((tick, begin - grid, end - grid, Counted.encodes - encodes, Counted.decodes - decodes))
        return needed

    def told(self) -> dict[str, Any]:
        """The figures."""
        if not self.begun:
            return {"ticks": 0, "skipped": 0}
        earliest = min(entry[1] for entry in self.begun)
        begins = [(entry[1] - earliest) * 1000 for entry in self.begun]
        ends = [(entry[2] - earliest) * 1000 for entry in self.begun]
        count = len(self.begun)
        span = self.begun[-1][0] - self.begun[0][0] + 1
        figures: dict[str, Any] = {"ticks": count, "skipped": span - count}
        for percent in PERCENTILES:
            figures[f"begin_p{percent}"] = percentile(begins, percent)
            figures[f"end_p{percent}"] = percentile(ends, percent)
        figures["encodes"] = sum(entry[3] for entry in self.begun) / count
        figures["decodes"] = sum(entry[4] for entry in self.begun) / count
        return figures


def counts(hub: Hub) -> dict[str, float]:
    """What the hub has counted, by name and label."""
    return {
        name + "".join(f"{{{label}={value}}}" for label, value in labels.items()): number
        for name, labels, number in hub.metrics.samples()
        if name.endswith("_total")
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.watched", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--password-file", required=True)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--each", type=int, help="connections of one address before login, for crowds that have one")
    chosen = parser.parse_args()
    reactor = monotonic_reactor()
    limits = Limits(max_clients=SEATS, before_login_each=chosen.each or Limits().before_login_each)
    hub = WatchedHub(reactor, CountedCodec(), passwords.from_file(chosen.password_file), limits=limits)
    hub.begun = deque(maxlen=round(chosen.seconds * TICKS_PER_SECOND))
    service = VoiceService(reactor, hub, [on_port(chosen.port, "127.0.0.1")], None)
    reactor.callWhenRunning(garbage.keep_what_is_loaded)
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    turns = reactor._poller = Turns(reactor._poller)  # noqa: SLF001  the only place that knows when a turn ends
    counted: Counter[str] = Counter()

    def tell() -> None:
        turn = {"turn": turns.longest * 1000, "turn_cpu": turns.longest_cpu * 1000}
        service.listeners[0].factory.datagrams.count_dropped()
        now = Counter(counts(hub))
        whole = chosen.json.with_suffix(".new")
        whole.write_text(json.dumps(hub.told() | turn | {"counts": now - counted}) + "\n")
        whole.replace(chosen.json)
        hub.begun.clear()
        turns.forget()
        counted.clear()
        counted.update(now)

    signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(tell))
    reactor.callWhenRunning(lambda: print("listening", reactor.seconds(), flush=True))
    reactor.run()
    tell()


if __name__ == "__main__":
    main()
