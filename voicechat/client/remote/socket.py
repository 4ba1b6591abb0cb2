"""What voicechat-ctl reaches: a local socket on which one line asks and one line answers.

`Commands` does what a request says to the Controls; `RemoteProtocol` and `Remote` bring it from
the socket. Whoever connects can hold a connection for some seconds and nothing else: one
request each, of bounded length, from the same user, from a few at a time.
"""

import contextlib
import os
from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import LineOnlyReceiver

from voicechat.carriage.clock import Timer
from voicechat.client.call.controls import Controls
from voicechat.client.call.status import FriendStatus, Status
from voicechat.client.remote import runtime
from voicechat.client.remote.words import LONGEST_LINE, WORDS
from voicechat.errors import ConfigError, ControlError
from voicechat.wire import shown

SECONDS: Final = 3.0
"""From connecting to the end: a request takes a millisecond."""

MOST_AT_ONCE: Final = 8
"""Connections: a key that repeats has one or two."""


class RemoteRequest(msgspec.Struct, frozen=True):
    """What to do: a word of `words.WORDS`, and what stands behind it."""

    word: Annotated[str, Meta(max_length=32)]
    rest: Annotated[list[str], Meta(max_length=4)] = []


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Done: lines for a person, figures for a program; or why it cannot be done."""

    lines: list[str] = []
    figures: dict[str, Any] | None = None
    error: str | None = None


class Commands:
    """Requests done. ``figures`` gives what --stats writes, ``devices`` lines about those in use."""

    def __init__(
        self, controls: Controls, figures: Callable[[], dict[str, Any]], devices: Callable[[], list[str]]
    ) -> None:
        self._controls = controls
        self._figures = figures
        self.words: dict[str, Callable[..., Answer | None]] = {
            "mute": controls.mute,
            "unmute": controls.unmute,
            "mute-toggle": controls.toggle_mute,
            "deafen": controls.deafen,
            "undeafen": controls.undeafen,
            "deafen-toggle": controls.toggle_deafen,
            "suppress": controls.suppress,
            "ptt-down": controls.ptt_down,
            "ptt-up": controls.ptt_up,
            "ptt-toggle": controls.ptt_toggle,
            "volume": self._volume,
            "say": controls.send_text,
            "stats": self._stats,
            "devices": lambda: Answer(devices()),
            "retry": controls.retry,
            "quit": controls.quit,
        }
        """What is done for each of `words.WORDS`."""

    def do(self, line: bytes) -> Answer:
        """What a request's line asks for; every mistake is an answer, too."""
        try:
            request = msgspec.json.decode(line, type=RemoteRequest)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Answer(error=f"not understood: {error}")
        if request.word not in self.words:
            return Answer(error=f"this client knows no {request.word!r}; is voicechat-ctl of the same version?")
        wanted = WORDS[request.word][0]
        if len(request.rest) != len(wanted.split()):
            return Answer(error=f"{request.word} needs {wanted or 'nothing'} behind it")
        try:
            return self.words[request.word](*request.rest) or Answer()
        except ControlError as error:
            return Answer(error=str(error))

    def _volume(self, name: str, db: str) -> Answer:
        try:
            self._controls.volume(name, None if db == "off" else float(db))
        except ValueError:
            raise ControlError(f"a volume is a number of dB or off, not {db!r}") from None
        return Answer()

    def _stats(self) -> Answer:
        status = self._controls.status()
        figures = msgspec.to_builtins(status)
        return Answer(lines(status), {**figures, "figures": self._figures()})


def lines(status: Status) -> list[str]:
    """How things stand, for a person."""
    outage = status.outage
    if outage is not None and status.connected:
        return [f"{outage.why}, for {outage.seconds:.0f} s now: perhaps nobody hears you"]
    if not status.connected:
        again = "" if outage is None or outage.next_s is None else f" in {outage.next_s:.0f} s (try {outage.tries})"
        return [f"not connected; trying again{again}"]
    room = f" in {shown.quoted(status.room)}" if status.room else ""
    state = "deafened" if status.deafened else "muted" if status.muted else "talking" if status.talking else "silent"
    trip = "" if status.round_trip_ms is None else f", round trip {status.round_trip_ms:g} ms"
    return [
        f"{shown.named(status.name)}{room}: {state}, microphone at {status.level_dbfs:g} dBFS",
        f"over {_ways(status)}{trip}, {status.loss_percent:g} % lost, playout delay {status.playout_ms:g} ms",
        *(_line_of(friend) for friend in status.friends),
    ]


def _ways(status: Status) -> str:
    if status.path_in in (None, status.path):
        return status.path.upper()
    return f"{status.path.upper()}, heard over {str(status.path_in).upper()}"


def _line_of(friend: FriendStatus) -> str:
    state = "away" if friend.away else "deafened" if friend.deafened else "muted" if friend.muted else "silent"
    words = ["talks" if friend.talks else state]
    if friend.volume_db != 0:
        words.append("muted for you" if friend.volume_db is None else f"{friend.volume_db:+g} dB")
    if friend.delay_ms is not None:
        words.append(f"~{friend.delay_ms:.0f} ms")
    return f"{shown.named(friend.name)}: {', '.join(words)}"


class RemoteProtocol(LineOnlyReceiver):
    """One connection: one request, one answer, the end."""

    delimiter = b"\n"
    MAX_LENGTH = LONGEST_LINE
    transport: Any  # a UNIX server's

    def __init__(self, remote: "Remote") -> None:
        self._remote = remote
        self._limit = Timer(remote.clock, self._take_too_long)
        self._answered = False

    def connectionMade(self) -> None:
        """Let nobody else in, nor too many, nor for long."""
        self._limit.start(SECONDS)
        self._remote.open.add(self)
        if len(self._remote.open) > MOST_AT_ONCE or not runtime.is_ours(self.transport.socket):
            self._answered = True
            self.transport.abortConnection()

    def _take_too_long(self) -> None:
        self.transport.abortConnection()

    def lineReceived(self, line: bytes) -> None:
        """The request."""
        if not self._answered:
            self._answered = True
            self.transport.write(msgspec.json.encode(self._remote.commands.do(line)) + b"\n")
            self.transport.loseConnection()

    def lineLengthExceeded(self, line: bytes) -> None:
        """More than any request."""
        self._answered = True
        self.transport.abortConnection()

    def connectionLost(self, reason: object = None) -> None:
        """It is over."""
        self._remote.open.discard(self)
        self._limit.stop()


class Remote(ServerFactory):
    """The socket of this client. ``start`` listens, ``stop`` removes it."""

    noisy = False

    def __init__(self, reactor: Any, commands: Commands) -> None:
        self.clock = reactor
        self.commands = commands
        self.open: set[RemoteProtocol] = set()
        self._port: Any = None

    def start(self) -> str:
        """Listen; where. Sockets that dead clients left are removed. ConfigError, OSError if it cannot be."""
        with contextlib.suppress(ConfigError):  # another folder than ours may be somebody else's
            runtime.find(os.environ)
        path = runtime.path_in(runtime.own_folder(os.environ))
        self._port = self.clock.listenUNIX(path, self, backlog=MOST_AT_ONCE, mode=0o600)
        return path

    def stop(self) -> None:
        """Listen no more; the socket's file is gone."""
        port, self._port = self._port, None
        if port is not None:
            port.stopListening()
        for connection in list(self.open):
            connection.transport.loseConnection()

    def buildProtocol(self, addr: IAddress | None) -> RemoteProtocol:
        """One connection."""
        return RemoteProtocol(self)
