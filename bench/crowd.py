"""Many cheap clients in one process: real logins and carriages, no sound, voices coded beforehand.

    python -m bench.crowd --port 1234 --password-file FILE --rooms 5 --talkers 4 [--listeners 0] --seconds 10

Each talker sends 50 packets a second, without a pause; the clients' beats are spread
over the 20 ms as those of strangers would be. What comes is opened and counted, never
decoded. When all are in and talk, a line "talking" is written; at the end a line of
JSON: packets sent, packets heard, and how late the crowd itself was (p99, ms), for a
crowd that is short of CPU time measures nothing but itself. At SIGUSR1 a line of JSON says
what each member was given of the mix so far, and when that was.
"""

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any, Final

from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from bench.codec import VOICE, frames_of
from bench.figures import percentile
from voicechat import passwords
from voicechat.carriage.clock import monotonic_reactor
from voicechat.carriage.tcp import StringProtocol
from voicechat.client.network.datagrams import DatagramSocket
from voicechat.client.network.protocol import RemoteServer
from voicechat.codecs.opus import OpusCodec
from voicechat.format import TICK_SECONDS
from voicechat.media.packet import ME, MIX, MediaPacket
from voicechat.security.secret import Secret
from voicechat.session.client import ClientSession
from voicechat.wire import media, messages
from voicechat.wire.handshake import Refuse

BEATS: Final = 10
"""Times in 20 ms at which some of the talkers send."""

AT_ONCE: Final = 6
"""Logins at a time: a server allows eight of one address."""

WARM_SECONDS: Final = 3.0
"""From the last login to "talking": the ways over UDP are proved, the mixing has begun."""

LOUD: Final = 100
"""Frames of the voice that are sent, over and over: two seconds from its middle."""


class Member:
    """One client: what `RemoteServer` asks of a call, answered with counting."""

    def __init__(self, crowd: "Crowd", room: str, name: str) -> None:
        self._crowd = crowd
        self.request = messages.Request(name, room)
        self.connection: RemoteServer | None = None
        self._sent = 0
        self.mixed = 0
        """Frames of the mix that came."""

    def protocol(self) -> StringProtocol:
        session = ClientSession(self._crowd.password, self.request)
        return StringProtocol(RemoteServer(self._crowd.reactor, self, session, self._socket_to).connection)

    def _socket_to(self, host: str, number: int) -> DatagramSocket:
        return DatagramSocket(self._crowd.reactor, host, number)

    def talk(self, tick: int, payloads: list[bytes]) -> None:
        """Send the frame of a tick."""
        if self.connection is not None:
            payload = payloads[self._sent % len(payloads)]
            packet = MediaPacket(ME, tick & 0xFFFF, payload, marker=self._sent == 0)
            self._sent += 1
            self._crowd.sent += 1
            self.connection.send_media(media.encode(packet))

    # -- what the protocol tells ----------------------------------------------------

    def entered(self, connection: RemoteServer, _: messages.Welcome) -> None:
        self.connection = connection
        self._crowd.entered()

    def rejected(self, _: RemoteServer, answer: Refuse | messages.Bye) -> None:
        self._crowd.fail(f"refused: {answer}")

    def media_received(self, packet: MediaPacket) -> None:
        self._crowd.heard += 1
        mixed = packet.source == MIX
        self._crowd.mixed += mixed
        self.mixed += mixed

    def message_received(self, message: messages.Message) -> None:
        """The crowd does not care who else is there."""

    def sent_over(self, udp: bool) -> None:
        """Whichever way."""

    def received_over(self, udp: bool) -> None:
        """Whichever way."""

    def answers_changed(self, connection: RemoteServer) -> None:
        """Whoever is silent for long is given up."""

    def nothing_comes(self, host: str) -> None:
        """It is loaded, and waited for."""

    def protocol_error(self, error: Exception) -> None:
        self._crowd.fail(f"the server broke the protocol: {error}")

    def disconnected(self, _: RemoteServer, why: str) -> None:
        self.connection = None
        self._crowd.lost(why)


