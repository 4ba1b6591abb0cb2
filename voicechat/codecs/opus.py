"""Opus by libopus: the only module that imports opuslib.

opuslib's own classes cost four times what libopus needs for a decode (they build
Python lists) and cannot switch FEC or DTX, so this module calls the ctypes
functions that ``opuslib.api`` holds, with pointers made once into buffers made
once. A frame passes through one such buffer, which also clips it; nothing is
allocated for it but the payload's bytes. libopus runs without the GIL.

An encoder or a decoder belongs to one thread at a time. opuslib is imported when
the first OpusCodec is made: importing this module needs no libopus.

May import the interfaces, the sound format and the errors. Never imports Twisted.
"""

import ctypes
import time
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from zope.interface import implementer

from voicechat.codecs import enhancing
from voicechat.codecs.enhancing import Enhancement
from voicechat.errors import VoiceChatError, WireError
from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE, Frame, silent_frame
from voicechat.interfaces import IDecoder, IDescribedCodec, IEncoder
from voicechat.media.packet import MOST_PAYLOAD
from voicechat.media.quality import HIGHEST_BITRATE, LOWEST_BITRATE

DEFAULT_COMPLEXITY: Final = 8
"""Of 0 to 10. 9 and 10 give the same sound; 5 halves the CPU time and costs 0.26 PESQ at 12 kbit/s (measured)."""

WIDEBAND_UP_TO: Final = 16_000
"""bit/s up to which the sound is kept to 8 kHz, so that all bits go to speech: 0.11 PESQ at this rate (measured)."""

SPARING_COMPLEXITY: Final = 5
"""An encoder's complexity up to which the machine is taken for a weak one: who asks for that wants to spare it."""

LOOKAHEAD_SAMPLES: Final = 312
"""Samples by which sound leaves the decoder later than it entered the encoder (6.5 ms; GET_LOOKAHEAD, VOIP)."""

_TOP: Final = np.full(FRAME_SAMPLES, 1.0, np.float32)
_BOTTOM: Final = np.full(FRAME_SAMPLES, -1.0, np.float32)
"""Bounds as arrays: against a scalar numpy needs three times as long for a frame (1.2 us instead of 0.4, measured)."""


def _one_mono_frame(toc: int) -> bool:
    """Whether a payload's first byte (RFC 6716, section 3.1) says: one frame, mono, 20 ms.

    The upper five bits are the configuration (table 2), bit 2 is set for stereo,
    bits 1-0 count frames; 0 means one. Code 3 may also hold a single frame, padded:
    no encoder of ours writes it, so it is refused.
    """
    configuration, stereo, code = toc >> 3, toc & 4, toc & 3
    if configuration < 12:  # SILK: 10, 20, 40, 60 ms
        is_tick = configuration % 4 == 1
    elif configuration < 16:  # hybrid: 10, 20 ms
        is_tick = configuration % 2 == 1
    else:  # CELT: 2.5, 5, 10, 20 ms
        is_tick = configuration % 4 == 3
    return is_tick and not stereo and code == 0


_ACCEPTED: Final = tuple(_one_mono_frame(toc) for toc in range(256))


def _check(payload: bytes) -> None:
    """As ``ICodec.check``."""
    if not 0 < len(payload) <= MOST_PAYLOAD:
        raise WireError(f"a payload of {len(payload)} bytes")
    if not _ACCEPTED[payload[0]]:
        raise WireError(f"not one mono frame of 20 ms: first byte of the payload is {payload[0]:#04x}")


def _load() -> SimpleNamespace:
    """Import opuslib's modules, or VoiceChatError in one line."""
    try:
        with warnings.catch_warnings():
            # opuslib 3.0.1 compares a literal with "is"; Python says so once, when it compiles the module.
            warnings.simplefilter("ignore", SyntaxWarning)
            import opuslib
            from opuslib.api import ctl, decoder, encoder, info
    except Exception as error:  # without libopus opuslib raises just this; ImportError and OSError come too
        from voicechat.lacking import Lack, install

        raise VoiceChatError(f"the Opus library cannot be loaded ({error}); {install(Lack.OPUS)}") from error
    return SimpleNamespace(constants=opuslib, ctl=ctl, encoder=encoder, decoder=decoder, info=info)


