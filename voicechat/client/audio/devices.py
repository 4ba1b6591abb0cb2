"""What --input and --output choose, opened as well as can be at the moment.

Everything that opens or closes devices may block, and may even never return (PipeWire
was killed under a running stream, and Pa_CloseStream hung: measured). `supervisor` calls it
in a thread, one call at a time; one that hangs is given up with `abandon`, and does no
harm if it returns after all.
"""

import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

from voicechat.client.audio.card import FIRST_WITHIN, SoundCard
from voicechat.client.audio.handover import DeviceHandover
from voicechat.client.audio.named import are_one_file, sink_of, source_of
from voicechat.client.audio.portaudio import DEFAULT, Listing, PortAudio, look
from voicechat.client.audio.synthetic import Exchange, Null, RealTime, Silence, Sink, Source, Tone
from voicechat.errors import DeviceError
from voicechat.media.tuning import TUNING

WORST: Final = 99
"""The rank of having nothing."""

_CARDS: Final = Path("/proc/asound/cards")


class Missing(NamedTuple):
    """What the user wants and does not have."""

    what: str
    """'microphone' or 'loudspeaker'."""
    name: str | None
    """The device's, where they have named one."""
    instead: str | None
    """What is used until it is back."""


class Opened(NamedTuple):
    """What is in use."""

    microphone: str | None
    """The device's name; None if there is none, or a source plays."""
    loudspeaker: str | None
    missing: tuple[Missing, ...]


class Devices:
    """What the user chose with --input and --output. DeviceError for what cannot be.

    ``look_again`` finds out which devices there are while PortAudio is in use.
    """

    def __init__(self, microphone: str, loudspeaker: str, look_again: Callable[[], Listing | None] = look) -> None:
        if are_one_file(microphone, loudspeaker):
            raise DeviceError("--input and --output are the same file; it would be overwritten while it is played")
        source, sink = source_of(microphone), sink_of(loudspeaker)
        self.source: Source = source or Silence()
        self.sink: Sink = sink or Null()
        self._look_again = look_again
        self._synthetic = source is not None or sink is not None
        self._microphone = _Side("input", "microphone", microphone, real=source is None)
        self._loudspeaker = _Side("output", "loudspeaker", loudspeaker, real=sink is None)
        self.any_real = self._microphone.real or self._loudspeaker.real
        """A device is used that may be lost."""
        self.audible = self._loudspeaker.real
        """What is played is for somebody's ears now, and not for a file or for nobody."""
        self.gate_dbfs: float | None = TUNING.gate.guard_dbfs if isinstance(source, Tone) else None
        """The level that opens the gate, where the source has no noise to learn: a tone would be learnt as noise."""
        self._handover = DeviceHandover()
        self._tries = 0
        self._cards: str | None = None
        self._audio: PortAudio | None = None
        self._card: SoundCard | RealTime | None = None
        self._rank = WORST
        self._problem = ""
        """Why the last device could not be opened."""
        self.opened = Opened(None, None, ())
        if self.any_real:
            self._audio = self._portaudio()
            self._microphone.settle(self._audio)
            self._loudspeaker.settle(self._audio)

    @property
    def starved(self) -> bool:
        """The loudspeaker goes on, but its microphone has stopped."""
        return isinstance(self._card, SoundCard) and self._card.starved

    @property
    def idle(self) -> bool:
        """Nothing is open, so nothing calls ``exchange``."""
        return self._card is None

    def open(self, exchange: Exchange) -> Opened:
        """Open for the first time. DeviceError if a device that was named does not start."""
        self._handover.exchange = exchange
        self._open(self._tries)
        for missing in self.opened.missing:
            if missing.name is not None:
                raise DeviceError(f"cannot open the sound device {missing.name!r}: {self._problem}")
        return self.opened

    def reopen(self, *, lost: bool = True) -> Opened:
        """Let everything go, PortAudio too, so that it makes its list anew; then open the best there is.

        ``lost``: the device does not call any more.
        """
        this = self._tries
        card, audio = self._card, self._audio
        self._card = self._audio = None
        self._rank = WORST
        if card is not None:
            if not lost:
                self._handover.rest()
            card.stop(at_once=lost)
        if audio is not None:
            audio.close()
        if this == self._tries:
            if self.any_real:
                self._audio = self._portaudio()
            self._open(this)
        return self.opened

    def improve(self) -> Opened:
        """Look for what is missing. What runs goes on until something better does."""
        if self._audio is None:
            return self.reopen()
        cards = _cards()
        if cards is None or cards != self._cards:
            self._cards = cards
            listing = self._look_again()
            if listing is not None and listing != self._audio.listing:
                return self.reopen(lost=False)
        self._open(self._tries)
        return self.opened

    @property
    def may_rest(self) -> bool:
        """What is open may be closed while it is not needed: there is no recording whose time must go on."""
        return not self._synthetic and self.opened.loudspeaker is not None

    def capture(self, *, wanted: bool) -> Opened:
        """Open or close the microphone; what is heard goes on, with a gap of some milliseconds at most.

        The new card is opened beside the old one and takes over when it calls. Only where a
        device cannot be opened twice, the old one is closed first.
        """
        this = self._tries
        self._microphone.wanted = wanted
        self._rank = WORST
        before = self._card
        self._open(this)
        if before is not None and self._card is before and this == self._tries:
            before.stop()
            self._card = None
            self._open(this)
        return self.opened

    def pause(self) -> Opened:
        """Stop playing, too, until `go_on`. DeviceError if the device is gone."""
        if isinstance(self._card, SoundCard):
            self._handover.rest()
            self._card.pause()
            self._handover.again()
        return self.opened

    def go_on(self) -> Opened:
        """Play again. DeviceError if the device is gone."""
        if isinstance(self._card, SoundCard):
            self._card.go_on()
            if not self._handover.taken.wait(FIRST_WITHIN):
                raise DeviceError("the sound device does not start again")
        return self.opened

    def abandon(self) -> None:
        """A call of the above hangs: whatever it still does is not to matter. PortAudio stays as it is."""
        self._tries += 1
        self._card = self._audio = None
        self._rank = WORST

    def close(self) -> None:
        """Let everything go; recordings are complete afterwards."""
        self.sink.close()
        self._handover.rest()
        self._handover.end()
        card, audio = self._card, self._audio
        self._card = self._audio = None
        if card is not None:
            card.stop()
        self.source.close()
        if audio is not None:
            audio.close()

    def _portaudio(self) -> PortAudio:
        self._cards = _cards()
        return PortAudio()

    def _open(self, this: int) -> None:
        """Open the best that starts and is better than what runs; ``this`` is the try that it belongs to."""
        choices = product(self._microphone.choices(self._audio), self._loudspeaker.choices(self._audio))
        for microphone, loudspeaker in sorted(choices, key=lambda pair: pair[0].rank + pair[1].rank):
            rank = microphone.rank + loudspeaker.rank
            opened = Opened(microphone.name, loudspeaker.name, (*microphone.missing, *loudspeaker.missing))
            if rank >= self._rank:
                return
            card: SoundCard | RealTime
            if microphone.device is not None or loudspeaker.device is not None:
                assert self._audio is not None
                card = SoundCard(self._audio, microphone.device, loudspeaker.device, self.source, self.sink)
            elif self._synthetic:
                card = RealTime(self.source, self.sink)
            else:
                self.opened = opened
                return
            problem = self._start(card)
            if this != self._tries:
                card.stop()
                return
            if problem is None:
                before, self._card = self._card, card
                self._rank, self.opened = rank, opened
                if before is not None:
                    self._handover.notice()
                    before.stop()
                return
            self._problem = problem

    def _start(self, card: SoundCard | RealTime) -> str | None:
        """Have a card call; why it does not, or None when it has."""
        try:
            card.start(self._handover.offer())
        except DeviceError as error:
            self._handover.withdraw()
            return str(error)
        if self._handover.taken.wait(FIRST_WITHIN) or not self._handover.withdraw():
            return None
        card.stop(at_once=True)
        return "it does not start"


