"""Sealed datagrams beside a connection, without a socket: media's better way, and the judgement of it.

A `UdpChannel` is one session's UDP: it seals and opens, probes and answers, follows the
other side's address, and counts loss. It never answers a datagram that does not open,
sends media only to an address that has answered a probe, and no answer is larger than
its probe, so it cannot be turned against others.

    probe    u64 token | u64 zero
    answer   u64 the probe's token | u64 token of our own for an unproved address, or zero

An address that has sent something that opens gets such a token at most once a
second; when its answer brings the token back, the address is proved and is where
media goes from now on.

Feed it `opened` and `received`, and `poll` at `deadline`; then send what it has put into
`outgoing`, and say what it has put into `messages`. Pure: times are seconds of a
monotonic clock.
"""

import secrets
from collections import deque
from typing import Any, Final, Protocol

from voicechat.errors import WireError
from voicechat.media.redundancy import FIRST_REPORTS, QUIET_REPORTS, LossMeter, RedundancyPolicy
from voicechat.security.keys import SessionKeys
from voicechat.session.reachability import UdpReachability
from voicechat.wire.datagrams import DatagramHeader, DatagramType
from voicechat.wire.messages import Message, Path, Report

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

LOSS_WEIGHT: Final = 1 / 4
"""Of the last report in `UdpChannel.loss`: what was some seconds ago still counts, and a minute ago no more."""


class IChannel(Protocol):
    """A way of media beside the strings, as a peer has it: `UdpChannel`, or a browser's."""

    received_up: bool | None
    outgoing: deque[tuple[bytes, Address]]
    messages: deque[Message]
    deadline: float
    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int

    @property
    def up(self) -> bool:
        """Media goes this way."""

    @property
    def redundancy(self) -> int:
        """Offset in ticks of the earlier frame that packets should carry again; 0 for none."""

    def send_media(self, packet: bytes, now: float) -> None:
        """A plaintext media packet; only while `up`."""

    def reported(self, report: Report, now: float) -> None:
        """How much of what we sent arrived, as the strings tell."""

    def path_received(self, message: Path, now: float) -> None:
        """A probe of ours arrived, as the strings tell."""

    def poll(self, now: float) -> None:
        """Do what is due at `deadline`."""

    def stop(self) -> None:
        """No more goes this way."""


