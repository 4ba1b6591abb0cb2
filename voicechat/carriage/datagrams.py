"""Sealed datagrams beside a TCP connection: media's better way, and the judgement of it.

A `Link` is one session's UDP: it seals and opens, probes and answers, follows the
other side's address, and counts loss. It never answers a datagram that does not open,
sends media only to an address that has answered a probe, and no answer is larger than
its probe, so it cannot be turned against others.

    probe    u64 token | u64 zero
    answer   u64 the probe's token | u64 token of our own for an unproved address, or zero

An address that has sent something that opens gets such a token at most once a
second; when its answer brings the token back, the address is proved and is where
media goes from now on.
"""

import secrets
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from voicechat.errors import WireError
from voicechat.media.redundancy import FIRST_REPORTS, QUIET_REPORTS, LossMeter, RedundancyPolicy
from voicechat.security.keys import SessionKeys
from voicechat.session.path import Path
from voicechat.wire.datagrams import DatagramHeader, DatagramType
from voicechat.wire.messages import Message, Report
from voicechat.wire.messages import Path as PathMessage

Address = tuple[Any, ...]
"""Where a datagram came from, and can be sent to: as whoever reads them gives it. It is compared, and not looked at."""

TOKEN_BYTES: Final = 8
NO_TOKEN: Final = bytes(TOKEN_BYTES)
PROBE_BYTES: Final = 2 * TOKEN_BYTES

CHALLENGE_EVERY: Final = 1.0
"""Seconds between two tokens to addresses that are not proved: a spoofed source gets one small packet a second."""

ANSWERS_A_SECOND: Final = 8
"""Answers to addresses that are not proved: what the first probes of a session make, twice over."""

REPORT_EVERY: Final = 1.0
"""Seconds between reports while datagrams are lost."""


