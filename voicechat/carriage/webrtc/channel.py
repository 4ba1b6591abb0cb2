"""One browser's path over UDP, in the place of a `UdpChannel`: who is there, the keys, and whether it works.

It is made by an offer, with a name and a password of its own. Feed it `bound` for each
binding request that names it, and `received` for what comes from an address where one was
good; and `poll` at `deadline`. What is to be sent stands in `outgoing`, with where it goes.

Whether media goes by it is judged as for datagrams (`session.reachability`): it must arrive,
and the browser's reports tell that. A path that does not work is left for strings, and
tried again later and later.

RTC has the states. Pure: times are seconds of a monotonic clock.
"""

import enum
import secrets
from collections import deque
from typing import Final

from voicechat.carriage.channel import REPORT_EVERY, Address
from voicechat.carriage.webrtc import rtp, stun
from voicechat.carriage.webrtc.stun import BindingRequest
from voicechat.errors import WireError
from voicechat.media.packing import split_pair
from voicechat.media.redundancy import LossMeter
from voicechat.security.dtls import DtlsServer, NotDtls
from voicechat.wire import media
from voicechat.wire.messages import Accept, Message, Offer, Path, Report

BOUND_FOR: Final = 8.0
"""Seconds after a good binding request for which somebody is there: a browser asks each 2.5 to 6 (RFC 7675)."""

UNHEARD: Final = 2.0
"""Seconds of media of which no report tells that any came: then it goes by strings. As for datagrams, which are given
up after 1.8 s."""

AGAIN: Final = 5.0
"""Seconds until a way that was given up is tried again; each time in a row twice as long."""

AGAIN_MOST: Final = 60.0

MOST_ADDRESSES: Final = 8
"""Addresses of one browser: one for each of its networks. The oldest is forgotten."""

MOST_SENDS: Final = 7
"""Times that a request is sent, at most, until it is answered (RFC 8489, section 6.2.1)."""

MOST_REQUESTS: Final = 2048
"""Requests whose numbers are remembered: those of an hour and a half, of one each 2.5 s."""

_NEVER: Final = float("inf")


class RtcState(enum.Enum):
    """How far a path is."""

    OFFERED = "nobody has come"
    BOUND = "somebody with the password has come"
    SEALED = "the keys are there"
    OVER = "it has failed, or was closed"


class RtcEvent(enum.Enum):
    """What brings it on."""

    BINDING = "a good binding request"
    KEYS = "DTLS is done"
    END = "DTLS ends or fails, or the connection does"


RTC: Final[dict[RtcState, dict[RtcEvent, RtcState]]] = {
    RtcState.OFFERED: {RtcEvent.BINDING: RtcState.BOUND, RtcEvent.END: RtcState.OVER},
    RtcState.BOUND: {RtcEvent.BINDING: RtcState.BOUND, RtcEvent.KEYS: RtcState.SEALED, RtcEvent.END: RtcState.OVER},
    RtcState.SEALED: {RtcEvent.BINDING: RtcState.SEALED, RtcEvent.END: RtcState.OVER},
    RtcState.OVER: {RtcEvent.END: RtcState.OVER},
}


