"""Coders that fail are replaced, and the fault is told."""

import numpy as np
import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger
from zope.interface.verify import verifyObject

from tests.server.faulty import FaultyCodec, InjectedError
from tests.server.house import Log
from voicechat.errors import WireError
from voicechat.format import FRAME_SAMPLES, silent_frame
from voicechat.interfaces import ICodec, IDecoder, IEncoder
from voicechat.server.eventlog import EventLog
from voicechat.server.guard import GuardedCodec
from voicechat.server.metrics import Metrics


def guarded(**fails: int) -> tuple[GuardedCodec, FaultyCodec, Log]:
    codec, log, metrics = FaultyCodec(**fails), Log(), Metrics()
    return GuardedCodec(codec, Clock(), metrics, EventLog(metrics, Logger("test", observer=log))), codec, log


def test_it_is_a_codec() -> None:
    codec, _, _ = guarded()
    verifyObject(ICodec, codec)
    verifyObject(IEncoder, codec.encoder(12_000))
    verifyObject(IDecoder, codec.decoder())


def test_what_works_passes_through() -> None:
    codec, inner, log = guarded()
    frame, out = np.full(FRAME_SAMPLES, 0.5, np.float32), silent_frame()
    payload = codec.encoder(12_000).encode(frame)
    decoder = codec.decoder()
    codec.check(payload)
    decoder.decode(payload, out)
    assert out[0] == 0.5
    decoder.keep()
    decoder.conceal(out)
    assert out[0] == 0.25
    decoder.restore()
    decoder.conceal(out)
    assert out[0] == 0.25
    assert inner.made == 2
    assert not log.events


def test_an_encoder_is_replaced_and_the_frame_is_not_lost() -> None:
    codec, inner, log = guarded(encode=1)
    payload = codec.encoder(12_000).encode(np.full(FRAME_SAMPLES, 0.5, np.float32))
    codec.check(payload)
    assert inner.made == 2
    assert len(log.failures) == 1


def test_an_encoder_that_fails_again_raises() -> None:
    codec, _, _ = guarded(encode=2)
    with pytest.raises(InjectedError):
        codec.encoder(12_000).encode(silent_frame())


def test_a_decoder_is_replaced_and_the_payload_counts_as_bad() -> None:
    codec, _, log = guarded(decode=1)
    payload = codec.encoder(12_000).encode(np.full(FRAME_SAMPLES, 0.5, np.float32))
    decoder, out = codec.decoder(), np.ones(FRAME_SAMPLES, np.float32)
    with pytest.raises(WireError):
        decoder.decode(payload, out)
    assert not out.any()
    assert len(log.failures) == 1
    decoder.decode(payload, out)
    assert out[0] == 0.5


def test_a_bad_payload_is_no_fault() -> None:
    codec, inner, log = guarded()
    with pytest.raises(WireError):
        codec.decoder().decode(b"garbage", silent_frame())
    with pytest.raises(WireError):
        codec.check(b"garbage")
    assert not log.events
    assert inner.made == 1


def test_concealing_that_fails_is_silence() -> None:
    codec, _, log = guarded(conceal=1)
    out = np.ones(FRAME_SAMPLES, np.float32)
    codec.decoder().conceal(out)
    assert not out.any()
    assert len(log.failures) == 1


@pytest.mark.parametrize("what", ["keep", "restore"])
def test_a_decoder_that_cannot_go_back_is_replaced(what: str) -> None:
    codec, inner, log = guarded(**{what: 1})
    payload = codec.encoder(12_000).encode(np.full(FRAME_SAMPLES, 0.5, np.float32))
    decoder, out = codec.decoder(), silent_frame()
    decoder.keep()
    decoder.restore()
    assert inner.made == 3
    assert len(log.failures) == 1
    decoder.decode(payload, out)
    assert out[0] == 0.5
