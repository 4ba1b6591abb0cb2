"""What --input and --output name that is no card: files, a tone, silence, nothing."""

from contextlib import suppress
from pathlib import Path

from voicechat.client.audio.synthetic import Null, Silence, Sink, Source, Tone
from voicechat.client.audio.wav import Recording, WavSink
from voicechat.errors import DeviceError
from voicechat.format import SAMPLE_RATE


def are_one_file(microphone: str, loudspeaker: str) -> bool:
    """Whether a recording would go to the file that is played, by whatever name."""
    paths = [rest for kind, _, rest in (text.partition(":") for text in (microphone, loudspeaker)) if kind == "wav"]
    if len(paths) < 2:
        return False
    with suppress(OSError, ValueError, RuntimeError):  # one of them is not there
        return Path(paths[0]).expanduser().samefile(Path(paths[1]).expanduser())
    return False


def source_of(text: str) -> Source | None:
    """The source that --input names, or None for a real device. DeviceError if it cannot be."""
    kind, _, rest = text.partition(":")
    if kind == "wav":
        return Recording(rest)
    if text == "silence":
        return Silence()
    if kind == "tone":
        try:
            hertz = float(rest) if rest.isascii() else 0.0
        except ValueError:
            hertz = 0.0
        if not 0 < hertz < SAMPLE_RATE / 2:
            raise DeviceError(f"tone:HZ needs a number from 1 to {SAMPLE_RATE // 2 - 1}, not {rest!r}")
        return Tone(hertz)
    return None


def sink_of(text: str) -> Sink | None:
    """The sink that --output names, or None for a real device. DeviceError if it cannot be."""
    kind, _, rest = text.partition(":")
    if kind == "wav":
        return WavSink(rest)
    return Null() if text == "null" else None


def in_use(what: str, card: str | None, chosen: str) -> str:
    """A line about a device: the card in use, None for no card, and what was asked for."""
    return f"{what}: {card or 'no card'} (you asked for {chosen})"
