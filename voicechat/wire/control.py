"""Control packets: ``u8 kind`` (0x80 and above) and a JSON object (RFC 8259)."""

from typing import Final

import msgspec

from voicechat.errors import WireError
from voicechat.wire import messages as m
from voicechat.wire.media import FIRST_CONTROL

KINDS: Final[dict[int, type[m.Message]]] = {
    0x80: m.Welcome,
    0x81: m.Joined,
    0x82: m.Left,
    0x83: m.Away,
    0x84: m.Back,
    0x85: m.Talk,
    0x86: m.State,
    0x87: m.Gain,
    0x88: m.Text,
    0x89: m.Ping,
    0x8A: m.Pong,
    0x8B: m.Path,
    0x8C: m.Report,
    0x8D: m.Bye,
    0x8E: m.Request,
    0x8F: m.Offer,
    0x90: m.Accept,
}
"""The kind byte of every message; numbers are never used again for something else."""

_KIND_BYTE: Final = {message: bytes([kind]) for kind, message in KINDS.items()}
_DECODERS: Final = {kind: msgspec.json.Decoder(message) for kind, message in KINDS.items()}
_ENCODER: Final = msgspec.json.Encoder()


def encode(message: m.Message) -> bytes:
    """The plaintext bytes of a control packet."""
    return _KIND_BYTE[type(message)] + _ENCODER.encode(message)


def decode(data: bytes) -> m.Message | None:
    """The message; None for a kind that this version does not know; WireError if it is malformed."""
    if not data or data[0] < FIRST_CONTROL:
        raise WireError("not a control packet")
    decoder = _DECODERS.get(data[0])
    if decoder is None:
        return None
    try:
        return decoder.decode(memoryview(data)[1:])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"malformed {KINDS[data[0]].__name__.lower()} message") from error