class RtcChannel:
    """The path that an ``offer`` asks for. ``fingerprint``: of our own certificate."""

    redundancy = 0
    """None goes this way: nobody but the browser reads what comes."""

    def __init__(self, offer: Offer, fingerprint: str, now: float) -> None:
        ssrc = 1 + secrets.randbelow((1 << 32) - 1)
        self.accept = Accept(secrets.token_hex(4), secrets.token_hex(16), fingerprint, ssrc)
        """What the browser is told."""
        self.state = RtcState.OFFERED
        self.up = False
        self.received_up: bool | None = None
        self.address: Address | None = None
        """Where it is."""
        self.addresses: deque[Address] = deque()
        """From where it came."""
        self._requests: dict[bytes, tuple[Address, int]] = {}
        """From where each request came, and how often; the oldest first."""
        self.outgoing: deque[tuple[bytes, Address]] = deque()
        self.messages: deque[Message] = deque()
        self.deadline = _NEVER
        self.packets_in = self.packets_out = self.bytes_in = self.bytes_out = 0
        self._offer = offer
        self._dtls: DtlsServer | None = None
        self._up = rtp.Upward(offer.payload_type)
        sequence, timestamp = secrets.randbelow(1 << 16), secrets.randbelow(1 << 32)
        self._down = rtp.Downward(ssrc, offer.payload_type, now, sequence, timestamp)
        self._meter = LossMeter()
        self._report_at = self._flight_at = self._bound_until = self._unheard_at = self._again_at = _NEVER
        self._again = AGAIN

    # -- who comes ----------------------------------------------------------------------

    def bound(self, request: BindingRequest, address: Address, host: str, port: int, now: float) -> None:
        """A request that names this path. WireError, and nothing happens, if it is not signed by its password.

        Nor if it came before, from elsewhere or too often: who listens can send it again, and has no password.
        """
        if self.state is RtcState.OVER or not request.is_signed_by(self.accept.password):
            raise WireError("a binding request of somebody else")
        first, sends = self._requests.get(request.transaction, (address, 0))
        if first != address or sends >= MOST_SENDS:
            raise WireError("a binding request that came before")
        self._requests[request.transaction] = address, sends + 1
        if len(self._requests) > MOST_REQUESTS:
            del self._requests[next(iter(self._requests))]
        self._becomes(RtcEvent.BINDING)
        if address not in self.addresses:
            self.addresses.append(address)
            if len(self.addresses) > MOST_ADDRESSES:
                self.addresses.popleft()
        if request.nominated or self.address is None:
            self.address = address
        self._send(stun.success(request, self.accept.password, host, port), address)
        self._bound_until = now + BOUND_FOR
        self._judge(now)

    def is_at(self, address: Address, now: float) -> bool:
        """The browser is there, as far as one knows."""
        return self.address == address and now < self._bound_until < _NEVER

    def received(self, datagram: bytes, address: Address, now: float) -> bytes | None:
        """DTLS or SRTP from one of its addresses: a media packet, if it is one. WireError, and nothing else, if not."""
        if self.state is RtcState.OVER:
            raise WireError("the path is over")
        if datagram[0] < 128:
            self._shake_hands(datagram, address, now)
            return None
        if self._dtls is None or self._dtls.srtp is None:
            raise WireError("sound before there are keys")
        if 192 <= int.from_bytes(datagram[1:2]) <= 223:  # RTCP, by its type (RFC 5761, section 4)
            self._dtls.srtp.open_control(datagram)  # what is forged counts for nobody; our reports tell what is needed
            return None
        read = rtp.parse(self._dtls.srtp.open(datagram))
        self.packets_in += 1
        self.bytes_in += len(datagram)
        self._meter.note(self._up.counter(read))
        if self._report_at == _NEVER:
            self._report_at = now + REPORT_EVERY
            self._set_deadline()
        packet = self._up.taken(read)
        if packet is None:
            return None
        self.received_up = True
        return media.encode(packet)

    def _shake_hands(self, datagram: bytes, address: Address, now: float) -> None:
        if self._dtls is None:
            self._dtls = DtlsServer(self._offer.fingerprint)
        dtls, sealed = self._dtls, self._dtls.srtp is not None
        try:
            dtls.received(datagram)
        except NotDtls:
            raise
        except WireError:
            self.stop()
            raise
        finally:
            self._send_flight(dtls, address)
        if dtls.srtp is not None and not sealed:
            self._becomes(RtcEvent.KEYS)
        self._time_flight(dtls, now)
        self._judge(now)

    def _send_flight(self, dtls: DtlsServer, address: Address) -> None:
        while dtls.outgoing:
            self._send(dtls.outgoing.popleft(), address)

    def _time_flight(self, dtls: DtlsServer, now: float) -> None:
        wait = dtls.wait()
        self._flight_at = _NEVER if wait is None else now + wait

    # -- what is sent ----------------------------------------------------------------------

    def send_media(self, packet: bytes, now: float) -> None:
        """A plaintext media packet; only while `up`."""
        dtls = self._dtls
        if dtls is None or dtls.srtp is None or self.address is None:
            return
        for single in split_pair(media.decode(packet)):
            for plain in self._down.put(single, now):
                self._send(dtls.srtp.seal(plain), self.address)
        if self._unheard_at == _NEVER:
            self._unheard_at = now + UNHEARD
            self._set_deadline()

    def _send(self, datagram: bytes, address: Address) -> None:
        self.packets_out += 1
        self.bytes_out += len(datagram)
        self.outgoing.append((datagram, address))

    # -- whether it works --------------------------------------------------------------------

    def reported(self, report: Report, now: float) -> None:
        """How much of what we sent arrived."""
        if report.expected > report.lost:
            self._unheard_at, self._again = _NEVER, AGAIN
            self._set_deadline()

    def path_received(self, message: Path, now: float) -> None:
        """Nobody probes this way."""

    def poll(self, now: float) -> None:
        """Report, send a flight again, and give the way up or try it again, as far as they are due."""
        if now >= self._report_at:
            self._report_at = _NEVER
            loss = self._meter.report()
            if loss.expected:
                self.messages.append(Report(loss.expected, loss.lost, loss.bursts))
        if now >= self._flight_at and self._dtls is not None and self.address is not None:
            self._send_again(self._dtls, self.address, now)
        if now >= self._unheard_at:
            self._unheard_at = _NEVER
            self._again_at, self._again = now + self._again, min(AGAIN_MOST, 2 * self._again)
        elif now >= self._again_at:
            self._again_at = _NEVER
        self._judge(now)

    def _send_again(self, dtls: DtlsServer, address: Address, now: float) -> None:
        try:
            dtls.poll()
        except WireError:
            self.stop()
        else:
            self._send_flight(dtls, address)
            self._time_flight(dtls, now)

    def _judge(self, now: float) -> None:
        """Whether media goes this way."""
        self.up = self.state is RtcState.SEALED and now < self._bound_until and self._again_at == _NEVER
        if not self.up:
            self._unheard_at = _NEVER
        self._set_deadline()

    def _set_deadline(self) -> None:
        lives_until = self._bound_until if self.up else _NEVER
        self.deadline = min(self._report_at, self._flight_at, self._unheard_at, self._again_at, lives_until)

    def stop(self) -> None:
        """No more goes this way."""
        self._becomes(RtcEvent.END)
        self.up = False
        self.outgoing.clear()
        self._report_at = self._flight_at = self._unheard_at = self._again_at = _NEVER
        self.deadline = _NEVER

    def _becomes(self, event: RtcEvent) -> None:
        self.state = RTC[self.state][event]