class Crowd:
    """Everybody."""

    def __init__(self, reactor: Any, chosen: argparse.Namespace, password: Secret) -> None:
        self.reactor = reactor
        self.password = password
        self.sent = self.heard = self.mixed = 0
        self._chosen = chosen
        self._members: list[Member] = []
        self._talkers: list[Member] = []
        for room in range(chosen.rooms):
            members = [Member(self, f"room{room}", f"m{k}") for k in range(chosen.talkers + chosen.listeners)]
            self._members += members
            self._talkers += members[: chosen.talkers]
        self._waiting = list(reversed(self._members))
        self._inside = 0
        self._late: list[float] = []
        self._beat = 0
        self._start = 0.0
        self._loop = LoopingCall(self._send)
        self._loop.clock = reactor
        self._payloads = coded()
        self._over = False
        self.failure = ""

    def start(self) -> None:
        for _ in range(AT_ONCE):
            self._next()

    def entered(self) -> None:
        self._inside += 1
        self._next()
        if self._inside == len(self._members):
            self._start = self.reactor.seconds()
            self._loop.start(TICK_SECONDS / BEATS, now=False).addErrback(self._broke)
            self.reactor.callLater(WARM_SECONDS, self._talking)

    def tell(self) -> None:
        """How things stand."""
        print(json.dumps({"at": self.reactor.seconds(), "mixed": [one.mixed for one in self._members]}), flush=True)

    def fail(self, why: str) -> None:
        self.failure = self.failure or why
        if self.reactor.running:
            self.reactor.stop()

    def lost(self, why: str) -> None:
        if self._inside and not self._over:
            self.fail(f"a connection was lost: {why}")

    def _next(self) -> None:
        if self._waiting:
            member = self._waiting.pop()
            endpoint = HostnameEndpoint(self.reactor, self._chosen.host, self._chosen.port)
            endpoint.connect(Factory.forProtocol(member.protocol)).addErrback(self._broke)

    def _broke(self, failure: Failure) -> None:
        self.fail(failure.getErrorMessage())

    def _send(self) -> None:
        """All beats that are due: those of a tenth of the talkers each."""
        now = self.reactor.seconds() - self._start
        due = int(now / TICK_SECONDS * BEATS)
        while self._beat < due:
            self._late.append(now - self._beat * TICK_SECONDS / BEATS)
            for member in self._talkers[self._beat % BEATS :: BEATS]:
                member.talk(self._beat // BEATS, self._payloads)
            self._beat += 1

    def _talking(self) -> None:
        print("talking", flush=True)
        self._late.clear()
        self.sent = self.heard = self.mixed = 0
        self.reactor.callLater(self._chosen.seconds, self._end)

    def _end(self) -> None:
        late = percentile(self._late, 99)
        counts = {"sent": self.sent, "heard": self.heard, "mixed": self.mixed}
        print(json.dumps(counts | {"late_ms": None if late is None else late * 1000}), flush=True)
        self._over = True
        self.reactor.stop()


def coded() -> list[bytes]:
    """Two seconds of loud voice at 12 kbit/s."""
    frames = frames_of(VOICE)
    encoder = OpusCodec().encoder(12_000)
    start = len(frames) // 3
    return [encoder.encode(frame) for frame in frames[start : start + LOUD]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--password-file", required=True)
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--talkers", type=int, default=4, help="in each room")
    parser.add_argument("--listeners", type=int, default=0, help="in each room, who only listen")
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    reactor = monotonic_reactor()
    crowd = Crowd(reactor, chosen, passwords.from_file(str(Path(chosen.password_file))))
    signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(crowd.tell))
    reactor.callWhenRunning(crowd.start)
    reactor.run()
    if crowd.failure:
        print(f"crowd: {crowd.failure}", file=sys.stderr)
    return 1 if crowd.failure else 0


if __name__ == "__main__":
    sys.exit(main())
