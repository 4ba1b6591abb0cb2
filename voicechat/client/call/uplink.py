"""Uplink: from the frames that the microphone captured to the packets that the server gets.

A frame of talk loses its echo (`cancelling`), is treated (`voice`), coded and stamped with its
tick, gets an earlier frame on board if the connection loses packets, and is sent. A packet that
says "silent now" ends a spurt. Nothing is coded for nobody: without a connection, or without a friend who
listens, a spurt ends as if the microphone were silent.
"""

from collections.abc import Callable

from voicechat.client.audio.capture import Captured
from voicechat.client.call.cancelling import EchoCancelling
from voicechat.client.call.friends import Friends
from voicechat.client.call.voice import Voice
from voicechat.client.network.protocol import RemoteServer
from voicechat.interfaces import ICodec
from voicechat.media.echo_detector import EchoDetector
from voicechat.media.levels import mean_square
from voicechat.media.packing import Packing
from voicechat.media.sending import SendStream
from voicechat.wire import media


class Uplink:
    """One player's voice on its way out. ``changed`` is called when they begin to talk, and when they end."""

    def __init__(
        self,
        codec: ICodec,
        voice: Voice,
        friends: Friends,
        echoes: EchoDetector,
        cancelling: EchoCancelling,
        changed: Callable[[], None],
    ) -> None:
        self._codec = codec
        self._voice = voice
        self._friends = friends
        self._echoes = echoes
        self._cancelling = cancelling
        self._changed = changed
        self._connection: RemoteServer | None = None
        self._sending: SendStream | None = None
        self._packing = Packing()
        self._bitrate = 0
        self.talking = False
        """The last frame from the microphone was one of talk, and not a friend's out of the loudspeaker."""
        self.sent = 0
        """Frames of talk, without those that redundancy repeats."""

    def entered(self, connection: RemoteServer, bitrate: int, *, pairs: bool) -> None:
        """Send over this connection from now on; ``pairs``: two frames in each packet."""
        self._connection = connection
        if self._sending is None or self._bitrate != bitrate:
            self._bitrate = bitrate
            self._sending = SendStream(self._codec.encoder(bitrate))
        self._sending.finish(0)
        self._packing = Packing(pairs=pairs)

    def disconnected(self) -> None:
        """There is no connection any more."""
        self._connection = None

    def push(self, captured: Captured) -> None:
        """A frame of the microphone, or the end of a spurt."""
        tick, frame, level = captured
        sending, connection = self._sending, self._connection
        wanted = connection is not None and self._friends.listening
        if frame is None:
            self._cancelling.rest()
        elif wanted and (clean := self._cancelling.treat(tick, frame)) is not frame:
            frame, level = clean, 0.0 if clean is None else mean_square(clean)
        if (frame is not None) != self.talking:
            self.talking = frame is not None
            self._changed()
        if sending is None:
            return
        if connection is None or frame is None or not wanted:
            packet = sending.finish(tick)
            self._voice.rest()
        else:
            if not connection.answers.watching:
                connection.answers.flows()
            treated = self._voice.treat(frame, level)
            packet = sending.finish(tick) if treated is None else sending.push(tick, treated)
            if treated is not None:
                self._echoes.spoke(tick, level)
                self.sent += 1
        if packet is not None and connection is not None:
            for packed in self._packing.pack(packet, connection.redundancy):
                connection.send_media(media.encode(packed), twice=packed.end)
