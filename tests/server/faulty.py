"""A codec that fails when it is told to."""

from voicechat.format import Frame
from voicechat.testing import MemoryCodec, MemoryDecoder, MemoryEncoder


class InjectedError(Exception):
    """What no caller can expect."""


class FaultyCodec(MemoryCodec):
    """A MemoryCodec; ``fails`` says which of its and its coders' methods fail from now on, and how often."""

    def __init__(self, **fails: int) -> None:
        self.fails = fails
        self.made = 0

    def now(self, what: str) -> None:
        """Fail, if it is to fail now."""
        if self.fails.get(what, 0):
            self.fails[what] -= 1
            raise InjectedError(what)

    def encoder(self, bitrate: int) -> MemoryEncoder:
        """One that may fail."""
        self.made += 1
        return FaultyEncoder(bitrate, self)

    def decoder(self) -> MemoryDecoder:
        """One that may fail."""
        self.made += 1
        return FaultyDecoder(self)

    def check(self, payload: bytes) -> None:
        """As a MemoryCodec's, if it does not fail."""
        self.now("check")
        super().check(payload)


class FaultyEncoder(MemoryEncoder):
    """Fails when its codec says so."""

    def __init__(self, bitrate: int, codec: FaultyCodec) -> None:
        super().__init__(bitrate)
        self._codec = codec

    def encode(self, frame: Frame) -> bytes:
        """As a MemoryEncoder's, if it does not fail."""
        self._codec.now("encode")
        return super().encode(frame)


class FaultyDecoder(MemoryDecoder):
    """Fails when its codec says so."""

    def __init__(self, codec: FaultyCodec) -> None:
        super().__init__()
        self._codec = codec

    def decode(self, payload: bytes, out: Frame) -> None:
        """As a MemoryDecoder's, if it does not fail."""
        self._codec.now("decode")
        super().decode(payload, out)

    def conceal(self, out: Frame) -> None:
        """As a MemoryDecoder's, if it does not fail."""
        self._codec.now("conceal")
        super().conceal(out)

    def keep(self) -> None:
        """As a MemoryDecoder's, if it does not fail."""
        self._codec.now("keep")
        super().keep()

    def restore(self) -> None:
        """As a MemoryDecoder's, if it does not fail."""
        self._codec.now("restore")
        super().restore()
