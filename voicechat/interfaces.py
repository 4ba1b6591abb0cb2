"""What the parts of voicechat ask of each other, as zope interfaces.

May import only the sound format and the errors. Every implementer is checked
against its interface by ``verifyObject`` in a test.
"""

from zope.interface import Interface

from voicechat.format import Frame


class IEncoder(Interface):
    """One talker's (or one mix's) way from frames to payloads; keeps state between frames."""

    def encode(frame: Frame) -> bytes:
        """Code one frame (float32, 960 samples, -1..1) into one payload of 1 to MOST_PAYLOAD bytes."""


class IDecoder(Interface):
    """The way back, one for each stream heard; keeps state between frames."""

    def decode(payload: bytes, out: Frame) -> None:
        """Decode one payload into ``out`` (960 samples). WireError if it cannot be; ``out`` is then silence."""

    def conceal(out: Frame) -> None:
        """Fill ``out`` with the frame that best continues what was decoded last (PLC); silence if nothing was."""

    def keep() -> None:
        """Remember what has been decoded so far, for `restore`; only the last time counts."""

    def restore() -> None:
        """Forget what was decoded and concealed since `keep`."""


class ICodec(Interface):
    """Makes encoders and decoders, and judges payloads without decoding them."""

    def encoder(bitrate: int) -> IEncoder:
        """A fresh encoder at ``bitrate`` bit/s (8 000 to 64 000)."""

    def decoder() -> IDecoder:
        """A fresh decoder."""

    def check(payload: bytes) -> None:
        """WireError unless the payload is a mono frame of 20 ms, MOST_PAYLOAD bytes at most; looks at its header."""


class IDescribedCodec(ICodec):
    """The codec of a client, which can say what it has."""

    def described() -> dict[str, str]:
        """Which library it is (``version``), and what its decoders do beyond decoding (``enhancement``)."""