def _pointer(samples: Frame) -> Any:
    """A C pointer to ``samples``; it keeps them alive."""
    return samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


def _set(library: SimpleNamespace, state: Any, name: str, value: int) -> None:
    """Set one option of an encoder and read it back; RuntimeError unless it holds."""
    control = library.encoder.libopus_ctl
    try:
        getattr(library.ctl, f"set_{name}")(control, state, value)
        held = getattr(library.ctl, f"get_{name}")(control, state)
    except library.constants.OpusError as error:
        raise RuntimeError(f"libopus refuses {name} = {value}: {error}") from error
    if held != value:
        raise RuntimeError(f"libopus did not take {name} = {value}: it holds {held}")


@implementer(IEncoder)
class OpusEncoder:
    """One libopus encoder: VOIP, mono, 20 ms, VBR (constrained), no in-band FEC, no DTX."""

    def __init__(self, library: SimpleNamespace, bitrate: int, complexity: int) -> None:
        constants = library.constants
        self._state = library.encoder.create_state(SAMPLE_RATE, 1, constants.APPLICATION_VOIP)
        weakref.finalize(self, library.encoder.destroy, self._state)
        narrow = bitrate <= WIDEBAND_UP_TO
        options = {
            "application": constants.APPLICATION_VOIP,
            "bitrate": bitrate,
            "complexity": complexity,
            "vbr": 1,
            "vbr_constraint": 1,
            "max_bandwidth": constants.BANDWIDTH_WIDEBAND if narrow else constants.BANDWIDTH_FULLBAND,
            # At 12 kbit/s libopus writes no FEC at all, and a loss figure alone costs 0.18 PESQ (measured).
            "inband_fec": 0,
            "packet_loss_perc": 0,
            # The gate before the encoder knows silence better: DTX fails above a noise floor of -47 dBFS (measured).
            "dtx": 0,
        }
        for name, value in options.items():
            _set(library, self._state, name, value)
        self._encode = library.encoder.libopus_encode_float
        self._samples = silent_frame()
        self._pointer = _pointer(self._samples)
        self._payload = ctypes.create_string_buffer(MOST_PAYLOAD)

    def encode(self, frame: Frame) -> bytes:
        """Code ``frame``; samples beyond -1..1 are clipped, a frame with NaN in it counts as silence."""
        samples = self._samples
        np.minimum(frame, _TOP, out=samples)
        np.maximum(samples, _BOTTOM, out=samples)
        if not samples.dot(samples) >= 0.0:  # NaN: libopus' tonality analysis would never get rid of it
            samples.fill(0.0)
        size = self._encode(self._state, self._pointer, FRAME_SAMPLES, self._payload, MOST_PAYLOAD)
        if size < 1:
            raise RuntimeError(f"libopus cannot encode: error {size}")
        return self._payload.raw[:size]