class UdpChannel:
    """One session's datagrams.

    ``connection``: its number in datagrams. ``address``: where the other side is, if that is known; a server waits
    for its client's. ``resting``: as UdpReachability has it.
    """

    def __init__(
        self, keys: SessionKeys, connection: int, now: float, address: Address | None = None, *, resting: bool = False
    ) -> None:
        self._seal = keys.datagram_seal(connection)
        self._opener = keys.datagram_opener()
        self.connection = connection
        self.reachability = UdpReachability(now, resting=resting)
        self.policy = RedundancyPolicy()
        self.address = address
        """Where media goes: an address that has answered a probe, or the one that was known."""
        self.outgoing: deque[tuple[bytes, Address]] = deque()
        """Datagrams to be sent, and where to."""
        self.messages: deque[Message] = deque()
        """To be said over the connection."""
        self.received_up: bool | None = None
        """The other side's direction, as `up` is ours: its last media packet came by a datagram; None before any.
        Both are shown, since a router may spoil one way only."""
        self.loss = 0.0
        """Share of the other side's datagrams that did not come, smoothed over the last seconds in which some came."""
        self._meter = LossMeter()
        self._challenged: tuple[Address, bytes] | None = None
        self._challenge_at = now
        self._answer_at = now - 1.0
        self._owed = FIRST_REPORTS
        """Reports that are to follow, with or without loss."""
        self._report_at: float | None = None
        self.deadline = now
        """When `poll` is to be called next."""
        self.packets_in = self.packets_out = self.bytes_in = self.bytes_out = 0

    @property
    def up(self) -> bool:
        """Media goes over UDP; over TCP also when the counter nears its end, after 248 days of talk at 100 a second."""
        return self.reachability.up and self.address is not None and not self._seal.exhausted

    @property
    def redundancy(self) -> int:
        """Offset in ticks of the earlier frame that packets should carry again; 0 for none."""
        return self.policy.offset

    @property
    def lost(self) -> int:
        """Datagrams of the other side that never came, as far as they were reported."""
        return self._meter.lost_in_all

    def stop(self) -> None:
        """No more datagrams."""
        self.address = None
        self.reachability.up = False
        self.outgoing.clear()
        self.deadline = float("inf")

    # -- sending --------------------------------------------------------------------

    def send_media(self, packet: bytes, now: float) -> None:
        """A plaintext media packet; only while `up`."""
        if self.reachability.flows(now):
            self._set_deadline(now)
        self._send(DatagramType.MEDIA, packet, self.address)

    def _send(self, kind: DatagramType, packet: bytes, address: Address | None) -> None:
        if address is None:
            return
        datagram = self._seal.seal(kind, packet)
        self.packets_out += 1
        self.bytes_out += len(datagram)
        self.outgoing.append((datagram, address))

    # -- receiving ------------------------------------------------------------------

    def opened(self, header: DatagramHeader, datagram: bytes) -> bytes:
        """The plaintext packet in a datagram with our connection number. WireError if it does not open."""
        return self._opener.open(header, datagram)

    def received(self, header: DatagramHeader, packet: bytes, size: int, address: Address, now: float) -> bool:
        """A packet that came in a datagram of ``size`` bytes; True if it is media, and the caller's. WireError."""
        self.packets_in += 1
        self.bytes_in += size
        self._meter.note(header.counter)
        kind = header.type
        is_media = kind is DatagramType.MEDIA
        if is_media:
            if self.reachability.flows(now):
                self._set_deadline(now)
            self.received_up = True
            if self._report_at is None:
                self._report_at = now + REPORT_EVERY
                self._set_deadline(now)
        elif kind is DatagramType.PROBE:
            self._probed(packet, address, now)
        elif kind is DatagramType.ANSWER:
            self._answered(packet, address, now)
        if address != self.address and kind is not DatagramType.PROBE:
            self._challenge(address, now)
        return is_media

    def _probed(self, packet: bytes, address: Address, now: float) -> None:
        if len(packet) != PROBE_BYTES:
            raise WireError("a probe of a wrong size")
        if address != self.address and not self._may_answer(now):
            return
        token = packet[:TOKEN_BYTES]
        own = NO_TOKEN if address == self.address else self._token_for(address, now)
        self._send(DatagramType.ANSWER, token + own, address)
        if not self.reachability.up:
            self.messages.append(Path(token.hex()))

    def _answered(self, packet: bytes, address: Address, now: float) -> None:
        if len(packet) != PROBE_BYTES:
            raise WireError("an answer of a wrong size")
        token, challenge = packet[:TOKEN_BYTES], packet[TOKEN_BYTES:]
        if challenge != NO_TOKEN and (address == self.address or self._may_answer(now)):
            self._send(DatagramType.ANSWER, challenge + NO_TOKEN, address)
        if self._challenged == (address, token):
            self._challenged = None
            self.address = address
            self.reachability.probe_now(now)
            self._set_deadline(now)
        self._proved(token, now)

    def _may_answer(self, now: float) -> bool:
        """Paces what goes to addresses that are not proved, since somebody with the password may make them up."""
        self._answer_at = max(self._answer_at, now - 1.0)
        if self._answer_at > now:
            return False
        self._answer_at += 1 / ANSWERS_A_SECOND
        return True

    def _challenge(self, address: Address, now: float) -> None:
        """Something that opened came from elsewhere: ask whether the other side is there."""
        token = self._token_for(address, now)
        if token != NO_TOKEN:
            self._send(DatagramType.PROBE, token + NO_TOKEN, address)

    def _token_for(self, address: Address, now: float) -> bytes:
        if now < self._challenge_at:
            return NO_TOKEN
        self._challenge_at = now + CHALLENGE_EVERY
        token = secrets.token_bytes(TOKEN_BYTES)
        self._challenged = (address, token)
        return token

    # -- judging --------------------------------------------------------------------

    def path_received(self, message: Path, now: float) -> None:
        """Over the connection: a probe of ours arrived. WireError if the token is none."""
        try:
            token = bytes.fromhex(message.token)
        except ValueError:
            raise WireError("not a token") from None
        self._proved(token, now)

    def reported(self, report: Report, now: float) -> None:
        """Over the connection: how much of what we sent arrived."""
        self.policy.report(report.loss())
        if report.expected > report.lost:
            self.reachability.reported(now)

    def _proved(self, token: bytes, now: float) -> None:
        if self.reachability.answered(token, now):
            self._set_deadline(now)

    def poll(self, now: float) -> None:
        """Probe and report, as far as they are due."""
        if self._report_at is not None and now >= self._report_at:
            self._report_at = None
            self._report()
        token = self.reachability.poll(secrets.token_bytes(TOKEN_BYTES), now)
        if token is not None:
            self._send(DatagramType.PROBE, token + NO_TOKEN, self.address)
        self._set_deadline(now)

    def _set_deadline(self, now: float) -> None:
        probe_at = self.reachability.next_at(now)
        self.deadline = probe_at if self._report_at is None else min(probe_at, self._report_at)

    def _report(self) -> None:
        """Once a second while media comes: tell of loss, for a while after it, and at first, that there is none."""
        loss = self._meter.report()
        if not loss.expected:
            return
        self.loss += (loss.lost / loss.expected - self.loss) * LOSS_WEIGHT
        if loss.lost:
            self._owed = 1 + QUIET_REPORTS  # this one, and those that end the redundancy
        if self._owed:
            self._owed -= 1
            self.messages.append(Report(loss.expected, loss.lost, loss.bursts))