class _Choice(NamedTuple):
    """A device that one side may use."""

    rank: int
    """0 is what the user wants."""
    device: int | None
    """Its index for PortAudio."""
    name: str | None
    missing: tuple[Missing, ...]


class _Side:
    """Microphone or loudspeaker, as the user wants it."""

    def __init__(self, side: str, what: str, wanted: str, *, real: bool) -> None:
        self._side, self._what, self._wanted = side, what, wanted
        self.real = real
        self.wanted = True
        """Whether it is to be open now."""
        self.name: str | None = None
        """The device's own name, where the user has named one."""

    def settle(self, audio: PortAudio) -> None:
        """From now on the device is known by its name: numbers change. DeviceError if it is not there."""
        if self.real and self._wanted != DEFAULT:
            index = audio.find(self._side, self._wanted)
            assert index is not None
            self.name = audio.listing.names[self._side][index]

    def choices(self, audio: PortAudio | None) -> list[_Choice]:
        """The device that was named, else the default one, else none."""
        if not self.real or not self.wanted or audio is None:
            return [_Choice(0, None, None, ())]
        found = []
        names = audio.listing.names[self._side]
        named = None if self.name is None else audio.same(self._side, self.name)
        if named is not None:
            found.append(_Choice(0, named, self.name, ()))
        standard = audio.listing.defaults[self._side]
        if standard is not None and standard != named:
            name = names[standard]
            missing = () if self.name is None else (Missing(self._what, self.name, name),)
            found.append(_Choice(len(missing), standard, name, missing))
        return [*found, _Choice(3, None, None, (Missing(self._what, self.name, None),))]


def _cards() -> str | None:
    """The sound cards that Linux knows, so that nobody need look while they stay the same; elsewhere None."""
    if sys.platform != "linux":
        return None
    try:
        return _CARDS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
