"""PortAudio: which devices there are. The only importer of pyaudio.

PortAudio makes its list once, when it is initialised; a device that is plugged in
later is not in it. Who cannot end PortAudio, because a stream runs, asks `look`: another
process, which initialises its own. This module is that process' program, too, so it
imports nothing that costs time.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, Final, NamedTuple

from voicechat.errors import DeviceError
from voicechat.unpacked import instead_of

DEFAULT: Final = "default"

LOOK_SECONDS: Final = 5.0
"""For the other process to make its list: 0.2 s on an idle machine, more where PortAudio asks many drivers."""

_SIDES: Final = {"input": "maxInputChannels", "output": "maxOutputChannels"}

_API_BY_PREFERENCE: Final = ("paWASAPI", "paMME")
"""Windows has each device once for each way to it. WASAPI has the least delay (PortAudio's own: 30 ms and 40 ms in and
out, MME's 20 ms and 100 ms, under Wine); MME is there where WASAPI has no devices. Elsewhere there is neither."""

_MME_NAME: Final = 31
"""Letters of a name that MME keeps (mmeapi.h, MAXPNAMELEN)."""

_NOTHING: Final = (
    "is PipeWire or PulseAudio running? in a container or over SSH there is none",
    "is a device switched on in Windows' sound settings? over Remote Desktop there may be none",
)
"""What to look at where there is no device: elsewhere, and on Windows."""

_PLACE: Final = re.compile(r" \(hw:\d+,\d+\)$|(?<=\()\d+- ")
"""Where ALSA put a card, or Windows' number for another socket, as in "Microphone (2- USB Headset)": not a part of
its name, since it may be put elsewhere when it is back."""


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep C libraries off the terminal; Python's own standard error goes on.

    ALSA alone prints 80 lines when there is no card (measured), and some more from
    threads of its own whenever a device stops.
    """
    try:
        keep = os.dup(2)
    except OSError:  # no standard error at all: nothing to keep quiet
        yield
        return
    before = sys.stderr
    ours = before is not None and _number(before) == 2
    if ours:
        before.flush()
        sys.stderr = os.fdopen(os.dup(2), "w", encoding=before.encoding, errors=before.errors, buffering=1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    try:
        yield
    finally:
        if ours:
            sys.stderr.close()
            sys.stderr = before
        os.dup2(keep, 2)
        os.close(keep)


def _number(stream: Any) -> int | None:
    try:
        return int(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return None


class Listing(NamedTuple):
    """Devices by index, for each side, and the index of each side's default."""

    names: dict[str, dict[int, str]]
    defaults: dict[str, int | None]


def _pyaudio() -> Any:
    """The module, or DeviceError with what to type."""
    try:
        with redirect_stdout(None):  # it says, besides, that its module in C cannot be imported
            import pyaudio
    except ModuleNotFoundError:
        from voicechat.lacking import Lack, install, own_package

        line = instead_of(f"{own_package()}; it is compiled, which needs: {install(Lack.COMPILER)}")
        raise DeviceError(f"PyAudio is not installed: {line}") from None
    except ImportError as error:
        from voicechat.lacking import Lack, install

        raise DeviceError(f"PyAudio cannot be loaded ({error}): {install(Lack.PORTAUDIO)}") from None
    return pyaudio


class PortAudio:
    """PortAudio, initialised; ends it when closed. DeviceError if it does not start."""

    def __init__(self) -> None:
        pyaudio = _pyaudio()
        self.module: Any = pyaudio
        try:
            self.library: Any = pyaudio.PyAudio()
        except OSError as error:
            raise DeviceError(f"PortAudio does not start: {error}") from None
        self._api = next(filter(None, map(self._host_api, _API_BY_PREFERENCE)), None)
        names = {side: self._names(side, self._api) for side in _SIDES}
        self.listing = Listing(names, {side: self._default(side) for side in _SIDES})

    def close(self) -> None:
        """Let PortAudio go."""
        self.library.terminate()

    def _host_api(self, kind: str) -> Any:
        """What PortAudio tells of a host API; None if it is not here, or has no device."""
        try:
            api = self.library.get_host_api_info_by_type(getattr(self.module, kind))
        except OSError:
            return None
        return api if api["deviceCount"] > 0 else None

    def _names(self, side: str, api: Any) -> dict[int, str]:
        """The devices of one host API, of all if it is None."""
        every = (self.library.get_device_info_by_index(i) for i in range(self.library.get_device_count()))
        return {
            int(info["index"]): str(info["name"])
            for info in every
            if info[_SIDES[side]] > 0 and (api is None or info["hostApi"] == api["index"])
        }

    def _default(self, side: str) -> int | None:
        if self._api is not None:
            index = int(self._api[f"default{side.capitalize()}Device"])
            return None if index < 0 else index
        try:
            return int(getattr(self.library, f"get_default_{side}_device_info")()["index"])
        except OSError:
            return None

    def elsewhere(self, side: str, index: int) -> int | None:
        """The same device by MME, which converts what WASAPI refuses (a card at 44.1 kHz); None if it has none.

        MME knows the beginning of its name only, so where two begin alike there is none either.
        """
        mme = self._host_api("paMME")
        if mme is None or mme == self._api:
            return None
        short = self.listing.names[side][index][:_MME_NAME]
        alike = [name for name in self.listing.names[side].values() if name[:_MME_NAME] == short]
        found = [number for number, name in self._names(side, mme).items() if name == short]
        return found[0] if len(alike) == len(found) == 1 else None

    def same(self, side: str, name: str) -> int | None:
        """The index of the device with this name, wherever the system has put it; None if it is not there."""
        names = self.listing.names[side]
        exact = (index for index, other in names.items() if other == name)
        moved = (index for index, other in names.items() if _PLACE.sub("", other) == _PLACE.sub("", name))
        return next(exact, next(moved, None))

    def find(self, side: str, wanted: str) -> int | None:
        """The index of a device of a side ('input', 'output') by name, a part of one, or index.

        None for a default that does not exist; DeviceError with the list for anything else.
        """
        if wanted == DEFAULT:
            return self.listing.defaults[side]
        names = self.listing.names[side]
        if wanted.isascii() and wanted.isdigit() and int(wanted) in names:
            return int(wanted)
        exact = self.same(side, wanted)
        if exact is not None:
            return exact
        similar = [index for index, name in names.items() if wanted.lower() in name.lower()]
        if len(similar) == 1:
            return similar[0]
        problem = "several devices match" if similar else "there is no"
        known = ", ".join(f"{index}: {name}" for index, name in names.items()) or "none at all"
        raise DeviceError(f"{problem} {side} {wanted!r}; {side}s here: {known}")


def list_devices() -> str:
    """What --list-devices prints."""
    with quiet_stderr():
        audio = PortAudio()
        audio.close()
    lines = []
    for side, names in audio.listing.names.items():
        lines.append(f"{side}s:")
        standard = audio.listing.defaults[side]
        lines += [f"  {index:3}  {name}{'   (default)' if index == standard else ''}" for index, name in names.items()]
        if not names:
            lines.append("       none")
    if not any(audio.listing.names.values()):
        lines.append(f"no sound at all: {_NOTHING[sys.platform == 'win32']}")
    return "\n".join(lines)


def look() -> Listing | None:
    """What another process finds now; None if it does not find out in time."""
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(  # noqa: S603  this program itself
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=LOOK_SECONDS, check=True
        )
        names, defaults = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Listing({side: {int(index): name for index, name in some.items()} for side, some in names.items()}, defaults)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(PortAudio().listing))
