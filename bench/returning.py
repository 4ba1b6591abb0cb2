"""Many clients who come back by themselves: the real service, retries, logins and carriages, and no sound.

    python -m bench.returning --port 1234 --password-file FILE --clients 100

They sit in rooms of two. Whoever has entered says a word each tenth of a second until
their friend hears it: then they talk. When all of them do, a line of JSON is written, for
the first time and after each loss of all lines: when the last line was lost, and when
each client talked, in seconds of CLOCK_MONOTONIC. At SIGUSR1 all of them lose their
lines at one moment, and their tickets, too, so that each has to log in anew.
"""

import argparse
import functools
import json
import random
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.task import LoopingCall

from voicechat import passwords
from voicechat.carriage.clock import monotonic_reactor
from voicechat.client.network.outage import IRecovery
from voicechat.client.network.protocol import RemoteServer
from voicechat.client.network.reconnecting import Service
from voicechat.client.network.target import Target
from voicechat.codecs.opus import OpusCodec
from voicechat.format import silent_frame
from voicechat.media.packet import ME, MediaPacket
from voicechat.security.secret import Secret
from voicechat.wire import media, messages

SAYS_EACH: Final = 0.1
"""Seconds between two words."""


class Member:
    """One client: the real service, and a call that says one word until it is heard."""

    def __init__(self, crowd: "Crowd", number: int) -> None:
        self._crowd = crowd
        self.friend = self
        self.connection: RemoteServer | None = None
        self.talked_at: float | None = None
        """When their friend heard them."""
        self.password_logins = self.reconnects = 0
        self.recovery: IRecovery | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._tick = 0
        target = Target("127.0.0.1", crowd.port, crowd.password, messages.Request(f"m{number}", f"pair{number // 2}"))
        self.service = Service(
            crowd.reactor,
            self,
            target,
            self,
            functools.partial(crowd.fail, number),
            random.Random(number).uniform,
        )
        self._says = LoopingCall(self._say)
        self._says.clock = crowd.reactor

    def lose_line(self) -> None:
        """At once, and the ticket with it."""
        self.service._ticket = None  # noqa: SLF001  no client does so by itself
        if self.connection is not None:
            self.connection.connection.abort()

    def _say(self) -> None:
        if self.talked_at is not None or self.connection is None:
            self._says.stop()
            return
        self._tick += 5
        packet = MediaPacket(ME, self._tick & 0xFFFF, self._crowd.word, marker=True)
        self.connection.send_media(media.encode(packet))

    # -- what the service tells a call, and a console -----------------------------------

    def entered(self, connection: RemoteServer, _: messages.Welcome) -> None:
        self.connection = connection
        if not self._says.running:
            self._says.start(SAYS_EACH)

    def disconnected(self, connection: RemoteServer) -> None:
        if connection is self.connection:
            self.connection = self.talked_at = None
            self._crowd.lost()

    def media_received(self, packet: MediaPacket) -> None:
        if packet.payload and self.friend.talked_at is None:
            self.friend.talked_at = self._crowd.reactor.seconds()
            self._crowd.talks()

    def message_received(self, message: messages.Message) -> None:
        """The crowd does not care who else is there."""

    def sent_over(self, udp: bool) -> None:
        """Whichever way."""

    def received_over(self, udp: bool) -> None:
        """Whichever way."""

    def say(self, text: str) -> None:
        """Nobody reads it."""

    warn = talk = chat = people = trouble = say

    def stop(self) -> None:
        """Never."""


class Crowd:
    """Everybody."""

    def __init__(self, reactor: Any, port: int, clients: int, password: Secret) -> None:
        self.reactor, self.port, self.password = reactor, port, password
        self.word = OpusCodec().encoder(12_000).encode(silent_frame())
        self.failure = ""
        self._lost_at = reactor.seconds()
        self._talking = 0
        self._members = [Member(self, number) for number in range(clients)]
        for ann, ben in zip(self._members[::2], self._members[1::2], strict=True):
            ann.friend, ben.friend = ben, ann

    def start(self) -> None:
        """Everybody comes, twenty a second, for the first time."""
        for number, member in enumerate(self._members):
            self.reactor.callLater(number / 20, member.service.start)

    def lose_lines(self) -> None:
        """All at once."""
        for member in self._members:
            member.lose_line()

    def lost(self) -> None:
        self._lost_at = self.reactor.seconds()
        self._talking = sum(member.talked_at is not None for member in self._members)

    def talks(self) -> None:
        self._talking += 1
        if self._talking == len(self._members):
            told = {"lost_at": self._lost_at, "talked_at": [member.talked_at for member in self._members]}
            print(json.dumps(told), flush=True)

    def fail(self, number: int, code: int, line: str) -> None:
        self.failure = f"m{number} ended with {code}: {line}"
        if self.reactor.running:
            self.reactor.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.returning", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--password-file", required=True)
    parser.add_argument("--clients", type=int, default=100, help="an even number")
    chosen = parser.parse_args()
    reactor = monotonic_reactor()
    crowd = Crowd(reactor, chosen.port, chosen.clients, passwords.from_file(chosen.password_file))
    signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(crowd.lose_lines))
    reactor.callWhenRunning(crowd.start)
    reactor.run()
    if crowd.failure:
        print(f"returning: {crowd.failure}", file=sys.stderr)
    return 1 if crowd.failure else 0


if __name__ == "__main__":
    sys.exit(main())
