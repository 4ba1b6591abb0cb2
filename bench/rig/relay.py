"""A bad line: joins pairs of TUN devices and delays, jitters and loses whole IP packets between them.

Run as ``python -m bench.rig.relay SPEC FD FD [FD FD ...]`` with the devices' open
descriptors; TCP and UDP both meet it as they would a bad path, and no kernel module is
needed for it. The order of packets is kept, as in a queue. Ends when it is killed.

``SPEC`` is ``delay=20,jitter=50,loss=2,burst=3,udp=1,seed=1``: milliseconds of delay, and
of jitter on top (uniform from 0), percent of packets lost, packets lost in a row, whether
UDP passes at all, and the seed of it all. Each direction of each link has a generator of
its own, so that what is lost on one does not depend on what happens on another.
"""

import contextlib
import heapq
import os
import random
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass
from typing import Final

LONGEST_PACKET: Final = 65_536
IDLE_SECONDS: Final = 60.0

PROTOCOL: Final = 9
"""The byte of an IPv4 header that tells it (RFC 791)."""


@dataclass(frozen=True)
class Impairment:
    """What a link does to each packet, each way."""

    delay: float = 0.0
    """Milliseconds."""
    jitter: float = 0.0
    """Milliseconds on top of ``delay``, uniform from 0."""
    loss: float = 0.0
    """Percent of packets, the bursts' later ones included."""
    burst: int = 1
    """Packets lost in a row."""
    udp: int = 1
    """0: datagrams are dropped, as a packet filter does."""
    seed: int = 1

    def text(self) -> str:
        """As `parse` reads it."""
        return ",".join(f"{name}={value}" for name, value in asdict(self).items())


def parse(text: str) -> Impairment:
    """Read a SPEC; ValueError if it is none."""
    fields: dict[str, str] = {}
    for item in text.split(","):
        name, _, value = item.partition("=")
        if name not in Impairment.__dataclass_fields__:
            raise ValueError(f"a line has no {name!r}")
        fields[name] = value
    plain = Impairment()
    return Impairment(
        float(fields.get("delay", plain.delay)),
        float(fields.get("jitter", plain.jitter)),
        float(fields.get("loss", plain.loss)),
        int(fields.get("burst", plain.burst)),
        int(fields.get("udp", plain.udp)),
        int(fields.get("seed", plain.seed)),
    )


class Way:
    """One direction of one link: which packet is lost, and when the others arrive."""

    def __init__(self, spec: Impairment, into: int, seed: int) -> None:
        self.into = into
        self._spec = spec
        self._chance = random.Random(seed)
        self._start = spec.loss / 100 / spec.burst
        self._losing = 0
        self._last = 0.0

    def due(self, packet: bytes, now: float) -> float | None:
        """When an IP packet that came ``now`` arrives; None if it never does."""
        if not self._spec.udp and packet[PROTOCOL] == socket.IPPROTO_UDP:
            return None
        if not self._losing and self._chance.random() < self._start:
            self._losing = self._spec.burst
        if self._losing:
            self._losing -= 1
            return None
        delay = (self._spec.delay + self._chance.random() * self._spec.jitter) / 1000
        self._last = max(self._last, now + delay)
        return self._last


def main() -> None:
    spec, devices = parse(sys.argv[1]), [int(device) for device in sys.argv[2:]]
    with selectors.DefaultSelector() as selector:
        for index, device in enumerate(devices):
            os.set_blocking(device, False)
            way = Way(spec, devices[index ^ 1], 1000 * spec.seed + index)
            selector.register(device, selectors.EVENT_READ, way)
        relay(selector)


def relay(selector: selectors.BaseSelector) -> None:
    """Pass packets on for ever."""
    waiting: list[tuple[float, int, int, bytes]] = []
    count = 0
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, into, packet = heapq.heappop(waiting)
            with contextlib.suppress(OSError):
                os.write(into, packet)
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else IDLE_SECONDS
        for key, _ in selector.select(pause):
            way: Way = key.data
            with contextlib.suppress(BlockingIOError):
                while True:
                    packet = os.read(key.fd, LONGEST_PACKET)
                    due = way.due(packet, time.monotonic())
                    if due is not None:
                        count += 1
                        heapq.heappush(waiting, (due, count, way.into, packet))


if __name__ == "__main__":
    main()