class Link:
    """One session's datagrams. ``write`` sends bytes to an address, ``tell`` sends a control message over TCP.

    ``resting``: as Path has it.
    """

    def __init__(
        self,
        clock: IReactorTime,
        keys: SessionKeys,
        connection: int,
        write: Callable[[bytes, Address], None],
        tell: Callable[[Message], None],
        *,
        resting: bool = False,
    ) -> None:
        self._clock = clock
        self._seal = keys.datagram_seal(connection)
        self._opener = keys.datagram_opener()
        self._write = write
        self._tell = tell
        self.connection = connection
        self.path = Path(clock.seconds(), resting=resting)
        self.policy = RedundancyPolicy()
        self.address: Address | None = None
        """Where media goes: an address that has answered a probe."""
        self.admit: Callable[[], bool] = lambda: True
        """Asked at each datagram that opened, of whatever type; nothing is done with one that is not to come in."""
        self.on_media: Callable[[bytes, int], None] = lambda _packet, _size: None
        """Called with each media packet that opened, and the datagram's size."""
        self.on_change: Callable[[bool], None] = lambda _up: None
        """Called when media changes between UDP and TCP."""
        self.heard_up: bool | None = None
        """The other side's direction, as `up` is ours: its last media packet came by a datagram; None before any.
        Both are shown, since a router may spoil one way only."""
        self.on_heard: Callable[[bool], None] = lambda _up: None
        """Called when `heard_up` changes, and with the first media packet."""
        self.loss = 0.0
        """Share of the other side's datagrams that did not come, smoothed over the last seconds in which some came."""
        self._meter = LossMeter()
        self._challenged: tuple[Address, bytes] | None = None
        self._challenge_at = clock.seconds()
        self._answer_at = clock.seconds() - 1.0
        self._owed = FIRST_REPORTS
        """Reports that are to follow, with or without loss."""
        self._call: IDelayedCall | None = None
        self._report_call: IDelayedCall | None = None
        self._was_up = False
        self.packets_in = self.packets_out = self.bytes_in = self.bytes_out = 0

    @property
    def up(self) -> bool:
        """Media goes over UDP; over TCP also when the counter nears its end, after 248 days of talk at 100 a second."""
        return self.path.up and self.address is not None and not self._seal.exhausted

    @property
    def lost(self) -> int:
        """Datagrams of the other side that never came, as far as they were reported."""
        return self._meter.lost_in_all

    def start(self, address: Address | None = None) -> None:
        """Begin to probe; a client knows its server's address, a server waits for its client's."""
        self.address = address
        self._turn()

    def stop(self) -> None:
        """No more datagrams."""
        for call in (self._call, self._report_call):
            if call is not None and call.active():
                call.cancel()
        self.address = None
        self.path.up = False

    # -- sending --------------------------------------------------------------------

    def send_media(self, packet: bytes) -> None:
        """A plaintext media packet; only while `up`."""
        self._flows()
        self._send(DatagramType.MEDIA, packet, self.address)

    def _send(self, kind: DatagramType, packet: bytes, address: Address | None) -> None:
        if address is None:
            return
        datagram = self._seal.seal(kind, packet)
        self.packets_out += 1
        self.bytes_out += len(datagram)
        self._write(datagram, address)

    def _flows(self) -> None:
        if self.path.flows(self._clock.seconds()):
            self._schedule()

    # -- receiving ------------------------------------------------------------------

    def heard(self, by_datagram: bool) -> None:
        """A media packet of the other side's came, by a datagram or beside us, by a string."""
        if by_datagram is not self.heard_up:
            self.heard_up = by_datagram
            self.on_heard(by_datagram)

    def received(self, header: DatagramHeader, datagram: bytes, address: Address) -> None:
        """A datagram with our connection number. WireError, and nothing else happens, if it does not open."""
        packet = self._opener.open(header, datagram)
        if not self.admit():
            return
        self.packets_in += 1
        self.bytes_in += len(datagram)
        self._meter.note(header.counter)
        if header.type is DatagramType.MEDIA:
            self._flows()
            if not self.heard_up:
                self.heard(True)
            if self._report_call is None:
                self._report_call = self._clock.callLater(REPORT_EVERY, self._report)
            self.on_media(packet, len(datagram))
        elif header.type is DatagramType.PROBE:
            self._probed(packet, address)
        elif header.type is DatagramType.ANSWER:
            self._answered(packet, address)
        if address != self.address and header.type is not DatagramType.PROBE:
            self._challenge(address)

    def _probed(self, packet: bytes, address: Address) -> None:
        if len(packet) != PROBE_BYTES:
            raise WireError("a probe of a wrong size")
        if address != self.address and not self._may_answer():
            return
        token = packet[:TOKEN_BYTES]
        own = NO_TOKEN if address == self.address else self._token_for(address)
        self._send(DatagramType.ANSWER, token + own, address)
        if self.path.up is False:
            self._tell(PathMessage(token.hex()))

    def _answered(self, packet: bytes, address: Address) -> None:
        if len(packet) != PROBE_BYTES:
            raise WireError("an answer of a wrong size")
        token, challenge = packet[:TOKEN_BYTES], packet[TOKEN_BYTES:]
        if challenge != NO_TOKEN and (address == self.address or self._may_answer()):
            self._send(DatagramType.ANSWER, challenge + NO_TOKEN, address)
        if self._challenged == (address, token):
            self._challenged = None
            self.address = address
            self.path.probe_now(self._clock.seconds())
            self._schedule()
        self._proved(token)

    def _may_answer(self) -> bool:
        """Paces what goes to addresses that are not proved, since somebody with the password may make them up."""
        now = self._clock.seconds()
        self._answer_at = max(self._answer_at, now - 1.0)
        if self._answer_at > now:
            return False
        self._answer_at += 1 / ANSWERS_A_SECOND
        return True

    def _challenge(self, address: Address) -> None:
        """Something that opened came from elsewhere: ask whether the other side is there."""
        token = self._token_for(address)
        if token != NO_TOKEN:
            self._send(DatagramType.PROBE, token + NO_TOKEN, address)

    def _token_for(self, address: Address) -> bytes:
        now = self._clock.seconds()
        if now < self._challenge_at:
            return NO_TOKEN
        self._challenge_at = now + CHALLENGE_EVERY
        token = secrets.token_bytes(TOKEN_BYTES)
        self._challenged = (address, token)
        return token

    # -- judging --------------------------------------------------------------------

    def told(self, message: PathMessage) -> None:
        """Over TCP: a probe of ours arrived. WireError if the token is none."""
        try:
            token = bytes.fromhex(message.token)
        except ValueError:
            raise WireError("not a token") from None
        self._proved(token)

    def reported(self, report: Report) -> None:
        """Over TCP: how much of what we sent arrived."""
        self.policy.report(report.loss())
        if report.expected > report.lost:
            self.path.reported(self._clock.seconds())

    def _proved(self, token: bytes) -> None:
        if self.path.answered(token, self._clock.seconds()):
            self._note_change()
            self._schedule()

    def _turn(self) -> None:
        self._call = None
        token = self.path.turn(secrets.token_bytes(TOKEN_BYTES), self._clock.seconds())
        if token is not None:
            self._send(DatagramType.PROBE, token + NO_TOKEN, self.address)
        self._note_change()
        self._schedule()

    def _schedule(self) -> None:
        """Have `_turn` called when the path wants it, and not later."""
        now = self._clock.seconds()
        at = self.path.next_at(now)
        call = self._call
        if call is None or not call.active():
            self._call = self._clock.callLater(at - now, self._turn)
        elif call.getTime() > at:
            call.reset(at - now)

    def _note_change(self) -> None:
        if self.up != self._was_up:
            self._was_up = self.up
            self.on_change(self.up)

    def _report(self) -> None:
        """Once a second while media comes: tell of loss, for a while after it, and at first, that there is none."""
        self._report_call = None
        loss = self._meter.report()
        if not loss.expected:
            return
        self.loss += (loss.lost / loss.expected - self.loss) / 4
        if loss.lost:
            self._owed = 1 + QUIET_REPORTS  # this one, and those that end the redundancy
        if self._owed:
            self._owed -= 1
            self._tell(Report(loss.expected, loss.lost, loss.bursts))
