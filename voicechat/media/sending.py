"""One talker's way out: frame -> payload -> packet, with the marker and the end of each talk spurt.

May import packets, serial arithmetic and the interfaces. Pure: ticks are arguments.
"""

from voicechat.format import Frame
from voicechat.interfaces import IEncoder
from voicechat.media.packet import ME, MediaPacket
from voicechat.media.serial import wrap


class SendStream:
    """Frames of one talk spurt after another, made packets.

    ``tick`` arguments run through silence; the caller counts them.
    """

    def __init__(self, encoder: IEncoder, source: int = ME) -> None:
        self._encoder = encoder
        self._source = source
        self._talking = False

    @property
    def talking(self) -> bool:
        """Inside a spurt."""
        return self._talking

    def push(self, tick: int, frame: Frame) -> MediaPacket:
        """Encode one frame; the first of a spurt carries the marker."""
        marker, self._talking = not self._talking, True
        return MediaPacket(self._source, wrap(tick), self._encoder.encode(frame), marker)

    def finish(self, tick: int) -> MediaPacket | None:
        """The end packet of the spurt (``tick`` is the first one not sent), or None outside one."""
        if not self._talking:
            return None
        self._talking = False
        return MediaPacket(self._source, wrap(tick), b"", end=True)
