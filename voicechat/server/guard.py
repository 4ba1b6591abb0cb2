"""A codec whose faults cost one frame: what wraps the codec on a server.

A coder holds state in C. Should one ever raise what it never should, it is thrown
away for a fresh one, the fault is told in the log, and the room plays on; without
this one talker's decoder, or one listener's encoder, would stop the beat for all.

May import the interfaces, the log and the metrics; knows nothing of Opus.
"""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from voicechat.errors import WireError
from voicechat.format import Frame
from voicechat.interfaces import ICodec, IDecoder, IEncoder
from voicechat.server.eventlog import EventLog
from voicechat.server.metrics import Counter, Metrics

Report = Callable[[str], None]
"""Tells the exception at hand, and what failed."""


@implementer(IEncoder)
class GuardedEncoder:
    """An encoder made by ``make``, and made again after a fault; ``spent`` counts the seconds that it takes."""

    def __init__(self, make: Callable[[], IEncoder], report: Report, clock: IReactorTime, spent: Counter) -> None:
        self._seconds = clock.seconds
        self._spent = spent
        self._make = make
        self._report = report
        self._encoder = make()

    def encode(self, frame: Frame) -> bytes:
        """As the encoder does; if it raises, as a fresh one does, whatever that raises."""
        began = self._seconds()
        try:
            return self._encoder.encode(frame)
        except Exception:  # noqa: BLE001  told in the log
            self._report("an encoder failed and was replaced")
        finally:
            self._spent.value += self._seconds() - began
        self._encoder = self._make()
        return self._encoder.encode(frame)


@implementer(IDecoder)
class GuardedDecoder:
    """A decoder made by ``make``, and made again after a fault."""

    def __init__(self, make: Callable[[], IDecoder], report: Report) -> None:
        self._make = make
        self._report = report
        self._decoder = make()

    def decode(self, payload: bytes, out: Frame) -> None:
        """As the decoder does; a fault is a WireError, and ``out`` silent."""
        try:
            self._decoder.decode(payload, out)
        except WireError:
            raise
        except Exception:  # noqa: BLE001  told in the log
            self._report("a decoder failed and was replaced")
            self._start_anew(out)
            raise WireError("the decoder failed") from None

    def conceal(self, out: Frame) -> None:
        """As the decoder does; silence after a fault."""
        try:
            self._decoder.conceal(out)
        except Exception:  # noqa: BLE001  told in the log
            self._report("a decoder failed to conceal and was replaced")
            self._start_anew(out)

    def keep(self) -> None:
        """As the decoder does; after a fault a fresh one's state."""
        try:
            self._decoder.keep()
        except Exception:  # noqa: BLE001  told in the log
            self._report("a decoder's state could not be kept, and it was replaced")
            self._decoder = self._make()

    def restore(self) -> None:
        """As the decoder does; one that was made meanwhile, or after a fault, begins anew."""
        try:
            self._decoder.restore()
        except Exception:  # noqa: BLE001  told in the log
            self._report("a decoder could not go back, and was replaced")
            self._decoder = self._make()

    def _start_anew(self, out: Frame) -> None:
        out.fill(0.0)
        self._decoder = self._make()


@implementer(ICodec)
class GuardedCodec:
    """``codec``, guarded."""

    def __init__(self, codec: ICodec, clock: IReactorTime, metrics: Metrics, events: EventLog) -> None:
        self._codec = codec
        self._clock = clock
        self._spent = metrics.encode_seconds_total
        self._events = events

    def encoder(self, bitrate: int) -> GuardedEncoder:
        """A fresh encoder."""
        return GuardedEncoder(lambda: self._codec.encoder(bitrate), self._report, self._clock, self._spent)

    def decoder(self) -> GuardedDecoder:
        """A fresh decoder."""
        return GuardedDecoder(self._codec.decoder, self._report)

    def check(self, payload: bytes) -> None:
        """As the codec does: it keeps nothing, and a fault ends the connection that caused it."""
        self._codec.check(payload)

    def _report(self, text: str) -> None:
        self._events.failure(text, self._clock.seconds())