@implementer(IDecoder)
class OpusDecoder:
    """One libopus decoder; with a ``complexity`` of its own (`enhancing`) it needs a libopus that takes one.

    OpusError if it does not.
    """

    def __init__(self, library: SimpleNamespace, complexity: int = enhancing.PLAIN) -> None:
        self._state = library.decoder.create_state(SAMPLE_RATE, 1)
        weakref.finalize(self, library.decoder.destroy, self._state)
        if complexity != enhancing.PLAIN:
            library.ctl.set_complexity(library.decoder.libopus_ctl, self._state, complexity)
        self._decode = library.decoder.libopus_decode_float
        self._reset = library.ctl.reset_state
        self._control = library.decoder.libopus_ctl
        self._samples = silent_frame()
        self._pointer = _pointer(self._samples)
        self._kept = ctypes.create_string_buffer(library.decoder.libopus_get_size(1))
        self.keep()

    def decode(self, payload: bytes, out: Frame) -> None:
        """Decode ``payload`` into ``out``; WireError, and ``out`` silent, unless it passes ``OpusCodec.check``."""
        try:
            _check(payload)
        except WireError:
            out.fill(0.0)
            raise
        self._run(payload, len(payload), out)

    def conceal(self, out: Frame) -> None:
        """Fill ``out`` with libopus' packet loss concealment: fades out within about 100 ms, silence at the start."""
        with suppress(WireError):  # libopus has no reason to refuse; if it does, silence conceals as well
            self._run(None, 0, out)

    def keep(self) -> None:
        """Remember the state: libopus promises that it may be copied (opus_decoder.h, opus_decoder_init).

        18 KB, in 0.6 us; 141 KB and 1.6 us where libopus has the models (measured).
        """
        ctypes.memmove(self._kept, self._state, len(self._kept))

    def restore(self) -> None:
        """Go back to the state that was kept, or to that of a fresh decoder."""
        ctypes.memmove(self._state, self._kept, len(self._kept))

    def _run(self, data: bytes | None, size: int, out: Frame) -> None:
        samples = self._samples
        made = self._decode(self._state, data, size, self._pointer, FRAME_SAMPLES, 0)
        if made != FRAME_SAMPLES:
            self._reset(self._control, self._state)
            out.fill(0.0)
            raise WireError(f"libopus cannot decode a payload of {size} bytes: {made}")
        # libopus does not clip floats: a hostile payload came out 140 dB above full scale (measured).
        np.minimum(samples, _TOP, out=samples)
        np.maximum(samples, _BOTTOM, out=out)


@implementer(IDescribedCodec)
class OpusCodec:
    """Opus at 48 kHz, mono, frames of 20 ms, tuned for voice.

    ``complexity`` (0 to 10) trades CPU time against sound. With ``enhance`` the decoders conceal losses by a neural
    network and enhance what they decode, where libopus can and the machine is quick enough, by ``clock``'s seconds.
    VoiceChatError if libopus cannot be loaded; RuntimeError if it does not hold an option that it was given, found
    here and not at the first word.
    """

    def __init__(
        self,
        complexity: int = DEFAULT_COMPLEXITY,
        *,
        enhance: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if not 0 <= complexity <= 10:
            raise ValueError(f"complexity is 0 to 10, not {complexity}")
        self._complexity = complexity
        self._enhance = enhance
        self._clock = clock
        self._library = _load()
        for bitrate in (LOWEST_BITRATE, HIGHEST_BITRATE):
            self.encoder(bitrate)
        self.decoder()

    @property
    def version(self) -> str:
        """Of libopus, as it says itself: "1.5.2"."""
        told: bytes = self._library.info.get_version_string()
        return told.decode(errors="replace").removeprefix("libopus ")

    @cached_property
    def enhancement(self) -> Enhancement:
        """What the decoders do beyond decoding; found out once, by decoding: 3 ms (measured)."""
        if not self._enhance:
            return Enhancement.OFF
        encoder = self.encoder(WIDEBAND_UP_TO)
        payloads = [encoder.encode(frame) for frame in enhancing.vowel()]
        return enhancing.found(
            self._decoder_if_possible, payloads, self._clock, spare=self._complexity <= SPARING_COMPLEXITY
        )

    def _decoder_if_possible(self, complexity: int) -> OpusDecoder | None:
        try:
            return OpusDecoder(self._library, complexity)
        except self._library.constants.OpusError:  # -5: it knows no complexity of decoders
            return None

    def encoder(self, bitrate: int) -> OpusEncoder:
        """A fresh encoder at ``bitrate`` bit/s; ValueError outside LOWEST_BITRATE to HIGHEST_BITRATE."""
        if not LOWEST_BITRATE <= bitrate <= HIGHEST_BITRATE:
            raise ValueError(f"bitrate is {LOWEST_BITRATE} to {HIGHEST_BITRATE} bit/s, not {bitrate}")
        return OpusEncoder(self._library, bitrate, self._complexity)

    def decoder(self) -> OpusDecoder:
        """A fresh decoder."""
        return OpusDecoder(self._library, self.enhancement.complexity)

    def described(self) -> dict[str, str]:
        """The version of libopus, and the name of its enhancement."""
        return {"version": self.version, "enhancement": self.enhancement.value}

    def check(self, payload: bytes) -> None:
        """As ``ICodec.check``: by the table of contents byte alone, without libopus."""
        _check(payload)
