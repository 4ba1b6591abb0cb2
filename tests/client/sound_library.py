"""A machine with sound devices that come and go, and PortAudio's view of it.

``Library`` stands in for the module pyaudio. As the real one does, it makes its list when
it is initialised and keeps it until it is terminated; a stream on a device that was
unplugged calls no more, and complains when it is closed. Nothing happens by itself:
``beat`` is one block of every device.
"""

from typing import Any

import numpy as np

from voicechat.format import BLOCK_SAMPLES

HEADSET, WEBCAM, HDMI = ("USB Headset", 1, 2), ("Webcam", 1, 0), ("HDMI", 0, 8)

QUIET = np.zeros(BLOCK_SAMPLES, np.float32).tobytes()

Device = tuple[str, int, int]
"""Name, inputs, outputs."""


class Stream:
    """A stream that was opened."""

    def __init__(self, library: "Library", names: dict[str, str], **options: Any) -> None:
        self._library = library
        self.options = options
        self.names = names
        """Its devices by side."""
        self.running = False
        self.closed = False

    @property
    def alive(self) -> bool:
        """It calls."""
        names = set(self.names.values())
        here = names <= self._library.plugged.keys() - self._library.asleep
        return self.running and here and not self._library.mute

    def beat(self, block: bytes = QUIET) -> bytes | None:
        """One block of the devices, if they are there: what is played."""
        if not self.alive:
            return None
        played, _ = self.options["stream_callback"](block if self.options["input"] else None, BLOCK_SAMPLES, {}, 0)
        assert (played is not None) == self.options["output"]
        return bytes(played or b"")

    def start_stream(self) -> None:
        """Run; the first call comes at once."""
        if not all(name in self._library.plugged for name in self.names.values()):
            raise OSError(-9999, "Unanticipated host error")
        self.running = True
        self.beat()

    def stop_stream(self) -> None:
        """Play to the end."""
        if not self.alive:
            raise OSError(-9988, "Stream closed")
        self.running = False

    def close(self) -> None:
        """The end."""
        self.running = False
        self.closed = True
        if not all(name in self._library.plugged for name in self.names.values()):
            raise OSError(-9999, "Unanticipated host error")


