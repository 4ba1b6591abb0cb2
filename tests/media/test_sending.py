"""SendStream: spurt after spurt, each with one marker and one end, on ticks that wrap."""

import numpy as np

from voicechat.format import FRAME_SAMPLES, Frame
from voicechat.media.packet import ME, MediaPacket
from voicechat.media.sending import SendStream
from voicechat.testing import MemoryCodec

CODEC = MemoryCodec()


def said(value: float) -> Frame:
    return np.full(FRAME_SAMPLES, value, np.float32)


def test_a_spurt_has_one_marker_and_one_end() -> None:
    sending = SendStream(CODEC.encoder(12_000))
    assert sending.finish(4) is None
    packets = [sending.push(tick, said(0.5)) for tick in (65_534, 65_535, 65_536)]
    assert sending.talking
    end = sending.finish(65_537)
    assert [packet.marker for packet in packets] == [True, False, False]
    assert [packet.tick for packet in packets] == [65_534, 65_535, 0]
    assert {packet.source for packet in packets} == {ME}
    assert end == MediaPacket(ME, 1, b"", end=True)
    assert not sending.talking
    assert sending.finish(65_538) is None
    assert sending.push(65_600, said(0)).marker
