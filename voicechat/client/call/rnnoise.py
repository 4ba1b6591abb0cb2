"""Strong noise suppression: RNNoise, a small recurrent network, through its C library.

J.-M. Valin, "A hybrid DSP/deep learning approach to real-time full-band speech
enhancement", MMSP 2018. It takes away clicks and games too, says how probable it is
that somebody talks, and harms a clean voice audibly; so it is for people with
keyboards, and off unless asked for.

The library comes with the package pyrnnoise, in the extra ``strong``, or from the
system. The package itself is not imported: that would load matplotlib and more for a
function of three arguments.
"""

import ctypes
import ctypes.util
import importlib.util
import weakref
from pathlib import Path
from typing import Any, Final

import numpy as np

from voicechat.errors import ConfigError
from voicechat.format import BLOCK_SAMPLES, FRAME_SAMPLES, Frame
from voicechat.unpacked import instead_of

MISSING: Final = "strong suppression needs RNNoise" + instead_of(
    ": pip install --no-deps pyrnnoise", ", which the folder for Windows does not have"
)

_SCALE: Final = np.float32(32768)
"""RNNoise's samples are floats in the range of 16 bits."""


def load() -> Any:
    """The library; ConfigError with what to install if there is none, or another RNNoise than is known here."""
    for path in _places():
        try:
            library: Any = ctypes.CDLL(path)
            library.rnnoise_create.argtypes = [ctypes.c_void_p]
            library.rnnoise_create.restype = ctypes.c_void_p
            library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
            library.rnnoise_destroy.restype = None
            library.rnnoise_process_frame.argtypes = [ctypes.c_void_p] * 3
            library.rnnoise_process_frame.restype = ctypes.c_float
            if library.rnnoise_get_frame_size() == BLOCK_SAMPLES:
                return library
        except (OSError, AttributeError):
            continue
    raise ConfigError(MISSING)


def _places() -> list[str]:
    package = importlib.util.find_spec("pyrnnoise")
    folders = [] if package is None else package.submodule_search_locations or []
    names = ("librnnoise.so", "librnnoise.dylib", "rnnoise.dll")
    places = [str(path) for folder in folders for name in names if (path := Path(folder, name)).exists()]
    system = ctypes.util.find_library("rnnoise")
    return [*places, system] if system else places


class RnnoiseSuppressor:
    """One voice; what comes out is 10 ms later than what went in, and 10 ms more within its windows."""

    def __init__(self, library: Any) -> None:
        self._process = library.rnnoise_process_frame
        self._state = library.rnnoise_create(None)
        weakref.finalize(self, library.rnnoise_destroy, self._state)
        self._samples = np.zeros(FRAME_SAMPLES, np.float32)
        self._halves = [self._samples.ctypes.data + 4 * start for start in range(0, FRAME_SAMPLES, BLOCK_SAMPLES)]

    def apply(self, frame: Frame, out: Frame) -> float:
        """Clean one frame into ``out``; how probable it is that somebody talks in it. NaN counts as silence."""
        samples = np.multiply(frame, _SCALE, out=self._samples)
        if not np.isfinite(samples.dot(samples)):
            samples.fill(0.0)
        probability = max(float(self._process(self._state, half, half)) for half in self._halves)
        np.divide(samples, _SCALE, out=out)
        return probability