class Library:
    """The module pyaudio, on a machine with these devices; the first of each side is the default."""

    paContinue = 0
    paFloat32 = 1
    paMME, paWASAPI = 2, 13

    def __init__(self, *devices: Device, duplex: bool = True) -> None:
        self.plugged: dict[str, Device] = {device[0]: device for device in devices}
        self.duplex = duplex
        self.broken: set[str] = set()
        """Devices that are there and cannot be opened."""
        self.asleep: set[str] = set()
        """Devices whose streams run and do not call yet."""
        self.exclusive = False
        """A device is opened once at a time."""
        self.mute = False
        """Streams run and do not call."""
        self.initialised = 0
        self.lists = 0
        self._listed: list[Device] = []
        self.opened: list[Stream] = []

    def plug(self, *devices: Device) -> None:
        """Devices are there from now on."""
        self.plugged.update({device[0]: device for device in devices})

    def unplug(self, *devices: Device) -> None:
        """They are gone."""
        for name, _, _ in devices:
            self.plugged.pop(name, None)

    @property
    def streams(self) -> list[Stream]:
        """Those that are open."""
        return [stream for stream in self.opened if not stream.closed]

    def beat(self, block: bytes = QUIET) -> bytes | None:
        """One block of each open stream; what the last of them plays, None if nobody plays."""
        played = [stream.beat(block) for stream in self.streams]
        return next((block for block in reversed(played) if block), None)

    # -- as pyaudio has it ----------------------------------------------------------

    def PyAudio(self) -> "Library":
        """Initialise; makes the list if nobody has it yet."""
        if not self.initialised:
            self._listed = list(self.plugged.values())
            self.lists += 1
        self.initialised += 1
        return self

    def terminate(self) -> None:
        """The end."""
        assert self.initialised, "as often as it was initialised"
        self.initialised -= 1
        if not self.initialised:
            for stream in self.streams:
                stream.closed = True

    def get_device_count(self) -> int:
        """So many."""
        return len(self._listed)

    def get_device_info_by_index(self, index: int) -> dict[str, Any]:
        """One of them."""
        name, inputs, outputs = self._listed[index]
        sides = {"maxInputChannels": inputs, "maxOutputChannels": outputs}
        return {"index": index, "name": name, "hostApi": self.api_of(name)} | sides

    def api_of(self, _name: str) -> int:
        """The index of a device's host API: on Linux there is one."""
        return 0

    def get_host_api_info_by_type(self, kind: int) -> dict[str, Any]:
        """None of Windows' is here."""
        raise OSError(-9979, "Host API not found")

    def _default(self, side: int) -> dict[str, Any]:
        for index, device in enumerate(self._listed):
            if device[side]:
                return self.get_device_info_by_index(index)
        raise OSError("No Default Device Available")

    def get_default_input_device_info(self) -> dict[str, Any]:
        """The default microphone."""
        return self._default(1)

    def get_default_output_device_info(self) -> dict[str, Any]:
        """The default loudspeaker."""
        return self._default(2)

    def open(self, **options: Any) -> Stream:
        """A stream."""
        assert self.initialised
        if options["input"] and options["output"] and not self.duplex:
            raise OSError(-9997, "Invalid sample rate")
        indexes = {side: options.get(f"{side}_device_index") for side in ("input", "output") if options[side]}
        names = {side: self._listed[index][0] for side, index in indexes.items() if index is not None}
        if not set(names.values()) <= self.plugged.keys() - self.broken:
            raise OSError(-9985, "Device unavailable")
        if self.exclusive and any(set(names.values()) & set(stream.names.values()) for stream in self.streams):
            raise OSError(-9985, "Device unavailable")
        self.opened.append(Stream(self, names, **options))
        return self.opened[-1]


MAPPER, DIRECT = ("Microsoft Sound Mapper", 2, 2), ("Primary Sound Driver", 2, 2)


class WindowsLibrary(Library):
    """The same on Windows: each device once by MME, which knows 31 letters of its name, and once by WASAPI.

    Names begin with that of the host API, which the real ones do not: here they are keys.
    """

    def __init__(self, *names: Device, wasapi: bool = True) -> None:
        self.apis = {self.paMME: 0, self.paWASAPI: 1} if wasapi else {self.paMME: 0}
        by_mme = [MAPPER, *((f"MME {name[:31]}", inputs, outputs) for name, inputs, outputs in names)]
        by_wasapi = [(f"WASAPI {name}", inputs, outputs) for name, inputs, outputs in names] if wasapi else []
        super().__init__(*by_mme, DIRECT, *by_wasapi)

    def api_of(self, name: str) -> int:
        """MME, WASAPI, or DirectSound."""
        return {"MME": 0, "WASAPI": 1, "Microsoft": 0}.get(name.partition(" ")[0], 2)

    def get_device_info_by_index(self, index: int) -> dict[str, Any]:
        """With the name as the system has it."""
        info = super().get_device_info_by_index(index)
        return info | {"name": info["name"].removeprefix("MME ").removeprefix("WASAPI ")}

    def get_host_api_info_by_type(self, kind: int) -> dict[str, Any]:
        """WASAPI's default microphone and loudspeaker are the last of its devices."""
        if kind not in self.apis:
            raise OSError(-9979, "Host API not found")
        own = [number for number, device in enumerate(self._listed) if self.api_of(device[0]) == self.apis[kind]]
        last = {side: max((i for i in own if self._listed[i][side]), default=-1) for side in (1, 2)}
        return {
            "index": self.apis[kind],
            "deviceCount": len(own),
            "defaultInputDevice": last[1],
            "defaultOutputDevice": last[2],
        }
